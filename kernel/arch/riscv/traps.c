/* From a trap's cause to whoever handles it; and the way back. Entered from entry.S. */
#include "arch/riscv/riscv.h"
#include "arch/upcalls.h"
#include "base/printk.h"
#include "lib/atomic.h"
#include "lib/signo.h"

struct ex_entry {
	s32 insn, fixup;		/* relative to themselves */
};

extern const struct ex_entry __start___ex_table[], __stop___ex_table[];

bool riscv_fixup(struct pt_regs *regs)
{
	for (const struct ex_entry *e = __start___ex_table; e < __stop___ex_table; e++) {
		if ((unsigned long)&e->insn + e->insn == regs->pc) {
			regs->pc = (unsigned long)&e->fixup + e->fixup;
			return true;
		}
	}
	return false;
}

static const char *exception_name(unsigned long cause)
{
	static const char *const names[] = {
		[EXC_INST_MISALIGNED] = "misaligned instruction",
		[EXC_INST_ACCESS] = "instruction access fault",
		[EXC_ILLEGAL] = "illegal instruction",
		[EXC_BREAKPOINT] = "breakpoint",
		[EXC_LOAD_MISALIGNED] = "misaligned load",
		[EXC_LOAD_ACCESS] = "load access fault",
		[EXC_STORE_MISALIGNED] = "misaligned store",
		[EXC_STORE_ACCESS] = "store access fault",
		[EXC_INST_PAGE_FAULT] = "instruction page fault",
		[EXC_LOAD_PAGE_FAULT] = "load page fault",
		[EXC_STORE_PAGE_FAULT] = "store page fault",
	};

	return cause < ARRAY_SIZE(names) && names[cause] ? names[cause] : "unexpected trap";
}

/* Did the stack grow into its guard page? Else the handlers of the fault would seem to be to blame. */
static bool stack_overflow(const struct pt_regs *regs)
{
	unsigned long top = current_head()->kernel_sp;

	/* only entry.S's overflow path makes the emergency stack a thread's own */
	if (top == (unsigned long)emergency_stack_top)
		return true;
	return top - THREAD_SIZE - 1 - regs->tval < PAGE_SIZE;
}

static void kernel_exception(struct pt_regs *regs)
{
	if (stack_overflow(regs))
		die("kernel stack overflow", regs, regs->sp);
	if (!riscv_fixup(regs))
		die(exception_name(regs->cause), regs, regs->tval);
}

static void page_fault(struct pt_regs *regs)
{
	unsigned long addr = regs->tval;
	unsigned int flags = 0;

	if (regs->cause == EXC_STORE_PAGE_FAULT)
		flags |= FAULT_WRITE;
	else if (regs->cause == EXC_INST_PAGE_FAULT)
		flags |= FAULT_EXEC;

	if (user_mode(regs)) {
		local_irq_enable();
		handle_page_fault(regs, addr, flags | FAULT_USER);
		local_irq_disable();
		return;
	}
	/*
	 * A kernel access to user memory is a fault to resolve only in the copy routines, which
	 * have SUM open; elsewhere it is a bug, and "resolving" it would fault again for ever.
	 */
	if (addr < task_size && !(flags & FAULT_EXEC) && (regs->status & SR_SUM)) {
		bool done;

		if (!regs_irqs_disabled(regs))
			local_irq_enable();
		done = handle_page_fault(regs, addr, flags);
		local_irq_disable();
		if (done)
			return;
	}
	kernel_exception(regs);
}

static void user_trap(struct pt_regs *regs)
{
	int sig, code;

	switch (regs->cause) {
	case EXC_BREAKPOINT:
		sig = SIGTRAP;
		code = TRAP_BRKPT;
		break;
	case EXC_INST_MISALIGNED:
	case EXC_LOAD_MISALIGNED:
	case EXC_STORE_MISALIGNED:
		sig = SIGBUS;
		code = BUS_ADRALN;
		break;
	case EXC_INST_ACCESS:
	case EXC_LOAD_ACCESS:
	case EXC_STORE_ACCESS:
		sig = SIGBUS;
		code = BUS_ADRERR;
		break;
	default:		/* EXC_ILLEGAL */
		if (riscv_fp_first_use(regs))
			return;
		sig = SIGILL;
		code = ILL_ILLOPC;
	}
	local_irq_enable();
	user_exception(regs, sig, code, sig == SIGBUS ? regs->tval : regs->pc);
	local_irq_disable();
}

