/*
 * The end. A panic must print its report from any state: interrupts off, locks held by anyone,
 * other CPUs running wild, and itself able to fail. So it stops the others first, then breaks
 * printk's locks, then uses nothing but printk, the symbol table and reads of its own stack. A
 * fault on the way arrives in panic() again on the same CPU and cuts the report short.
 */
#include "base/panic.h"
#include "arch/upcalls.h"
#include "base/cmdline.h"
#include "base/irq.h"
#include "base/lockdep.h"
#include "base/percpu.h"
#include "base/preempt.h"
#include "base/smp.h"
#include "asm/barrier.h"
#include "asm/irqflags.h"
#include "asm/ptrace.h"
#include "lib/atomic.h"
#include "lib/format.h"

#define TRACE_MAX 40		/* a runaway recursion shows its newest frames */

void *(*panic_thread_hook)(char *buf, size_t size);
static int panic_cpu = -1;

bool panic_in_progress(void)
{
	return READ_ONCE(panic_cpu) >= 0;
}

/*
 * The stack that @fp is on: where traps from user mode start, or, if that is the emergency stack
 * after an overflow, the one that the scheduler knows.
 */
static void stack_bounds(unsigned long fp, unsigned long *lo, unsigned long *hi)
{
	unsigned long stack;
	char who[4];

	*hi = ALIGN(current_head()->kernel_sp, PAGE_SIZE);
	*lo = *hi - THREAD_SIZE;
	if ((fp >= *lo && fp < *hi) || !panic_thread_hook)
		return;
	stack = (unsigned long)panic_thread_hook(who, sizeof(who));
	if (stack) {
		*lo = stack;
		*hi = stack + THREAD_SIZE;
	}
}

/* @pc is where a call returns to: the call itself is just before it, perhaps in another symbol. */
static void show_frame(unsigned long pc, bool return_address)
{
	unsigned long offset, size;
	const char *name = symbol_lookup(pc - return_address, &offset, &size);
	const char *file;
	unsigned int line;

	if (!name)
		pr_emerg(" [<%016lx>] ?\n", pc);
	else if (line_lookup(pc - return_address, &file, &line))
		pr_emerg(" [<%016lx>] %s+0x%lx/0x%lx %s:%u\n", pc, name, offset + return_address,
			 size, file, line);
	else
		pr_emerg(" [<%016lx>] %s+0x%lx/0x%lx\n", pc, name, offset + return_address, size);
}

void show_return_address(unsigned long pc)
{
	show_frame(pc, true);
}

static void show_trace(unsigned long fp, unsigned long pc)
{
	unsigned long lo, hi;
	int left = TRACE_MAX;

	stack_bounds(fp, &lo, &hi);
	while (arch_unwind_step(&fp, &pc, lo, hi)) {
		if (!left--) {
			pr_emerg(" ...\n");
			break;
		}
		show_frame(pc, true);
	}
}

/* The registers that tell something of a panic that was called rather than trapped into. */
static void show_caller(unsigned long fp)
{
	unsigned long lo, hi, sp = fp, pc = 0;

	stack_bounds(fp, &lo, &hi);
	if (arch_unwind_step(&fp, &pc, lo, hi))
		pr_emerg("pc : %016lx sp : %016lx fp : %016lx\n", pc, sp, fp);
}

unsigned int stack_trace_save(unsigned long *entries, unsigned int max, unsigned int skip)
{
	unsigned long fp = arch_frame_pointer(), pc = 0, lo, hi;
	unsigned int n = 0;

	stack_bounds(fp, &lo, &hi);
	while (n < max && arch_unwind_step(&fp, &pc, lo, hi)) {
		if (skip)
			skip--;
		else
			entries[n++] = pc;
	}
	return n;
}

static void show_context(void)
{
	char who[48] = "?";

	if (panic_thread_hook)
		panic_thread_hook(who, sizeof(who));
	pr_emerg("CPU: %u %s%s\n", smp_processor_id(), who,
		 in_interrupt() ? " (in an interrupt)" : "");
}

void dump_stack(void)
{
	show_context();
	pr_emerg("Call trace:\n");
	show_trace(arch_frame_pointer(), 0);
	barrier();	/* no tail call: the frame must still be there */
}

void warn_slow(const char *file, int line, const char *what)
{
	pr_err("WARNING: %s at %s:%d\n", what, file, line);
	dump_stack();
}

static __noreturn void panic_finish(void)
{
	long delay = cmdline_long("panic", 0);
	u64 start = arch_clock_ns();

	if (delay < 0)
		arch_poweroff();
	if (delay > 0) {
		while (arch_clock_ns() - start < (u64)delay * 1000000000)
			cpu_relax();
		arch_reboot();
	}
	smp_stop_self();
}

/* One CPU gets on with it; a second one stops; the first one again is a panic in a panic. */
static void panic_enter(const char *fmt, va_list args)
{
	static bool nested;
	int cpu = smp_processor_id(), old;

	local_irq_disable();
	lockdep_off();
	old = cmpxchg(&panic_cpu, -1, cpu);
	if (old >= 0 && old != cpu)
		smp_stop_self();
	if (old == cpu) {
		printk_panic();
		if (!nested) {
			nested = true;
			pr_emerg("panic within a panic: ");
			vprintk(fmt, args);
			pr_emerg("---[ end Kernel panic ]---\n");
		}
		panic_finish();
	}
	smp_stop_others();
	printk_panic();
}

/* @fp: the frame of the public function, so that the trace begins with who called it. */
static __noreturn void do_panic(const struct pt_regs *regs, unsigned long fp, const char *fmt,
				va_list args)
{
	unsigned long running;
	char text[256];

	panic_enter(fmt, args);
	vsnprintf(text, sizeof(text), fmt, args);
	pr_emerg("Kernel panic - not syncing: %s\n", text);
	show_context();
	running = cpu_online_mask & ~smp_stopped_mask() & ~BIT(smp_processor_id());
	if (running)
		pr_emerg("CPUs that did not stop: mask %#lx\n", running);
	if (regs)
		arch_show_regs(regs);
	else
		show_caller(fp);
	pr_emerg("Call trace:\n");
	if (regs && !user_mode(regs)) {
		show_frame(instruction_pointer(regs), false);
		show_trace(frame_pointer(regs), instruction_pointer(regs));
	} else {
		show_trace(fp, 0);
	}
	pr_emerg("---[ end Kernel panic ]---\n");
	panic_finish();
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	do_panic(NULL, arch_frame_pointer(), fmt, args);
}

static __noreturn __printf(2, 3) void panic_regs(const struct pt_regs *regs, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	do_panic(regs, arch_frame_pointer(), fmt, args);
}

void die(const char *what, struct pt_regs *regs, unsigned long addr)
{
	panic_regs(regs, "Oops: %s, address %016lx, at %pS", what, addr,
		   (void *)instruction_pointer(regs));
}
