/* execve: arguments, environment, auxiliary vector, what survives it, and files that are no
 * programs. */
#include <sys/auxv.h>

#include "ut.h"

extern char **environ;

/* Values a child of "--args" compares; the parent passes them. */
static int check_args(int argc, char **argv, char **envp)
{
	char **p = envp;
	unsigned long *aux, seen = 0, entry = 0;

	expect_eq(argc, 5);
	expect(argv[argc] == NULL, "argv is not ended");
	expect(!strcmp(argv[2], "two words"), "argv[2] is '%s'", argv[2]);
	expect(!strcmp(argv[3], ""), "argv[3] is '%s'", argv[3]);
	expect_eq(strlen(argv[4]), 3000);
	expect(p[0] && !strcmp(p[0], "A=1"), "the first variable is '%s'", p[0]);
	expect(p[1] && !strcmp(p[1], "B=two words"), "the second variable is '%s'", p[1]);
	expect(p[2] == NULL, "there are more variables");
	expect(((uintptr_t)argv & 7) == 0 && ((uintptr_t)(argv - 1) & 15) == 0,
	       "argv at %p: the stack was not aligned to 16 bytes", (void *)argv);
	for (aux = (unsigned long *)(envp + 3); aux[0] != AT_NULL; aux += 2) {
		seen |= aux[0] < 64 ? 1UL << aux[0] : 0;
		if (aux[0] == AT_PAGESZ)
			expect_eq(aux[1], PAGE);
		if (aux[0] == AT_ENTRY)
			entry = aux[1];
		if (aux[0] == AT_PHDR)
			expect_eq(*(unsigned int *)aux[1] <= 0x70000003, 1);
	}
	expect(entry != 0, "AT_ENTRY is 0");
	for (int type = 0; type < 64; type++) {
		static const char needed[] = {AT_PHDR,	AT_PHENT,  AT_PHNUM,  AT_PAGESZ,
					      AT_ENTRY, AT_UID,	   AT_EUID,   AT_GID,
					      AT_EGID,	AT_RANDOM, AT_EXECFN, AT_SECURE};

		if (memchr(needed, type, sizeof(needed)))
			expect(seen >> type & 1, "the auxiliary vector lacks entry %d", type);
	}
	return 23;
}

static volatile int handled;

static void handler(int sig)
{
	handled = sig;
}

/* Which descriptors 3 … 9 are open, as bits; signal 10's handling as bits 8 and 9, its mask as
 * bit 10. */
