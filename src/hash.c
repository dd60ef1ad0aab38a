/*
 * hash.c - FNV-1a, for ids that must be the same whenever they are made.
 */
#include "hash.h"

#include "banned.h"

#define PRIME UINT64_C(1099511628211)

uint64_t
hash_bytes(uint64_t before, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	size_t i;

	for (i = 0; i < len; i++)
		before = (before ^ at[i]) * PRIME;
	return before;
}

uint64_t
hash_add(uint64_t before, const void *bytes, size_t len)
{
	return hash_bytes((before ^ len) * PRIME, bytes, len);
}
