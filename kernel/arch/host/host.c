/* See host.h. The C library is declared by hand: its headers and ours define the same types. */
#include "arch/host/host.h"
#include "arch/arch.h"
#include "base/cmdline.h"
#include "base/irq.h"
#include "base/panic.h"
#include "base/percpu.h"
#include "base/spinlock.h"
#include "lib/format.h"
#include "lib/string.h"

/* ---- the C library ------------------------------------------------------------------------ */

#define PROT_RW			3
#define MAP_PRIVATE_ANON_NORESERVE 0x4022
void *mmap(void *addr, size_t len, int prot, int flags, int fd, long offset);
__noreturn void abort(void);
int sched_yield(void);
int puts(const char *s);
int fflush(void *file);
int clock_gettime(int clock, struct timespec *ts);
int pthread_create(unsigned long *thread, const void *attr, void *(*fn)(void *), void *arg);
int pthread_join(unsigned long thread, void **result);

/* ---- threads as CPUs ---------------------------------------------------------------------- */

unsigned long per_cpu_offset[NR_CPUS];
unsigned int nr_cpus = 1, cpu_node[NR_CPUS];
unsigned long cpu_online_mask = 1;
__thread struct thread_head *host_current;
__thread bool host_irqs_off;

static char threads[NR_CPUS][4096] __aligned(64);	/* a struct thread each, and room */
static char percpu_copies[NR_CPUS][65536] __aligned(64);
extern char __start_percpu[], __stop_percpu[];

void host_cpu_enter(unsigned int cpu)
{
	struct thread_head *t = (struct thread_head *)threads[cpu];

	memset(t, 0, sizeof(threads[cpu]));
	t->cpu = cpu;
	t->percpu_base = per_cpu_offset[cpu];
	host_current = t;
}

struct cpu_run {
	unsigned int cpu;
	void (*fn)(unsigned int cpu);
};

static void *cpu_main(void *arg)
{
	struct cpu_run *run = arg;

	host_cpu_enter(run->cpu);
	run->fn(run->cpu);
	return NULL;
}

void host_run_cpus(unsigned int n, void (*fn)(unsigned int cpu))
{
	struct cpu_run runs[NR_CPUS];
	unsigned long handles[NR_CPUS];

	nr_cpus = n;
	cpu_online_mask = n == NR_CPUS ? ~0UL : BIT(n) - 1;
	for (unsigned int i = 0; i < n; i++) {
		runs[i] = (struct cpu_run){ i, fn };
		if (pthread_create(&handles[i], NULL, cpu_main, &runs[i]))
			abort();
	}
	for (unsigned int i = 0; i < n; i++)
		pthread_join(handles[i], NULL);
	host_cpu_enter(0);
}

void spin_lock_slow(spinlock_t *lock)
{
	do {
		while (READ_ONCE(lock->locked))
			sched_yield();
	} while (!raw_spin_trylock(lock));
}

void preempt_schedule(void)
{
}

#ifdef CONFIG_DEBUG
/* The order of locks is checked where the whole kernel runs. */
void spin_lock_debug_before(spinlock_t *lock)
{
	if (READ_ONCE(lock->holder) == current_head()->cpu + 1)
		panic("spinlock taken again by its holder");
}

void lockdep_acquire(void *lock, struct lock_class *class, bool sleeping)
{
	(void)lock;
	(void)class;
	(void)sleeping;
}

void lockdep_release(void *lock, struct lock_class *class)
{
	(void)lock;
	(void)class;
}

void might_sleep_check(const char *file, int line)
{
	if (!can_sleep())
		panic("sleep in atomic context at %s:%d", file, line);
}
#endif

/* No CPU can be interrupted, so the caller runs it for those it means. */
void smp_call(unsigned long mask, void (*fn)(void *), void *arg)
{
	(void)mask;
	fn(arg);
}

u64 arch_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(1, &ts);
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

/* ---- memory ------------------------------------------------------------------------------- */

