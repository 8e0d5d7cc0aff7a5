/* The two kinds of interrupt controller behind one set of calls. */
#pragma once

#include "lib/types.h"

#define GIC_SGIS	16U		/* interrupt numbers: 0..15 between CPUs, */
#define GIC_PPIS_END	32U		/* 16..31 a CPU's own, then shared ones */
#define GIC_SPURIOUS	1020U		/* this and above: nothing is pending */
#define GIC_PRIORITY	0xa0a0a0a0U

struct gic_ops {
	void (*cpu_init)(void);			/* this CPU's part; only SGIs unmasked */
	u32 (*ack)(void);			/* the pending interrupt, as eoi() wants it back */
	void (*eoi)(u32 ack);
	void (*set_enable)(unsigned int intid, bool enable);
	void (*set_edge)(unsigned int intid, bool edge);
	void (*send_sgi)(unsigned long cpumask, unsigned int sgi);
};

/* Probe: sets up the distributor, all shared interrupts masked and sent to this CPU. */
const struct gic_ops *gicv2_init(const void *fdt, int node);
const struct gic_ops *gicv3_init(const void *fdt, int node);

/* Distributor registers that both have. Arrays of 1, 2 or 8 bits an interrupt. */
#define GICD_CTLR	0x0000
#define GICD_TYPER	0x0004
#define GICD_IGROUPR	0x0080
#define GICD_ISENABLER	0x0100
#define GICD_ICENABLER	0x0180
#define GICD_IPRIORITYR	0x0400
#define GICD_ITARGETSR	0x0800
#define GICD_ICFGR	0x0c00
#define GICD_SGIR	0x0f00
#define GICD_IROUTER	0x6000

/* Interrupt lines of a distributor, a multiple of 32. */
unsigned int gic_lines(void *dist);
/* ISENABLER or ICENABLER, and ICFGR, of @intid in the frame that has its registers. */
void gic_frame_enable(void *frame, unsigned int intid, bool enable);
void gic_frame_set_edge(void *frame, unsigned int intid, bool edge);
