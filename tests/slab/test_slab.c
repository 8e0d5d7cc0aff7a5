/* What only SLAB promises: colours, management by waste, arrays, double frees seen wherever the object is. */
#include "test.h"

static struct slab_stats stats_of(struct kmem_cache *c)
{
	struct slab_stats stats;

	cache_stats(c, &stats);
	return stats;
}

/* ---- layout ------------------------------------------------------------------------------- */

/* How many objects a slab could hold if nothing else were in it. */
static unsigned long ideal(const struct slab_stats *s, size_t size)
{
	return s->pages_per_slab * (unsigned long)PAGE_SIZE / size;
}

static void test_waste(struct prng *rng)
{
	(void)rng;
	for (size_t size = 8; size <= KMALLOC_MAX_CACHE_SIZE; size += size < 512 ? 8 : 104) {
		struct kmem_cache *c = kmem_cache_create("waste", size, 0, 0, NULL);
		struct slab_stats s = stats_of(c);
		unsigned long bytes = s.pages_per_slab * (unsigned long)PAGE_SIZE;

		EXPECT(s.objects_per_slab && s.objects_per_slab <= ideal(&s, size));
		/* Two bytes an object, and no more than an eighth and an object left over. */
		EXPECT(s.objects_per_slab * (size + 2) + bytes / 8 + size + 8 >= bytes);
		if (size >= 256 && bytes % size == 0)	/* a perfect fit is not spoilt */
			EXPECT_EQ(s.objects_per_slab, ideal(&s, size));
		EXPECT_EQ(kmem_cache_destroy(c), 0);
	}
}

/* The first object of each slab, taken one whole slab at a time. */
static unsigned int slab_starts(struct kmem_cache *c, unsigned int slabs, unsigned long *start,
				void **objects)
{
	unsigned int num = stats_of(c).objects_per_slab, n = 0;
	unsigned long mask = stats_of(c).pages_per_slab * (unsigned long)PAGE_SIZE - 1;

	for (unsigned int i = 0; i < slabs; i++)
		start[i] = ~0UL;
	for (; n < slabs * num; n++) {
		unsigned long at;

		objects[n] = kmem_cache_alloc(c, GFP_KERNEL);
		at = (unsigned long)objects[n];
		for (unsigned int i = 0; i < slabs; i++) {
			if (start[i] == ~0UL || (start[i] & ~mask) == (at & ~mask)) {
				start[i] = min(start[i], at);
				break;
			}
		}
	}
	return n;
}

static void check_colours(size_t size, size_t align, unsigned int slabs)
{
	struct kmem_cache *c = kmem_cache_create("colour", size, align, 0, NULL);
	struct slab_stats s = stats_of(c);
	unsigned long bytes = s.pages_per_slab * (unsigned long)PAGE_SIZE, step = max(align, (size_t)64);
	unsigned long *start = calloc(slabs, sizeof(*start)), lowest = ~0UL, highest = 0;
	void **objects = calloc(slabs * s.objects_per_slab, sizeof(*objects));
	unsigned int n = slab_starts(c, slabs, start, objects), seen = 0, colours;

	for (unsigned int i = 0; i < slabs; i++) {
		unsigned long offset = start[i] & (bytes - 1);
		bool known = false;

		for (unsigned int j = 0; j < i; j++)
			known |= (start[j] & (bytes - 1)) == offset;
		seen += !known;
		lowest = min(lowest, offset);
		highest = max(highest, offset);
		EXPECT(offset + s.objects_per_slab * ALIGN(size, max(align, (size_t)8)) <= bytes);
	}
	/* Every line of the slack is used, until none is left. */
	colours = (bytes - lowest - s.objects_per_slab * ALIGN(size, max(align, (size_t)8))) / step + 1;
	EXPECT_EQ(seen, min(colours, slabs));
	if (slabs >= colours)
		EXPECT_EQ(highest - lowest, (colours - 1) * step);
	while (n)
		kmem_cache_free(c, objects[--n]);
	free(objects);
	free(start);
	EXPECT_EQ(kmem_cache_destroy(c), 0);
}

static void test_colours(struct prng *rng)
{
	(void)rng;
	check_colours(600, 8, 20);
	check_colours(1080, 8, 30);
	check_colours(320, 64, 12);
	check_colours(700, 8, 3);
	check_colours(5000, 8, 60);
	check_colours(64, 64, 5);		/* no slack, one colour */
}

