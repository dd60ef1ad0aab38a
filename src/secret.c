/*
 * secret.c - mappings for secrets. The heap would keep copies in freed blocks,
 * and a core dump has the heap.
 */
#include "secret.h"

#include <sys/mman.h>

#include "banned.h"

void *
secret_map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	(void)madvise(memory, size, MADV_DONTDUMP);
	return memory;
}

void
secret_unmap(void *memory, size_t size)
{
	if (memory != NULL)
		(void)munmap(memory, size);
}
