/*
 * scan.h - the text of JSON's strings, up to what needs a look: 16 bytes at a
 * time with SSE2, which each x86-64 has, else one by one. No byte from
 * `end` on is read, but for the last of a character that is cut there.
 *
 * scan_plain() finds the first byte that is no printable ASCII, nor part of a
 * character of two bytes such as Cyrillic; quotes and backslashes are found,
 * too. scan_quote() finds a quote or a backslash. scan_16() has a bit for each
 * of 16 bytes that is this one. scan_same() compares up to 16 bytes, and may
 * read all 16.
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline bool
scan_is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static inline const char *
scan_plain_bytes(const char *at, const char *end)
{
	const unsigned char *s = (const unsigned char *)at;

	for (;; at += 2, s += 2) {
		while (at < end && scan_is_plain(*s))
			at++, s++;
		if (end - at < 2 || s[0] < 0xc2 || s[0] > 0xdf ||
		    (s[1] & 0xc0) != 0x80)
			return at;
	}
}

static inline const char *
scan_quote_bytes(const char *at, const char *end)
{
	while (at < end && *at != '"' && *at != '\\')
		at++;
	return at;
}

static inline unsigned int
scan_16_bytes(const unsigned char *at, unsigned char c)
{
	unsigned int bits = 0, i;

	for (i = 0; i < 16; i++)
		bits |= (unsigned int)(at[i] == c) << i;
	return bits;
}

#ifdef __SSE2__
#include <emmintrin.h>

static inline __m128i
scan_load(const char *at)
{
	return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline __m128i
scan_equal(__m128i v, char c)
{
	return _mm_cmpeq_epi8(v, _mm_set1_epi8(c));
}

static inline unsigned int
scan_bits(__m128i v)
{
	return (unsigned int)_mm_movemask_epi8(v);
}

static inline __m128i
scan_quotes(__m128i v)
{
	return _mm_or_si128(scan_equal(v, '"'), scan_equal(v, '\\'));
}

/* From 0 to 0x1f. */
static inline __m128i
scan_controls(__m128i v)
{
	return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
}

/* A bit for each byte, of 16, that is not plain. */
static inline unsigned int
scan_stops(__m128i v)
{
	/* 0x80 to 0xbf, and the first bytes of more than two: 0xe0 on. */
	unsigned int more = scan_bits(_mm_cmplt_epi8(v, _mm_set1_epi8(-0x40)));
	unsigned int stops = scan_bits(_mm_or_si128(_mm_cmpeq_epi8(v,
	    _mm_max_epu8(v, _mm_set1_epi8(-0x20))), _mm_or_si128(
	    _mm_or_si128(scan_quotes(v), scan_controls(v)), scan_equal(
	    _mm_and_si128(v, _mm_set1_epi8(-2)), (char)0xc0))));
	unsigned int first = scan_bits(v) & ~more & ~stops;

	/* Behind each first byte is one of the others, or the end. */
	return stops | (more & ~(first << 1)) |
	    (first & ~(more >> 1) & 0x7fff);
}

/* The rest of a text in which 16 bytes are not all ASCII. */
__attribute__((noinline, unused)) static const char *
scan_rest_sse2(const char *at, const char *end)
{
	unsigned int stops;

	while (end - at >= 16) {
		stops = scan_stops(scan_load(at));
		if (stops != 0)
			return at + __builtin_ctz(stops);
		/* A first byte at the end is the next 16's. */
		at += (unsigned char)at[15] < 0xc0 ? 16 : 15;
	}
	return scan_plain_bytes(at, end);
}

static inline const char *
scan_plain_sse2(const char *at, const char *end)
{
	unsigned int stops;
	__m128i v;

	for (; end - at >= 16; at += 16) {
		v = scan_load(at);
		stops = scan_bits(_mm_or_si128(_mm_or_si128(v, scan_quotes(v)),
		    scan_controls(v)));
		if (stops == 0)
			continue;
		if (at[__builtin_ctz(stops)] < 0)
			break;
		return at + __builtin_ctz(stops);
	}
	return scan_rest_sse2(at, end);
}

static inline const char *
scan_quote_sse2(const char *at, const char *end)
{
	unsigned int stops;

	for (; end - at >= 16; at += 16) {
		stops = scan_bits(scan_quotes(scan_load(at)));
		if (stops != 0)
			return at + __builtin_ctz(stops);
	}
	return scan_quote_bytes(at, end);
}

static inline unsigned int
scan_16_sse2(const unsigned char *at, unsigned char c)
{
	return scan_bits(scan_equal(scan_load((const char *)at), (char)c));
}

static inline bool
scan_same_sse2(const char *at, const char *other, size_t len)
{
	return (~scan_bits(_mm_cmpeq_epi8(scan_load(at), scan_load(other))) &
	    ((1u << len) - 1)) == 0;
}

#define scan_plain scan_plain_sse2
#define scan_quote scan_quote_sse2
#define scan_16 scan_16_sse2
#define scan_same scan_same_sse2
#else
#define scan_plain scan_plain_bytes
#define scan_quote scan_quote_bytes
#define scan_16 scan_16_bytes
#define scan_same(at, other, len) (memcmp((at), (other), (len)) == 0)
#endif

#endif
