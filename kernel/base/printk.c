/*
 * The kernel's log.
 *
 * Text takes two steps. vprintk() stores a record in the ring; console_flush() carries records
 * from the ring to the consoles. Each step has its own small lock, and these are bare words, not
 * spinlocks: the lock checker itself prints.
 *
 * The ring lock is held for the copy of one record and nothing else, interrupts off. The console
 * lock is only ever tried. Who fails leaves, because the holder looks at the ring again after it
 * let go: so a printk() under any lock, in an interrupt, or inside a console's own write() never
 * waits for a slow device, and two CPUs never mix their lines. The price is that a line may be
 * shown by another CPU a moment later.
 *
 * In a panic the other CPUs are stopped first, wherever they were; printk_panic() then breaks both
 * locks, and the panicking CPU is the only one that still prints.
 */
#include "base/printk.h"
#include "base/cmdline.h"
#include "base/panic.h"
#include "base/percpu.h"
#include "asm/barrier.h"
#include "asm/irqflags.h"
#include "lib/atomic.h"
#include "lib/format.h"
#include "lib/string.h"

#define LOG_SIZE	65536UL
#define LOG_LINE	480	/* longest text of one record; it lies on the caller's stack */
#define LOG_ALIGN	16	/* so that a header fits before the ring's end, or nothing does */

#define FLUSH_TIMEOUT_NS 1000000000UL

#define LOG_CONT	1	/* goes on where the last record stopped */
#define LOG_PAD		2	/* unused bytes up to the ring's end */

struct log_record {
	u64 ts_ns;
	u16 size;		/* of the whole record, bytes */
	u16 len;		/* of the text */
	u8 level;
	u8 flags;
	char text[];
};

static char log_buf[LOG_SIZE] __aligned(LOG_ALIGN);
static u64 log_head, log_tail;		/* bytes ever written; where the oldest record starts */
static u8 log_last_level = 6;		/* a KERN_CONT record's level */
static int log_locked;

static struct console *consoles;
static u64 console_pos;			/* next record to show */
static bool console_mid_line;		/* the last record shown had no newline */
static int console_locked;
static bool early_console = true;
static int console_loglevel = 7;
static int printk_cpu = -1;		/* in a panic: the only CPU that prints */

static void log_lock(void)
{
	while (xchg(&log_locked, 1))
		cpu_relax();
}

static void log_unlock(void)
{
	smp_store_release(&log_locked, 0);
}

static struct log_record *log_at(u64 pos)
{
	return (struct log_record *)(log_buf + pos % LOG_SIZE);
}

/* Space for a record of @size bytes at log_head; the oldest records go. */
static struct log_record *log_reserve(size_t size)
{
	size_t room = LOG_SIZE - log_head % LOG_SIZE;
	size_t need = size <= room ? size : room + size;

	while (log_head + need - log_tail > LOG_SIZE)
		log_tail += log_at(log_tail)->size;
	if (size > room) {
		struct log_record *pad = log_at(log_head);

		pad->size = room;
		pad->flags = LOG_PAD;
		log_head += room;
	}
	return log_at(log_head);
}

static void log_store(int level, unsigned int flags, const char *text, size_t len)
{
	size_t size = ALIGN(offsetof(struct log_record, text) + len, LOG_ALIGN);
	struct log_record *rec;

	log_lock();
	rec = log_reserve(size);
	if (level >= 0)
		log_last_level = level;
	rec->ts_ns = arch_clock_ns();
	rec->size = size;
	rec->len = len;
	rec->level = log_last_level;
	rec->flags = flags;
	memcpy(rec->text, text, len);
	log_head += size;
	log_unlock();
}

/* Copies the record at *@pos, or the oldest if that is gone, and moves *@pos on. False: no more. */
static bool log_fetch(u64 *pos, struct log_record *head, char *text)
{
	bool found = false;

	log_lock();
	if (*pos < log_tail)
		*pos = log_tail;
	while (*pos < log_head && !found) {
		struct log_record *rec = log_at(*pos);

		*pos += rec->size;
		if (rec->flags & LOG_PAD)
			continue;
		*head = *rec;
		memcpy(text, rec->text, rec->len);
		found = true;
	}
	log_unlock();
	return found;
}

static void console_write(struct console *only, const char *text, size_t len)
{
	if (only) {
		only->write(only, text, len);
		return;
	}
	for (struct console *con = consoles; con; con = con->next)
		con->write(con, text, len);
	for (size_t i = 0; early_console && i < len; i++) {
		if (text[i] == '\n')
			arch_early_putc('\r');
		arch_early_putc(text[i]);
	}
}

