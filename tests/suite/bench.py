"""What things cost: tools/bench against the limits that docs/benchmarks.md names."""
import json

from suite.base import ARCHES, BUILD, CAMPAIGN, TOP, both, boot, check, equal, figure, make, scratch, shell, test
from suite.slab import other_build

from strata import hostbench


def bench_figures(*what, build=BUILD):
    """tools/bench's JSON."""
    name = f"{scratch()}/bench.json"
    shell(f"{TOP}/tools/bench", "--build", build, "--json", name, *what)
    with open(name, encoding="ascii") as file:
        return json.load(file)


@test("bench", needs=["riscv", "arm64"], timeout=400)
def bench():
    """Kernel entry to prompt costs less than 30 million instructions; figures are the same twice."""
    first = bench_figures()
    equal("second run", first, bench_figures())
    for arch in ARCHES:
        cost = first["boot"][arch] / 1e6
        figure(f"{arch}: {cost:.2f} million")
        check(0.1 < cost < 30, f"{arch}: {cost} million instructions")


def within(costs, limits, arch):
    """Every column that has a figure of such a name has one that is not above the limit (arm64, riscv)."""
    for column, figures in costs.items():
        figure(f"{arch}, {column} CPUs: " + ", ".join(f"{n} {v}" for n, v in figures.items() if n in limits))
        for name, limit in limits.items():
            most = limit[arch == "riscv"]
            check(figures[name] <= most, f"{arch}, {column} CPUs: {name} costs {figures[name]}, allowed are {most}")


@test("bench-pages", needs=["riscv", "arm64"], timeout=200)
def bench_pages():
    """A pair of page allocation and free costs no more instructions than allowed, on 1 and 4 CPUs."""
    limits = {"page_order0_pair": (90, 95), "page_order3_pair": (200, 200),
              "page_order5_pair_1_split": (350, 350), "page_1000_pairs": (120, 120)}
    for arch, costs in bench_figures("pages")["pages"].items():
        equal("columns", ["1", "4", "4_at_once"], list(costs))
        within(costs, limits, arch)


@test("bench-objects", needs=["riscv", "arm64"], timeout=200)
def bench_objects():
    """A pair of SLUB's costs no more instructions than allowed, and on 4 and 8 CPUs at most 1.05 times as many."""
    limits = {"kmalloc_pair": (50, 55), "cache_pair": (46, 50), "kmalloc_1000_pairs": (90, 95), "bulk_20_pair": (45, 50)}
    for arch, costs in bench_figures("objects")["objects"].items():
        equal("columns", ["1", "4", "4_at_once", "8", "8_at_once"], list(costs))
        within(costs, limits, arch)
        for column in costs:
            for name in limits:
                check(costs[column][name] <= 1.05 * costs["1"][name],
                      f"{arch}: {name} costs {costs[column][name]} on {column} CPUs, {costs['1'][name]} on one")


@test("bench-scaling", needs=["riscv", "arm64"], timeout=900)
def bench_scaling():
    """With objects of their own, 4 and 8 CPUs share no more per pair than one does: locks, state words, pages."""
    for arch in ARCHES:
        make(f"ARCH={arch}", "SLUB_STATS=1", "kernel")
    for arch, columns in bench_figures("scaling")["scaling"].items():
        for column, names in columns.items():
            for name, now in names.items():
                alone = columns["1"].get(name)
                if not alone:       # takes two CPUs
                    figure(f"{arch}, {column} CPUs: {name} {now}")
                    continue
                where = f"{arch}, {column} CPUs, {name}: for 1000 pairs"
                equal(f"{where}, locks", alone["locks"], now["locks"])
                equal(f"{where}, pages", alone["pages"], now["pages"])
                check(abs(now["changes"] - alone["changes"]) <= alone["changes"] / 100,
                      f"{where}, {now['changes']} state changes, {alone['changes']} on one CPU")
        for name in ("kmalloc_pair", "cache_pair"):
            equal(f"{arch}: what a hot {name} shares", {"locks": 0, "changes": 0, "pages": 0}, columns["8"][name])
        figure(f"{arch}: 1000 then 1000: {columns['8']['kmalloc_1000_pairs']}")