static void exception(struct pt_regs *regs)
{
	switch (regs->cause) {
	case EXC_SYSCALL:
		regs->pc += 4;
		local_irq_enable();
		handle_syscall(regs);
		local_irq_disable();
		break;
	case EXC_INST_PAGE_FAULT:
	case EXC_LOAD_PAGE_FAULT:
	case EXC_STORE_PAGE_FAULT:
		page_fault(regs);
		break;
	default:
		if (user_mode(regs))
			user_trap(regs);
		else
			kernel_exception(regs);
	}
}

static void interrupt(struct pt_regs *regs)
{
	irq_enter();
	switch (regs->cause & ~CAUSE_IRQ_FLAG) {
	case IRQ_S_TIMER:
		csr_clear(sie, SIE_STIE);	/* stays pending until arch_timer_set() */
		timer_interrupt();
		break;
	case IRQ_S_SOFT:
		riscv_ipi_interrupt();
		break;
	case IRQ_S_EXT:
		riscv_plic_interrupt();
		break;
	default:
		die("unexpected interrupt", regs, 0);
	}
	irq_exit();
	if (!user_mode(regs)) {
		struct thread_head *t = current_head();

		if (!t->preempt_count && test_bit(TIF_NEED_RESCHED, &t->flags))
			preempt_irq();
	}
}

/* Every trap, interrupts off; entry.S restores @regs when this returns, with them off again. */
void riscv_trap(struct pt_regs *regs)
{
	if (regs->cause & CAUSE_IRQ_FLAG)
		interrupt(regs);
	else
		exception(regs);
	if (user_mode(regs))
		riscv_prepare_user(regs);
}

void arch_show_regs(const struct pt_regs *regs)
{
	static const char names[][4] = {
		"ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4",
		"a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",
		"t3", "t4", "t5", "t6",
	};
	const unsigned long *r = &regs->ra;

	pr_emerg(" pc : %pS   ra : %pS\n", (void *)regs->pc, (void *)regs->ra);
	pr_emerg(" pc : %016lx sstatus : %016lx\n", regs->pc, regs->status);
	pr_emerg(" stval : %016lx scause : %016lx (%s)\n", regs->tval, regs->cause,
	       regs->cause & CAUSE_IRQ_FLAG ? "interrupt" : exception_name(regs->cause));
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i += 3) {
		if (i + 2 < ARRAY_SIZE(names))
			pr_emerg(" %-3s: %016lx %-3s: %016lx %-3s: %016lx\n", names[i], r[i],
			       names[i + 1], r[i + 1], names[i + 2], r[i + 2]);
		else
			pr_emerg(" %-3s: %016lx\n", names[i], r[i]);
	}
}

static bool frame_ok(unsigned long fp, unsigned long lo, unsigned long hi)
{
	return !(fp & 7) && fp >= lo + 16 && fp <= hi;
}

/*
 * A frame pointer is the stack pointer before the function's own frame; below it lie the return
 * address and the caller's frame pointer. A function that calls nobody keeps ra in its register and
 * stores only the frame pointer, one slot higher; met in the middle of a chain (it was
 * interrupted), it is passed over together with its caller's name, which is in the registers.
 */
bool arch_unwind_step(unsigned long *fp, unsigned long *pc, unsigned long lo, unsigned long hi)
{
	const unsigned long *frame;
	unsigned long ra, prev;

	if (!frame_ok(*fp, lo, hi))
		return false;
	frame = (const unsigned long *)*fp;
	if (frame_ok(frame[-1], lo, hi) && frame[-1] > *fp) {
		*fp = frame[-1];
		frame = (const unsigned long *)*fp;
	}
	ra = frame[-1];
	prev = frame[-2];
	if (ra < (unsigned long)_text || ra >= (unsigned long)_etext)
		return false;
	*fp = prev > *fp ? prev : 0;
	*pc = ra;
	return true;
}
