/*
 * The terminal: what lies between a serial line and the programs that think they talk to a person.
 *
 * Input arrives a character at a time, in interrupts. In canonical mode (the default) a line is
 * edited here (erase, kill) and given to readers when it is complete; in raw mode each character
 * is given at once. Characters that mean signals (Ctrl-C) never reach a reader. The buffer is a
 * ring with three positions:
 *
 *	head ........ ready ........ tail
 *	 |  readers'    |  the line being edited
 *
 * that only ever grow; an entry's place is its position modulo the size. An end of file (Ctrl-D)
 * is an entry of its own, EOF_MARK, which ends a line and is not copied out.
 *
 * tty_lock (irq-safe) protects settings and ring. Echo is written under it, so it cannot
 * overtake. Output of programs goes through write_mutex instead, for a whole call: lines of two
 * programs do not mix, and interrupts stay on. The echo of input may fall between, as on any
 * terminal.
 */
#include "drivers/tty.h"
#include "arch/arch.h"
#include "base/panic.h"
#include "lib/signo.h"
#include "lib/string.h"
#include "mm/vm/uaccess.h"
#include "sched/mutex.h"

#define RING_SIZE	4096		/* entries; a longer line loses its end, as in Linux */
#define EOF_MARK	0x100

/* Linux's struct termios and ioctl numbers, generic. */
#define NCCS	19
struct termios {
	u32 c_iflag, c_oflag, c_cflag, c_lflag;
	u8 c_line, c_cc[NCCS];
};
struct winsize {
	u16 ws_row, ws_col, ws_xpixel, ws_ypixel;
};

enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSUSP = 10, VWERASE = 14 };
#define INLCR	0000100
#define IGNCR	0000200
#define ICRNL	0000400
#define OPOST	0000001
#define ONLCR	0000004
#define CS8	0000060
#define CREAD	0000200
#define B38400	0000017
#define ISIG	0000001
#define ICANON	0000002
#define ECHO	0000010
#define ECHOE	0000020
#define ECHOK	0000040
#define ECHONL	0000100
#define NOFLSH	0000200
#define ECHOCTL	0001000
#define ECHOKE	0004000
#define IEXTEN	0100000

#define TCGETS		0x5401
#define TCSETS		0x5402
#define TCSETSW		0x5403
#define TCSETSF		0x5404
#define TCSBRK		0x5409
#define TCXONC		0x540a
#define TCFLSH		0x540b
#define TIOCSCTTY	0x540e
#define TIOCGPGRP	0x540f
#define TIOCSPGRP	0x5410
#define TIOCOUTQ	0x5411
#define TIOCGWINSZ	0x5413
#define TIOCSWINSZ	0x5414
#define FIONREAD	0x541b
#define TIOCNOTTY	0x5422

#define CTRL(c)		((c) & 31)

static DEFINE_SPINLOCK(tty_lock);
static struct termios settings = {
	.c_iflag = ICRNL,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = {
		[VINTR] = CTRL('C'), [VQUIT] = CTRL('\\'), [VERASE] = 0x7f, [VKILL] = CTRL('U'),
		[VEOF] = CTRL('D'), [VMIN] = 1, [VSUSP] = CTRL('Z'), [VWERASE] = CTRL('W'),
	},
};
static struct winsize window = { 24, 80, 0, 0 };
static u16 ring[RING_SIZE];
static unsigned long head, ready, tail;
static pid_t foreground;		/* process group; 0: none */
static DEFINE_WAIT_QUEUE(read_wait);
static DEFINE_MUTEX(write_mutex);
static const struct uart_ops *uart;

void (*tty_signal_hook)(pid_t pgid, int sig);
pid_t (*tty_pgrp_hook)(void);

void tty_register_uart(const struct uart_ops *ops)
{
	uart = ops;
}

static void put_text(const char *text, size_t len)
{
	if (uart) {
		uart->write(text, len);
		return;
	}
	while (len--)
		arch_early_putc(*text++);
}

/* Writes with output processing: a newline becomes CR LF. */
static void put_processed(const char *text, size_t len)
{
	bool add_cr = (READ_ONCE(settings.c_oflag) & (OPOST | ONLCR)) == (OPOST | ONLCR);

	while (len) {
		const char *nl = add_cr ? memchr(text, '\n', len) : NULL;
		size_t n = nl ? (size_t)(nl - text) : len;

		if (n)
			put_text(text, n);
		if (nl) {
			put_text("\r\n", 2);
			n++;
		}
		text += n;
		len -= n;
	}
}

/* ---- input: interrupts ------------------------------------------------------------------- */