@test("bench-lines", needs=["riscv", "arm64"], timeout=400)
def bench_lines():
    """QEMU sees no atomic operation in a hot pair of SLUB's, and no store to a line that two CPUs use without need."""
    for arch, slabs in bench_figures("--slab", "slub", "lines")["lines"].items():
        for column, names in slabs["slub"].items():
            for name in ("kmalloc_pair", "cache_pair", "bulk_20_pair"):
                equal(f"{arch}, {column} CPUs: {name}", {"atomics": 0, "writes": 0}, names[name])
            equal(f"{arch}, {column} CPUs: 1000 then 1000, shared writes", 0, names["kmalloc_1000_pairs"]["writes"])
            # The watch does watch: these do share.
            if "handed_pair" in names:
                check(min(names["handed_pair"].values()) > 500, f"{arch}: objects handed on: {names['handed_pair']}")
        figure(f"{arch}: {slabs['slub']['8']}")


@test("bench-reclaim", needs=["riscv", "arm64"], timeout=300)
def bench_reclaim():
    """Every kind of page reclaim and of page fault has its figure, the same twice and below a ceiling."""
    ceilings = {"reclaim": {"reclaim_clean_file": 2500, "reclaim_dirty_file": 8000, "reclaim_anonymous": 10000},
                "faults": {"fault_zero_page": 3500, "fault_copy_on_write": 5000, "fault_file_hit": 2000,
                           "fault_swap_in": 8000}}
    first = bench_figures("reclaim", "faults")
    equal("second run", first, bench_figures("reclaim", "faults"))
    for what, limits in ceilings.items():
        for arch in ARCHES:
            costs = first[what][arch]
            figure(f"{arch}: " + ", ".join(f"{name} {cost}" for name, cost in costs.items()))
            equal(f"{arch}: rows", sorted(limits), sorted(costs))
            for name, limit in limits.items():
                check(100 < costs[name] <= limit, f"{arch}: {name} costs {costs[name]}, allowed are {limit}")


def show_memory(memory):
    for arch, slabs in memory.items():
        for slab, sizes in slabs.items():
            figure(f"{arch}, {slab}: " + ", ".join(f"{size}: {ratio}" for size, ratio in sizes.items()))


@both("slub-memory")
def slub_memory(arch):
    """10 000 objects of a size that is a power of two take at most 1.05 of their bytes in pages."""
    sizes = bench_figures("--arch", arch, "--slab", "slub", "memory")["memory"][arch]["slub"]
    equal("sizes", 13, len(sizes))
    for size, ratio in sizes.items():
        if int(size) & (int(size) - 1) == 0:
            check(ratio <= 1.05, f"{ratio} bytes for each of {size}")
    figure(", ".join(f"{size}: {ratio}" for size, ratio in sizes.items()))


def pages_after_boot(arch, **options):
    output = boot(arch, "cat /proc/meminfo", **options).output
    return next(int(line.split()[1]) // 4 for line in output.splitlines() if line.startswith("Slab:"))


@both("slob-memory", timeout=600)
def slob_memory(arch):
    """After boot SLOB has at most 0.8 of the pages that SLUB has, on one CPU and on four."""
    slob = other_build(arch, "SLAB=slob")
    for cpus in (1, 4):
        small, large = pages_after_boot(arch, cpus=cpus, build=slob), pages_after_boot(arch, cpus=cpus)
        figure(f"{cpus} CPUs: {small} pages, SLUB {large}")
        check(0 < small <= 0.8 * large, f"{cpus} CPUs: SLOB has {small} pages, SLUB {large}")


@test("bench-memory", needs=["riscv", "arm64"], timeout=1500, campaign=True)
def bench_memory():
    """Bytes per byte asked for, and the smallest memory that boots, with every allocator of small objects."""
    name = f"{scratch()}/bench.json"
    print(make("bench", "BENCH=memory smallest", f"JSON={name}", timeout=1500))
    with open(name, encoding="ascii") as file:
        found = json.load(file)
    show_memory(found["memory"])
    for arch, slabs in found["smallest"].items():
        figure(f"{arch}: {slabs}")
        least = {slab: figures["least"] for slab, figures in slabs.items()}
        check(least["slob"] <= min(least.values()), f"{arch}: SLOB wants {least['slob']} KiB: {least}")


@test("bench-host", timeout=300)
def bench_host():
    """SLUB, SLAB and the C library's malloc run the same loops on this host, on one thread and on two."""
    programs = hostbench.build(f"{scratch()}/b")
    check({"slub", "slab", "glibc"} <= set(programs), f"only {list(programs)} were built")
    for name, (program, preload) in programs.items():
        figures = hostbench.measure(program, preload, 10 if CAMPAIGN else 1, 201 if CAMPAIGN else 5)
        equal(f"{name}: workloads", ["hot_1", "hot_2", "many_1", "many_2", "handed_2"], list(figures))
        figure(f"{name}: {figures}")