static int check_state(void)
{
	struct sigaction sa;
	sigset_t mask;
	int bits = 0;

	for (int fd = 3; fd < 10; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			bits |= 1 << fd;
	sigaction(SIGUSR1, NULL, &sa);
	expect(sa.sa_handler == SIG_DFL, "a handler survived exec");
	sigaction(SIGUSR2, NULL, &sa);
	expect(sa.sa_handler == SIG_IGN, "an ignored signal did not survive exec");
	sigprocmask(SIG_BLOCK, NULL, &mask);
	expect(sigismember(&mask, SIGHUP), "the mask did not survive exec");
	return bits;
}

int child_main(int argc, char **argv, char **envp)
{
	const char *what = argv[1];

	if (!strcmp(what, "--exit"))
		return argc > 2 ? atoi(argv[2]) : 0;
	if (!strcmp(what, "--args"))
		return check_args(argc, argv, envp);
	if (!strcmp(what, "--state"))
		return check_state();
	if (!strcmp(what, "--nomem"))
		return nomem_child();
	if (!strcmp(what, "--sleep")) {
		nap_ms(20000);
		return 0;
	}
	return 99;
}

TEST(exec_arguments,
     "execve passes arguments, environment and the auxiliary vector on an aligned stack")
{
	static char big[3001];
	char *argv[] = {self_path, "--args", "two words", "", big, NULL};
	char *envp[] = {"A=1", "B=two words", NULL};
	pid_t pid;

	memset(big, 'b', 3000);
	pid = xfork();
	if (pid == 0) {
		execve(self_path, argv, envp);
		fail_at(__FILE__, __LINE__, "execve: errno %d", errno);
	}
	expect_exit(pid, 23);
}

TEST(exec_state,
     "exec keeps descriptors, mask and ignored signals; closes O_CLOEXEC, resets handlers")
{
	char *argv[] = {self_path, "--state", NULL};
	sigset_t set;
	pid_t pid = xfork();

	if (pid == 0) {
		for (int fd = 3; fd < 10; fd++)
			close(fd);
		open("/dev/null", O_RDWR);
		open("/dev/null", O_RDWR | O_CLOEXEC);
		open("/dev/null", O_RDWR);
		fcntl(5, F_SETFD, FD_CLOEXEC);
		dup3(3, 7, 0);
		signal(SIGUSR1, handler);
		signal(SIGUSR2, SIG_IGN);
		sigemptyset(&set);
		sigaddset(&set, SIGHUP);
		sigprocmask(SIG_BLOCK, &set, NULL);
		execve(self_path, argv, environ);
		_exit(98);
	}
	expect_exit(pid, 1 << 3 | 1 << 7);
}

TEST(exec_refused,
     "what is missing, a directory, not executable or too long is refused and nothing changes")
{
	static char big[4096 * 32];
	char *argv[] = {"x", NULL}, *many[1200];
	size_t n;

	expect_errno(execve("none", argv, environ), ENOENT);
	expect_errno(execve("none/x", argv, environ), ENOENT);
	expect_errno(execve("", argv, environ), ENOENT);
	expect_errno(execve(".", argv, environ), EACCES);
	put_file("plain", "text without a format", 21);
	expect_errno(execve("plain", argv, environ), EACCES);
	expect_eq(chmod("plain", 0755), 0);
	expect_errno(execve("plain", argv, environ), ENOEXEC);
	expect_errno(execve("plain/x", argv, environ), ENOTDIR);
	put_file("empty", "", 0);
	expect_eq(chmod("empty", 0755), 0);
	expect_errno(execve("empty", argv, environ), ENOEXEC);
	expect_errno(execve("/dev/null", argv, environ), EACCES);

	memset(big, 'x', sizeof(big) - 1);
	for (n = 0; n < ARRAY_SIZE(many) - 1; n++)
		many[n] = big;
	many[n] = NULL;
	expect_errno(execve(self_path, many, environ), E2BIG);
}

TEST(exec_shares_text,
     "twenty processes run one program at once, and the file may be unlinked meanwhile")
{
	char *argv[] = {"copy", "--exit", "5", NULL};
	static char buffer[65536];
	int in = open(self_path, O_RDONLY), out = open("copy", O_CREAT | O_RDWR, 0755);
	pid_t pids[20];
	ssize_t n;

	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		expect_eq(write(out, buffer, n), n);
	close(in);
	close(out);
	for (int i = 0; i < 20; i++) {
		pids[i] = xfork();
		if (pids[i] == 0) {
			execve("copy", argv, environ);
			_exit(98);
		}
	}
	for (int i = 0; i < 20; i++)
		expect_exit(pids[i], 5);
	char *sleeper[] = {"copy", "--sleep", NULL};
	pid_t pid = xfork();

	if (pid == 0) {
		execve("copy", sleeper, environ);
		_exit(98);
	}
	nap_ms(50);
	expect_eq(unlink("copy"), 0);
	expect_eq(kill(pid, SIGTERM), 0);
	expect_killed(pid, SIGTERM);
}

/* ---- ELF files, good and bad
 * ------------------------------------------------------------------------------ */

#if defined(__riscv)
#define MACHINE 243
static const unsigned int code[] = {0x02a00513, 0x05d00893, 0x00000073}; /* exit(42) */
#elif defined(__aarch64__)
#define MACHINE 183
static const unsigned int code[] = {0xd2800540, 0xd2800ba8, 0xd4000001};
#else
#define MACHINE 62
static const unsigned char code[12] = "\xbf\x2a\0\0\0\xb8\x3c\0\0\0\x0f\x05";
#endif

struct header {
	unsigned char ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct image {
	struct header h;
	struct segment s[2];
	unsigned char text[64];
};

#define BASE 0x400000UL

/* The smallest program: one readable, executable segment that holds the whole file and exits
 * with 42. */
static void good_image(struct image *e)
{
	memset(e, 0, sizeof(*e));
	memcpy(e->h.ident, "\177ELF\2\1\1", 7);
	e->h.type = 2;
	e->h.machine = MACHINE;
	e->h.version = 1;
	e->h.entry = BASE + offsetof(struct image, text);
	e->h.phoff = offsetof(struct image, s);
	e->h.ehsize = sizeof(e->h);
	e->h.phentsize = sizeof(e->s[0]);
	e->h.phnum = 2;
	e->s[0] = (struct segment){1, 5, 0, BASE, BASE, sizeof(*e), sizeof(*e), PAGE};
	e->s[1] = (struct segment){1, 6, 0, BASE + 0x10000, 0, 0, 3 * PAGE, PAGE};
	memcpy(e->text, code, sizeof(code));
}

/*
 * Executes the image. Gives the errno when execve failed, 1000 + the signal when it was killed
 * (after 300 ms at the latest), 2000 + the status when it exited.
 */
static int outcome(const void *image, size_t size)
{
	char *argv[] = {"elf", NULL};
	int status, p[2], error = 0;
	long start;
	pid_t pid;

	unlink("elf");
	put_file("elf", image, size);
	expect_eq(chmod("elf", 0755), 0);
	expect_eq(syscall(SYS_pipe2, p, O_CLOEXEC), 0);
	pid = xfork();
	if (pid == 0) {
		execve("elf", argv, environ);
		error = errno;
		expect_eq(write(p[1], &error, sizeof(error)), sizeof(error));
		_exit(0);
	}
	close(p[1]);
	if (read(p[0], &error, sizeof(error)) != sizeof(error))
		error = 0;
	close(p[0]);
	start = now_ms();
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_ms() - start > 300)
			kill(pid, SIGKILL);
		nap_ms(1);
	}
	if (error)
		return error;
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : 2000 + WEXITSTATUS(status);
}

