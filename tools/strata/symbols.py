"""What a file under test has in its object without having written it: for the linker's check and for the grader's."""
import re

COMPILER = re.compile(
    r"bitops_debruijn_index$|"    # the table behind __ffs() and its like
    r"__asan_|__ubsan_|__sanitizer_|__sancov_|_GLOBAL_OFFSET_TABLE_$|mem(set|cpy|move|cmp)$|"
    # ... and what the inline parts of locks and per-CPU data call.
    r"host_(current|irqs_off)$|lockdep_(acquire|release)$|spin_lock_(slow|debug_before)$|ktest_sched_point$|"
    r"__atomic_\w+_[1248]$|__sync_\w+_[1248]$|__aarch64_[a-z]+[1248]_[a-z_]+$|"    # where they are counted
    r"might_sleep_check$|preempt_schedule$|per_cpu_offset$")
SECTIONS = re.compile(
    r"\.(text|rodata|data|bss|sdata|sbss|srodata|debug|comment|note|eh_frame|symtab|strtab|shstrtab|"
    r"riscv\.attributes|group|gcc_except_table|llvm_addrsig|zdebug)($|[._])|"
    r"(asan_globals|__sancov_)|\.(init_array|fini_array|rela?)\b")    # the last: the sanitizers'
