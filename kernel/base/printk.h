/* The kernel's log: levels, a ring that keeps the last 64 KiB, consoles. Any context. */
#pragma once

#include "lib/compiler.h"

#define KERN_SOH	"\001"
#define KERN_EMERG	KERN_SOH "0"
#define KERN_ALERT	KERN_SOH "1"
#define KERN_CRIT	KERN_SOH "2"
#define KERN_ERR	KERN_SOH "3"
#define KERN_WARNING	KERN_SOH "4"
#define KERN_NOTICE	KERN_SOH "5"
#define KERN_INFO	KERN_SOH "6"
#define KERN_DEBUG	KERN_SOH "7"
#define KERN_CONT	KERN_SOH "c"

/* Formats one record; printed at once to the consoles if its level < loglevel (command line
 * `loglevel=`, default 7; `quiet` = 4). Never sleeps; safe with any lock held and in interrupts. */
int printk(const char *fmt, ...) __printf(1, 2);
int vprintk(const char *fmt, va_list args) __printf(1, 0);

#define pr_emerg(fmt, ...)	printk(KERN_EMERG fmt, ##__VA_ARGS__)
#define pr_err(fmt, ...)	printk(KERN_ERR fmt, ##__VA_ARGS__)
#define pr_warn(fmt, ...)	printk(KERN_WARNING fmt, ##__VA_ARGS__)
#define pr_notice(fmt, ...)	printk(KERN_NOTICE fmt, ##__VA_ARGS__)
#define pr_info(fmt, ...)	printk(KERN_INFO fmt, ##__VA_ARGS__)
#define pr_debug(fmt, ...)	printk(KERN_DEBUG fmt, ##__VA_ARGS__)
#define pr_cont(fmt, ...)	printk(KERN_CONT fmt, ##__VA_ARGS__)

/* A device that shows the log. write() is called with interrupts off, from any context. */
struct console {
	const char *name;
	void (*write)(struct console *con, const char *text, size_t len);
	struct console *next;
};

/* Adds a console. The first one goes on where the early console stops, on the same device as a
 * rule; a later one is shown all that was logged so far. */
void register_console(struct console *con);

void printk_init(void);			/* obeys `loglevel=` and `quiet` */
void printk_flush(void);		/* before power-off: until all is shown, or 1 s */
void printk_panic(void);		/* from now on this CPU alone prints, whoever held locks */

/* Record by record: formats the one at *@pos (start with 0; the oldest if that is gone) as
 * "<level>[time] text" into @buf (512 bytes hold any) and moves *@pos on. 0: no more. */
size_t printk_read(u64 *pos, char *buf, size_t size);
