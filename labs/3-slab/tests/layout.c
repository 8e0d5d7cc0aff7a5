#include "test/ktest/objects.h"

KTEST(layout, a_hot_pair, "smoke", 100000000)
{
	struct kmem_cache *c;
	void *p[300];

	objects_world(1024);
	c = kmem_cache_create("smoke", 200, 0, 0, objects_ctor);
	ASSERT_TRUE(c != NULL);
	for (unsigned int i = 0; i < 300; i++)
		p[i] = objects_take(c, GFP_KERNEL);
	for (unsigned int i = 0; i < 300; i++)
		objects_give(c, p[i]);
	EXPECT_OK(objects_all_back(c));
	ktest_note("locks %lu ctors %lu pages %lu", objects_locks(), objects_constructed(), pages_in_use());
	EXPECT_EQ(kmem_cache_destroy(c), 0);
	void *o = objects_kmalloc(8193, GFP_KERNEL);
	objects_kfree(o, 8193);
}
