/*
 * hash.h - FNV-1a, 64 bits, and a sum that is faster. Both are the same on
 * every machine, and no protection: anybody can find two texts with the same
 * hash.
 */
#ifndef HASH_H
#define HASH_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_START UINT64_C(14695981039346656037)
#define HASH_PRIME UINT64_C(1099511628211)

/* before: HASH_START, or the hash of the bytes before these. */
static inline uint64_t
hash_bytes(uint64_t before, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	while (len-- > 0)
		before = (before ^ *at++) * HASH_PRIME;
	return before;
}

/* The same with the length: "ab", "c" and "a", "bc" differ. */
static inline uint64_t
hash_add(uint64_t before, const void *bytes, size_t len)
{
	return hash_bytes((before ^ len) * HASH_PRIME, bytes, len);
}

/* For sums: a change of any bits of one word always changes the hash. */
static inline uint64_t
hash_word(uint64_t before, uint64_t word)
{
	before = (before ^ word) * HASH_PRIME;
	return before ^ before >> 32;
}

static inline uint64_t
hash_words(uint64_t before, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	uint64_t word;

	for (before = hash_word(before, len); len >= 8; at += 8, len -= 8) {
		memcpy(&word, at, sizeof(word));
		before = hash_word(before, le64toh(word));
	}
	return hash_bytes(before, at, len);
}

#endif