/* ---- bad frees ---------------------------------------------------------------------------- */

static void expect_unharmed(struct kmem_cache *c, void *object)
{
	struct slab_stats before = stats_of(c), after;

	log_forget();
	kmem_cache_free(c, object);
	kfree(object);
	EXPECT_EQ(log_count("BUG"), 2);
	after = stats_of(c);
	EXPECT(!memcmp(&before, &after, sizeof(before)));
	log_forget();
}

static void test_double_free(struct prng *rng)
{
	for (unsigned int round = 0; round < 6; round++) {
		size_t size = 40UL << round;
		struct kmem_cache *c = kmem_cache_create("double", size, 0, 0, NULL);
		unsigned int n = 3 * stats_of(c).objects_per_slab;
		void **objects = calloc(n, sizeof(*objects));
		char *object;

		EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, n, objects), n);
		object = objects[prng_below(rng, n)];
		for (unsigned int i = 0; i < n; i++)	/* its slab stays */
			if (objects[i] == object + size || objects[i] == object - size)
				swap(objects[i], objects[0]);
		expect_unharmed(c, object + 8);
		expect_unharmed(c, object - 1);
		expect_unharmed(c, (void *)((unsigned long)object & PAGE_MASK));
		expect_unharmed(c, (void *)((unsigned long)object | (PAGE_SIZE - 8)));
		kmem_cache_free(c, object);
		expect_unharmed(c, object);		/* in this CPU's array */
		be_cpu(1);
		expect_unharmed(c, object);		/* in another's */
		be_cpu(0);
		kmem_cache_shrink(c);
		if (objects[0] != object)
			expect_unharmed(c, object);	/* in its slab */
		for (unsigned int i = 0; i < n; i++)
			if (objects[i] != object)
				kmem_cache_free(c, objects[i]);
		EXPECT_EQ(log_count("BUG"), 0);
		EXPECT_EQ(kmem_cache_destroy(c), 0);
		free(objects);
	}
}

/* ---- arrays ------------------------------------------------------------------------------- */

static void test_lifo(struct prng *rng)
{
	struct kmem_cache *c = kmem_cache_create("lifo", 100, 0, 0, NULL);
	void *a = kmem_cache_alloc(c, GFP_KERNEL), *b, *other;

	(void)rng;
	kmem_cache_free(c, a);
	b = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT_EQ(a, b);				/* the warm one */
	be_cpu(1);
	kmem_cache_free(c, b);
	be_cpu(0);
	other = kmem_cache_alloc(c, GFP_KERNEL);
	EXPECT(other != b);				/* it lies in the other CPU's array */
	be_cpu(1);
	EXPECT_EQ(kmem_cache_alloc(c, GFP_KERNEL), b);
	be_cpu(0);
	EXPECT_EQ(kmem_cache_destroy(c), -EBUSY);
	EXPECT_EQ(stats_of(c).active_objects, 2);
	kmem_cache_free(c, b);
	kmem_cache_free(c, other);
	EXPECT_EQ(kmem_cache_destroy(c), 0);
}

/* What lies unused is given back; what lives stays. */
static void test_shrink(struct prng *rng)
{
	struct kmem_cache *c = kmem_cache_create("shrink", 500, 0, 0, NULL);
	static void *objects[4000];
	struct slab_stats s;
	unsigned long pages;

	(void)rng;
	EXPECT_EQ(kmem_cache_alloc_bulk(c, GFP_KERNEL, ARRAY_SIZE(objects), objects),
		  ARRAY_SIZE(objects));
	s = stats_of(c);
	EXPECT_EQ(s.active_objects, ARRAY_SIZE(objects));
	EXPECT_EQ(s.active_slabs, s.total_slabs);
	for (unsigned int i = 1; i < ARRAY_SIZE(objects); i++) {
		be_cpu(i % NR_TEST_CPUS);
		kmem_cache_free(c, objects[i]);
	}
	be_cpu(0);
	s = stats_of(c);
	EXPECT_EQ(s.active_objects, 1);
	/* Only so many free objects may be kept: in the slabs, the arrays and the shared array. */
	EXPECT(s.total_objects <= (1 + NR_TEST_CPUS) * s.batchcount + 2 * s.objects_per_slab +
	       NR_TEST_CPUS * (s.limit + s.objects_per_slab * s.batchcount) + s.shared_avail);
	pages = kmem_cache_shrink(c);
	EXPECT_EQ(pages, (s.total_slabs - 1) * s.pages_per_slab);
	s = stats_of(c);
	EXPECT_EQ(s.total_slabs, 1);
	EXPECT_EQ(s.shared_avail, 0);
	EXPECT_EQ(kmem_cache_shrink(c), 0);
	kmem_cache_free(c, objects[0]);
	EXPECT_EQ(cache_reap(c), 0);			/* just used */
	EXPECT_EQ(cache_reap(c), s.pages_per_slab);
	EXPECT_EQ(kmem_cache_destroy(c), 0);
}

