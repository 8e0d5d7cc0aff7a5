/*
 * The console's serial port, whatever its model: the device found, printk's console, the terminal's
 * input and output.
 *
 * Output is polled. printk writes with any lock held, in interrupts and in a panic, so nothing here
 * may wait without end. A device that takes no character for a long time loses it. The lock, which
 * keeps the characters of two CPUs apart, is a bare word for which a writer waits a bounded time
 * and then goes on without it: two mixed lines are better than silence. In a panic it is ignored,
 * as its holder may have been stopped.
 */
#include "drivers/uart.h"
#include "arch/arch.h"
#include "asm/barrier.h"
#include "asm/irqflags.h"
#include "base/irq.h"
#include "base/panic.h"
#include "base/printk.h"
#include "drivers/tty.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/fdt.h"
#include "mm/vm/vmalloc.h"

#define SEND_PATIENCE	1000000		/* looks at the device for one character */
#define LOCK_PATIENCE	10000000
#define CHUNK		128		/* characters sent with interrupts off in one go */

static struct uart console_uart;

static void send_char(struct uart *uart, char c)
{
	for (unsigned int i = 0; i < SEND_PATIENCE; i++) {
		if (uart->model->can_send(uart)) {
			uart->model->send(uart, c);
			return;
		}
		cpu_relax();
	}
}

static void send_chunk(struct uart *uart, const char *text, size_t len, bool add_cr)
{
	unsigned long flags = local_irq_save();
	bool locked = false;

	for (unsigned int i = 0; !locked && !panic_in_progress() && i < LOCK_PATIENCE; i++) {
		locked = !xchg(&uart->send_lock, 1);
		if (!locked)
			cpu_relax();
	}
	for (size_t i = 0; i < len; i++) {
		if (add_cr && text[i] == '\n')
			send_char(uart, '\r');
		send_char(uart, text[i]);
	}
	if (locked)
		smp_store_release(&uart->send_lock, 0);
	local_irq_restore(flags);
}

static void send_text(const char *text, size_t len, bool add_cr)
{
	while (len) {
		size_t n = min(len, (size_t)CHUNK);

		send_chunk(&console_uart, text, n, add_cr);
		text += n;
		len -= n;
	}
}

static void uart_write(const char *text, size_t len)
{
	send_text(text, len, false);
}

static void uart_console_write(struct console *con, const char *text, size_t len)
{
	(void)con;
	send_text(text, len, true);
}

static void uart_receive_all(struct uart *uart)
{
	int c;

	while ((c = uart->model->receive(uart)) >= 0)
		tty_receive(c);
}

static void uart_interrupt(unsigned int irq, void *data)
{
	(void)irq;
	uart_receive_all(data);
}

static bool is_model(const struct uart_model *model, const void *fdt, int node)
{
	for (const char *const *name = model->compatible; *name; name++)
		if (fdt_is_compatible(fdt, node, *name))
			return true;
	return false;
}

/* The node of the console if it is of this model, or -ENOENT. */
static int find_console(const struct uart_model *model, const void *fdt)
{
	int chosen = fdt_node_offset_by_path(fdt, "/chosen");
	const char *path = chosen < 0 ? NULL : fdt_get_string(fdt, chosen, "stdout-path");
	int node = path ? fdt_node_offset_by_path(fdt, path) : -ENOENT;

	if (node >= 0)
		return is_model(model, fdt, node) ? node : -ENOENT;
	for (const char *const *name = model->compatible; *name; name++)
		fdt_for_each_compatible(fdt, node, *name)
			if (fdt_is_available(fdt, node))
				return node;
	return -ENOENT;
}

/* Characters that came before the interrupt was requested are fetched first: a device may announce
 * only the step from "empty" to "not empty". */
static void start_input(struct uart *uart, int irq)
{
	unsigned long flags = local_irq_save();
	int err = irq < 0 ? irq : 0;

	uart->model->enable_input(uart);
	uart_receive_all(uart);
	if (!err)
		err = request_irq(irq, uart_interrupt, uart->model->name, uart);
	local_irq_restore(flags);
	if (err)
		pr_err("%s: no interrupt (error %d): the console takes no input\n",
		       uart->model->name, err);
}

int uart_probe(const struct uart_model *model)
{
	static struct console console = { .write = uart_console_write };
	static const struct uart_ops ops = { .write = uart_write };
	struct uart *uart = &console_uart;
	const void *fdt = arch_fdt();
	int node = find_console(model, fdt);
	u64 addr, size;
	int err;

	if (node < 0 || uart->model)
		return 0;
	err = fdt_get_reg(fdt, node, 0, &addr, &size);
	if (err)
		return err;
	uart->regs = ioremap(addr, size);
	if (!uart->regs)
		return -ENOMEM;
	err = model->setup(uart, fdt, node);
	if (err) {
		iounmap(uart->regs);
		return err;
	}
	uart->model = model;
	console.name = model->name;
	register_console(&console);
	tty_register_uart(&ops);
	start_input(uart, arch_irq_of_node(fdt, node, 0));
	pr_info("%s: console at %#lx\n", model->name, addr);
	return 0;
}
