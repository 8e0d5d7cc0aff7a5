/*
 * KASAN: every load and store asks first whether it may.
 *
 * The problem. A write one byte behind an object, or through a pointer that was freed a moment ago,
 * does its damage to somebody else, who fails later, elsewhere, and looks guilty.
 *
 * The idea (Serebryany and others, AddressSanitizer, 2012; Linux's generic KASAN). One byte of *shadow*
 * describes eight bytes of memory: 0, all may be used; 1-7, only the first so many; from 0x80 on, none,
 * and the value says why. The shadow of address a lies at
 *
 *	(a >> 3) + KASAN_SHADOW_OFFSET
 *
 * so that the whole kernel half has its shadow in a fixed eighth of itself (arch/layout.h). The compiler
 * puts a call in front of each access (__asan_load8 and so on), and keeps zones that may not be touched
 * (*redzones*) around variables on the stack and globals. Allocators do the same for what they hand out:
 *
 *	page allocator	a free page is poisoned as a whole
 *	small objects	behind each object lies a redzone, and a freed object is poisoned and waits in
 *			a *quarantine*, so that it is not handed out again while somebody may still
 *			hold a pointer to it (mm/slab/kasan_slab.c)
 *	vmalloc		what is mapped anew may be used
 *
 * What is not compiled with checks: this file, which would ask itself; the allocators of small objects,
 * which write into free ones; the unwinder, which reads stacks that are not its own; memcpy() and its
 * family, which ask by hand.
 *
 * The first report is the true one: what comes after may be its consequence. So only one is given,
 * unless the command line says kasan_multi_shot. kasan.fault=panic ends with a panic.
 *
 * Locks: none. Shadow bytes are changed by who owns the memory. Reports: one CPU at a time.
 */
#include "debug/kasan.h"
#include "arch/arch.h"
#include "base/cmdline.h"
#include "base/irq.h"
#include "base/panic.h"
#include "base/percpu.h"
#include "base/preempt.h"
#include "lib/atomic.h"
#include "lib/format.h"
#include "lib/string.h"
#include "asm/barrier.h"

#define GRANULES_SHOWN	16	/* in a line of the memory's state */
#define LINES_AROUND	2

void (*kasan_describe_hook)(const void *addr);
unsigned long kasan_vmalloc_end;
static bool ready;
static bool multi_shot, fault_panics;
static u32 reported;
static int reporting_cpu = -1;

static u8 *shadow_of(unsigned long addr)
{
	return (u8 *)((addr >> 3) + KASAN_SHADOW_OFFSET);
}

/* Not for user addresses and what is never mapped: the access itself will fault and say more. */
static bool has_shadow(unsigned long addr)
{
	if (addr >= VMALLOC_START && addr < VMALLOC_END)
		return addr < READ_ONCE(kasan_vmalloc_end);
	return addr >= VMEMMAP_START;
}

u8 kasan_shadow_of(const void *p)
{
	return has_shadow((unsigned long)p) ? *shadow_of((unsigned long)p) : 0;
}

/* The shadow is written by hand: memset() would ask about it. */
static void fill(u8 *p, u8 value, size_t n)
{
	for (; n && (unsigned long)p % 8; n--)
		*p++ = value;
	for (; n >= 8; n -= 8, p += 8)
		*(u64 *)p = 0x0101010101010101UL * value;
	while (n--)
		*p++ = value;
}

void kasan_poison(const void *p, size_t size, u8 value)
{
	if (ready && has_shadow((unsigned long)p))
		fill(shadow_of((unsigned long)p), value, size / KASAN_GRANULE);
}

void kasan_unpoison(const void *p, size_t size)
{
	u8 *shadow = shadow_of((unsigned long)p);

	if (!ready || !has_shadow((unsigned long)p))
		return;
	fill(shadow, 0, size / KASAN_GRANULE);
	if (size % KASAN_GRANULE)
		shadow[size / KASAN_GRANULE] = size % KASAN_GRANULE;
}

