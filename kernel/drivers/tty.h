/* The terminal on the console's UART: the serial driver below, line discipline and /dev/console above. */
#pragma once

#include "lib/types.h"

/* A serial port that a terminal can write to. */
struct uart_ops {
	/* Sends @len bytes as they are (a newline is the terminal's to translate: ONLCR); polls until
	 * the device has them. Any context. */
	void (*write)(const char *text, size_t len);
};

/* The serial driver found its device. Once at boot. */
void tty_register_uart(const struct uart_ops *ops);
/* A character arrived. From the driver's interrupt: interrupts off. */
void tty_receive(char c);
/* proc/ registers how a group of processes is sent a signal (Ctrl-C). Called from tty_receive(). */
extern void (*tty_signal_hook)(pid_t pgid, int sig);
