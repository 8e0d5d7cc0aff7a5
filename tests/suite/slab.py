"""Small objects: /proc/slabinfo, slabtop, the choice of the allocator, what its self-tests find."""
import os
import re

from suite.base import ARCHES, BUILD, CAMPAIGN, Guest, both, boot, check, equal, figure, machine, make, scratch, test

# slabinfo(5), version 2.1, as Linux prints it.
HEAD = ("slabinfo - version: 2.1\n"
        "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> "
        ": tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n")
ROW = re.compile(r"^(\S+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) : tunables +(\d+) +(\d+) +(\d+)"
                 r" : slabdata +(\d+) +(\d+) +(\d+)$")
# Every kind of kernel object has a cache of its own.
NAMES = """kmem_cache kmalloc-8 kmalloc-64 kmalloc-96 kmalloc-192 kmalloc-1k thread task_struct process mm_struct
    vm_area_struct anon_vma file inode ext2_inode dentry pipe radix_tree_node files_cache fs_cache sighand_cache
    bio""".split()


def rows_of(text):
    check(text.startswith(HEAD), f"it does not begin as Linux's: {text[:300]!r}")
    rows = {}
    for line in text[len(HEAD):].splitlines():
        match = ROW.match(line)
        check(match, f"not a line of slabinfo: {line!r}")
        check(match[1] not in rows, f"{match[1]} is listed twice")
        rows[match[1]] = [int(n) for n in match.groups()[1:]]
    return rows


def other_build(arch, *words):
    """A kernel built with these variables, with the images that are there; its folder."""
    top = f"{scratch()}/b"
    make(f"ARCH={arch}", *words, "kernel", build=top)
    build = f"{top}/" + next(name for name in os.listdir(top) if name.startswith(arch))
    os.symlink(f"{BUILD}/{arch}/initrd.img", f"{build}/initrd.img")
    return build


def slabinfo(arch, **options):
    return rows_of(boot(arch, "ls -l / >/dev/null; true | true; cat /proc/slabinfo", **options).output)


@both("slab-slabinfo")
def numbers(arch):
    """/proc/slabinfo has Linux's format, every kernel object's cache, and numbers that fit together."""
    rows = slabinfo(arch)
    equal("missing caches", [], [name for name in NAMES if name not in rows])
    for name, (active, total, size, per_slab, pages, limit, batch, shared, active_slabs, slabs, _) in rows.items():
        check(active <= total, f"{name}: {active} of {total} objects are in use")
        check(active_slabs <= slabs, f"{name}: {active_slabs} of {slabs} slabs are in use")
        equal(f"{name}: objects in {slabs} slabs", slabs * per_slab, total)
        check(size * per_slab <= pages * 4096, f"{name}: {per_slab} objects of {size} bytes in {pages} pages")
        check(0 <= batch <= limit and (limit or not shared), f"{name}: tunables {limit} {batch} {shared}")
    check(rows["task_struct"][0] > 0 and rows["mm_struct"][0] > 0, "no process has objects")


@both("slab-tunables", timeout=300)
def tunables(arch):
    """SLAB's tunables can be set through /proc/slabinfo; what is wrong is refused and changes nothing."""
    out = boot(arch, "echo file 30 10 2 >/proc/slabinfo && echo good; echo file 10 30 2 >/proc/slabinfo; "
               "echo nosuch 30 10 2 >/proc/slabinfo; echo file 30 >/proc/slabinfo; echo file 0 0 0 >/proc/slabinfo; "
               "echo file 1 1 1 x >/proc/slabinfo; echo --; ls -l /bin >/dev/null; cat /proc/slabinfo",
               build=other_build(arch, "LAB=3", "SLAB=slab")).output
    said, _, table = out.partition("--\n")
    equal("accepted and refused", ["good"] + 5 * ["echo: write error: Invalid argument"], said.splitlines())
    equal("tunables of file", [30, 10, 2], rows_of(table)["file"][5:8])


