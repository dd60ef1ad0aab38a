/*
 * banned.h - makes calls that have a safer sibling compile errors. Every source
 * file includes it, last.
 */
/* With clang the C library makes these two macros. */
#undef sprintf
#undef vsprintf
#undef TEMP_FAILURE_RETRY
#pragma GCC poison strcpy strcat strncpy strncat strtok sprintf vsprintf gets
#pragma GCC poison atoi atol gmtime localtime
/* glibc's own: musl has none. */
#pragma GCC poison TEMP_FAILURE_RETRY
