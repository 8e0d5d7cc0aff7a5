/* The end: panic, BUG, WARN, backtraces. */
#pragma once

#include "base/printk.h"

struct pt_regs;

/* Stops the other CPUs, prints "Kernel panic - not syncing: …", registers if any, a symbolised
 * backtrace; then powers off with `panic=-1` on the command line (what make run passes), reboots
 * after `panic=N` seconds, or else halts. Any context. */
__noreturn void panic(const char *fmt, ...) __printf(1, 2);

#define BUG() panic("BUG at %s:%d", __FILE__, __LINE__)
#define BUG_ON(c) do { \
	if (unlikely(c)) panic("BUG: %s at %s:%d", #c, __FILE__, __LINE__); } while (0)

void warn_slow(const char *file, int line, const char *what);
#define WARN_ON(c) ({ bool _w = !!(c); \
	if (unlikely(_w)) { warn_slow(__FILE__, __LINE__, #c); } unlikely(_w); })
#define WARN_ON_ONCE(c) ({ static bool _done; bool _w = !!(c); \
	if (unlikely(_w && !_done)) { _done = true; warn_slow(__FILE__, __LINE__, #c); } \
	unlikely(_w); })

/* Prints the current call chain, one " [<address>] symbol+0x1/0x2" line a frame. */
void dump_stack(void);
/* Records up to @max return addresses of the current call chain, skipping @skip; their number. */
/* One line of a call chain: the call that returns to @pc. */
void show_return_address(unsigned long pc);
unsigned int stack_trace_save(unsigned long *entries, unsigned int max, unsigned int skip);

/* Name of the function around @addr; offset and size through the pointers. NULL if unknown. */
const char *symbol_lookup(unsigned long addr, unsigned long *offset, unsigned long *size);

/* Source of the instruction at @addr. False if unknown: only KASAN=1, UBSAN=1 and DEBUG=1 carry it. */
bool line_lookup(unsigned long addr, const char **file, unsigned int *line);

void symbols_init(void);		/* from now on %pS knows names */
bool panic_in_progress(void);		/* some CPU has panicked */
/* sched/ registers who is running: "tid 12 comm sh" into @buf, returns the lowest address of its
 * stack (NULL if unknown). Any context. */
extern void *(*panic_thread_hook)(char *buf, size_t size);
