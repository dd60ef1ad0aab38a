/* hash.h - 64-bit hashes of bytes. */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(14695981039346656037)

/*
 * FNV-1a of these bytes. `before` is HASH_START, or the hash of those before.
 * The hash is the same on every machine, and no protection: anybody can find
 * two texts with the same hash.
 */
uint64_t hash_bytes(uint64_t before, const void *bytes, size_t len);

/* The same with the length: "ab", "c" and "a", "bc" differ. */
uint64_t hash_add(uint64_t before, const void *bytes, size_t len);

#endif
