/* hash.h - numbers that stand for bytes. */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 (Aumasson, Bernstein 2012) with the key k0, k1. */
uint64_t hash_sip(uint64_t k0, uint64_t k1, const void *bytes, size_t len);

/*
 * One more piece for a hash of several, each with its length: "ab", "c" and
 * "a", "bc" differ. The first piece goes with 0. The same on every machine;
 * no secret keeps anybody from finding two pieces that collide.
 */
uint64_t hash_add(uint64_t before, const void *bytes, size_t len);

#endif