TEST(exec_minimal, "the smallest ELF program, with a segment of pure zeros, runs")
{
	struct image e;

	good_image(&e);
	expect_eq(outcome(&e, sizeof(e)), 2042);
}

TEST(exec_bad_headers, "files with a wrong or cut ELF header are ENOEXEC")
{
	struct image e;

#define refused(change)                                     \
	do {                                                \
		good_image(&e);                             \
		change;                                     \
		expect_eq(outcome(&e, sizeof(e)), ENOEXEC); \
	} while (0)
	refused(e.h.ident[0] = 0);
	refused(e.h.ident[1] = 'F');
	refused(e.h.type = 1);
	refused(e.h.type = 77);
	refused(e.h.machine = 3);
	refused(e.h.machine = MACHINE ^ 0x8000);
	refused(e.h.phentsize = 1);
	refused(e.h.phnum = 0);
#undef refused
	for (size_t size = 0; size < sizeof(struct header); size += 7) {
		good_image(&e);
		expect_eq(outcome(&e, size), ENOEXEC);
	}
}

TEST(exec_bad_segments,
     "ELF segments that wrap, overlap, lie in the kernel or outside the file harm nobody")
{
	struct image e;
	int got;

	/* Each ends in an error, a killed process, or, where the flaw is harmless, a normal run. */
#define harmless(change)                                                                    \
	do {                                                                                \
		good_image(&e);                                                             \
		change;                                                                     \
		got = outcome(&e, sizeof(e));                                               \
		expect((got > 0 && got < 200) || (got > 1000 && got < 1065) || got == 2042, \
		       "outcome %d", got);                                                  \
	} while (0)
	harmless(e.s[0].vaddr = 0xffffffc000000000UL);
	harmless(e.s[0].vaddr = 0xffffffffffffe000UL);
	harmless(e.s[0].vaddr = 0x8000000000000000UL);
	harmless(e.s[0].vaddr = 0);
	harmless(e.s[0].vaddr = BASE + 1);
	harmless(e.s[0].offset = 1);
	harmless(e.s[0].offset = 1UL << 40);
	harmless(e.s[0].offset = ~0UL - 4095);
	harmless(e.s[0].offset = PAGE);
	harmless(e.s[0].filesz = 1UL << 40);
	harmless(e.s[0].filesz = ~0UL);
	harmless(e.s[0].filesz = 10);
	harmless(e.s[0].memsz = 10);
	harmless(e.s[0].memsz = ~0UL);
	harmless(e.s[0].memsz = 1UL << 45);
	harmless(e.s[1].memsz = ~0UL - BASE - 0x10000 + 1);
	harmless(e.s[1].memsz = 1UL << 62);
	harmless(e.s[1].vaddr = BASE);
	harmless(e.s[1].vaddr = BASE + 8);
	harmless(e.s[1].vaddr = 0xffffffff80000000UL);
	harmless(e.s[1].vaddr = ~0UL);
	harmless(e.s[0].flags = 0);
	harmless(e.s[0].flags = 6);
	harmless(e.s[0].align = 3);
	harmless(e.s[0].align = ~0UL);
	harmless(e.h.entry = 0);
	harmless(e.h.entry = 0xffffffff80000000UL);
	harmless(e.h.entry = BASE + 0x100000);
	harmless(e.h.entry = BASE + 0x10000);
	harmless(e.h.phoff = ~0UL - 8);
	harmless(e.h.phoff = sizeof(e) - 8);
	harmless(e.h.phoff = 1UL << 50);
	harmless(e.h.phnum = 65535);
	harmless(e.h.phnum = 300);
	harmless((e.s[1].type = 3, e.s[1].filesz = 1UL << 40));
	harmless((e.s[1].type = 3, e.s[1].filesz = 5));
	harmless((e.s[1].type = 7, e.s[1].memsz = ~0UL));
	harmless((e.s[1].type = 0x6474e551, e.s[1].flags = 7));
#undef harmless
}

TEST(exec_mutated, "ELF files with random bytes in their headers end in an error or a dead process")
{
	unsigned long seed = 20261121;
	struct image e;

	for (int i = 0; i < 60; i++) {
		unsigned char *bytes = (unsigned char *)&e;

		good_image(&e);
		for (int k = 0; k < 1 + i % 4; k++) {
			seed = seed * 6364136223846793005UL + 1442695040888963407UL;
			bytes[(seed >> 33) % offsetof(struct image, text)] = seed >> 56;
		}
		outcome(&e, sizeof(e));
	}
}
