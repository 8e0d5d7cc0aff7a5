/* The terminal on the console's UART: serial driver below, /dev/console above. */
#pragma once

#include "lib/types.h"

struct iov_iter;
struct wait_queue;

/* A serial port that a terminal can write to. */
struct uart_ops {
	/* Sends @len bytes as they are (a newline is the terminal's to translate: ONLCR); polls
	 * until the device has them. Any context. */
	void (*write)(const char *text, size_t len);
};

/* The serial driver found its device. Once at boot. */
void tty_register_uart(const struct uart_ops *ops);
/* A character arrived. From the driver's interrupt: interrupts off. */
void tty_receive(char c);
/* proc/ registers how a group of processes is sent a signal (Ctrl-C). Called from tty_receive(). */
extern void (*tty_signal_hook)(pid_t pgid, int sig);
/* proc/ registers which process group the caller is in; NULL: nobody is ever in the background. */
extern pid_t (*tty_pgrp_hook)(void);

/*
 * What /dev/console and /dev/tty do. Bytes or -errno; may sleep. tty_read: at most one line in
 * canonical mode; -EAGAIN with @nonblock when there is none, -EIO to a process in the background.
 * tty_write: the output of one call of up to a page is not mixed with that of others.
 */
ssize_t tty_read(struct iov_iter *it, bool nonblock);
ssize_t tty_write(struct iov_iter *it);
long tty_ioctl(unsigned int cmd, unsigned long arg);	/* @arg: a user address. 0 or -errno */
/* Would tty_read() return at once? *@wq: where its readers sleep. Does not sleep. */
bool tty_readable(struct wait_queue **wq);
