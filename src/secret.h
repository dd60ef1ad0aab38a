/* secret.h - memory for secrets, which no core dump has. */
#ifndef SECRET_H
#define SECRET_H

#include <stddef.h>

/* Zeros; the parts that are never touched cost nothing. NULL: out of memory. */
void *secret_map(size_t size) __attribute__((warn_unused_result));

/* Gives the memory back to the system, which wipes it. NULL: nothing. */
void secret_unmap(void *, size_t size);

#endif
