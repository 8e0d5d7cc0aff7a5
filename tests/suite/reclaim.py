"""Memory under pressure: nothing is lost, the right process dies, swap may fail."""
import itertools
import os
import re
import struct

from suite import sanitize
from suite.base import ARCHES, BUILD, CAMPAIGN, Guest, boot, both, check, equal, figure, machine, scratch, shell, test

PAGE = 4096
REPORT = r"(?:BUG|WARNING|UBSAN): .*"


def large_disk(arch, size="256M"):
    path = f"{scratch()}/large.img"
    shell("tools/mkimage", "--size", size, "--out", path, f"{BUILD}/{arch}/rootfs")
    return path


# ---- nothing lost -------------------------------------------------------------------------------


def mix(x):
    mask = (1 << 64) - 1
    x = (x ^ x >> 33) * 0xff51afd7ed558ccd & mask
    x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53 & mask
    return x ^ x >> 33


def verify_file(path, seed, process):
    """A file of memstress's, page by page, without believing anything but its generations; the pages."""
    mask = (1 << 64) - 1
    with open(path, "rb") as file:
        data = file.read()
    for page in range(len(data) // PAGE):
        words = struct.unpack_from("<512Q", data, page * PAGE)
        key = mix(seed) ^ mix(process << 1 | 1) ^ mix(page << 32 | words[0])
        wrong = [i for i in range(1, 512) if words[i] != (key + i * 0x9e3779b97f4a7c15) & mask]
        check(not wrong, f"{path}, page {page}: word {wrong[:1]} is wrong on the disk")
    return len(data) // PAGE


@both("reclaim-nothing-lost", timeout=900, rank=1)
def nothing_lost(arch):
    """Eight processes hold 4 x RAM in anonymous and file pages on 4 CPUs for 60 s: no byte is wrong, on disk neither."""
    disk, seconds, pages = large_disk(arch), 600 if CAMPAIGN else 60, 0
    boot(arch, f"memstress -k -p 8 -a 16M -f 16M -t {seconds}; s=$?; grep -E '^(pswp|pgsteal|allocstall)' /proc/vmstat; exit $s",
         cpus=4, mem="64M", disk=disk, swap="256M", timeout=seconds + 500)
    shell("e2fsck", "-fn", disk)
    for process in range(8):
        path = f"{scratch()}/memstress.{process}"
        shell("debugfs", "-R", f"dump /memstress.{process} {path}", disk)
        pages += verify_file(path, 1, process)
        os.unlink(path)
    figure(f"{pages} pages of files on the host as they were written")
    equal("pages of files", 8 * (16 << 20) // PAGE, pages)


def pressed_usertests(arch, kasan, cpus):
    """usertests and the glibc programs pass with 64 MiB and swap, leave a clean disk, and the kernel reports nothing."""
    disk = large_disk(arch, "64M")
    done = boot(arch, "usertests && /glibc/run-all", cpus=int(cpus), mem="64M", swap="128M", disk=disk, timeout=900,
                build=sanitize.build(arch) if kasan else f"{BUILD}/{arch}")
    counts = re.findall(r"(\d+) passed, (\d+) failed", done.output)
    equal("failed", ["0", "0"], [failed for _, failed in counts])
    equal("reports", [], re.findall(REPORT, done.console))
    shell("e2fsck", "-fn", disk)
    figure(" and ".join(passed for passed, _ in counts) + " cases")


# Under the sanitizers that takes minutes: reclaim-kasan-* is what `make test` has of it.
for cell in itertools.product(ARCHES, ("", "kasan"), ("1", "4")):
    test("-".join(("reclaim-usertests", *filter(None, cell))), *cell, needs=[cell[0]], timeout=1000,
         campaign=bool(cell[1]))(pressed_usertests)


@both("reclaim-kasan", timeout=600)
def pressed_kasan(arch):
    """Processes that hold more than RAM lose nothing under the sanitizers either, which find nothing."""
    size = "-p 8 -a 16M -f 8M -t 60" if CAMPAIGN else "-p 6 -a 10M -f 4M -t 5"
    done = boot(arch, f"memstress {size}", cpus=4, mem="64M", swap="256M", disk=large_disk(arch, "96M"),
                build=sanitize.build(arch), timeout=1800 if CAMPAIGN else 550)
    equal("reports", [], re.findall(REPORT, done.console))


@both("reclaim-truncation")
def truncation(arch):
    """Pages that leave their file while reclaim holds them are freed once, whoever lets go of them last."""
    with Guest(machine(arch, cpus=4), "panic=-1", "selftest=reclaim", "ramdisk=4M") as guest:
        guest.wait_end(90)
        print(guest.text)
        check("selftest: reclaim passed" in guest.text, "it did not pass")
        equal("reports", [], re.findall(REPORT, guest.text))


# ---- used once, or twice ------------------------------------------------------------------------


@both("reclaim-small-reads")
def small_reads(arch):
    """A file written and read once in pieces of 1 KiB activates no page; the second reading activates all."""
    count, small = "grep '^pgactivate ' /proc/vmstat", "dd if=/f of=/dev/null bs=1k"
    out = boot(arch, "dd if=/dev/zero of=/f bs=1k count=2048; sync; echo 3 > /proc/sys/vm/drop_caches; "
               f"{count}; dd if=/dev/zero of=/g bs=1k count=2048; {count}; {small}; {count}; {small}; {count}",
               disk=large_disk(arch, "64M")).output
    before, written, once, twice = map(int, re.findall(r"^pgactivate (\d+)", out, re.M))
    figure(f"of 512 pages {written - before} activated by writing, {once - written} by reading, {twice - once} by the second time")
    check(written - before < 32, f"writing activated {written - before} pages of 512")
    check(once - written < 32, f"the first reading activated {once - written} pages of 512")
    check(twice - once >= 500, f"the second reading activated only {twice - once} pages of 512")


# ---- the OOM killer -----------------------------------------------------------------------------


@both("oom-storms", timeout=600)
def storms(arch):
    """Ten times memory runs out (a hundred in the campaign): the right process dies, all others live, memory is back."""
    rounds, boots, each = 0, 10 if CAMPAIGN else 2, 10 if CAMPAIGN else 5
    for seed in range(1, boots + 1):
        out = boot(arch, f"oomstorm -n {each} -s {seed}", cpus=1 + 3 * (seed & 1), mem="64M",
                   swap="16M" if seed % 2 else "", timeout=500).output
        rounds += len(re.findall(r"^round \d+: .* good$", out, re.M))
    figure(f"{rounds} storms")
    equal("storms", boots * each, rounds)


# ---- swap faults --------------------------------------------------------------------------------


# Not among the first: there lie the pages of init, the shell and memstress's parent, which sleep before all others.
BAD_PAGES = range(2048, 2112)


def bad_swap(arch, kind, command):
    """Run the command with swap on a disk whose pages BAD_PAGES cannot be read ("read") or written ("write"): the result.

    QEMU must not join requests to neighbouring sectors, or it would fail those of good pages with them."""
    path = f"{scratch()}/swap.img"
    with open(path, "wb") as file:
        file.truncate(64 << 20)
    shell("mkswap", "-q", path, env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin"))
    drive = f"if=none,id=bad,driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename={path}"
    for i, page in enumerate(BAD_PAGES):
        rule = f",file.inject-error.{i}"
        drive += f"{rule}.event=none{rule}.iotype={kind}{rule}.errno=5{rule}.sector={page * PAGE // 512}"
    return boot(arch, command, status=None, mem="64M", cpus=2, append="swap=/dev/vda", timeout=300,
                extra=["-drive", drive, "-device", "virtio-blk-device,drive=bad,request-merging=off"])


@both("swap-read-errors", timeout=400)
def read_errors(arch):
    """A page that swap cannot give back costs the process that touches it, with SIGBUS; others live, and so does the kernel."""
    done = bad_swap(arch, "read", "memstress -p 4 -a 24M -t 5; echo stress $?; free; memstress -p 1 -a 1M -t 1; echo after $?")
    ended = re.findall(r"a process ended with status (0x[0-9a-f]+)|^stress (135)$", done.console, re.M)
    # A process whose child met the page says so, and ends with 1.
    told = len(re.findall(r"its child ended with status 0x7$", done.console, re.M))
    killed = [process or parent for process, parent in ended]
    check(killed and set(killed) <= {"0x7", "0x100", "135"} and killed.count("0x100") == told,
          f"expected processes that end with SIGBUS (0x7, or 135), got {killed}")
    check("after 0" in done.output, "the system is not usable afterwards")
    figure(f"{len(killed)} of 5 processes met a bad page")


@both("swap-write-errors", timeout=400)
def write_errors(arch):
    """A page that swap does not take stays in memory, its slot is not used again, and nobody notices."""
    done = bad_swap(arch, "write", "memstress -p 4 -a 24M -t 5; echo stress $?; cat /proc/swaps")
    check("stress 0" in done.output, "a process noticed")
    size, used = map(int, re.search(r"^/dev/vda\s+\S+\s+(\d+)\s+(\d+)", done.output, re.M).groups())
    lost, bad = ((64 << 20) - PAGE) // 1024 - size, len(BAD_PAGES) * PAGE // 1024
    figure(f"{lost} of {bad} kB are out of use, {used} kB in use")
    # A slot goes out of use when its page comes back: those of who still sleeps have not.
    check(bad - used <= lost <= bad, f"{lost} kB of slots were retired, {bad} kB are bad, {used} kB in use")