static bool is_control(int c)
{
	return (c < ' ' && c != '\t' && c != '\n') || c == 0x7f;
}

/* tty_lock held, as for all up to tty_receive(). */
static void echo(int c)
{
	char text[2] = { c, 0 };

	if (!(settings.c_lflag & ECHO)) {
		if (c == '\n' && (settings.c_lflag & ECHONL))
			put_processed("\n", 1);
		return;
	}
	if (is_control(c) && (settings.c_lflag & ECHOCTL)) {
		text[0] = '^';
		text[1] = c ^ 0x40;
		put_text(text, 2);
	} else {
		put_processed(text, 1);
	}
}

static void erase_one(void)
{
	int c = ring[--tail % RING_SIZE];

	if (!(settings.c_lflag & ECHO))
		return;
	if (is_control(c) && (settings.c_lflag & ECHOCTL))
		put_text("\b \b", 3);
	put_text("\b \b", 3);
}

/* Erases the last word, as Ctrl-W does. */
static void erase_word(void)
{
	while (tail != ready && ring[(tail - 1) % RING_SIZE] == ' ')
		erase_one();
	while (tail != ready && ring[(tail - 1) % RING_SIZE] != ' ')
		erase_one();
}

static void commit(void)
{
	ready = tail;
	wake_up_all(&read_wait);
}

/* One slot is kept for what ends a line. */
static bool append(int c, bool ends_line)
{
	if (tail - head >= RING_SIZE - (ends_line ? 0 : 1))
		return false;
	ring[tail++ % RING_SIZE] = c;
	return true;
}

/* The signal that @c asks for, or 0. */
static int signal_of(int c)
{
	if (!(settings.c_lflag & ISIG) || !c)
		return 0;
	if (c == settings.c_cc[VINTR])
		return SIGINT;
	if (c == settings.c_cc[VQUIT])
		return SIGQUIT;
	return c == settings.c_cc[VSUSP] ? SIGTSTP : 0;
}

static void receive_canonical(int c)
{
	const u8 *cc = settings.c_cc;

	if (c == cc[VERASE] || (c == '\b' && cc[VERASE] == 0x7f)) {
		if (tail != ready)
			erase_one();
	} else if (c && c == cc[VKILL]) {
		while (tail != ready)
			erase_one();
	} else if (c && c == cc[VWERASE] && (settings.c_lflag & IEXTEN)) {
		erase_word();
	} else if (c && c == cc[VEOF]) {
		if (append(EOF_MARK, true))
			commit();
	} else if (c == '\n') {
		echo(c);
		if (append(c, true))
			commit();
	} else if (append(c, false)) {
		echo(c);
	}
}

static void receive_raw(int c)
{
	if (append(c, true)) {
		echo(c);
		commit();
	}
}

void tty_receive(char ch)
{
	int c = (u8)ch, sig;
	unsigned long flags;
	pid_t group;

	spin_lock_irqsave(&tty_lock, flags);
	group = foreground;
	sig = signal_of(c);
	if (sig) {
		echo(c);
		if (!(settings.c_lflag & NOFLSH))
			head = ready = tail;
	} else if (c != '\r' || !(settings.c_iflag & IGNCR)) {
		if (c == '\r' && (settings.c_iflag & ICRNL))
			c = '\n';
		else if (c == '\n' && (settings.c_iflag & INLCR))
			c = '\r';
		if (settings.c_lflag & ICANON)
			receive_canonical(c);
		else
			receive_raw(c);
	}
	spin_unlock_irqrestore(&tty_lock, flags);
	if (sig && group && tty_signal_hook)
		tty_signal_hook(group, sig);
}

/* ---- read, write ------------------------------------------------------------------------- */

bool tty_readable(struct wait_queue **wq)
{
	if (wq)
		*wq = &read_wait;
	return READ_ONCE(head) != READ_ONCE(ready);
}

/*
 * Takes up to @max entries off the ring into @buf: at most one line in canonical mode. *@more: the
 * line, or what is there in raw mode, goes on. Bytes, or -EAGAIN: there is nothing.
 */
static ssize_t take(char *buf, size_t max, bool *more)
{
	bool canonical = settings.c_lflag & ICANON;
	unsigned long flags;
	size_t n = 0;

	*more = true;
	spin_lock_irqsave(&tty_lock, flags);
	if (head == ready) {
		spin_unlock_irqrestore(&tty_lock, flags);
		return -EAGAIN;
	}
	while (n < max && head != ready) {
		int c = ring[head++ % RING_SIZE];

		if (c == EOF_MARK) {
			*more = false;
			break;
		}
		buf[n++] = c;
		if (canonical && c == '\n') {
			*more = false;
			break;
		}
	}
	/* A line that was read up to its end-of-file mark is at its end, too. */
	if (canonical && *more && head != ready && ring[head % RING_SIZE] == EOF_MARK && n) {
		head++;
		*more = false;
	}
	if (head == ready)
		*more = false;
	spin_unlock_irqrestore(&tty_lock, flags);
	return n;
}

