/*
 * usertests: the kernel seen from user space, one case per behaviour.
 *
 * A case is a function declared with TEST(). It runs in a process of its own, in an empty directory
 * of its own, and passes when it returns. expect…() ends the process with a message when the kernel
 * behaves otherwise. The runner (runner.c) gives each case a time limit, kills what it leaves
 * behind and looks for leaks: processes, disk blocks, inodes and, with caches dropped, pages of
 * memory.
 *
 * The cases describe Linux's behaviour and pass on Linux too ("usertests -n"), which is how they
 * were verified; where Linux leaves several answers open, a case accepts each of them.
 */
#ifndef USERTESTS_UT_H
#define USERTESTS_UT_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE	      4096UL
#define SKIP_STATUS   77 /* exit status of a case that does not apply here */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct test {
	const char *name;  /* what one types */
	const char *title; /* the behaviour, as a sentence */
	void (*run)(void);
	const char *file; /* where it stands: cases run in this order */
	int line;
};

/*
 * Defines a case. Pointers to all cases are collected by the linker in one section, so that a new
 * case needs no second entry in a table. The compiler may order them as it likes; the runner sorts
 * them by file and line.
 */
#define TEST(slug, sentence)                                                                      \
	static void slug(void);                                                                   \
	static const struct test slug##_test = {#slug, sentence, slug, __FILE__, __LINE__};       \
	static const struct test *const slug##_entry __attribute__((used, section("ut_cases"))) = \
		&slug##_test;                                                                     \
	static void slug(void)

/* True when the kernel under test is not ours (option -n): cases that would exhaust the machine
 * skip themselves. */
extern int foreign_kernel;

/* Absolute path of this program, for cases that exec it with an argument like "--args"; see
 * child_main(). */
extern char self_path[512];

/* Ends the calling process with status 1 after saying where and why. Formats like printf. */
void fail_at(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

void expect_failed_at(const char *file, int line, const char *what, const char *format, ...)
	__attribute__((noreturn, format(printf, 4, 5)));

/* Ends the calling process as "skipped"; only the case's first process may call it. */
void skip(const char *why) __attribute__((noreturn));

void expect_long_at(const char *file, int line, const char *what, long actual, long expected);
void expect_errno_at(const char *file, int line, const char *what, long result, int error);
void expect_status_at(const char *file, int line, pid_t pid, int exited, int value);

/* The condition holds; the rest, formatted like printf, tells the values. */
#define expect(cond, ...)                                                         \
	do {                                                                      \
		if (!(cond))                                                      \
			expect_failed_at(__FILE__, __LINE__, #cond, __VA_ARGS__); \
	} while (0)

/* Two integers are equal: shows both when not. */
#define expect_eq(actual, expected) \
	expect_long_at(__FILE__, __LINE__, #actual, (long)(actual), (long)(expected))

/* A call in the manner of libc returned -1 with this errno. */
#define expect_errno(call, error) expect_errno_at(__FILE__, __LINE__, #call, (long)(call), error)

/* Waits for a child and demands that it exited with a status, or was killed by a signal. */
#define expect_exit(pid, code)	expect_status_at(__FILE__, __LINE__, pid, 1, code)
#define expect_killed(pid, sig) expect_status_at(__FILE__, __LINE__, pid, 0, sig)

/* fork() that never fails quietly. */
pid_t xfork(void);

/* waitpid() that never fails quietly: the wait status of that child. */
int xwait(pid_t pid);

/* Milliseconds of the monotonic clock, and a sleep that resumes after signals. */
long now_ms(void);
void nap_ms(long ms);

/* Creates (or replaces) a file with these bytes. */
void put_file(const char *path, const void *data, size_t size);

/* Reads a whole file into a buffer of `room` bytes and ends it with NUL; returns the length. */
size_t get_file(const char *path, char *data, size_t room);

/* Byte i of a reproducible pattern; `key` tells patterns apart. */
static inline unsigned char pattern(size_t i, unsigned int key)
{
	return (unsigned char)(i * 31 + (i >> 8) * 7 + key);
}

/* A number as a pointer of which the compiler knows nothing, so that it does not reason about bad
 * ones. */
static inline char *address(uintptr_t value)
{
	__asm__ volatile("" : "+r"(value));
	return (char *)value;
}

/* Anonymous private pages, readable and writable. */
char *map_pages(size_t pages);

/* One page followed by an unmapped one: the address of the unmapped one. */
char *page_end(void);

/* Number of directory entries without "." and "..". */
int count_entries(const char *path);

/* Removes a file or a directory with everything in it; 0, or -1 when something stayed. */
int remove_tree(const char *path);

/* Writes all back and forgets whatever the kernel keeps only because it might be wanted again. */
void drop_caches(void);

/* The value in KiB of a line of /proc/meminfo such as "MemFree"; -1 when there is none. */
long meminfo_kb(const char *field);

/*
 * A thread of this process on a fresh stack. join_thread() waits until the kernel no longer knows
 * it and frees the stack. At most 16 at a time.
 */
struct thread {
	int tid;
	char *stack;
};
void start_thread(struct thread *thread, int (*fn)(void *), void *arg);
void join_thread(struct thread *thread);

/* futex(2), in libc's manner. */
long futex(volatile int *word, int op, int value, const struct timespec *timeout);

/* Addresses no process may touch: null page, kernel halves of every paging mode, the last page. */
extern void *const forbidden[];
extern const size_t n_forbidden;

/* What this program does when a case executes it as "usertests --something". Returns the exit
 * status. */
int child_main(int argc, char **argv, char **envp);
int nomem_child(void);	/* "--nomem": did an allocation fail since? See nomem.c */

#endif