struct page;
struct page *vmemmap;
static char *ram;
phys_addr_t host_image_phys = 0x200000;
const void *host_fdt;
char boot_command_line[4096];

void *__va(phys_addr_t pa)
{
	return ram + pa;
}

/* The linker places image_text and image_end, which are _text and _end here, at
 * KERNEL_LINK_ADDR, where nothing is. */
phys_addr_t __pa(const void *va)
{
	unsigned long a = (unsigned long)va;

	return a >= KERNEL_LINK_ADDR ? a - KERNEL_LINK_ADDR + host_image_phys :
	       (phys_addr_t)((const char *)va - ram);
}

static void *reserve_space(size_t size)
{
	void *p = mmap(NULL, size, PROT_RW, MAP_PRIVATE_ANON_NORESERVE, -1, 0);

	if (p == (void *)-1L)
		abort();
	return p;
}

void host_init(void)
{
	if ((size_t)(__stop_percpu - __start_percpu) > sizeof(percpu_copies[0]))
		abort();
	for (unsigned int cpu = 1; cpu < NR_CPUS; cpu++)
		per_cpu_offset[cpu] = (unsigned long)percpu_copies[cpu] -
				      (unsigned long)__start_percpu;
	/* Large blocks are aligned to their size, as in the direct map. */
	ram = reserve_space(HOST_MAX_PHYS + (4UL << 20));
	ram = (char *)ALIGN((unsigned long)ram, 4UL << 20);
	vmemmap = reserve_space(HOST_MAX_PHYS / PAGE_SIZE * HOST_PAGE_STRUCT);
	host_cpu_enter(0);
}

const void *arch_fdt(void)
{
	return host_fdt;
}

phys_addr_t arch_fdt_phys(void)
{
	return 0x100000;
}

phys_addr_t arch_early_map_limit(void)
{
	return HOST_MAX_PHYS;
}

void clear_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

void *memchr_inv(const void *s, int c, size_t n)
{
	for (const unsigned char *p = s; n--; p++)
		if (*p != (unsigned char)c)
			return (void *)p;
	return NULL;
}

ssize_t strscpy(char *dst, const char *src, size_t size)
{
	return snprintf(dst, size, "%s", src);
}

/* ---- the log ------------------------------------------------------------------------------ */

void (*host_log_hook)(const char *line);
void (*host_panic_hook)(const char *message);

int vprintk(const char *fmt, va_list args)
{
	char line[512];
	int len = vsnprintf(line, sizeof(line), fmt, args);
	char *text = line[0] == KERN_SOH[0] && line[1] ? line + 2 : line;

	if (host_log_hook)
		host_log_hook(text);
	else
		puts(text);
	return len;
}

int printk(const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vprintk(fmt, args);
	va_end(args);
	return len;
}

void panic(const char *fmt, ...)
{
	char message[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (host_panic_hook)
		host_panic_hook(message);
	puts(message);
	fflush(NULL);
	abort();
}

void warn_slow(const char *file, int line, const char *what)
{
	printk("WARNING: %s at %s:%d\n", what, file, line);
}

void dump_stack(void)
{
}

/* One word, "key" or "key=value", is all that the command line can be. */
static const char *cmdline_value(const char *key)
{
	size_t len = strlen(key);

	if (strncmp(boot_command_line, key, len))
		return NULL;
	return boot_command_line[len] == '=' ? boot_command_line + len + 1 :
	       boot_command_line[len] ? NULL : boot_command_line + len;
}

int cmdline_get(const char *key, char *buf, size_t size)
{
	const char *value = cmdline_value(key);

	return value ? snprintf(buf, size, "%s", value) : -1;
}

bool cmdline_has(const char *key)
{
	return cmdline_value(key) != NULL;
}

/* In decimal. */
long cmdline_long(const char *key, long fallback)
{
	const char *s = cmdline_value(key);
	long value = 0;

	if (!s || !*s)
		return fallback;
	for (; *s >= '0' && *s <= '9'; s++)
		value = value * 10 + *s - '0';
	return value;
}
