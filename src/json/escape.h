/* escape.h - strings of checked JSON, without their escapes. */
#ifndef JSON_ESCAPE_H
#define JSON_ESCAPE_H

#include "json/check.h"

/*
 * Takes escapes out of a checked string, in place, and ends it with a NUL
 * where its closing quote was. Returns its first byte; *len counts bytes.
 */
char *json_unescape(struct json_value *, size_t *len);

/* Does a checked string, escapes and all, spell this ASCII name? */
bool json_spells(const struct json_value *, const char *name, size_t len);

/* The four digits after \u, or -1. */
int json_hex4(const char *at, const char *end);

#endif
