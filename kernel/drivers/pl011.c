/* Arm's PL011 UART (PrimeCell, DDI 0183). Speed stays as the firmware set it. */
#include "asm/io.h"
#include "base/initcall.h"
#include "drivers/uart.h"

#define UART_DR		0x00	/* data, and above bit 7 the errors of a received character */
#define UART_FR		0x18
#define UART_LCR_H	0x2c
#define UART_CR		0x30
#define UART_IMSC	0x38
#define UART_ICR	0x44

#define FR_RX_EMPTY	0x10
#define FR_TX_FULL	0x20
#define LCR_8BIT_FIFO	0x70
#define CR_ENABLE	0x301	/* the whole, sending, receiving */
#define INT_RX		0x10	/* enough characters in the FIFO */
#define INT_RX_TIMEOUT	0x40	/* some, and no more came */

static int pl011_setup(struct uart *uart, const void *fdt, int node)
{
	(void)fdt;
	(void)node;
	writel(0, uart->regs + UART_IMSC);
	writel(0, uart->regs + UART_CR);	/* the format may only be changed while it is off */
	writel(LCR_8BIT_FIFO, uart->regs + UART_LCR_H);
	writel(CR_ENABLE, uart->regs + UART_CR);
	return 0;
}

static bool pl011_can_send(struct uart *uart)
{
	return !(readl(uart->regs + UART_FR) & FR_TX_FULL);
}

static void pl011_send(struct uart *uart, char c)
{
	writel((u8)c, uart->regs + UART_DR);
}

static int pl011_receive(struct uart *uart)
{
	if (readl(uart->regs + UART_FR) & FR_RX_EMPTY)
		return -1;
	return readl(uart->regs + UART_DR) & 0xff;
}

/* Reading the characters takes both interrupts back; only what was pending before is cleared. */
static void pl011_enable_input(struct uart *uart)
{
	writel(INT_RX | INT_RX_TIMEOUT, uart->regs + UART_ICR);
	writel(INT_RX | INT_RX_TIMEOUT, uart->regs + UART_IMSC);
}

static const char *const pl011_compatible[] = { "arm,pl011", NULL };
static const struct uart_model pl011 = {
	.name = "pl011",
	.compatible = pl011_compatible,
	.setup = pl011_setup,
	.can_send = pl011_can_send,
	.send = pl011_send,
	.receive = pl011_receive,
	.enable_input = pl011_enable_input,
};

static int pl011_init(void)
{
	return uart_probe(&pl011);
}
driver_initcall(pl011_init);