static bool in_background(void)
{
	pid_t group = READ_ONCE(foreground);

	return group && tty_pgrp_hook && tty_pgrp_hook() != group;
}

/* 0: there was something; 1: there is nothing, and the reader does not want to wait; or -errno. */
static int wait_for_input(bool nonblock)
{
	if (!(settings.c_lflag & ICANON) && !settings.c_cc[VMIN])
		return !tty_readable(NULL);
	if (nonblock)
		return tty_readable(NULL) ? 0 : -EAGAIN;
	if (wait_event_interruptible(&read_wait, tty_readable(NULL)))
		return -ERESTARTSYS;
	/* What was typed behind a Ctrl-C is not for whom that kills. */
	return signal_pending(current_thread()) ? -ERESTARTSYS : 0;
}

ssize_t tty_read(struct iov_iter *it, bool nonblock)
{
	bool more = true;
	ssize_t done = 0;
	char chunk[128];

	if (in_background())
		return -EIO;
	while (more && it->count) {
		ssize_t n = take(chunk, min(it->count, sizeof(chunk)), &more), copied;

		if (n < 0) {
			int ret = done ? 1 : wait_for_input(nonblock);

			if (ret)
				return ret < 0 ? ret : done;
			continue;
		}
		copied = copy_to_iter(chunk, n, it);
		done += copied;
		if (copied < n)
			return done ? done : -EFAULT;
	}
	return done;
}

ssize_t tty_write(struct iov_iter *it)
{
	static char chunk[PAGE_SIZE];		/* under write_mutex */
	ssize_t done = 0;

	mutex_lock(&write_mutex);
	while (it->count && !fatal_signal_pending(current_thread())) {
		size_t want = min(it->count, sizeof(chunk)), n = copy_from_iter(chunk, want, it);

		put_processed(chunk, n);
		done += n;
		if (n < want) {
			done = done ? done : -EFAULT;
			break;
		}
	}
	mutex_unlock(&write_mutex);
	return done;
}

/* ---- control ----------------------------------------------------------------------------- */

static void flush_input(void)
{
	unsigned long flags;

	spin_lock_irqsave(&tty_lock, flags);
	head = ready = tail;
	spin_unlock_irqrestore(&tty_lock, flags);
}

static long set_settings(const struct termios *user, bool flush)
{
	struct termios new;
	unsigned long flags;

	if (copy_from_user(&new, user, sizeof(new)))
		return -EFAULT;
	spin_lock_irqsave(&tty_lock, flags);
	settings = new;
	if (!(settings.c_lflag & ICANON) && ready != tail)
		commit();			/* a line begun before is no line now */
	spin_unlock_irqrestore(&tty_lock, flags);
	if (flush)
		flush_input();
	return 0;
}

static long set_foreground(const pid_t *user)
{
	pid_t group;

	if (get_user(group, user))
		return -EFAULT;
	if (group <= 0)
		return -EINVAL;
	WRITE_ONCE(foreground, group);
	return 0;
}

static int input_waiting(void)
{
	unsigned long flags;
	int n;

	spin_lock_irqsave(&tty_lock, flags);
	n = ready - head;
	spin_unlock_irqrestore(&tty_lock, flags);
	return n;
}

long tty_ioctl(unsigned int cmd, unsigned long arg)
{
	void *user = (void *)arg;

	switch (cmd) {
	case TCGETS:
		return copy_to_user(user, &settings, sizeof(settings));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_settings(user, cmd == TCSETSF);
	case TCFLSH:
		flush_input();
		return 0;
	case TCSBRK:
	case TCXONC:
	case TIOCNOTTY:
		return 0;
	case TIOCSCTTY:
		if (tty_pgrp_hook)
			WRITE_ONCE(foreground, tty_pgrp_hook());
		return 0;
	case TIOCGPGRP:
		return put_user(READ_ONCE(foreground), (pid_t *)user);
	case TIOCSPGRP:
		return set_foreground(user);
	case TIOCOUTQ:
		return put_user(0, (int *)user);
	case FIONREAD:
		return put_user(input_waiting(), (int *)user);
	case TIOCGWINSZ:
		return copy_to_user(user, &window, sizeof(window));
	case TIOCSWINSZ:
		return copy_from_user(&window, user, sizeof(window));
	default:
		return -ENOTTY;
	}
}
