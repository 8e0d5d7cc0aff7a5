/*
 * Initcalls: how a driver, a filesystem or a /proc file joins the kernel without main.c knowing it.
 * Run in a kernel thread with everything up to the scheduler working, in this order of levels.
 */
#pragma once

#include "lib/compiler.h"

typedef int (*initcall_t)(void);	/* 0 or -errno, which is logged */

#define __initcall(fn, level) \
	static const initcall_t __initcall_##fn __used __section(".initcalls." #level) = fn

#define core_initcall(fn)	__initcall(fn, 1)	/* caches, tables */
#define driver_initcall(fn)	__initcall(fn, 2)	/* devices found in the device tree */
#define fs_initcall(fn)		__initcall(fn, 3)	/* filesystem types, pseudo files */
#define late_initcall(fn)	__initcall(fn, 4)

extern const initcall_t __initcall_start[], __initcall_end[];	/* linker script */

void do_initcalls(void);
