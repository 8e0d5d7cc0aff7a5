/* Non-local jumps. */
#ifndef _SETJMP_H
#define _SETJMP_H

typedef struct {
	unsigned long	regs[26];
	unsigned long	mask;
	int		mask_saved;
} jmp_buf[1];

typedef jmp_buf sigjmp_buf;

int setjmp(jmp_buf env) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf env, int value);

/* The same with the signal mask, which a handler that jumps out needs restored. */
int __sigsave(sigjmp_buf env, int save);
#define sigsetjmp(env, save) (__sigsave(env, save), setjmp(env))
_Noreturn void siglongjmp(sigjmp_buf env, int value);

#endif