@both("slab-slabtop")
def slabtop(arch):
    """slabtop -o shows sums and all caches, sorted as asked."""
    out = boot(arch, "slabtop -o -s s").output
    check(re.search(r"^ Active / Total Objects \(% used\) +: \d+ / \d+ \(\d+%\)$", out, re.M), "no sum of objects")
    sizes = [float(size) for size in re.findall(r"^ *\d+ +\d+ +\d+% +(\d+\.\d\d)K", out, re.M)]
    check(len(sizes) > 20, f"only {len(sizes)} caches")
    equal("object sizes", sorted(sizes, reverse=True), sizes)


def backend(arch, words):
    """Another allocator of small objects boots, and withstands random use by all CPUs, to the last page."""
    build = other_build(arch, *words)
    with Guest(machine(arch, cpus=4, build=build), "panic=-1", "selftest=mm") as guest:
        equal("QEMU's exit status", 0, guest.wait_end(100))
        print(guest.text)
        check("selftest: mm passed" in guest.text, "the self-test did not pass")
        check("BUG" not in guest.text, "something was reported")
    slabinfo(arch, build=build)
    if CAMPAIGN:
        for cpus in (1, 4):
            boot(arch, "usertests", build=build, cpus=cpus, timeout=800)


for machine_name in ARCHES:
    for variables in (("LAB=3", "SLAB=slab"), ("LAB=3", "SLAB=page"), ("LAB=1", "SLAB=slab"),
                      ("LAB=3", "SLAB=slab", "DEBUG=1")):
        label = "-".join(v.partition("=")[2] if v[0] != "L" else f"lab{v[-1]}" for v in variables[:2])
        test(f"slab-backend-{label}{'-debug' * (len(variables) > 2)}-{machine_name}", machine_name, variables,
             needs=[machine_name], timeout=1800 if CAMPAIGN else 400, campaign=len(variables) > 2)(backend)


@both("slab-double-free", timeout=300)
def double_free(arch):
    """A double free is reported once, with its cache and a backtrace, and the kernel lives on."""
    build = other_build(arch, "LAB=3", "SLAB=slab")
    with Guest(machine(arch, cpus=2, build=build), "panic=-1", "selftest=doublefree") as guest:
        equal("QEMU's exit status", 0, guest.wait_end(60))
        out = guest.text
    equal("reports", ["kmalloc-64"], re.findall(r"BUG: slab (\S+): .*double free", out))
    check(re.search(r"\bcrash_doublefree\+0x", out), "no backtrace to who freed it")
    check("selftest: survived doublefree" in out, "the kernel did not live on")


@both("slab-cost", timeout=300)
def cost(arch):
    """SLAB's kmalloc(64) and kfree cost no more instructions than allowed."""
    build = other_build(arch, "LAB=3", "SLAB=slab")
    with Guest(machine(arch, cpus=1, build=build, icount=True), "bench=slab") as guest:
        equal("QEMU's exit status", 0, guest.wait_end(60))
        costs = {name: int(value) for name, value in re.findall(r"bench: 1 (\w+) (\d+)", guest.text)}
    figure(", ".join(f"{name} {value}" for name, value in costs.items()))
    limit = {"arm64": 90, "riscv": 95}[arch]
    check(costs["kmalloc_pair"] <= limit, f"a pair costs {costs['kmalloc_pair']}, allowed are {limit}")


@both("slab-merge", timeout=300)
def merge(arch):
    """slab_merge lets like caches be one, slab_nomerge keeps them apart; both boot."""
    build = other_build(arch, "LAB=3", "SLAB=slab")
    apart = slabinfo(arch, build=build, append="slab_nomerge")
    together = slabinfo(arch, build=build, append="slab_merge")
    equal("missing caches when apart", [], [name for name in NAMES if name not in apart])
    check(len(together) < len(apart), f"{len(together)} caches of {len(apart)} are left")
    equal("without either", sorted(apart), sorted(slabinfo(arch, build=build)))
