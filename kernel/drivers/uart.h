/* What the serial drivers share: the console for printk, input for the terminal. */
#pragma once

#include "lib/compiler.h"

struct uart;

/* What one model of UART can do. All are called with interrupts off. */
struct uart_model {
	const char *name;		/* as a console */
	const char *const *compatible;	/* the device tree's names for it, NULL at the end */
	int (*setup)(struct uart *uart, const void *fdt, int node);	/* 0 or -errno */
	bool (*can_send)(struct uart *uart);
	void (*send)(struct uart *uart, char c);
	int (*receive)(struct uart *uart);	/* 0 … 255, or -1: nothing there */
	void (*enable_input)(struct uart *uart);	/* from now on it interrupts */
};

struct uart {
	const struct uart_model *model;
	char *regs;
	unsigned int reg_shift;		/* register n is at n << reg_shift */
	unsigned int reg_width;		/* bytes of an access */
	int send_lock;			/* taken with a bound, see uart.c */
};

/*
 * Makes the machine's console of a UART of this model, if it is one: the device that
 * /chosen/stdout-path names or, where the tree names none, the first. 0 also if there is none.
 * Initcalls only.
 */
int uart_probe(const struct uart_model *model);