void kasan_init(void)
{
	typedef void (*ctor_t)(void);
	extern const ctor_t __ctors_start[], __ctors_end[];
	char fault[8];

	ready = true;
	multi_shot = cmdline_has("kasan_multi_shot");
	fault_panics = cmdline_get("kasan.fault", fault, sizeof(fault)) > 0 && !strcmp(fault, "panic");
	for (const ctor_t *ctor = __ctors_start; ctor < __ctors_end; ctor++)
		(*ctor)();		/* redzones of globals */
	pr_info("KASAN: kernel address sanitizer is on\n");
}

/* ---- reports ------------------------------------------------------------------------------ */

static bool begin_allowed(void)
{
	int self = smp_processor_id();

	if (READ_ONCE(reporting_cpu) == self)
		return false;		/* the report itself stumbles */
	if (!multi_shot && xchg(&reported, 1))
		return false;
	while (cmpxchg(&reporting_cpu, -1, self) != -1)
		cpu_relax();
	return true;
}

bool kasan_report_begin(const char *what, unsigned long ip)
{
	preempt_disable();
	if (panic_in_progress() || !begin_allowed()) {
		preempt_enable();
		return false;
	}
	pr_err("==================================================================\n");
	pr_err("BUG: KASAN: %s in %pS\n", what, (void *)ip);
	return true;
}

static void show_shadow(unsigned long addr)
{
	unsigned long span = GRANULES_SHOWN * KASAN_GRANULE, line = ALIGN_DOWN(addr, span);

	pr_err("Memory state around the buggy address:\n");
	for (unsigned long at = line - LINES_AROUND * span; at <= line + LINES_AROUND * span; at += span) {
		char text[GRANULES_SHOWN * 3 + 1];

		for (int i = 0; i < GRANULES_SHOWN; i++)
			snprintf(text + 3 * i, 4, " %02x",
				 kasan_shadow_of((void *)(at + i * KASAN_GRANULE)));
		pr_err("%c%016lx:%s\n", at == line ? '>' : ' ', at, text);
		if (at == line)
			pr_err("%*s\n", 20 + 3 * (int)((addr - line) / KASAN_GRANULE), "^");
	}
}

/* Without the frames of this file. */
static noinline void show_callers(void)
{
	unsigned long entries[16];
	unsigned int n = stack_trace_save(entries, ARRAY_SIZE(entries), 2);

	pr_err("CPU: %u\nCall trace:\n", smp_processor_id());
	for (unsigned int i = 0; i < n; i++)
		show_return_address(entries[i]);
}

void kasan_report_end(const void *addr)
{
	show_callers();
	if (kasan_describe_hook)
		kasan_describe_hook(addr);
	show_shadow((unsigned long)addr);
	pr_err("==================================================================\n");
	WRITE_ONCE(reporting_cpu, -1);
	preempt_enable();
	if (fault_panics)
		panic("KASAN: kasan.fault=panic");
}

static const char *kind_of(u8 value, u8 next)
{
	switch (value < KASAN_GRANULE ? next : value) {
	case KASAN_PAGE_FREE:
		return "use-after-free";
	case KASAN_PAGE_REDZONE:
	case KASAN_SLAB_REDZONE:
		return "slab-out-of-bounds";
	case KASAN_SLAB_FREE:
		return "slab-use-after-free";
	case KASAN_GLOBAL_REDZONE:
		return "global-out-of-bounds";
	case KASAN_USE_AFTER_SCOPE:
		return "stack-use-after-scope";
	case KASAN_STACK_LEFT:
	case KASAN_STACK_MID:
	case KASAN_STACK_RIGHT:
	case KASAN_STACK_PARTIAL:
		return "stack-out-of-bounds";
	}
	return "out-of-bounds";
}

static noinline void report(unsigned long addr, unsigned long bad, size_t size, bool write, unsigned long ip)
{
	const char *kind = kind_of(*shadow_of(bad), *shadow_of(bad + KASAN_GRANULE));

	if (!kasan_report_begin(kind, ip))
		return;
	pr_err("%s of size %lu at addr %016lx\n", write ? "Write" : "Read", size, addr);
	kasan_report_end((void *)bad);
}

/* ---- checks ------------------------------------------------------------------------------- */

