/* inbox_memory.h - a store in memory, for tests of what stands above one. */
#ifndef INBOX_MEMORY_H
#define INBOX_MEMORY_H

struct inbox;

/* NULL: out of memory. */
struct inbox *inbox_memory(void);

#endif
