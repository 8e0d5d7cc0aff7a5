/* PSCI, the firmware's power switch: CPUs on, the machine off (Arm DEN 0022). */
#include "arch_arm64.h"
#include "asm/barrier.h"
#include "asm/irqflags.h"
#include "lib/errno.h"
#include "lib/fdt.h"
#include "lib/string.h"

#define PSCI_CPU_ON		0xc4000003UL
#define PSCI_SYSTEM_OFF		0x84000008UL
#define PSCI_SYSTEM_RESET	0x84000009UL

#define PSCI_NOT_SUPPORTED	(-1)
#define PSCI_INVALID_PARAMETERS	(-2)
#define PSCI_DENIED		(-3)
#define PSCI_ALREADY_ON		(-4)
#define PSCI_ON_PENDING		(-5)

static enum { PSCI_NONE, PSCI_HVC, PSCI_SMC } conduit;

void psci_init(const void *fdt)
{
	int node = fdt_next_compatible(fdt, -1, "arm,psci-0.2");
	const char *method;

	if (node < 0)
		node = fdt_next_compatible(fdt, -1, "arm,psci-1.0");
	method = node >= 0 ? fdt_get_string(fdt, node, "method") : NULL;
	if (method && !strcmp(method, "hvc"))
		conduit = PSCI_HVC;
	else if (method && !strcmp(method, "smc"))
		conduit = PSCI_SMC;
}

static int psci_call(u64 function, u64 arg0, u64 arg1, u64 arg2)
{
	register u64 x0 __asm__("x0") = function;
	register u64 x1 __asm__("x1") = arg0;
	register u64 x2 __asm__("x2") = arg1;
	register u64 x3 __asm__("x3") = arg2;

#define CALL(insn) __asm__ __volatile__(insn " #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : \
	: "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", \
	"x17", "memory")
	if (conduit == PSCI_HVC)
		CALL("hvc");
	else if (conduit == PSCI_SMC)
		CALL("smc");
	else
		return PSCI_NOT_SUPPORTED;
#undef CALL
	return (int)x0;
}

int psci_cpu_on(u64 mpidr, phys_addr_t entry, phys_addr_t context)
{
	switch (psci_call(PSCI_CPU_ON, mpidr, entry, context)) {
	case 0:
		return 0;
	case PSCI_NOT_SUPPORTED:
		return -ENOSYS;
	case PSCI_INVALID_PARAMETERS:
		return -EINVAL;
	case PSCI_DENIED:
		return -EPERM;
	case PSCI_ALREADY_ON:
	case PSCI_ON_PENDING:
		return -EBUSY;
	default:
		return -EIO;
	}
}

static __noreturn void wait_forever(void)
{
	local_irq_disable();
	for (;;)
		__asm__ __volatile__("wfi");
}

void arch_poweroff(void)
{
	psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
	wait_forever();
}

void arch_reboot(void)
{
	psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
	wait_forever();
}
