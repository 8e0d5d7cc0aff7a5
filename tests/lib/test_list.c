/* Lists against an array, sort and hashing. */
#include "test.h"
#include "lib/crc32.h"
#include "lib/hash.h"
#include "lib/list.h"
#include "lib/sort.h"

#define N 64

struct thing {
	struct list_head list;
	struct hlist_node hash;
	int value;
	bool hashed;
};

/* The list @head must be things[order[0..n-1]], both ways. */
static void expect_order(struct list_head *head, struct thing *things, const int *order, int n)
{
	struct thing *thing;
	int i = 0;

	list_for_each_entry(thing, head, list)
		EXPECT_EQ(thing - things, i < n ? order[i] : -1), i++;
	EXPECT_EQ(i, n);
	list_for_each_entry_reverse(thing, head, list)
		EXPECT_EQ(thing - things, i > 0 ? order[i - 1] : -1), i--;
	EXPECT_EQ(i, 0);
	EXPECT_EQ(list_empty(head), n == 0);
	EXPECT_EQ(list_is_singular(head), n == 1);
}

static int position(const int *order, int n, int which)
{
	for (int i = 0; i < n; i++)
		if (order[i] == which)
			return i;
	return -1;
}

static void insert_at(int *order, int *n, int at, int which)
{
	for (int i = (*n)++; i > at; i--)
		order[i] = order[i - 1];
	order[at] = which;
}

static void remove_at(int *order, int *n, int at)
{
	for (--*n; at < *n; at++)
		order[at] = order[at + 1];
}

static void test_list_random(struct prng *rng)
{
	struct thing things[N];
	int order[N + 1], n = 0;
	LIST_HEAD(head);

	for (int round = 0; round < 20000; round++) {
		int which = prng_below(rng, N), at = position(order, n, which);
		struct list_head *entry = &things[which].list;
		int op = prng_below(rng, 4);

		if (at < 0) {
			if (op & 1)
				list_add(entry, &head);
			else
				list_add_tail(entry, &head);
			insert_at(order, &n, op & 1 ? 0 : n, which);
		} else if (op < 2) {
			if (op)
				list_del(entry);
			else
				list_del_init(entry);
			EXPECT(op ? entry->next == LIST_POISON1 : list_empty(entry));
			remove_at(order, &n, at);
		} else {
			remove_at(order, &n, at);
			if (op == 2)
				list_move(entry, &head);
			else
				list_move_tail(entry, &head);
			insert_at(order, &n, op == 2 ? 0 : n, which);
		}
		expect_order(&head, things, order, n);
	}
}

static void test_list_splice(struct prng *rng)
{
	struct thing things[4];
	static const int tail_order[] = { 0, 1, 2, 3 }, head_order[] = { 2, 3, 0, 1 };

	(void)rng;
	for (int tail = 0; tail < 2; tail++) {
		LIST_HEAD(a);
		LIST_HEAD(b);

		for (int i = 0; i < 4; i++)
			list_add_tail(&things[i].list, i < 2 ? &a : &b);
		if (tail)
			list_splice_tail_init(&b, &a);
		else
			list_splice_init(&b, &a);
		EXPECT(list_empty(&b));
		expect_order(&a, things, tail ? tail_order : head_order, 4);
		list_splice_init(&b, &a);
		expect_order(&a, things, tail ? tail_order : head_order, 4);
		list_rotate_left(&a);
		EXPECT_EQ(list_first_entry(&a, struct thing, list) - things,
			  (tail ? tail_order : head_order)[1]);
	}
}

static void test_list_safe_walk(struct prng *rng)
{
	struct thing *thing, *next;
	LIST_HEAD(head);

	(void)rng;
	for (int way = 0; way < 2; way++) {
		for (int i = 0; i < N; i++) {
			thing = malloc(sizeof(*thing));
			list_add_tail(&thing->list, &head);
		}
		if (way) {
			list_for_each_entry_safe(thing, next, &head, list) {
				list_del(&thing->list);
				free(thing);
			}
		} else {
			list_for_each_entry_safe_reverse(thing, next, &head, list) {
				list_del(&thing->list);
				free(thing);
			}
		}
		EXPECT(list_empty(&head));
		EXPECT(!list_first_entry_or_null(&head, struct thing, list));
	}
}

