/*
 * Threads as the machine sees them: switching, and user floating point saved lazily.
 *
 * FP lives in the registers only while the thread has used it since it last got the CPU:
 *
 *	user FS = Off	the truth is in ctx.fregs. The first FP instruction traps as illegal,
 *			riscv_fp_first_use() loads the registers, FS becomes Clean, fp_live 1.
 *	FS = Clean	registers and ctx agree
 *	FS = Dirty	the registers are newer; saved when the thread leaves the CPU
 *
 * A thread that leaves the CPU goes back to Off, so no register outlives its thread, and
 * programs without FP never pay. The kernel runs with FS Off and its C code is compiled for
 * integers only. fp_live is changed by the thread itself with interrupts off.
 */
#include "arch/riscv/riscv.h"
#include "arch/upcalls.h"
#include "asm/offsets.h"
#include "lib/string.h"

#define CHECK_TH(field, off) BUILD_BUG_ON(offsetof(struct thread_head, field) != (off))
#define CHECK_CTX(field, off) BUILD_BUG_ON(offsetof(struct arch_context, field) != (off))
#define CHECK_PT(field, off) BUILD_BUG_ON(offsetof(struct pt_regs, field) != (off))

CHECK_TH(kernel_sp, TH_KERNEL_SP);
CHECK_TH(scratch, TH_SCRATCH);
CHECK_TH(ctx, TH_CTX);
CHECK_CTX(ra, CTX_RA);
CHECK_CTX(sp, CTX_SP);
CHECK_CTX(s, CTX_S0);
CHECK_CTX(fregs, CTX_FREGS);
CHECK_CTX(fcsr, CTX_FCSR);
CHECK_PT(pc, PT_EPC);
CHECK_PT(t0, PT_T0);
CHECK_PT(a0, PT_A0);
CHECK_PT(s2, PT_S2);
CHECK_PT(t6, PT_T6);
CHECK_PT(status, PT_STATUS);
CHECK_PT(tval, PT_TVAL);
CHECK_PT(cause, PT_CAUSE);
CHECK_PT(orig_a0, PT_ORIG_A0);
CHECK_PT(frame_fp, PT_FRAME_FP);
CHECK_PT(frame_pc, PT_FRAME_PC);
BUILD_BUG_ON(sizeof(struct pt_regs) != PT_SIZE || PT_SIZE % 16);
BUILD_BUG_ON(THREAD_SIZE != 1 << 14);		/* THREAD_SHIFT in entry.S */

void riscv_fp_save(struct arch_context *ctx);
void riscv_fp_load(const struct arch_context *ctx);
void riscv_thread_entry(void);
struct thread_head *riscv_switch(struct thread_head *prev, struct thread_head *next);
__noreturn void riscv_enter_user(struct pt_regs *regs);

bool riscv_has_fp;			/* F and D */

struct pt_regs *arch_user_regs(void *stack_top)
{
	return (struct pt_regs *)stack_top - 1;
}

static struct pt_regs *user_regs_of(struct thread_head *t)
{
	return arch_user_regs((void *)t->kernel_sp);
}

static void set_user_fs(struct pt_regs *regs, unsigned long fs)
{
	regs->status = (regs->status & ~(unsigned long)SR_FS) | fs;
}

/* ---- floating point ------------------------------------------------------------------ */

/* Brings ctx.fregs up to date; the registers stay valid. Interrupts off, @t is current. */
static void save_if_dirty(struct thread_head *t)
{
	struct pt_regs *regs = user_regs_of(t);

	if (!t->ctx.fp_live || (regs->status & SR_FS) != SR_FS_DIRTY)
		return;
	csr_set(sstatus, SR_FS);
	riscv_fp_save(&t->ctx);
	csr_clear(sstatus, SR_FS);
	set_user_fs(regs, SR_FS_CLEAN);
}

static void give_up_fp(struct thread_head *t)
{
	if (t->ctx.fp_live) {
		t->ctx.fp_live = 0;
		set_user_fs(user_regs_of(t), SR_FS_OFF);
	}
}

/*
 * An illegal instruction in user mode: if FP was off, switches it on and returns true, and the
 * instruction is tried again. False: it was illegal indeed. Interrupts off.
 */
bool riscv_fp_first_use(struct pt_regs *regs)
{
	struct thread_head *t = current_head();

	if (!riscv_has_fp || (regs->status & SR_FS) != SR_FS_OFF)
		return false;
	csr_set(sstatus, SR_FS);
	riscv_fp_load(&t->ctx);
	csr_clear(sstatus, SR_FS);
	t->ctx.fp_live = 1;
	set_user_fs(regs, SR_FS_CLEAN);
	return true;
}

void arch_save_fp(struct thread_head *t)
{
	unsigned long flags = local_irq_save();

	save_if_dirty(t);
	local_irq_restore(flags);
}

void arch_reload_fp(struct thread_head *t)
{
	unsigned long flags = local_irq_save();

	give_up_fp(t);
	local_irq_restore(flags);
}

/* ---- threads ------------------------------------------------------------------------- */

void arch_thread_init(struct thread_head *t, void *stack_top, void (*fn)(void *), void *arg)
{
	t->kernel_sp = (unsigned long)stack_top;
	memset(&t->ctx, 0, sizeof(t->ctx));
	t->ctx.ra = (unsigned long)riscv_thread_entry;
	t->ctx.sp = (unsigned long)arch_user_regs(stack_top);
	t->ctx.s[1] = (unsigned long)fn;
	t->ctx.s[2] = (unsigned long)arg;
}

struct thread_head *arch_switch_to(struct thread_head *prev, struct thread_head *next)
{
	if (prev->ctx.fp_live) {
		save_if_dirty(prev);
		give_up_fp(prev);
	}
	return riscv_switch(prev, next);
}

void riscv_prepare_user(struct pt_regs *regs)
{
	while (READ_ONCE(current_head()->flags) & TIF_USER_WORK)
		user_mode_work(regs);
	/* a copied pt_regs (fork, exec) may claim FP registers that are another thread's */
	if (!current_head()->ctx.fp_live)
		set_user_fs(regs, SR_FS_OFF);
}

void arch_return_to_user(struct pt_regs *regs)
{
	local_irq_disable();
	riscv_prepare_user(regs);
	riscv_enter_user(regs);
}

void arch_fork_context(struct thread_head *child, struct thread_head *parent)
{
	arch_save_fp(parent);
	memcpy(child->ctx.fregs, parent->ctx.fregs, sizeof(child->ctx.fregs));
	child->ctx.fcsr = parent->ctx.fcsr;
	child->ctx.fp_live = 0;
	/* the thread pointer is tp, copied with pt_regs */
}

void arch_set_tls(struct thread_head *t, struct pt_regs *regs, unsigned long tls)
{
	(void)t;
	regs->tp = tls;
}

void arch_exec_context(struct thread_head *t)
{
	arch_reload_fp(t);
	memset(t->ctx.fregs, 0, sizeof(t->ctx.fregs));
	t->ctx.fcsr = 0;
}

void arch_idle(void)
{
	/* wfi ends when an interrupt is pending even while sstatus.SIE is off: none is missed */
	__asm__ __volatile__("wfi" : : : "memory");
	local_irq_enable();
}
