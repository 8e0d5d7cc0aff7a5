/* The 16550 UART, as on RISC-V's machines. Speed and format stay as the firmware set them. */
#include "asm/io.h"
#include "base/initcall.h"
#include "drivers/uart.h"
#include "lib/errno.h"
#include "lib/fdt.h"

#define UART_RBR	0	/* read: a received character */
#define UART_THR	0	/* write: a character to send */
#define UART_IER	1
#define UART_FCR	2
#define UART_MCR	4
#define UART_LSR	5

#define IER_RECEIVED	0x01
#define FCR_ENABLE	0x01	/* FIFOs on, interrupt from the first character */
#define MCR_READY	0x0b	/* DTR, RTS, and OUT2, which lets interrupts out on a PC's board */
#define LSR_DATA	0x01
#define LSR_CAN_SEND	0x20

static unsigned int ns16550_read(struct uart *uart, unsigned int reg)
{
	char *addr = uart->regs + (reg << uart->reg_shift);

	return uart->reg_width == 4 ? readl(addr) : readb(addr);
}

static void ns16550_write(struct uart *uart, unsigned int reg, u8 value)
{
	char *addr = uart->regs + (reg << uart->reg_shift);

	if (uart->reg_width == 4)
		writel(value, addr);
	else
		writeb(value, addr);
}

static int ns16550_setup(struct uart *uart, const void *fdt, int node)
{
	u32 shift = 0, width = 1;

	fdt_read_u32(fdt, node, "reg-shift", &shift);
	fdt_read_u32(fdt, node, "reg-io-width", &width);
	if (shift > 3 || (width != 1 && width != 4))
		return -EINVAL;
	uart->reg_shift = shift;
	uart->reg_width = width;
	ns16550_write(uart, UART_IER, 0);
	ns16550_write(uart, UART_FCR, FCR_ENABLE);
	ns16550_write(uart, UART_MCR, MCR_READY);
	return 0;
}

static bool ns16550_can_send(struct uart *uart)
{
	return ns16550_read(uart, UART_LSR) & LSR_CAN_SEND;
}

static void ns16550_send(struct uart *uart, char c)
{
	ns16550_write(uart, UART_THR, c);
}

static int ns16550_receive(struct uart *uart)
{
	if (!(ns16550_read(uart, UART_LSR) & LSR_DATA))
		return -1;
	return ns16550_read(uart, UART_RBR) & 0xff;
}

static void ns16550_enable_input(struct uart *uart)
{
	ns16550_write(uart, UART_IER, IER_RECEIVED);
}

static const char *const ns16550_compatible[] = { "ns16550a", "ns16550", NULL };
static const struct uart_model ns16550 = {
	.name = "ns16550",
	.compatible = ns16550_compatible,
	.setup = ns16550_setup,
	.can_send = ns16550_can_send,
	.send = ns16550_send,
	.receive = ns16550_receive,
	.enable_input = ns16550_enable_input,
};

static int ns16550_init(void)
{
	return uart_probe(&ns16550);
}
driver_initcall(ns16550_init);
