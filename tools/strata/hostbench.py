"""The kernel's allocators of small objects as processes of this host, beside others: tools/hostbench."""
import glob
import os
import subprocess

from strata.machine import Trouble

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What Debian calls them; taken by LD_PRELOAD where they are installed (tools/setup --bench).
LIBRARIES = {"jemalloc": "libjemalloc.so.2", "mimalloc": "libmimalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4"}
FOLDERS = ("/usr/lib/*-linux-gnu", "/usr/lib", "/usr/lib64")
KERNEL = {"slub": ["slub.c", "slub_cache.c", "slub_debug.c"], "slab": ["slab.c"]}
# The kernel's own options, but for what a host's process cannot have.
COMMON = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fno-pie", "-no-pie", "-pthread"]
FLAGS = ["-ffreestanding", "-fno-strict-aliasing", "-fwrapv", "-fno-common", "-ftls-model=local-exec",
         "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-D__KERNEL__", "-DCONFIG_ARCH_HOST=1",
         "-DCONFIG_LAB=4", "-I", "kernel", "-I",
         "kernel/arch/host/include"]
PHYS = "memblock page_init page_alloc page_fast buddy pcp zonelist sections zone vmstat".split()


def compile_to(out, *words):
    done = subprocess.run([os.environ.get("CC", "gcc"), *COMMON, *words, "-o", out], cwd=TOP, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        raise Trouble(f"{os.path.basename(out)} does not compile: {done.stderr.strip()[:2000]}")
    return out


def build(folder):
    """{allocator: (program, what to preload)}."""
    os.makedirs(folder, exist_ok=True)
    main = compile_to(f"{folder}/main.o", "-c", "tools/hostbench/main.c")
    plain = compile_to(f"{folder}/malloc", "-fno-builtin", main, "tools/hostbench/malloc.c")
    programs = {}
    for name, files in KERNEL.items():
        sources = [f"kernel/mm/slab/{file}" for file in ["common.c", "free.c", *files]]
        sources += [f"kernel/mm/phys/{file}.c" for file in PHYS]
        programs[name] = compile_to(f"{folder}/{name}", *FLAGS, f"-DCONFIG_SLAB_{name.upper()}=1",
                                    "kernel/arch/host/host.c", "kernel/lib/bitops.c", *sources,
                                    "tools/hostbench/kernel.c", main), ""
    programs["glibc"] = plain, ""
    for name, library in LIBRARIES.items():
        found = [path for folder in FOLDERS for path in glob.glob(f"{folder}/{library}")]
        if found:
            programs[name] = plain, found[0]
    return programs


def measure(program, preload, seconds, samples):
    """{"WORKLOAD_THREADS": pairs per microsecond, or None where the host was too busy}."""
    done = subprocess.run([program, str(seconds), str(samples)], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=20 * seconds + 60,
                          env=dict(os.environ, LD_PRELOAD=preload))
    if done.returncode:
        raise Trouble(f"{program} ended with status {done.returncode}: {done.stderr.strip()}")
    rows = [line.split() for line in done.stdout.splitlines()]
    return {f"{name}_{threads}": None if value == "-" else float(value) for name, threads, value, _ in rows}
