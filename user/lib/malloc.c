/*
 * malloc: power-of-two size classes.
 *
 * A block is a 16-byte header followed by the caller's bytes; header and bytes together are a power
 * of two from 32 bytes to 64 KiB, and a freed block goes to the list of its class, last in first
 * out. An empty class is refilled by carving a run of blocks off the break. Larger requests are
 * mappings of their own and go back to the kernel when freed. Blocks are never split or joined:
 * wasteful by less than half, but every operation is a few instructions and the header alone says
 * all there is to know. The header's check word catches a free of something that malloc did not
 * hand out, or twice.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <thread.h>
#include <unistd.h>

#define MIN_SHIFT	5
#define MAX_SHIFT	16
#define REFILL		4096UL		/* take at least this much from the break at a time */
#define LIVE		0x6576696cu	/* the check word of a block in use */
#define DEAD		0x64616564u

struct block {
	union {
		size_t		mapped;	/* class MAPPED: the mapping's length */
		struct block	*next;	/* on a free list */
	};
	uint32_t	class;
	uint32_t	check;
};

#define MAPPED 0

_Static_assert(sizeof(struct block) == 16, "the header keeps blocks 16-byte aligned");

static struct block *free_lists[MAX_SHIFT + 1];
static lock_t heap_lock;

static struct block *alloc_mapped(size_t size)
{
	size_t length = (size + sizeof(struct block) + 4095) & ~4095UL;
	struct block *block;

	if (length < size) {
		errno = ENOMEM;
		return NULL;
	}
	block = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (block == MAP_FAILED)
		return NULL;
	block->mapped = length;
	block->class = MAPPED;
	return block;
}

/* Fill an empty class from the break. Called with heap_lock held; false if there is no memory. */
static int refill(unsigned int class)
{
	size_t size = 1UL << class;
	size_t total = size > REFILL ? size : REFILL;
	char *start = sbrk(0);

	if ((uintptr_t)start & 15)
		sbrk(16 - ((intptr_t)start & 15));
	start = sbrk((intptr_t)total);
	if (start == (void *)-1)
		return 0;
	for (size_t at = 0; at < total; at += size) {
		struct block *block = (struct block *)(start + at);

		block->check = DEAD;
		block->next = free_lists[class];
		free_lists[class] = block;
	}
	return 1;
}

static struct block *alloc_class(unsigned int class)
{
	struct block *block;

	lock_acquire(&heap_lock);
	if (!free_lists[class] && !refill(class)) {
		lock_release(&heap_lock);
		errno = ENOMEM;
		return NULL;
	}
	block = free_lists[class];
	free_lists[class] = block->next;
	lock_release(&heap_lock);
	block->class = class;
	return block;
}

static unsigned int class_of(size_t size)
{
	unsigned int class = MIN_SHIFT;

	while ((1UL << class) < size + sizeof(struct block))
		class++;
	return class;
}

static struct block *block_of(void *ptr)
{
	struct block *block = (struct block *)ptr - 1;

	if (block->check != LIVE) {
		dprintf(2, "malloc: %p is not a live block\n", ptr);
		abort();
	}
	return block;
}

void *malloc(size_t size)
{
	struct block *block;

	if (size > (1UL << MAX_SHIFT) - sizeof(*block))
		block = alloc_mapped(size);
	else
		block = alloc_class(class_of(size));
	if (!block)
		return NULL;
	block->check = LIVE;
	return block + 1;
}

void free(void *ptr)
{
	struct block *block;

	if (!ptr)
		return;
	block = block_of(ptr);
	block->check = DEAD;
	if (block->class == MAPPED) {
		munmap(block, block->mapped);
		return;
	}
	lock_acquire(&heap_lock);
	block->next = free_lists[block->class];
	free_lists[block->class] = block;
	lock_release(&heap_lock);
}

void *calloc(size_t count, size_t size)
{
	size_t total;
	void *ptr;

	if (__builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	ptr = malloc(total);
	return ptr ? memset(ptr, 0, total) : NULL;
}

void *realloc(void *ptr, size_t size)
{
	struct block *block;
	size_t room;
	void *fresh;

	if (!ptr)
		return malloc(size);
	block = block_of(ptr);
	room = (block->class == MAPPED ? block->mapped : 1UL << block->class) - sizeof(*block);
	if (size <= room && size >= room / 4)
		return ptr;
	fresh = malloc(size);
	if (!fresh)
		return size <= room ? ptr : NULL;
	memcpy(fresh, ptr, size < room ? size : room);
	free(ptr);
	return fresh;
}
