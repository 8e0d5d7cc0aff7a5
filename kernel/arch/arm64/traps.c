/*
 * What to do about a trap. entry.S has stored the registers; every function here that it calls
 * begins with all interrupts masked and returns with them masked.
 *
 *	interrupts	to irq_dispatch(); on the way out to kernel mode, perhaps another thread
 *	system calls	to handle_syscall()
 *	page faults	to handle_page_fault(), if the user or a copy routine made them
 *	the rest	a signal in user mode, the end in kernel mode
 *
 * A kernel-mode fault that the layers above refuse resumes at the fix-up of its instruction, if
 * that has one (__ex_table: only the copy routines of uaccess.S).
 */
#include "arch_arm64.h"
#include "arch/upcalls.h"
#include "asm/irqflags.h"
#include "asm/ptrace.h"
#include "base/printk.h"
#include "lib/signo.h"

/* ESR_EL1: exception class in bits 31..26, the rest depends on it. */
#define ESR_EC(esr)	((unsigned int)((esr) >> 26) & 0x3f)
#define EC_WFX		0x01
#define EC_FP		0x07
#define EC_SVC		0x15
#define EC_IABT_USER	0x20
#define EC_PC_ALIGN	0x22
#define EC_DABT_USER	0x24
#define EC_DABT_KERNEL	0x25
#define EC_SP_ALIGN	0x26
#define EC_FP_EXC	0x2c
#define EC_BREAK_USER	0x30		/* hardware breakpoint, step, watchpoint */
#define EC_STEP_USER	0x32
#define EC_WATCH_USER	0x34
#define EC_BRK		0x3c

#define ISS_WNR		BIT(6)		/* aborts: a write, */
#define ISS_CM		BIT(8)		/* unless it was cache maintenance */
#define ISS_FSC(esr)	((unsigned int)(esr) & 0x3f)
#define FSC_ALIGNMENT	0x21

struct ex_entry {
	s32 insn;		/* both relative to the field itself */
	s32 fixup;
};
extern const struct ex_entry __ex_table_start[], __ex_table_end[];

void el0_sync(struct pt_regs *regs);
void el0_irq(struct pt_regs *regs);
void el0_serror(struct pt_regs *regs);
void el1_sync(struct pt_regs *regs);
void el1_irq(struct pt_regs *regs);
void el1_serror(struct pt_regs *regs);
void bad_exception(struct pt_regs *regs);
void kernel_stack_overflow(struct pt_regs *regs);

static bool fixup_exception(struct pt_regs *regs)
{
	for (const struct ex_entry *e = __ex_table_start; e < __ex_table_end; e++) {
		if ((unsigned long)&e->insn + e->insn == regs->pc) {
			regs->pc = (unsigned long)&e->fixup + e->fixup;
			return true;
		}
	}
	return false;
}

/* Translation, access flag and permission faults, at any level: page tables can cure them. */
static bool is_page_fault(u64 esr)
{
	unsigned int kind = ISS_FSC(esr) >> 2;

	return kind >= 1 && kind <= 3;
}

static unsigned int fault_flags(u64 esr)
{
	unsigned int flags = 0;

	if (ESR_EC(esr) == EC_IABT_USER)
		flags |= FAULT_EXEC;
	else if ((esr & ISS_WNR) && !(esr & ISS_CM))
		flags |= FAULT_WRITE;
	if (ESR_EC(esr) == EC_IABT_USER || ESR_EC(esr) == EC_DABT_USER)
		flags |= FAULT_USER;
	return flags;
}

/* ---- from user mode ------------------------------------------------------------------ */

/* The last stop; interrupts may be on, and are off on return. */
void exit_to_user(struct pt_regs *regs)
{
	local_irq_disable();
	while (READ_ONCE(current_head()->flags) & TIF_USER_WORK)
		user_mode_work(regs);
}

static void user_abort(struct pt_regs *regs, u64 esr, unsigned long addr)
{
	if (is_page_fault(esr))
		handle_page_fault(regs, addr, fault_flags(esr));
	else if (ISS_FSC(esr) == FSC_ALIGNMENT)
		user_exception(regs, SIGBUS, BUS_ADRALN, addr);
	else
		user_exception(regs, SIGBUS, BUS_OBJERR, addr);
}