/* The first byte of [addr, end) that may not be used, or end. */
static unsigned long first_bad(unsigned long addr, unsigned long end)
{
	while (addr < end) {
		unsigned long next = (addr | (KASAN_GRANULE - 1)) + 1;
		u8 shadow = *shadow_of(addr);

		if (unlikely(shadow)) {
			unsigned long good = next - KASAN_GRANULE + (shadow < KASAN_GRANULE ? shadow : 0);

			if (min(next, end) > good)
				return max(addr, good);
		}
		addr = next;
	}
	return end;
}

static __always_inline void check(unsigned long addr, size_t size, bool write, unsigned long ip)
{
	unsigned long bad;

	if (unlikely(!ready) || current_head()->kasan_off || !size || !has_shadow(addr) || !has_shadow(addr + size - 1))
		return;
	bad = first_bad(addr, addr + size);
	if (unlikely(bad < addr + size))
		report(addr, bad, size, write, ip);
}

#define RET_IP ((unsigned long)__builtin_return_address(0))

void kasan_check_read(const void *p, size_t n)
{
	check((unsigned long)p, n, false, RET_IP);
}

void kasan_check_write(void *p, size_t n)
{
	check((unsigned long)p, n, true, RET_IP);
}

/* ---- what the compiler calls -------------------------------------------------------------- */

#define DEFINE_CHECKS(size)								\
	void __asan_load##size##_noabort(unsigned long addr);				\
	void __asan_load##size##_noabort(unsigned long addr)				\
	{										\
		check(addr, size, false, RET_IP);					\
	}										\
	void __asan_store##size##_noabort(unsigned long addr);				\
	void __asan_store##size##_noabort(unsigned long addr)				\
	{										\
		check(addr, size, true, RET_IP);					\
	}
DEFINE_CHECKS(1)
DEFINE_CHECKS(2)
DEFINE_CHECKS(4)
DEFINE_CHECKS(8)
DEFINE_CHECKS(16)

void __asan_loadN_noabort(unsigned long addr, size_t size);
void __asan_loadN_noabort(unsigned long addr, size_t size)
{
	check(addr, size, false, RET_IP);
}

void __asan_storeN_noabort(unsigned long addr, size_t size);
void __asan_storeN_noabort(unsigned long addr, size_t size)
{
	check(addr, size, true, RET_IP);
}

/* In front of a call that does not return: the frames above will not clean up behind themselves. */
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);
	unsigned long top = ALIGN(current_head()->kernel_sp, PAGE_SIZE);

	here = ALIGN_DOWN(here, KASAN_GRANULE);
	if (here < top && top - here <= THREAD_SIZE)
		kasan_unpoison((void *)here, top - here);
}

/* The compiler's description of a global (its ABI, version 8 and later). */
struct asan_global {
	const void *beg;
	size_t size, size_with_redzone;
	const char *name, *module;
	unsigned long has_dynamic_init;
	void *location;
	unsigned long odr_indicator;
};

void __asan_register_globals(struct asan_global *globals, size_t n);
void __asan_register_globals(struct asan_global *globals, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *beg = globals[i].beg;
		size_t room = ALIGN(globals[i].size, KASAN_GRANULE);

		kasan_unpoison(beg, globals[i].size);
		kasan_poison(beg + room, globals[i].size_with_redzone - room, KASAN_GLOBAL_REDZONE);
	}
}

void __asan_unregister_globals(struct asan_global *globals, size_t n);
void __asan_unregister_globals(struct asan_global *globals, size_t n)
{
	(void)globals;
	(void)n;
}

#define DEFINE_SET_SHADOW(value)							\
	void __asan_set_shadow_##value(u8 *shadow, size_t n);				\
	void __asan_set_shadow_##value(u8 *shadow, size_t n)				\
	{										\
		fill(shadow, 0x##value, n);						\
	}
DEFINE_SET_SHADOW(00)
DEFINE_SET_SHADOW(f1)
DEFINE_SET_SHADOW(f2)
DEFINE_SET_SHADOW(f3)
DEFINE_SET_SHADOW(f5)
DEFINE_SET_SHADOW(f8)
