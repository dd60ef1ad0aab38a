/*
 * hash.c - FNV-1a, for ids that must be the same whenever they are made.
 */
#include "hash.h"

#include "banned.h"

#define PRIME UINT64_C(1099511628211)

uint64_t
hash_bytes(uint64_t before, const void *bytes, size_t len)
{
	const unsigned char *at = bytes, *end = at + len;

	for (; at < end; at++)
		before = (before ^ *at) * PRIME;
	return before;
}

uint64_t
hash_add(uint64_t before, const void *bytes, size_t len)
{
	return hash_bytes((before ^ len) * PRIME, bytes, len);
}