static void test_tunables(struct prng *rng)
{
	struct kmem_cache *c = kmem_cache_create("tuned", 64, 0, 0, NULL);
	unsigned long before = pages_in_use();
	void *objects[300];
	struct slab_stats s = stats_of(c);

	EXPECT(s.limit > 1 && s.batchcount <= s.limit && s.shared);
	for (unsigned int round = 0; round < 30; round++) {
		unsigned int limit = 1 + prng_below(rng, 400), batch = 1 + prng_below(rng, limit);
		unsigned int shared = prng_below(rng, 9), n = prng_below(rng, ARRAY_SIZE(objects));

		for (unsigned int i = 0; i < n; i++) {
			be_cpu(prng_below(rng, NR_TEST_CPUS));
			objects[i] = kmem_cache_alloc(c, GFP_KERNEL);
			mark_object(objects[i], 64, i);
		}
		if (prng_below(rng, 2)) {
			be_cpu(0);
			EXPECT_EQ(kmem_cache_set_tunables("tuned", limit, batch, shared), 0);
			s = stats_of(c);
			EXPECT_EQ(s.limit, limit);
			EXPECT_EQ(s.batchcount, batch);
			EXPECT_EQ(s.shared, shared);
			EXPECT_EQ(s.active_objects, n);
		}
		for (unsigned int i = 0; i < n; i++) {
			be_cpu(prng_below(rng, NR_TEST_CPUS));
			EXPECT(object_marked(objects[i], 64, i));
			kmem_cache_free(c, objects[i]);
		}
		be_cpu(0);
		EXPECT_EQ(stats_of(c).active_objects, 0);
	}
	EXPECT_EQ(kmem_cache_set_tunables("tuned", 10, 11, 1), -EINVAL);
	EXPECT_EQ(kmem_cache_set_tunables("tuned", 0, 0, 1), -EINVAL);
	EXPECT_EQ(kmem_cache_set_tunables("tuned", 10, 5, ~0U), -EINVAL);
	EXPECT_EQ(kmem_cache_set_tunables("no such", 10, 5, 1), -EINVAL);
	EXPECT_EQ(kmem_cache_set_tunables("tuned", 120, 60, 8), 0);
	EXPECT(pages_in_use() <= before + 8);
	EXPECT_EQ(kmem_cache_destroy(c), 0);
}

/* ---- constructors ------------------------------------------------------------------------- */

static unsigned long constructed;

static void construct(void *object)
{
	constructed++;
	memset(object, 0x77, 200);
}

static void test_ctor_once(struct prng *rng)
{
	struct kmem_cache *c = kmem_cache_create("once", 200, 0, 0, construct);
	void *objects[64];

	constructed = 0;
	for (unsigned int round = 0; round < 200; round++) {
		unsigned int n = 1 + prng_below(rng, ARRAY_SIZE(objects));

		for (unsigned int i = 0; i < n; i++) {
			objects[i] = kmem_cache_alloc(c, GFP_KERNEL);
			EXPECT(!memchr_inv(objects[i], 0x77, 200));
		}
		kmem_cache_free_bulk(c, n, objects);
	}
	EXPECT_EQ(constructed, stats_of(c).total_objects);
	EXPECT_EQ(kmem_cache_destroy(c), 0);
}

const struct test backend_tests[] = {
	{ "slab: little is wasted, and ctl is kept elsewhere where it would cost an object", test_waste },
	{ "slab: colours cycle over all of the slack", test_colours },
	{ "slab: what is freed twice, or is no object, is refused, wherever it lies", test_double_free },
	{ "slab: arrays are last in, first out, one for each CPU", test_lifo },
	{ "slab: what lies unused is limited, and given back", test_shrink },
	{ "slab: tunables change, and no object is lost", test_tunables },
	{ "slab: a constructor runs once for each object", test_ctor_once },
	{ NULL, NULL },
};
