/*
 * The frame a handler runs on, as Linux lays it out: siginfo, then ucontext, whose machine part the
 * arch writes and reads. The handler returns into the trampoline page, which calls rt_sigreturn with the
 * stack pointer back at the frame.
 */
#include "proc/internal.h"
#include "asm/ptrace.h"
#include "mm/vm/uaccess.h"

struct ucontext_head {
	unsigned long uc_flags;
	void *uc_link;
	struct sigaltstack uc_stack;
	sigset_t uc_sigmask;
};

static bool on_altstack(const struct task *t, unsigned long sp)
{
	unsigned long base = (unsigned long)t->altstack.ss_sp;

	return sp - base <= t->altstack.ss_size && t->altstack.ss_size && sp != base;
}

static unsigned long frame_address(const struct task *t, const struct pt_regs *regs,
				   const struct k_sigaction *act)
{
	unsigned long sp = user_stack_pointer(regs);
	size_t size = sizeof(struct siginfo) + arch_mcontext_offset() + arch_mcontext_size();

	if ((act->flags & SA_ONSTACK) && t->altstack.ss_size &&
	    !(t->altstack.ss_flags & SS_DISABLE) && !on_altstack(t, sp))
		sp = (unsigned long)t->altstack.ss_sp + t->altstack.ss_size;
	return (sp - size) & ~15UL;
}

bool setup_signal_frame(struct pt_regs *regs, int sig, const struct k_sigaction *act,
			const struct siginfo *info, sigset_t mask)
{
	struct task *t = current_task();
	unsigned long frame = frame_address(t, regs, act);
	unsigned long uc = frame + sizeof(struct siginfo);
	struct ucontext_head head = { .uc_stack = t->altstack, .uc_sigmask = mask };

	if (on_altstack(t, user_stack_pointer(regs)))
		head.uc_stack.ss_flags |= SS_ONSTACK;
	if (copy_to_user((void *)frame, info, sizeof(*info)) ||
	    copy_to_user((void *)uc, &head, sizeof(head)) ||
	    !access_ok((void *)uc, arch_mcontext_offset() + arch_mcontext_size()) ||
	    arch_save_mcontext((void *)(uc + arch_mcontext_offset()), regs))
		return false;
	arch_start_handler(regs, act->handler, frame, sig, frame, uc, t->thread.mm->sigreturn);
	return true;
}

long do_sigreturn(struct pt_regs *regs)
{
	struct task *t = current_task();
	unsigned long uc = user_stack_pointer(regs) + sizeof(struct siginfo);
	struct ucontext_head head;

	if ((user_stack_pointer(regs) & 15) || copy_from_user(&head, (void *)uc, sizeof(head)) ||
	    !access_ok((void *)uc, arch_mcontext_offset() + arch_mcontext_size()) ||
	    arch_restore_mcontext(regs, (void *)(uc + arch_mcontext_offset()))) {
		force_signal(SIGSEGV, SEGV_MAPERR, uc);
		return 0;
	}
	head.uc_stack.ss_flags &= ~SS_ONSTACK;
	t->altstack = head.uc_stack;
	set_blocked(head.uc_sigmask);
	return syscall_return(regs);
}

bool task_on_altstack(const struct pt_regs *regs)
{
	return on_altstack(current_task(), user_stack_pointer(regs));
}
