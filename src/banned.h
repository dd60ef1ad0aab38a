/*
 * banned.h - makes calls that have a safer sibling compile errors. Every source
 * file includes it, last.
 */
#pragma GCC poison strcpy strcat strncpy strncat strtok sprintf vsprintf gets
#pragma GCC poison atoi atol gmtime localtime
