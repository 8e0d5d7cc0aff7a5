/* What the harness promises about interleavings. In the kernel only: the host's are the host's. */
#include "test/ktest/trace.h"
#include "base/panic.h"
#include "lib/string.h"

#ifdef CONFIG_ARCH_HOST
#define ON_HOST	true
#else
#define ON_HOST	false
#endif

#define STEPS	40
#define ROUNDS	60000

extern void (*ktest_jitter_hook)(unsigned int cpu);

static volatile u32 phase;		/* where CPU 0 is in its loop */
static u32 seen[STEPS + 1];
static volatile bool looping;

static void note_phase(unsigned int cpu)
{
	if (!cpu && looping)
		seen[phase]++;
}

#define S(n)	phase = n;
#define S4(n)	S(n) S(n + 1) S(n + 2) S(n + 3)
#define S40(n)	S4(n) S4(n + 4) S4(n + 8) S4(n + 12) S4(n + 16) S4(n + 20) S4(n + 24) S4(n + 28) \
		S4(n + 32) S4(n + 36)

/* 40 stores and a jump: each store is a step of the loop at which an interrupt may be seen. */
static void walk(unsigned int cpu, void *arg)
{
	(void)arg;
	if (cpu)
		return;
	looping = true;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		S40(1)
	}
	looping = false;
}

KTEST(harness, every_instruction_can_be_interrupted,
      "interrupts come between any two steps of a loop, though the clock's tick is coarser", 400000000)
{
	unsigned int missed = 0;

	for (unsigned int i = 0; i <= STEPS; i++)
		seen[i] = 0;
	ktest_jitter_hook = note_phase;
	ktest_on_cpus(2, t->seed, walk, NULL);
	ktest_jitter_hook = NULL;
	for (unsigned int i = 1; i <= STEPS; i++)
		missed += !seen[i];
	EXPECT_EQ(ON_HOST ? 0 : missed, 0);
}

static spinlock_t lock;
static u64 hash;

static void contend(unsigned int cpu, void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 300; i++) {
		spin_lock(&lock);
		hash = (hash ^ (cpu + 1)) * 1099511628211UL;
		spin_unlock(&lock);
	}
}

KTEST(harness, a_seed_chooses_the_interleaving,
      "different seeds give different orders in which CPUs take a lock", 400000000)
{
	u64 seen_hash[4];

	spin_lock_init(&lock);
	for (unsigned int i = 0; i < 4; i++) {
		hash = 1469598103934665603UL;
		ktest_on_cpus(3, t->seed + i, contend, NULL);
		seen_hash[i] = hash;
		for (unsigned int k = 0; k < i; k++)
			EXPECT_TRUE(ON_HOST || seen_hash[k] != hash);
		ktest_note("  seed %lu: %lx", (unsigned long)t->seed + i, (unsigned long)hash);
	}
}

static volatile u32 counter;

static void count(unsigned int cpu, void *arg)
{
	(void)cpu;
	(void)arg;
	for (unsigned int i = 0; i < 20000; i++)
		counter = counter + 1;
}

KTEST(harness, an_unlocked_counter_loses_counts,
      "the race of three CPUs on an unlocked counter is found", 400000000)
{
	counter = 0;
	ktest_on_cpus(3, t->seed, count, NULL);
	EXPECT_TRUE(ON_HOST || counter != 60000);
}

/* What a test that failed on purpose left behind: does a reason hold these words? */
static bool take_back_failures(const char *words)
{
	bool found;

	ktest_state.reasons.text[ktest_state.reasons.used] = '\0';
	found = ktest_state.failures == 1 && strstr(ktest_state.reasons.text, words);
	memset(&ktest_state, 0, sizeof(ktest_state));
	return found;
}

static unsigned int allocations;

static void forget_allocations(void)
{
	allocations = 0;
}

/* Fails in one way when high slots come late, in another when low ones come first. */
static struct page *unlucky_alloc(unsigned int order, unsigned int slot, struct zone **zone)
{
	*zone = &node_data[0].zones[ZONE_DMA32];
	if (++allocations > 10 && slot >= 128)
		panic("number %u is one too many", allocations);
	if (allocations == 1 && slot < 128)
		panic("this is too early");
	return core_alloc(*zone, order);
}

KTEST(harness, a_trace_is_shortened_to_the_same_failure,
      "a trace is not shortened to one that fails in another way", 200000000)
{
	static const struct world_range range = { 0x40000, 0x40040, 0, false };
	struct trace_op ops[40];
	struct trace trace = { .ranges = &range, .nr_ranges = 1, .setup = forget_allocations,
			       .alloc = unlucky_alloc, .ops = ops, .nr_ops = ARRAY_SIZE(ops) };

	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i] = (struct trace_op){ .kind = TRACE_ALLOC, .slot = i };
	ops[0].slot = 200;
	ops[ARRAY_SIZE(ops) - 1].slot = 201;
	trace_check(&trace);
	EXPECT_TRUE(take_back_failures("number 11 is one too many"));
	EXPECT_EQ(trace.nr_ops, 11);
}

KTEST(harness, reasons_have_room_of_their_own,
      "notes without number leave room for the reason of a failure", 50000000)
{
	for (unsigned int i = 0; i < 500; i++)
		ktest_note("a line that says little, number %u", i);
	ktest_fail("here", 1, "this is the reason");
	EXPECT_TRUE(take_back_failures("this is the reason"));
}
