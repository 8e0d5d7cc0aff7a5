/*
 * Heapsort (Williams and Floyd, 1964): the kernel sorts small tables, wants no
 * worst case and has no memory to lend to a mergesort.
 */
#include "lib/sort.h"
#include "lib/compiler.h"

static void swap_words(void *a, void *b, int size)
{
	u64 *p = a, *q = b;

	for (; size; size -= sizeof(u64), p++, q++)
		swap(*p, *q);
}

static void swap_bytes(void *a, void *b, int size)
{
	u8 *p = a, *q = b;

	for (; size; size--, p++, q++)
		swap(*p, *q);
}

/* Let element @i sink until no child is larger; the heap has @num elements. */
static void sift_down(char *base, size_t i, size_t num, size_t size,
		      int (*cmp)(const void *a, const void *b),
		      void (*swap_fn)(void *a, void *b, int size))
{
	size_t child;

	while ((child = 2 * i + 1) < num) {
		if (child + 1 < num && cmp(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (cmp(base + i * size, base + child * size) >= 0)
			return;
		swap_fn(base + i * size, base + child * size, size);
		i = child;
	}
}

void sort(void *base, size_t num, size_t size, int (*cmp)(const void *a, const void *b),
	  void (*swap_fn)(void *a, void *b, int size))
{
	size_t i;

	if (num < 2 || !size)
		return;
	if (!swap_fn)
		swap_fn = ((unsigned long)base | size) % sizeof(u64) ? swap_bytes : swap_words;
	for (i = num / 2; i-- > 0;)
		sift_down(base, i, num, size, cmp, swap_fn);
	for (i = num - 1; i > 0; i--) {
		swap_fn(base, (char *)base + i * size, size);
		sift_down(base, 0, i, size, cmp, swap_fn);
	}
}