static void test_hlist(struct prng *rng)
{
	static struct thing things[N];
	struct hlist_head buckets[8] = { 0 };
	struct hlist_node *next;
	struct thing *thing;

	for (int i = 0; i < N; i++)
		INIT_HLIST_NODE(&things[i].hash);
	for (int round = 0; round < 5000; round++) {
		struct thing *one = &things[prng_below(rng, N)];
		struct hlist_head *bucket = &buckets[hash_long(one - things, 3)];
		int seen = 0, expected = 0;

		EXPECT_EQ(hlist_unhashed(&one->hash), !one->hashed);
		if (one->hashed)
			hlist_del_init(&one->hash);
		else
			hlist_add_head(&one->hash, bucket);
		one->hashed = !one->hashed;
		for (int b = 0; b < 8; b++)
			hlist_for_each_entry(thing, &buckets[b], hash)
				EXPECT(thing->hashed), seen++;
		for (int i = 0; i < N; i++)
			expected += things[i].hashed;
		EXPECT_EQ(seen, expected);
	}
	for (int b = 0; b < 8; b++) {
		hlist_for_each_entry_safe(thing, next, &buckets[b], hash)
			hlist_del(&thing->hash);
		EXPECT(hlist_empty(&buckets[b]));
	}
}

static int compare_bytes(const void *a, const void *b)
{
	return *(const u8 *)a - *(const u8 *)b;
}

static void test_sort(struct prng *rng)
{
	for (int round = 0; round < 2000; round++) {
		size_t size = 1 + prng_below(rng, 24), n = prng_below(rng, 50);
		u8 *data = malloc(size * n + 1), *copy = malloc(size * n + 1);
		u64 sum = 0, sum_after = 0;

		for (size_t i = 0; i < size * n; i++)
			data[i] = copy[i] = prng_below(rng, 32);
		sort(data, n, size, compare_bytes, NULL);
		for (size_t i = 0; i < n; i++) {
			if (i)
				EXPECT(data[(i - 1) * size] <= data[i * size]);
			sum += hash_bytes(copy + i * size, size, FNV64_OFFSET);
			sum_after += hash_bytes(data + i * size, size, FNV64_OFFSET);
		}
		EXPECT_EQ(sum, sum_after);
		free(data);
		free(copy);
	}
}

static void test_hash(struct prng *rng)
{
	unsigned int used[64] = { 0 };

	(void)rng;
	EXPECT_EQ(crc32(0, "123456789", 9), 0xcbf43926);
	EXPECT_EQ(crc32(crc32(0, "12345", 5), "6789", 4), 0xcbf43926);
	EXPECT_EQ(hash_string(""), (long)FNV64_OFFSET);
	EXPECT_EQ(hash_string("a"), (long)0xaf63dc4c8601ec8c);
	EXPECT_EQ(hash_string("foobar"), (long)0x85944171f73967e8);
	for (unsigned long i = 0; i < 64 * 64; i++)
		used[hash_long(i << 12, 6)]++;
	for (int i = 0; i < 64; i++)
		EXPECT(used[i] > 32 && used[i] < 128);
}

const struct test list_tests[] = {
	{ "a list keeps the order of an array under 20000 random operations", test_list_random },
	{ "splicing joins lists at either end and empties the source", test_list_splice },
	{ "a safe walk survives freeing what it visits", test_list_safe_walk },
	{ "a hash list holds exactly what was added and not removed", test_hlist },
	{ "sort orders elements of any size and loses none", test_sort },
	{ "hashes and CRC-32 have their published values and spread", test_hash },
	{ 0 },
};
