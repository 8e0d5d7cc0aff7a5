"""The harness's names taken, code put where somebody else runs it, instructions that only a kernel may have."""
from attacks import PHYS, attack, freelist, text_of

BELONGS = "belongs to the kernel or the harness"

attack("symbol", "object", BELONGS, freelist(end="void ktest_fail(void);\nvoid ktest_fail(void) { }\n"),
       "the harness's function is defined again")
attack("symbol-weak", "object", BELONGS, freelist(end="__weak bool oracle_took(void);\nbool oracle_took(void) { return true; }\n"),
       "... weakly")
attack("symbol-data", "object", BELONGS, freelist(end="unsigned long ktest_unlocks[64];\n"), "... as a variable")
attack("symbol-alias", "source", "attribute or pragma alias", freelist(
    end='static void mine(void) { }\nvoid ktest_report(void) __attribute__((alias("mine")));\n'), "... as an alias")
attack("symbol-label", "source", "inline assembly", freelist(end='void mine(void) __asm__("ktest_fail");\nvoid mine(void) { }\n'),
       "... by an assembler's name")
attack("symbol-wrapped", "source", "## (pasting of tokens)", freelist(
    end="#define JOIN(a, b) a##b\nint JOIN(ktest_, fail);\n"), "... by a name that is pasted together")
attack("symbol-ifunc", "source", "attribute or pragma ifunc", freelist(
    end='static void *pick(void) { return 0; }\nvoid seal(void) __attribute__((ifunc("pick")));\n'), "... chosen at run time")
attack("export-twice", "object", "and so does", freelist(end="void page_init(void) { }\n"), "another file's function is defined again")
attack("constructor", "source", "attribute or pragma constructor", freelist(
    end="static __attribute__((constructor)) void first(void) { }\n"), "code that runs before main()")
attack("initcall", "object", "a section of its own, .initcalls", freelist(
    headers=("base/initcall.h",), end="static int first(void)\n{\n	return 0;\n}\nlate_initcall(first);\n"), "code that the kernel runs")
attack("section", "source", "attribute or pragma section", freelist(
    end='static int first(void) { return 0; }\nvoid *p __attribute__((section(".initcalls.late"))) = first;\n'),
       "... by a section's name")
attack("patchable", "object", "a section of its own, __patchable", freelist(
    end="__attribute__((patchable_function_entry(2, 1))) void hole(void);\nvoid hole(void) { }\n"), "a table of places to patch")
attack("thread-local", "object", "a section of its own, .t", freelist(
    before="__thread int mine;\n", code="	mine++;\n"), "a variable for a loader that is not there")
attack("alignment", "object", "bytes; 65536 are allowed", freelist(
    end="char wide[8] __aligned(1 << 24) = { 1 };\n"), "a variable that makes an image of many MiB")
attack("longjmp", "source", "__builtin_longjmp is not allowed", freelist(
    before="static void *out[5];\n", code="	__builtin_longjmp(out, 1);\n"), "leaves the test that it is called from")
attack("frame", "source", "__builtin_frame_address is not allowed", freelist(
    code="	((void **)__builtin_frame_address(1))[-1] = 0;\n"), "writes over its caller's return address")
attack("poweroff", "object", "it calls arch_poweroff", freelist(headers=("arch/arch.h",), code="	arch_poweroff();\n"),
       "ends the machine by the firmware's call")
attack("reboot-assembly", "source", "inline assembly", freelist(
    code='	__asm__ volatile("li a7, 0x53525354\\n ecall");\n'), "reboots the machine for ever by SBI's call, or PSCI's")
attack("timers-off", "source", "csr_clear: access to", freelist(headers=("asm/csr.h",), code="	csr_clear(sie, 1 << 5);\n"),
       "switches this CPU's timer off, and the budget with it")
attack("page-table", "source", "csr_write: access to", freelist(headers=("asm/csr.h",), code="	csr_write(satp, 0);\n"),
       "another page table")
attack("system-register", "source", "read_sysreg: access to", freelist(code="	(void)read_sysreg(ttbr1_el1);\n"), "... on ARM64")
attack("semihosting-assembly", "source", "inline assembly", freelist(
    code='	__asm__ volatile("hlt #0xf000");\n'), "asks QEMU for a file of the host's")
attack("harness-functions", "object", "it calls ktest_budget_left", freelist(
    before="unsigned long ktest_budget_left(void);\n", code="	if (ktest_budget_left() > 1000)\n		return NULL;\n"),
       "asks the harness how much time is left")
attack("world-macro", "source", "CONFIG_WORLD: a file is to be the same", freelist(
    end="#ifndef CONFIG_WORLD\nint other;\n#endif\n"), "another file in the tests than in the kernel")
attack("sanitizer-path", "source", "__sanitizer_set_report_path is not allowed", freelist(
    before="void __sanitizer_set_report_path(const char *path);\n", code='	__sanitizer_set_report_path("@CANARY@/report");\n'),
       "has the sanitizer write a file of the host's")
attack("sanitizer-off", "source", "attribute or pragma no_sanitize", freelist(
    before="__attribute__((no_sanitize_address)) static void wild(void) { }\n", code="	wild();\n"), "is not looked at by the sanitizer")
assert text_of(f"{PHYS}/freelist.c")
