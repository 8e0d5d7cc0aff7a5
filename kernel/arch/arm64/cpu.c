/* Which CPU this is and what it can do. */
#include "arch_arm64.h"
#include "lib/errno.h"
#include "lib/format.h"

u64 cpu_mpidr[NR_CPUS];
static u64 cpu_midr[NR_CPUS];

const unsigned int arch_elf_machine = 183;	/* EM_AARCH64 */
const char arch_uname_machine[] = "aarch64";

/*
 * Linux's AT_HWCAP bits: a feature is there if @field of its register is at least @least.
 * Only what user mode can use as it stands: no SVE, no pointer authentication, no ID registers.
 */
static const struct feature {
	const char *name;
	u8 hwcap, reg, field, least;
} features[] = {
	{ "aes", 3, 0, 4, 1 },		{ "pmull", 4, 0, 4, 2 },
	{ "sha1", 5, 0, 8, 1 },		{ "sha2", 6, 0, 12, 1 },
	{ "crc32", 7, 0, 16, 1 },	{ "atomics", 8, 0, 20, 2 },
	{ "asimdrdm", 12, 0, 28, 1 },	{ "jscvt", 13, 1, 12, 1 },
	{ "fcma", 14, 1, 16, 1 },	{ "lrcpc", 15, 1, 20, 1 },
	{ "dcpop", 16, 1, 0, 1 },	{ "asimddp", 20, 0, 44, 1 },
};

static bool has_feature(const struct feature *f)
{
	u64 reg = f->reg ? read_sysreg(id_aa64isar1_el1) : read_sysreg(id_aa64isar0_el1);

	return id_field(reg, f->field) >= f->least;
}

/* Half precision comes with floating point; both are absent only together (field 15). */
static bool has_half_precision(void)
{
	return id_field(read_sysreg(id_aa64pfr0_el1), 16) == 1;
}

unsigned long arch_elf_hwcap(void)
{
	unsigned long hwcap = BIT(0) | BIT(1);		/* fp, asimd */

	if (has_half_precision())
		hwcap |= BIT(9) | BIT(10);		/* fphp, asimdhp */
	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++)
		if (has_feature(&features[i]))
			hwcap |= BIT(features[i].hwcap);
	return hwcap;
}

void cpu_record(unsigned int cpu)
{
	cpu_mpidr[cpu] = read_sysreg(mpidr_el1) & MPIDR_AFFINITY;
	cpu_midr[cpu] = read_sysreg(midr_el1);
}

static __noreturn void refuse(const char *why)
{
	while (*why)
		arch_early_putc(*why++);
	arch_poweroff();
}

/* The compiler was told of atomics, the copy routines need PAN: say so instead of dying of it. */
void cpu_check_features(void)
{
	u64 mmfr0 = read_sysreg(id_aa64mmfr0_el1);

	if (id_field(read_sysreg(id_aa64isar0_el1), 20) < 2 ||
	    id_field(read_sysreg(id_aa64mmfr1_el1), 20) == 0)
		refuse("Strata needs an ARMv8.1 CPU (atomics, PAN): "
		       "qemu -cpu cortex-a76 or max\r\n");
	if (id_field(mmfr0, 28) == 0xf)
		refuse("Strata needs a CPU with 4 KiB pages\r\n");
}

int arch_cpuinfo(unsigned int cpu, char *buf, size_t size)
{
	u64 midr = cpu_midr[cpu];
	int n = scnprintf(buf, size, "Features\t: fp asimd%s",
			  has_half_precision() ? " fphp asimdhp" : "");

	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++)
		if (has_feature(&features[i]))
			n += scnprintf(buf + n, size - n, " %s", features[i].name);
	n += scnprintf(buf + n, size - n,
		       "\nCPU implementer\t: 0x%02x\nCPU architecture: 8\nCPU variant\t: 0x%x\n"
		       "CPU part\t: 0x%03x\nCPU revision\t: %u\n",
		       (u32)(midr >> 24) & 0xff, (u32)(midr >> 20) & 0xf, (u32)(midr >> 4) & 0xfff,
		       (u32)midr & 0xf);
	return n;
}
