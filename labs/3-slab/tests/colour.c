/*
 * Colours, proven by the addresses. In each slab the place of its lowest object is looked at, in the
 * order in which the slabs came. What a slab has left over is known up to the management that may lie
 * in it, for which 8 bytes for each object and 128 more are allowed.
 */
#include "test/ktest/objects.h"
#include "lib/string.h"

#define LINE		64U
#define MAX_SLABS	160
#define MAX_OBJECTS	4096

struct slab_seen {
	unsigned long serial;
	unsigned int low, high;		/* offset of the first object, and of the end of the last */
	unsigned int objects, order;
};

static struct slab_seen slabs[MAX_SLABS];
static void *object[MAX_OBJECTS];

/* Takes objects until @wanted slabs are used up; fills in slabs[], in the order in which they came. How
 * many. */
static unsigned int see_slabs(struct kmem_cache *c, unsigned int wanted)
{
	unsigned int n = 0, taken = 0, most = 0, whole = 0;

	while (n <= wanted && n < MAX_SLABS && taken < MAX_OBJECTS) {
		struct objects_slab slab;
		unsigned int offset, k = 0;

		object[taken] = objects_take(c, GFP_KERNEL);
		ASSERT_TRUE(object[taken] != NULL);
		slab = objects_slab_of(object[taken]);
		offset = (char *)object[taken++] - (char *)__va(PFN_PHYS(slab.first));
		while (k < n && slabs[k].serial != slab.serial)
			k++;
		if (k == n)
			slabs[n++] = (struct slab_seen){ slab.serial, ~0U, 0, 0, slab.order };
		slabs[k].low = min(slabs[k].low, offset);
		slabs[k].high = max(slabs[k].high, offset + c->size);
		slabs[k].objects++;
		most = max(most, slabs[k].objects);
	}
	objects_give_many(c, object, taken);
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int k = i; k && slabs[k].serial < slabs[k - 1].serial; k--)
			swap(slabs[k], slabs[k - 1]);
	while (whole < n && slabs[whole].objects == most)
		whole++;
	ASSERT_TRUE(whole + 3 >= wanted);
	return whole;
}

/* How many places there are at least, @step apart, for the objects of a slab. */
static unsigned int least_colours(const struct kmem_cache *c, unsigned int step)
{
	unsigned int bytes = PAGE_SIZE << slabs[0].order, n = slabs[0].objects;
	unsigned int used = n * c->size + 8 * n + 128;

	return used >= bytes ? 1 : (bytes - used) / step + 1;
}

static unsigned int distinct(unsigned int n)
{
	unsigned int different = 0;

	for (unsigned int i = 0; i < n; i++) {
		unsigned int k = 0;

		while (k < i && slabs[k].low != slabs[i].low)
			k++;
		different += k == i;
	}
	return different;
}

static void check_cycle(struct kmem_cache *c, unsigned int step)
{
	unsigned int n = see_slabs(c, MAX_SLABS / 2), colours = distinct(n), low = ~0U, high = 0;
	unsigned int least = least_colours(c, step), end = 0;

	if (colours < least || (least > 1 && colours < 2))
		ktest_fail(__FILE__, __LINE__, "%u slabs of %u objects of %u bytes, in %lu bytes: the first "
			   "objects have %u places, at least %u fit", n, slabs[0].objects, c->size,
			   (unsigned long)PAGE_SIZE << slabs[0].order, colours, least);
	EXPECT_EQ(distinct(min(n, colours)), colours);
	for (unsigned int i = 0; i < n; i++) {
		low = min(low, slabs[i].low);
		high = max(high, slabs[i].low);
		if (i + colours < n && slabs[i].low != slabs[i + colours].low)
			ktest_fail(__FILE__, __LINE__, "slab %u begins its objects at %u, slab %u at %u: "
				   "%u colours do not come round", i, slabs[i].low, i + colours,
				   slabs[i + colours].low, colours);
	}
	for (unsigned int i = 0; i < n; i++)
		EXPECT_EQ((slabs[i].low - low) % step, 0);
	EXPECT_GE(high - low, (least - 1) * step);
	/* Management in front of the objects does not lie behind them: no other colour fits. */
	for (unsigned int i = 0; i < n; i++)
		end = max(end, slabs[i].high);
	if (low)
		EXPECT_LE((PAGE_SIZE << slabs[0].order) - end, step - 1);
}

KTEST(colour, colours_come_round,
      "each new slab begins its objects one step further in, until the slack is used up; then "
      "from the "
      "beginning", 400000000)
{
	static const size_t sizes[] = { 600, 1400, 1000, 232, 3000 };

	objects_world(2048);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct kmem_cache *c = kmem_cache_create("colour", sizes[i], 0, 0, NULL);

		ASSERT_TRUE(c != NULL);
		check_cycle(c, LINE);
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}

KTEST(colour, colours_keep_the_alignment,
      "objects aligned to more than a cache line are moved in steps of their alignment", 400000000)
{
	static const struct { size_t size, align; } kind[] = {
		{ 640, 128 }, { 700, 256 }, { 1100, 64 },
	};

	objects_world(2048);
	for (unsigned int i = 0; i < ARRAY_SIZE(kind); i++) {
		struct kmem_cache *c = kmem_cache_create("steps", kind[i].size, kind[i].align,
							 SLAB_HWCACHE_ALIGN, objects_ctor);

		ASSERT_TRUE(c != NULL);
		check_cycle(c, max(kind[i].align, (size_t)LINE));
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}

/* A cache of 4 KiB a way has 64 sets; the line of an address is in set address / 64 % 64. */
KTEST(colour, first_objects_spread_over_cache_sets,
      "the first objects of many slabs meet in the same set of the processor's cache as rarely "
      "as can "
      "be", 200000000)
{
	unsigned int histogram[64] = { 0 }, n, colours, most = 0;
	struct kmem_cache *c;

	objects_world(2048);
	c = kmem_cache_create("sets", 1400, 0, SLAB_HWCACHE_ALIGN, NULL);
	ASSERT_TRUE(c != NULL);
	n = see_slabs(c, 96);
	colours = max(least_colours(c, LINE), 2U);
	for (unsigned int i = 0; i < n; i++)
		most = max(most, ++histogram[slabs[i].low / LINE % 64]);
	if (most > DIV_ROUND_UP(n, min(colours, 64U)))
		ktest_fail(__FILE__, __LINE__, "of %u slabs with room for %u colours %u begin in the same "
			   "set", n, colours, most);
}
