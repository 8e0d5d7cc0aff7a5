/* Calls into the firmware: see sbi.h. */
#include "arch/riscv/sbi.h"

#include "lib/errno.h"

static bool has_debug_console;

struct sbiret sbi_ecall(unsigned long ext, unsigned long fid, unsigned long arg0,
			unsigned long arg1, unsigned long arg2, unsigned long arg3)
{
	register unsigned long a0 __asm__("a0") = arg0;
	register unsigned long a1 __asm__("a1") = arg1;
	register unsigned long a2 __asm__("a2") = arg2;
	register unsigned long a3 __asm__("a3") = arg3;
	register unsigned long a4 __asm__("a4") = 0;
	register unsigned long a6 __asm__("a6") = fid;
	register unsigned long a7 __asm__("a7") = ext;

	__asm__ __volatile__("ecall"
			     : "+r"(a0), "+r"(a1)
			     : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
			     : "memory");
	return (struct sbiret){ (long)a0, (long)a1 };
}

bool sbi_has(unsigned long ext)
{
	struct sbiret ret = sbi_ecall(SBI_EXT_BASE, 3, ext, 0, 0, 0);

	return !ret.error && ret.value;
}

void sbi_init(void)
{
	has_debug_console = sbi_has(SBI_EXT_DBCN);
}

void sbi_version(unsigned int *major, unsigned int *minor, const char **name)
{
	long spec = sbi_ecall(SBI_EXT_BASE, 0, 0, 0, 0, 0).value;

	*major = (spec >> 24) & 0x7f;
	*minor = spec & 0xffffff;
	*name = sbi_ecall(SBI_EXT_BASE, 1, 0, 0, 0, 0).value == 1 ? "OpenSBI" : "unknown firmware";
}

void sbi_putchar(char c)
{
	if (has_debug_console)
		sbi_ecall(SBI_EXT_DBCN, 2, (u8)c, 0, 0, 0);
	else
		sbi_ecall(SBI_EXT_LEGACY_PUTCHAR, 0, (u8)c, 0, 0, 0);
}

void sbi_set_timer(u64 time)
{
	sbi_ecall(SBI_EXT_TIME, 0, time, 0, 0, 0);
}

void sbi_send_ipi(unsigned long mask, unsigned long base)
{
	sbi_ecall(SBI_EXT_IPI, 0, mask, base, 0, 0);
}

int sbi_hart_start(unsigned long hart, phys_addr_t pc, unsigned long opaque)
{
	switch (sbi_ecall(SBI_EXT_HSM, 0, hart, pc, opaque, 0).error) {
	case 0:
		return 0;
	case -2:
		return -EOPNOTSUPP;
	case -3:
	case -5:
		return -EINVAL;
	case SBI_ERR_ALREADY_AVAILABLE:
		return -EBUSY;
	default:
		return -EIO;
	}
}

void sbi_system_reset(unsigned int type)
{
	sbi_ecall(SBI_EXT_SRST, 0, type, 0, 0, 0);
	if (type == 0)
		sbi_ecall(SBI_EXT_LEGACY_SHUTDOWN, 0, 0, 0, 0, 0);
}
