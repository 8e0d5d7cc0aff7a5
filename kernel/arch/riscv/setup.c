/* What the boot CPU finds out about the machine, in the order it needs it. */
#include "arch/riscv/riscv.h"
#include "arch/riscv/sbi.h"
#include "base/printk.h"
#include "lib/fdt.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/vm/pgtable.h"

phys_addr_t riscv_fdt_phys;

const unsigned int arch_elf_machine = 243;	/* EM_RISCV */
const char arch_uname_machine[] = "riscv64";

static char isa[256];			/* of the boot CPU; the others are taken to be alike */
static unsigned long hwcap;

/* Levels asked for by paging=sv39, sv48 or sv57 on the command line; 0: not a word about it. */
static int wanted_levels(const void *fdt)
{
	const char *args = NULL;
	int node = fdt_node_offset_by_path(fdt, "/chosen");

	if (node >= 0)
		args = fdt_get_string(fdt, node, "bootargs");
	for (const char *s = args; s && (s = strstr(s, "paging=")); s++) {
		if (s != args && !isspace(s[-1]))
			continue;
		s += strlen("paging=");
		if (strstarts(s, "sv39"))
			return 3;
		if (strstarts(s, "sv48"))
			return 4;
		if (strstarts(s, "sv57"))
			return 5;
		pr_warn("paging=%.8s: not sv39, sv48 or sv57; ignored\n", s);
	}
	return 0;
}

static bool isa_has(const char *extension)
{
	const char *s = isa;
	size_t len = strlen(extension);

	while ((s = strchr(s, '_'))) {
		s++;
		if (!strncmp(s, extension, len) && (!s[len] || s[len] == '_'))
			return true;
	}
	return false;
}

/* rv64imafdch_zicsr_…: single letters up to the first '_', then names. */
static void read_isa(const void *fdt)
{
	const char *string;
	u64 hart;
	int cpus = fdt_node_offset_by_path(fdt, "/cpus"), node;

	fdt_for_each_child(fdt, node, cpus) {
		if (fdt_get_reg_raw(fdt, node, 0, &hart, NULL) || hart != riscv_boot_hart)
			continue;
		string = fdt_get_string(fdt, node, "riscv,isa");
		if (string)
			strscpy(isa, string, sizeof(isa));
		break;
	}
	if (!strstarts(isa, "rv64"))
		return;
	for (const char *s = isa + 4; *s && *s != '_'; s++)
		if (strchr("imafdc", *s))
			hwcap |= BIT(*s - 'a');
}

void arch_early_init(void)
{
	const void *fdt = arch_fdt();
	unsigned int major, minor;
	const char *firmware;
	int wanted;

	current_head()->cpu = 0;
	riscv_cpu_hart[0] = riscv_boot_hart;
	set_bit(0, &riscv_cpu_started);
	sbi_init();
	if (fdt_check(fdt)) {
		pr_err("riscv: no device tree at %#lx\n", riscv_fdt_phys);
		arch_poweroff();
	}
	riscv_time_init(fdt);
	read_isa(fdt);
	riscv_has_fp = (hwcap & BIT('f' - 'a')) && (hwcap & BIT('d' - 'a'));
	riscv_timer_probe(isa_has("sstc"));

	wanted = wanted_levels(fdt);
	riscv_choose_paging(wanted ? wanted : 5);
	if (wanted && wanted != pgtable_levels)
		pr_warn("paging=sv%d: this CPU has no more than sv%d\n", 9 * wanted + 12,
			9 * pgtable_levels + 12);
	sbi_version(&major, &minor, &firmware);
	pr_info("riscv: hart %lu, SBI %u.%u (%s), sv%d, image at %#lx\n", riscv_boot_hart, major,
		minor, firmware, 9 * pgtable_levels + 12, __pa(_text));
}

void arch_cpu_init(void)
{
	unsigned long off = SR_SUM | SR_FS;

	csr_write(stvec, (unsigned long)trap_entry);
	csr_write(sscratch, 0);
	csr_clear(sstatus, off);
	csr_write(scounteren, 7);		/* user mode may read time, cycle and instret */
	__asm__ __volatile__("sfence.vma" : : : "memory");
	csr_write(sie, SIE_SSIE | SIE_SEIE);	/* the timer's bit follows arch_timer_set() */
}

void arch_init(void)
{
	riscv_plic_init(arch_fdt());
}

void arch_early_putc(char c)
{
	sbi_putchar(c);
}

static __noreturn void halt(void)
{
	local_irq_disable();
	for (;;)
		__asm__ __volatile__("wfi");
}

void arch_poweroff(void)
{
	sbi_system_reset(0);
	halt();
}

void arch_reboot(void)
{
	sbi_system_reset(1);
	halt();
}

unsigned long arch_elf_hwcap(void)
{
	return hwcap;
}

int arch_cpuinfo(unsigned int cpu, char *buf, size_t size)
{
	return scnprintf(buf, size, "hart\t\t: %lu\nisa\t\t: %s\nmmu\t\t: sv%d\n",
			 riscv_cpu_hart[cpu], isa, 9 * pgtable_levels + 12);
}
