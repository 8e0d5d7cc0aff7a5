/*
 * The frame a handler runs on, as Linux lays it out: siginfo, then ucontext, whose machine part the
 * arch writes and reads. The handler returns into the trampoline page, which calls rt_sigreturn
 * with the stack pointer back at the frame.
 */
#include "proc/internal.h"
#include "asm/ptrace.h"
#include "lib/string.h"
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

	return t->altstack.ss_size && sp > base && sp - base <= t->altstack.ss_size;
}

int set_altstack(const struct sigaltstack *new, unsigned long sp)
{
	struct task *t = current_task();

	if (on_altstack(t, sp))
		return -EPERM;
	if (new->ss_flags == SS_DISABLE) {
		t->altstack = (struct sigaltstack){ .ss_flags = SS_DISABLE };
		return 0;
	}
	if (new->ss_flags & ~SS_ONSTACK)
		return -EINVAL;
	if (new->ss_size < MINSIGSTKSZ)
		return -ENOMEM;
	t->altstack = (struct sigaltstack){ .ss_sp = new->ss_sp, .ss_size = new->ss_size };
	return 0;
}

struct sigaltstack get_altstack(unsigned long sp)
{
	struct sigaltstack stack = current_task()->altstack;

	if (!stack.ss_size)
		stack.ss_flags = SS_DISABLE;
	else if (on_altstack(current_task(), sp))
		stack.ss_flags = SS_ONSTACK;
	return stack;
}

/* Where the frame goes, or 0: the alternate stack is too small for it. */
static unsigned long frame_address(const struct task *t, const struct pt_regs *regs,
				   const struct k_sigaction *act)
{
	unsigned long sp = user_stack_pointer(regs), low = 0, frame;
	size_t size = sizeof(struct siginfo) + arch_mcontext_offset() + arch_mcontext_size();

	if (on_altstack(t, sp)) {
		low = (unsigned long)t->altstack.ss_sp;
	} else if ((act->flags & SA_ONSTACK) && t->altstack.ss_size) {
		low = (unsigned long)t->altstack.ss_sp;
		sp = low + t->altstack.ss_size;
	}
	frame = (sp - size) & ~15UL;
	return frame >= low ? frame : 0;
}

int copy_siginfo_to_user(void *user, const struct kernel_siginfo *info)
{
	struct siginfo out;

	memset(&out, 0, sizeof(out));	/* all of it: it leaves the kernel */
	out.si_signo = info->sig;
	out.si_code = info->code;
	if (info->sig == SIGCHLD && info->code > 0 && info->code != SI_KERNEL) {
		out.chld.pid = info->pid;
		out.chld.status = info->status;
		out.chld.utime = info->utime;
		out.chld.stime = info->stime;
	} else if (info->code > 0) {
		out.fault.addr = info->addr;
	} else {
		out.kill.pid = info->pid;
	}
	return copy_to_user(user, &out, sizeof(out));
}

bool setup_signal_frame(struct pt_regs *regs, int sig, const struct k_sigaction *act,
			const struct kernel_siginfo *info, sigset_t mask)
{
	unsigned long frame = frame_address(current_task(), regs, act);
	unsigned long uc = frame + sizeof(struct siginfo);
	struct ucontext_head head;

	memset(&head, 0, sizeof(head));
	head.uc_stack = get_altstack(user_stack_pointer(regs));
	head.uc_sigmask = mask;
	if (!frame || copy_siginfo_to_user((void *)frame, info) ||
	    copy_to_user((void *)uc, &head, sizeof(head)) ||
	    !access_ok((void *)uc, arch_mcontext_offset() + arch_mcontext_size()) ||
	    arch_save_mcontext((void *)(uc + arch_mcontext_offset()), regs))
		return false;
	arch_start_handler(regs, act->handler, frame, sig, frame, uc,
			   current_thread()->mm->sigreturn);
	return true;
}

long do_sigreturn(struct pt_regs *regs)
{
	unsigned long uc = user_stack_pointer(regs) + sizeof(struct siginfo);
	struct ucontext_head head;

	if ((user_stack_pointer(regs) & 15) || copy_from_user(&head, (void *)uc, sizeof(head)) ||
	    !access_ok((void *)uc, arch_mcontext_offset() + arch_mcontext_size()) ||
	    arch_restore_mcontext(regs, (void *)(uc + arch_mcontext_offset()))) {
		force_signal(SIGSEGV, SI_KERNEL, 0);
		return 0;
	}
	/* A stack that cannot be set is not worth the thread's life: Linux goes on as well. */
	(void)set_altstack(&head.uc_stack, user_stack_pointer(regs));
	set_blocked(head.uc_sigmask);
	return syscall_return(regs);
}
