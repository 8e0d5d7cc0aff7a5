/* What a panic wants to see: registers and the chain of frame records. */
#include "arch_arm64.h"
#include "asm/ptrace.h"
#include "base/printk.h"

/*
 * A frame record is {caller's fp, return address}. Records lie higher and higher on one stack; a
 * trap pushes one too (pt_regs.frame), so that the chain leads through it to the interrupted code.
 */
bool arch_unwind_step(unsigned long *fp, unsigned long *pc, unsigned long lo, unsigned long hi)
{
	unsigned long record = *fp;

	if (record < lo || record > hi - 16 || record % 8)
		return false;
	*fp = ((unsigned long *)record)[0];
	*pc = ((unsigned long *)record)[1];
	if (*fp <= record)
		*fp = 0;		/* the outermost, or a loop: no further step */
	return *pc != 0;
}

void arch_show_regs(const struct pt_regs *regs)
{
	int i;

	pr_emerg("pc : %016lx %pS\n", (unsigned long)regs->pc, (void *)regs->pc);
	pr_emerg("lr : %016lx %pS\n", (unsigned long)regs->regs[30], (void *)regs->regs[30]);
	pr_emerg("sp : %016lx pstate: %08lx esr: %08lx far: %016lx\n", (unsigned long)regs->sp,
		 (unsigned long)regs->pstate, (unsigned long)read_sysreg(esr_el1),
		 (unsigned long)read_sysreg(far_el1));
	for (i = 0; i < 30; i += 3)
		pr_emerg("x%-2d: %016lx x%-2d: %016lx x%-2d: %016lx\n", i,
			 (unsigned long)regs->regs[i], i + 1, (unsigned long)regs->regs[i + 1],
			 i + 2, (unsigned long)regs->regs[i + 2]);
}
