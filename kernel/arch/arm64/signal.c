/* The machine's part of a signal frame, in Linux's layout: C libraries and debuggers know it. */
#include "arch_arm64.h"
#include "asm/ptrace.h"
#include "asm/signal.h"
#include "lib/errno.h"
#include "lib/string.h"

/* The part of struct sigcontext that is written: general registers, FP registers, the end mark. */
struct sigcontext_head {
	u64 fault_address;
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
	struct fpsimd_context fpsimd __aligned(16);
	struct _aarch64_ctx end;
};
BUILD_BUG_ON(offsetof(struct sigcontext_head, fpsimd) != offsetof(struct sigcontext, __reserved));
BUILD_BUG_ON(sizeof(struct fpsimd_context) != 528);

/* mov x8, #139 (rt_sigreturn); svc #0 */
const char arch_sigreturn_code[] = "\x68\x11\x80\xd2\x01\x00\x00\xd4";
const size_t arch_sigreturn_size = sizeof(arch_sigreturn_code) - 1;

size_t arch_mcontext_size(void)
{
	return sizeof(struct sigcontext);
}

size_t arch_mcontext_offset(void)
{
	return UCONTEXT_MCONTEXT_OFFSET;
}

int arch_save_mcontext(void *user_mc, const struct pt_regs *regs)
{
	struct thread_head *current = current_head();
	struct sigcontext_head mc;

	memset(&mc, 0, sizeof(mc));
	memcpy(mc.regs, regs->regs, sizeof(mc.regs));
	mc.sp = regs->sp;
	mc.pc = regs->pc;
	mc.pstate = regs->pstate;
	mc.fpsimd.head = (struct _aarch64_ctx){ FPSIMD_MAGIC, sizeof(mc.fpsimd) };
	if (current->ctx.fp_used) {
		arch_save_fp(current);
		mc.fpsimd.fpsr = current->ctx.fpsr;
		mc.fpsimd.fpcr = current->ctx.fpcr;
		memcpy(mc.fpsimd.vregs, current->ctx.vregs, sizeof(mc.fpsimd.vregs));
	}
	return arch_copy_to_user(user_mc, &mc, sizeof(mc)) ? -EFAULT : 0;
}

/* The registers of user_fp become current's. */
static int restore_fp(const struct fpsimd_context *user_fp)
{
	struct thread_head *current = current_head();
	struct fpsimd_context fp;

	if (arch_copy_from_user(&fp, user_fp, sizeof(fp)))
		return -EFAULT;
	arch_save_fp(current);
	arch_reload_fp(current);	/* first: from here on a switch must not save over ctx */
	current->ctx.fpsr = fp.fpsr;
	current->ctx.fpcr = fp.fpcr;
	memcpy(current->ctx.vregs, fp.vregs, sizeof(fp.vregs));
	return 0;
}

/* Looks through the records for the FP state; without one the registers stay as they are. */
static int restore_records(const u8 *user_reserved)
{
	struct _aarch64_ctx head;
	size_t offset = 0;

	while (offset <= SIGCONTEXT_RESERVED - sizeof(head)) {
		if (arch_copy_from_user(&head, user_reserved + offset, sizeof(head)))
			return -EFAULT;
		if (head.magic == 0)
			return 0;
		if (head.size < sizeof(head) || head.size % 16 ||
		    head.size > SIGCONTEXT_RESERVED - offset)
			return -EFAULT;
		if (head.magic == FPSIMD_MAGIC) {
			if (head.size != sizeof(struct fpsimd_context))
				return -EFAULT;
			return restore_fp((const void *)(user_reserved + offset));
		}
		offset += head.size;
	}
	return -EFAULT;
}

int arch_restore_mcontext(struct pt_regs *regs, const void *user_mc)
{
	struct sigcontext_head mc;

	if ((unsigned long)user_mc >= task_size - sizeof(struct sigcontext) ||
	    arch_copy_from_user(&mc, user_mc, offsetof(struct sigcontext_head, fpsimd)))
		return -EFAULT;
	if (restore_records((const u8 *)user_mc + offsetof(struct sigcontext, __reserved)))
		return -EFAULT;
	memcpy(regs->regs, mc.regs, sizeof(mc.regs));
	regs->sp = mc.sp;
	regs->pc = mc.pc;
	regs->pstate = PSR_MODE_EL0 | (mc.pstate & PSR_NZCV);	/* never the kernel's modes */
	regs->syscallno = NO_SYSCALL;
	return 0;
}

void arch_start_handler(struct pt_regs *regs, unsigned long pc, unsigned long sp,
			unsigned long a0, unsigned long a1, unsigned long a2, unsigned long ra)
{
	regs->regs[0] = a0;
	regs->regs[1] = a1;
	regs->regs[2] = a2;
	regs->regs[30] = ra;
	regs->sp = sp;
	regs->pc = pc;
	regs->pstate &= PSR_NZCV;
	regs->syscallno = NO_SYSCALL;
}

void arch_restart_syscall(struct pt_regs *regs)
{
	regs->regs[0] = regs->orig_x0;
	regs->pc -= 4;
	regs->syscallno = NO_SYSCALL;		/* once is enough */
}
