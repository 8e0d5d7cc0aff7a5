"""Reading what is the host's, or the instructor's: through the preprocessor, the assembler, the linker."""
from attacks import PHYS, attack, freelist, starters

ONLY = "only the kernel's own headers may be included"

attack("include-absolute", "source", ONLY, freelist(top='#include "/etc/passwd"\n'), "a file of the host's is included")
attack("include-parents", "source", ONLY, freelist(top='#include "../../../../../../../../etc/passwd"\n'), "... by way of ../")
attack("include-angle", "source", ONLY, freelist(top="#include </etc/passwd>\n"), "... in angle brackets")
attack("include-macro", "source", ONLY, freelist(top='#define FILE "/etc/passwd"\n#include FILE\n'), "... by a macro's name")
attack("include-digraph", "source", ONLY, freelist(top='%:include "/etc/passwd"\n'), "... behind a digraph")
attack("include-spliced", "source", ONLY, freelist(top='#inc\\\nlude "/etc/pass\\\nwd"\n'), "... on lines that are joined")
attack("include-behind-comment", "source", ONLY, freelist(top='/**/ # /**/ include /**/ "/etc/passwd"\n'), "... among comments")
attack("include-raw-string", "source", "raw strings are not allowed", freelist(
    end='const char *a = R"(" /* )";\n#include "/etc/passwd"\nconst char *b = R"( */ ")";\n'),
       "... where a reader that knows no raw strings sees a comment")
attack("include-solution", "source", ONLY, {f"{PHYS}/freelist.c": '#include "/strata/kernel/mm/phys/freelist.c"\n'},
       "the reference's solution is included")
attack("include-next", "source", "#include_next is not allowed", freelist(end="#include_next <stdio.h>\n"),
       "the host's headers are asked for")
attack("embed", "source", "#embed is not allowed", freelist(
    end='const char secret[] = {\n#embed "/etc/passwd"\n};\n'), "C23's #embed")
attack("has-include", "source", "__has_include is not allowed", freelist(
    end='#if __has_include("/etc/shadow")\n#error it is there\n#endif\n'), "asks what files the host has")
attack("incbin", "source", "inline assembly with .incbin", freelist(
    end='__asm__(".incbin \\"/etc/passwd\\"");\n'), "the assembler reads a file of the host's")
attack("incbin-section", "source", "__section: access to", freelist(
    end='const int secret __section(".rodata\\n.inc" "bin \\"/strata/labs/1-page/lab.toml\\"\\n#") = 1;\n'),
       "... in the name of a section, through a macro of the headers")
attack("incbin-attribute", "source", "attribute or pragma section", freelist(
    before='#define HERE __attribute__\n', end='int secret HERE((section(".data\\n.inc" "bin \\"/etc/passwd\\"\\n#"))) = 1;\n'),
       "... in the name of a section, with the attribute under another name")
attack("assembly-barrier", "source", "dmb: access to", freelist(
    end='void read_it(void);\nvoid read_it(void)\n{\n#ifdef __aarch64__\n'
        '	dmb(ish; .macro m a b; .\\a\\b "/etc/passwd"; .endm; m inc bin);\n#endif\n}\n'),
       "... in a barrier's argument, by a macro of the assembler")
attack("assembly-redefined", "source", "stands behind a #define", freelist(
    top='#define sstatus sstatus, 0; .macro m a b; .\\a\\b "/etc/passwd"; .endm; m inc bin; csrs sstatus\n'),
       "... in a word that the headers' assembly uses")
attack("headers-redefined", "source", "stands behind a #define", freelist(top="#define struct union\n"),
       "the kernel's headers mean something else")
attack("pragma", "source", "#pragma is not allowed", freelist(end='#pragma GCC dependency "/etc/passwd"\n'), "a pragma reads a file")
attack("linker-script", "object", "it does not compile", {
    f"{PHYS}/freelist.c": "INPUT(/etc/passwd)\nSECTIONS { .text : { *(.text) } }\n"}, "a linker script for a source")
attack("other-files", "starter", "not written yet", {}, "a Makefile, a linker script and a lab.toml of its own",
       tests=("a_page_is_handed_out_once",), extra={
    "Makefile": "$(shell touch @CANARY@/touched)\nall grade ktest-student:\n\ttouch @CANARY@/touched\n",
    "tools/make/kernel.mk": "$(shell touch @CANARY@/touched)\n",
    "labs/1-page/lab.toml": 'number = 1\ntitle = "x"\nowned = []\nexports = []\nmay_call = []\npart = []\n',
    "kernel/arch/riscv/kernel.lds.S": "INPUT(/etc/passwd)\n",
    "grading/strata_grade/grade.py": "raise SystemExit(0)\n",
    "labs/1-page/tests/freelist.c": "/* no tests */\n"})
attack("line-marker", "source", "#1 is not allowed", freelist(end='# 1 "other.c"\n}\n'), "its errors are blamed on another file")
attack("error-elsewhere", "object", "it does not compile", freelist(
    before="#define list_head 7\n", end="struct list_head { };\n"), "an error whose message names another place")
assert starters()
