/*
 * A plugin of QEMU's that watches which cache lines virtual CPUs share while the kernel's benchmarks
 * run (kernel/test/bench.c): tools/bench compiles and loads it. It knows nothing of allocators and
 * asks nobody: it sees every load and store.
 *
 *	begin, end	addresses of bench_turns_begin(), bench_turns_end(): what a CPU does from one
 *			to the other is watched
 *	forget		of bench_forget(): a measurement starts
 *	tell		of bench_report(): prints "lines: ATOMICS WRITES LINES" to standard error and
 *			starts anew. ATOMICS are the read-modify-write instructions executed
 *			(of exclusive pairs, the store), WRITES the stores to lines that more than
 *			one CPU has touched since, and LINES how many those are
 *
 * A line is 64 bytes of kernel addresses; memory seen under two addresses counts as two.
 * Virtual CPUs run in turns, in one host thread, so nothing is locked here. The functions of QEMU's
 * plugin interface (version 1) are declared below: Debian has no package of the header.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default")))
#define LINE_SHIFT	6
#define MAX_LINES	(1UL << 20)
#define MAX_CPUS	64

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { NO_REGISTERS = 0 };
enum { READS_AND_WRITES = 3 };
typedef void (*exec_fn)(unsigned int cpu, void *data);
typedef void (*mem_fn)(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t addr, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*fn)(qemu_plugin_id_t id,
						struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_fn fn, int flags,
					    void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, mem_fn fn, int flags, int rw,
				      void *data);

API int qemu_plugin_version = 1;

static struct line {
	uint64_t number;		/* address / 64; 0: unused */
	uint64_t users;			/* bit n: CPU n loaded or stored */
	uint64_t stores;
} lines[MAX_LINES];
static bool watched[MAX_CPUS];
static uint64_t atomics;
static bool arm;

/* ---- while the guest runs ----------------------------------------------------------------- */

static struct line *line_of(uint64_t addr)
{
	uint64_t number = addr >> LINE_SHIFT;
	uint64_t at = number * 0x9e3779b97f4a7c15UL >> 44;

	for (uint64_t tries = 0; tries < MAX_LINES; tries++, at++) {
		struct line *line = &lines[at % MAX_LINES];

		if (line->number == number || !line->number) {
			line->number = number;
			return line;
		}
	}
	fputs("lines: too many\n", stderr);
	exit(1);
}

static void on_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t addr, void *unused)
{
	(void)unused;
	if (watched[cpu]) {
		struct line *line = line_of(addr);

		line->users |= 1UL << cpu;
		line->stores += qemu_plugin_mem_is_store(info);
	}
}

static void on_atomic(unsigned int cpu, void *unused)
{
	(void)unused;
	atomics += watched[cpu];
}

static void on_begin(unsigned int cpu, void *unused)
{
	(void)unused;
	watched[cpu] = true;
}

static void on_end(unsigned int cpu, void *unused)
{
	(void)unused;
	watched[cpu] = false;
}

static void on_forget(unsigned int cpu, void *unused)
{
	(void)cpu;
	(void)unused;
	memset(lines, 0, sizeof(lines));
	atomics = 0;
}

static void on_tell(unsigned int cpu, void *unused)
{
	uint64_t writes = 0, shared = 0;

	for (uint64_t i = 0; i < MAX_LINES; i++) {
		if (lines[i].stores && (lines[i].users & (lines[i].users - 1))) {
			writes += lines[i].stores;
			shared++;
		}
	}
	fprintf(stderr, "lines: %lu %lu %lu\n", atomics, writes, shared);
	on_forget(cpu, unused);
}

/* ---- while it is translated --------------------------------------------------------------- */

static bool is_atomic(const struct qemu_plugin_insn *insn)
{
	uint32_t code = 0;

	if (qemu_plugin_insn_size(insn) != 4)
		return false;
	memcpy(&code, qemu_plugin_insn_data(insn), 4);
	if (arm)
		return (code & 0x3f200c00) == 0x38200000 ||	/* ldadd … swp */
		       (code & 0x3fa07c00) == 0x08a07c00 ||	/* cas */
		       (code & 0x3fe00000) == 0x08000000;	/* stxr, stlxr */
	return (code & 0x7f) == 0x2f && code >> 27 != 2;	/* all of extension A but lr */
}

static struct {
	const char *name;
	exec_fn fn;
	uint64_t addr;
} marks[] = {
	{ "begin=", on_begin, 0 }, { "end=", on_end, 0 },
	{ "forget=", on_forget, 0 }, { "tell=", on_tell, 0 },
};
#define NR_MARKS (sizeof(marks) / sizeof(*marks))

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		for (size_t m = 0; m < NR_MARKS; m++)
			if (marks[m].addr == qemu_plugin_insn_vaddr(insn))
				qemu_plugin_register_vcpu_insn_exec_cb(insn, marks[m].fn,
								       NO_REGISTERS, NULL);
		if (is_atomic(insn))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_atomic, NO_REGISTERS, NULL);
		qemu_plugin_register_vcpu_mem_cb(insn, on_access, NO_REGISTERS, READS_AND_WRITES,
						 NULL);
	}
}

struct info {
	const char *target;		/* and more that is not needed */
};

API int qemu_plugin_install(qemu_plugin_id_t id, const struct info *info, int argc, char **argv)
{
	arm = strcmp(info->target, "aarch64") == 0;
	for (int i = 0; i < argc; i++)
		for (size_t m = 0; m < NR_MARKS; m++)
			if (!strncmp(argv[i], marks[m].name, strlen(marks[m].name)))
				marks[m].addr = strtoul(strchr(argv[i], '=') + 1, NULL, 16);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
