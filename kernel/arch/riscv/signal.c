/* The machine part of signal delivery: see asm/signal.h for the frame. */
#include "asm/signal.h"

#include "arch/riscv/riscv.h"
#include "lib/errno.h"
#include "lib/string.h"

BUILD_BUG_ON(sizeof(struct sigcontext) != 784);
BUILD_BUG_ON(offsetof(struct sigcontext, fcsr) != 512);

size_t arch_mcontext_size(void)
{
	return sizeof(struct sigcontext);
}

size_t arch_mcontext_offset(void)
{
	return SIGCONTEXT_OFFSET;
}

/* Is all of a mcontext at @user_mc below task_size? */
static bool range_ok(const void *user_mc)
{
	return (unsigned long)user_mc < task_size - sizeof(struct sigcontext);
}

int arch_save_mcontext(void *user_mc, const struct pt_regs *regs)
{
	struct thread_head *t = current_head();
	struct sigcontext sc;

	if (!range_ok(user_mc))
		return -EFAULT;
	arch_save_fp(t);
	memset(&sc, 0, sizeof(sc));
	memcpy(sc.regs, regs, sizeof(sc.regs));
	memcpy(sc.fregs, t->ctx.fregs, sizeof(sc.fregs));
	sc.fcsr = t->ctx.fcsr;
	return arch_copy_to_user(user_mc, &sc, sizeof(sc)) ? -EFAULT : 0;
}

int arch_restore_mcontext(struct pt_regs *regs, const void *user_mc)
{
	struct thread_head *t = current_head();
	struct sigcontext sc;

	if (!range_ok(user_mc) || arch_copy_from_user(&sc, user_mc, sizeof(sc)))
		return -EFAULT;
	arch_reload_fp(t);
	memcpy(regs, sc.regs, sizeof(sc.regs));		/* sstatus stays ours */
	memcpy(t->ctx.fregs, sc.fregs, sizeof(sc.fregs));
	t->ctx.fcsr = sc.fcsr;
	regs->cause = ~0UL;				/* no system call to restart */
	return 0;
}

void arch_start_handler(struct pt_regs *regs, unsigned long pc, unsigned long sp, unsigned long a0,
			unsigned long a1, unsigned long a2, unsigned long ra)
{
	regs->pc = pc;
	regs->sp = sp;
	regs->a0 = a0;
	regs->a1 = a1;
	regs->a2 = a2;
	regs->ra = ra;
	regs->cause = ~0UL;
}

void arch_restart_syscall(struct pt_regs *regs)
{
	regs->a0 = regs->orig_a0;
	regs->pc -= 4;
	regs->cause = ~0UL;				/* once is enough */
}
