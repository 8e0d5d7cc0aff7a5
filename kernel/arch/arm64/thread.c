/*
 * Threads: their first breath, the switch between them, and the user's floating-point registers.
 *
 * The kernel uses no floating point, so the registers may stay the user's across a trap. They are
 * saved late and loaded later: a thread starts its time slice with floating point disabled for
 * user mode; the first use traps (fp_trap), loads the registers and enables it; the switch away
 * saves them if and only if that happened (ctx.fp_live). A thread that never used them has no
 * state.
 */
#include "arch_arm64.h"
#include "asm/irqflags.h"
#include "asm/offsets.h"
#include "asm/ptrace.h"
#include "lib/string.h"

#define CHECK(type, member, offset) BUILD_BUG_ON(offsetof(type, member) != (offset))

CHECK(struct thread_head, kernel_sp, TH_KERNEL_SP);
CHECK(struct thread_head, cpu, TH_CPU);
CHECK(struct thread_head, ctx, TH_CONTEXT);
CHECK(struct arch_context, x19_x28, CTX_X19);
CHECK(struct arch_context, fp, CTX_X29);
CHECK(struct arch_context, sp, CTX_SP);
CHECK(struct arch_context, pc, CTX_PC);
CHECK(struct arch_context, fpsr, CTX_FPSR);
CHECK(struct arch_context, vregs, CTX_VREGS);
CHECK(struct pt_regs, regs[30], PT_X30);
CHECK(struct pt_regs, sp, PT_SP);
CHECK(struct pt_regs, pc, PT_PC);
CHECK(struct pt_regs, orig_x0, PT_ORIG_X0);
CHECK(struct pt_regs, frame, PT_FRAME);
BUILD_BUG_ON(sizeof(struct pt_regs) != PT_SIZE || PT_SIZE % 16);
CHECK(struct secondary_boot, idle, SB_IDLE);
CHECK(struct secondary_boot, stack_top, SB_STACK);
CHECK(struct secondary_boot, root, SB_ROOT);
CHECK(struct secondary_boot, cpu, SB_CPU);

/* The pt_regs of user mode lie at the very top; the thread's own frames begin below them. */
struct pt_regs *arch_user_regs(void *stack_top)
{
	return (struct pt_regs *)stack_top - 1;
}

void arch_thread_init(struct thread_head *t, void *stack_top, void (*fn)(void *), void *arg)
{
	memset(&t->ctx, 0, sizeof(t->ctx));
	t->kernel_sp = (unsigned long)stack_top;
	t->ctx.x19_x28[0] = (u64)fn;
	t->ctx.x19_x28[1] = (u64)arg;
	t->ctx.sp = (u64)arch_user_regs(stack_top);
	t->ctx.pc = (u64)thread_entry;
}

/* The change is seen by user mode at the latest: returning there synchronises. */
static void fp_enable(bool on)
{
	write_sysreg(on ? CPACR_FP_ALL : CPACR_FP_KERNEL, cpacr_el1);
}

struct thread_head *arch_switch_to(struct thread_head *prev, struct thread_head *next)
{
	if (prev->ctx.fp_live) {
		fp_save(&prev->ctx);
		prev->ctx.fp_live = false;
		fp_enable(false);
	}
	prev->ctx.tls = read_sysreg(tpidr_el0);
	write_sysreg(next->ctx.tls, tpidr_el0);
	return cpu_switch(prev, next);
}

void arch_return_to_user(struct pt_regs *regs)
{
	exit_to_user(regs);
	regs->frame[0] = 0;
	regs->frame[1] = 0;
	leave_to_user(regs);
}

void fp_trap(void)
{
	struct arch_context *ctx = &current_head()->ctx;

	if (!ctx->fp_used) {
		memset(ctx->vregs, 0, sizeof(ctx->vregs));
		ctx->fpsr = 0;
		ctx->fpcr = 0;
		ctx->fp_used = true;
	}
	fp_load(ctx);
	ctx->fp_live = true;
	fp_enable(true);
}

/* Registers to ctx; they stay live, both are the same until user mode runs again. */
void arch_save_fp(struct thread_head *t)
{
	unsigned long flags = local_irq_save();

	if (t->ctx.fp_live)
		fp_save(&t->ctx);
	local_irq_restore(flags);
}

void arch_reload_fp(struct thread_head *t)
{
	unsigned long flags = local_irq_save();

	t->ctx.fp_used = true;
	t->ctx.fp_live = false;
	fp_enable(false);
	local_irq_restore(flags);
}

void arch_fork_context(struct thread_head *child, struct thread_head *parent)
{
	child->ctx.tls = read_sysreg(tpidr_el0);
	child->ctx.fp_live = false;
	child->ctx.fp_used = parent->ctx.fp_used;
	if (!parent->ctx.fp_used)
		return;
	arch_save_fp(parent);
	child->ctx.fpsr = parent->ctx.fpsr;
	child->ctx.fpcr = parent->ctx.fpcr;
	memcpy(child->ctx.vregs, parent->ctx.vregs, sizeof(child->ctx.vregs));
}

void arch_set_tls(struct thread_head *t, struct pt_regs *regs, unsigned long tls)
{
	(void)regs;
	t->ctx.tls = tls;
	if (t == current_head())
		write_sysreg(tls, tpidr_el0);
}

void arch_exec_context(struct thread_head *t)
{
	unsigned long flags = local_irq_save();

	t->ctx.fp_live = false;
	t->ctx.fp_used = false;
	fp_enable(false);
	arch_set_tls(t, NULL, 0);
	local_irq_restore(flags);
}

/* A wfi ends when an interrupt is pending, masked or not: one that came since the caller looked for
 * work is not slept through. */
void arch_idle(void)
{
	__asm__ __volatile__("dsb sy\n\twfi" : : : "memory");
	local_irq_enable();
}
