/* The record of calls: see calls.h. A ring of the last ones; noting one costs some fifty instructions. */
#include "test/ktest/calls.h"
#include "base/percpu.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/phys/gfp.h"

#define RING		4096		/* a power of two */
#define SHOWN		300		/* of them printed */
#define AFTERWARDS	6		/* calls noted after the first failure */
#define LINE_SIZE	300

enum { CALL_OPEN, CALL_DONE, CALL_LEFT };

static struct ktest_call ring[RING];
static u32 used, limit = ~0U, failed_at = ~0U;
static u8 depth[NR_CPUS];

void ktest_calls_forget(void)
{
	used = 0;
	limit = failed_at = ~0U;
	memset(depth, 0, sizeof(depth));
}

void ktest_calls_failed(void)
{
	u32 none = ~0U;

	if (__atomic_compare_exchange_n(&failed_at, &none, READ_ONCE(used), false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		WRITE_ONCE(limit, failed_at + AFTERWARDS);
}

/* From one of the files under test to another, through the harness: noted when it left the first. */
static bool passed_on(const struct ktest_call_fn *fn, u32 at, unsigned int cpu)
{
	const struct ktest_call *last = &ring[(at - 1) % RING];

	return !fn->outward && at && last->cpu == cpu && last->state == CALL_OPEN && last->fn->outward &&
	       last->fn->name == fn->name;
}

struct ktest_call *ktest_call_enter(const struct ktest_call_fn *fn, const u64 *args)
{
	unsigned int cpu = smp_processor_id();
	struct ktest_call *call;
	u32 at = READ_ONCE(used);

	if (passed_on(fn, at, cpu))
		return NULL;
	do {
		if (at >= READ_ONCE(limit))
			return NULL;
	} while (!__atomic_compare_exchange_n(&used, &at, at + 1, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	call = &ring[at % RING];
	call->fn = fn;
	memcpy(call->arg, args, sizeof(call->arg));
	call->cpu = cpu;
	call->depth = depth[cpu]++;
	call->state = CALL_OPEN;
	return call;
}

void ktest_call_leave(struct ktest_call *call, u64 result)
{
	if (!call)
		return;
	call->result = result;
	call->state = CALL_DONE;
	depth[call->cpu] = call->depth;
}

void ktest_calls_unwind(void)
{
	unsigned int cpu = smp_processor_id();

	for (u32 at = used; at && depth[cpu] && used - at < RING; at--) {
		struct ktest_call *call = &ring[(at - 1) % RING];

		if (call->cpu == cpu && call->state == CALL_OPEN && call->depth < depth[cpu]) {
			call->state = CALL_LEFT;
			depth[cpu] = call->depth;
		}
	}
	depth[cpu] = 0;
}

static unsigned int show_gfp(char *buf, size_t size, gfp_t gfp)
{
	static const struct { gfp_t bits; const char *name; } names[] = {
		{ GFP_USER_MOVABLE, "GFP_USER_MOVABLE" }, { GFP_USER, "GFP_USER" }, { GFP_KERNEL, "GFP_KERNEL" },
		{ GFP_NOFS, "GFP_NOFS" }, { GFP_NOIO, "GFP_NOIO" }, { GFP_ATOMIC, "GFP_ATOMIC" },
		{ GFP_NOWAIT, "GFP_NOWAIT" }, { __GFP_ZERO, "__GFP_ZERO" }, { __GFP_DMA32, "__GFP_DMA32" },
		{ __GFP_THISNODE, "__GFP_THISNODE" }, { __GFP_HIGH, "__GFP_HIGH" }, { __GFP_NOWARN, "__GFP_NOWARN" },
		{ __GFP_NORETRY, "__GFP_NORETRY" }, { __GFP_MEMALLOC, "__GFP_MEMALLOC" }, { __GFP_COMP, "__GFP_COMP" },
	};
	unsigned int len = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if ((gfp & names[i].bits) != names[i].bits)
			continue;
		len += snprintf(buf + len, size - len, "%s%s", len ? "|" : "", names[i].name);
		gfp &= ~names[i].bits;
	}
	if (gfp || !len)
		len += snprintf(buf + len, size - len, "%s%#x", len ? "|" : "", gfp);
	return len;
}

static unsigned int show(char *buf, size_t size, char kind, u64 value)
{
	if (value == CALL_NULL && (kind == CALL_PAGE || kind == CALL_ZONE))
		return snprintf(buf, size, "NULL");
	switch (kind) {
	case CALL_SIGNED:
		return snprintf(buf, size, "%ld", (long)value);
	case CALL_UNSIGNED:
		return snprintf(buf, size, "%lu", (unsigned long)value);
	case CALL_BOOL:
		return snprintf(buf, size, "%s", value ? "true" : "false");
	case CALL_GFP:
		return show_gfp(buf, size, value);
	case CALL_PAGE:
		return snprintf(buf, size, "frame %#lx", (unsigned long)value);
	case CALL_ZONE:
		return snprintf(buf, size, "node %lu %s", (unsigned long)value >> 8, value & 255 ? "Normal" : "DMA32");
	case CALL_STRING:
	case CALL_CACHE:
		return snprintf(buf, size, kind == CALL_CACHE ? "%s" : "\"%s\"", value ? (const char *)value : "NULL");
	default:
		return snprintf(buf, size, value ? "%#lx" : "0", (unsigned long)value);
	}
}

static void show_call(const struct ktest_call *call, void (*line)(const char *text))
{
	const struct ktest_call_fn *fn = call->fn;
	char text[LINE_SIZE];
	unsigned int len = snprintf(text, sizeof(text), "call: cpu%u %s%s%s(", call->cpu,
				    &"                "[16 - 2 * min_t(unsigned int, call->depth, 8)],
				    fn->outward ? "asks " : "", fn->name);

	for (unsigned int i = 0; fn->kinds[i] && len < LINE_SIZE / 2; i++) {
		len += snprintf(text + len, sizeof(text) - len, "%s%s=", i ? ", " : "", fn->args[i]);
		len += show(text + len, sizeof(text) - len, fn->kinds[i], call->arg[i]);
	}
	len = min(len, LINE_SIZE - 80U);
	text[len++] = ')';
	text[len] = '\0';
	if (call->state == CALL_DONE && fn->result != CALL_VOID) {
		len += snprintf(text + len, sizeof(text) - len, " = ");
		show(text + len, sizeof(text) - len, fn->result, call->result);
	} else if (call->state != CALL_DONE) {
		snprintf(text + len, sizeof(text) - len, call->state == CALL_LEFT ? " panics" :
			 " does not come back");
	}
	line(text);
}

void ktest_calls_report(void (*line)(const char *text))
{
	u32 end = READ_ONCE(used), first = end > SHOWN ? end - SHOWN : 0;
	char text[80];

	WRITE_ONCE(limit, 0);		/* others may go on */
	if (first) {
		snprintf(text, sizeof(text), "call: ... %u calls before", first);
		line(text);
	}
	for (u32 at = first; at < end; at++) {
		if (at == failed_at)
			line("call: FAILED here");
		show_call(&ring[at % RING], line);
	}
	if (failed_at == end)
		line("call: FAILED here");
}