static void user_trap(struct pt_regs *regs, u64 esr, unsigned long addr)
{
	switch (ESR_EC(esr)) {
	case EC_IABT_USER:
	case EC_DABT_USER:
		user_abort(regs, esr, addr);
		break;
	case EC_WFX:
		regs->pc += 4;			/* a hint: waiting is the scheduler's business */
		break;
	case EC_PC_ALIGN:
		user_exception(regs, SIGBUS, BUS_ADRALN, regs->pc);
		break;
	case EC_SP_ALIGN:
		user_exception(regs, SIGBUS, BUS_ADRALN, regs->sp);
		break;
	case EC_FP_EXC:
		user_exception(regs, SIGFPE, FPE_FLTDIV, regs->pc);
		break;
	case EC_BREAK_USER:
	case EC_STEP_USER:
	case EC_WATCH_USER:
	case EC_BRK:
		user_exception(regs, SIGTRAP, TRAP_BRKPT, regs->pc);
		break;
	default:				/* undefined, or an extension that is not enabled */
		user_exception(regs, SIGILL, ILL_ILLOPC, regs->pc);
		break;
	}
}

void el0_sync(struct pt_regs *regs)
{
	u64 esr = read_sysreg(esr_el1);
	unsigned long addr = read_sysreg(far_el1);

	if (ESR_EC(esr) == EC_SVC) {
		regs->syscallno = (s32)regs->regs[8];
		local_irq_enable();
		handle_syscall(regs);
	} else if (ESR_EC(esr) == EC_FP) {
		fp_trap();
	} else {
		local_irq_enable();
		user_trap(regs, esr, addr);
	}
	exit_to_user(regs);
}

static void handle_interrupts(void)
{
	irq_enter();
	irq_dispatch();
	irq_exit();
}

void el0_irq(struct pt_regs *regs)
{
	handle_interrupts();
	exit_to_user(regs);
}

void el0_serror(struct pt_regs *regs)
{
	local_irq_enable();
	user_exception(regs, SIGBUS, BUS_OBJERR, regs->pc);
	exit_to_user(regs);
}

/* ---- from kernel mode ---------------------------------------------------------------- */

static void kernel_abort(struct pt_regs *regs, u64 esr, unsigned long addr)
{
	if (is_page_fault(esr) && addr < task_size) {
		/* With PAN closed this is no access on behalf of the user, and nothing cures it. */
		if (regs->pstate & PSR_PAN)
			die(addr < PAGE_SIZE ? "null pointer in kernel mode" :
			    "kernel access to user memory outside the copy routines", regs, addr);
		if (!regs_irqs_disabled(regs))
			local_irq_enable();
		if (handle_page_fault(regs, addr, fault_flags(esr)))
			return;
	}
	if (fixup_exception(regs))
		return;
	if (!is_page_fault(esr))
		die(ISS_FSC(esr) == FSC_ALIGNMENT ? "unaligned access" : "external abort",
		    regs, addr);
	die(esr & ISS_WNR ? "bad write in kernel mode" : "bad read in kernel mode", regs, addr);
}

void el1_sync(struct pt_regs *regs)
{
	u64 esr = read_sysreg(esr_el1);
	unsigned long addr = read_sysreg(far_el1);

	switch (ESR_EC(esr)) {
	case EC_DABT_KERNEL:
		kernel_abort(regs, esr, addr);
		break;
	case EC_BRK:
		die("breakpoint in kernel mode", regs, regs->pc);
	case EC_IABT_USER + 1:
		die("jump to a bad address in kernel mode", regs, addr);
	case EC_PC_ALIGN:
	case EC_SP_ALIGN:
		die("unaligned pc or sp in kernel mode", regs, addr);
	default:
		pr_emerg("exception syndrome %#lx\n", (unsigned long)esr);
		die("unexpected exception in kernel mode", regs, regs->pc);
	}
	local_irq_disable();
}

void el1_irq(struct pt_regs *regs)
{
	struct thread_head *current = current_head();

	(void)regs;
	handle_interrupts();
	if (current->preempt_count == 0 && (READ_ONCE(current->flags) & BIT(TIF_NEED_RESCHED)))
		preempt_irq();
}

void el1_serror(struct pt_regs *regs)
{
	pr_emerg("exception syndrome %#lx\n", (unsigned long)read_sysreg(esr_el1));
	die("asynchronous external abort", regs, regs->pc);
}

void bad_exception(struct pt_regs *regs)
{
	die("exception through an unused vector", regs, regs->pc);
}

/* On the emergency stack; regs->sp is the stack pointer that ran out. */
void kernel_stack_overflow(struct pt_regs *regs)
{
	die("kernel stack overflow", regs, read_sysreg(far_el1));
}
