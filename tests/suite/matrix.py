"""usertests with every allocator of small objects, plain and under KASAN, on both machines, at 1 and 4 CPUs."""
import itertools
import os
import re

from suite.base import ARCHES, CAMPAIGN, boot, check, equal, figure, fresh_disk, make, scratch, shell, test

SLABS = ("slub", "slab", "slob", "page")
# `make test` runs each of these at 4 CPUs, the campaign all. SLUB's are usertests-* and sanitize-usertests-*.
SAMPLE = {("riscv", "page", ""), ("arm64", "page", "kasan"), ("arm64", "slab", ""), ("riscv", "slab", "kasan"),
          ("riscv", "slob", ""), ("arm64", "slob", "kasan")}


def usertests(arch, slab, kasan):
    """usertests passes with this allocator, leaves a clean disk, and the kernel reports nothing."""
    make(f"ARCH={arch}", f"SLAB={slab}", f"KASAN={int(bool(kasan))}", "kernel", build=f"{scratch()}/b")
    build = f"{scratch()}/b/" + next(name for name in os.listdir(f"{scratch()}/b") if name.startswith(arch))
    counts = []
    for cpus in (1, 4) if CAMPAIGN else (4,):
        disk = fresh_disk(arch)
        done = boot(arch, "usertests", build=build, cpus=cpus, disk=disk, timeout=500)
        passed, failed = re.findall(r"^usertests: (\d+) passed, (\d+) failed", done.output, re.M)[-1]
        equal("failed", 0, int(failed))
        check(int(passed) >= 60, f"only {passed} cases")
        equal("reports", [], re.findall(r"(?:BUG|WARNING): .*", done.console))
        shell("e2fsck", "-fn", disk)
        counts.append(f"{passed} cases at CPUS={cpus}")
    figure(", ".join(counts))


for cell in itertools.product(ARCHES, SLABS, ("", "kasan")):
    test("-".join(("usertests-matrix", *filter(None, cell))), *cell, needs=[cell[0]], timeout=700,
         campaign=cell not in SAMPLE)(usertests)
