/*
 * Calls into the firmware (RISC-V SBI specification). All return 0 or an SBI error, < 0.
 */
#pragma once

#include "lib/types.h"

struct sbiret {
	long error;
	long value;
};

#define SBI_EXT_BASE	0x10
#define SBI_EXT_TIME	0x54494d45
#define SBI_EXT_IPI	0x735049
#define SBI_EXT_HSM	0x48534d
#define SBI_EXT_SRST	0x53525354
#define SBI_EXT_DBCN	0x4442434e
#define SBI_EXT_LEGACY_PUTCHAR	0x01
#define SBI_EXT_LEGACY_SHUTDOWN	0x08


#define SBI_ERR_ALREADY_AVAILABLE (-6)

struct sbiret sbi_ecall(unsigned long ext, unsigned long fid, unsigned long a0, unsigned long a1,
			unsigned long a2, unsigned long a3);

/* Finds out what the firmware offers. Boot CPU, once. */
void sbi_init(void);
bool sbi_has(unsigned long ext);
/* The firmware's specification version and name, for the boot message. */
void sbi_version(unsigned int *major, unsigned int *minor, const char **name);

void sbi_putchar(char c);
void sbi_set_timer(u64 time);
/* Software interrupt to the harts base + n for the bits n of @mask. */
void sbi_send_ipi(unsigned long mask, unsigned long base);
/* Starts a stopped hart at @pc with paging off and a1 = @opaque. 0 or -errno. */
int sbi_hart_start(unsigned long hart, phys_addr_t pc, unsigned long opaque);
/* @type 0 off, 1 cold reboot; returns only if the firmware cannot. */
void sbi_system_reset(unsigned int type);
