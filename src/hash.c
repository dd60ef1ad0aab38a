/*
 * hash.c - SipHash, for ids that must be the same whenever they are made.
 *
 * Cannot fail and takes no memory.
 */
#include "hash.h"

#include "banned.h"

#define OURS UINT64_C(0x76b0c3d1a95e4f27)	/* any number, for ever */

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

static void
rounds(struct sip *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

/* Up to eight bytes, the first one lowest, whatever the machine's order. */
static uint64_t
word(const unsigned char *at, size_t len)
{
	uint64_t w = 0;

	while (len-- > 0)
		w = w << 8 | at[len];
	return w;
}

uint64_t
hash_sip(uint64_t k0, uint64_t k1, const void *bytes, size_t len)
{
	struct sip s = {
		k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573),
	};
	const unsigned char *at = bytes;
	size_t left;
	uint64_t w;

	for (left = len; left >= 8; left -= 8, at += 8) {
		w = word(at, 8);
		s.v3 ^= w;
		rounds(&s, 2);
		s.v0 ^= w;
	}
	w = word(at, left) | (uint64_t)(len & 0xff) << 56;
	s.v3 ^= w;
	rounds(&s, 2);
	s.v0 ^= w;
	s.v2 ^= 0xff;
	rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t
hash_add(uint64_t before, const void *bytes, size_t len)
{
	return hash_sip(before, OURS, bytes, len);
}
