/*
 * What is remembered of pages that were evicted: 32 bits each, found by what the page was.
 *
 * A table of as many places as the machine has pages, in buckets of four: a page's place is a hash of its file
 * and index, or of its swap entry. A bucket that is full forgets one in turn. So the table has a fixed size,
 * needs no lock and cannot fail; it may forget, or (another page with the same hash) remember wrongly, and
 * both cost no more than a page on the wrong list. Linux keeps the same values in the page cache's tree.
 *
 * A place is one 64-bit word, read and written whole: hash above, what is remembered below; 0: empty.
 */
#include "base/panic.h"
#include "lib/atomic.h"
#include "lib/bitops.h"
#include "mm/cache/pagecache.h"
#include "mm/reclaim/lru.h"
#include "mm/vm/mm.h"
#include "mm/vm/vmalloc.h"

#define WAYS	4

static u64 (*table)[WAYS];
static unsigned long nr_buckets;

void shadow_init(unsigned long pages)
{
	unsigned long n = 64;

	while (n * WAYS < pages)
		n *= 2;
	table = vmalloc(n * sizeof(*table), GFP_KERNEL | __GFP_ZERO);
	if (table)
		WRITE_ONCE(nr_buckets, n);
}

/* A finalizer of Austin Appleby's MurmurHash3: every bit of the input reaches every bit of the result. */
static u64 mix(u64 x)
{
	x = (x ^ x >> 33) * 0xff51afd7ed558ccdUL;
	x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53UL;
	return x ^ x >> 33;
}

u64 shadow_key(const struct page *page)
{
	u64 key;

	if (PageSwapCache(page))
		key = mix(page->private);
	else if (page->mapping && !page_is_anon(page))
		key = mix((unsigned long)page->mapping) ^ mix(page->index + 1);
	else
		return 0;
	return key ? key : 1;
}

/* The lowest bits choose the bucket, the highest 32 are kept to compare. */
static u64 *bucket_of(u64 key)
{
	return table[key & (nr_buckets - 1)];
}

void shadow_store(u64 key, u32 shadow)
{
	u64 *bucket;
	u32 victim;

	if (!READ_ONCE(nr_buckets) || !key)
		return;
	bucket = bucket_of(key);
	victim = shadow % WAYS;		/* its own clock: one after the other, roughly */
	for (unsigned int way = 0; way < WAYS; way++)
		if (!READ_ONCE(bucket[way]))
			victim = way;
	WRITE_ONCE(bucket[victim], (key >> 32 << 32) | shadow);
}

u32 shadow_take(u64 key)
{
	u64 *bucket;

	if (!READ_ONCE(nr_buckets) || !key)
		return 0;
	bucket = bucket_of(key);
	for (unsigned int way = 0; way < WAYS; way++) {
		u64 word = READ_ONCE(bucket[way]);

		if (word && word >> 32 == key >> 32) {
			WRITE_ONCE(bucket[way], 0);
			return word;
		}
	}
	return 0;
}