static size_t format_prefix(char *buf, size_t size, u64 ts_ns)
{
	return scnprintf(buf, size, "[%5lu.%06lu] ", (unsigned long)(ts_ns / 1000000000),
			 (unsigned long)(ts_ns / 1000 % 1000000));
}

/* Shows one record; every line of it gets the time in front. Console lock held. */
static void console_emit(struct console *only, const struct log_record *rec, const char *text)
{
	char prefix[32];
	size_t plen = format_prefix(prefix, sizeof(prefix), rec->ts_ns);
	size_t left = rec->len;

	if (console_mid_line && !(rec->flags & LOG_CONT)) {
		console_write(only, "\n", 1);
		console_mid_line = false;
	}
	while (left) {
		const char *nl = memchr(text, '\n', left);
		size_t n = nl ? (size_t)(nl - text) + 1 : left;

		if (!console_mid_line)
			console_write(only, prefix, plen);
		console_write(only, text, n);
		console_mid_line = !nl;
		text += n;
		left -= n;
	}
}

/* Shows what the consoles have not seen, unless another context is at it. Interrupts off. */
static void console_flush(void)
{
	static char text[LOG_LINE];
	struct log_record rec;

	do {
		if (xchg(&console_locked, 1))
			return;
		while (log_fetch(&console_pos, &rec, text))
			if (rec.level < console_loglevel)
				console_emit(NULL, &rec, text);
		smp_store_release(&console_locked, 0);
		smp_mb();
	} while (READ_ONCE(log_head) != READ_ONCE(console_pos));
}

int vprintk(const char *fmt, va_list args)
{
	char text[LOG_LINE];
	unsigned int flags_rec = 0;
	unsigned long flags;
	int level = 6, len;

	if (fmt[0] == KERN_SOH[0] && fmt[1]) {
		if (fmt[1] == 'c') {
			flags_rec = LOG_CONT;
			level = -1;
		} else {
			level = fmt[1] - '0';
		}
		fmt += 2;
	}
	len = vscnprintf(text, sizeof(text), fmt, args);

	flags = local_irq_save();
	if (READ_ONCE(printk_cpu) < 0 || printk_cpu == (int)smp_processor_id()) {
		log_store(level, flags_rec, text, len);
		console_flush();
	}
	local_irq_restore(flags);
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

void printk_panic(void)
{
	printk_cpu = smp_processor_id();
	smp_mb();
	log_locked = 0;
	console_locked = 0;
	if (console_loglevel < 7)
		console_loglevel = 7;
}

void printk_flush(void)
{
	u64 start = arch_clock_ns();
	unsigned long flags;

	while (READ_ONCE(console_pos) < READ_ONCE(log_head) || READ_ONCE(console_locked)) {
		if (arch_clock_ns() - start > FLUSH_TIMEOUT_NS)
			return;
		flags = local_irq_save();
		console_flush();
		local_irq_restore(flags);
	}
}

void printk_init(void)
{
	console_loglevel = cmdline_has("quiet") ? 4 : 7;
	console_loglevel = cmdline_long("loglevel", console_loglevel);
}

/* The log from its start to one console that is not yet in the list. Console lock held. */
static void console_replay(struct console *con)
{
	static char text[LOG_LINE];
	struct log_record rec;
	bool mid_line = console_mid_line;
	u64 pos = 0;

	console_mid_line = false;
	while (pos < console_pos && log_fetch(&pos, &rec, text))
		if (rec.level < console_loglevel)
			console_emit(con, &rec, text);
	console_mid_line = mid_line;
}

void register_console(struct console *con)
{
	unsigned long flags = local_irq_save();

	while (xchg(&console_locked, 1))
		cpu_relax();
	if (!early_console)
		console_replay(con);
	early_console = false;
	con->next = consoles;
	consoles = con;
	smp_store_release(&console_locked, 0);
	console_flush();
	local_irq_restore(flags);
}

size_t printk_read(u64 *pos, char *buf, size_t size)
{
	char text[LOG_LINE];
	struct log_record rec;
	unsigned long flags;
	size_t len = 0;
	bool found;

	flags = local_irq_save();
	found = log_fetch(pos, &rec, text);
	local_irq_restore(flags);
	if (!found)
		return 0;
	len = scnprintf(buf, size, "<%u>", rec.level);
	len += format_prefix(buf + len, size - len, rec.ts_ns);
	len += scnprintf(buf + len, size - len, "%.*s", (int)rec.len, text);
	return len;
}
