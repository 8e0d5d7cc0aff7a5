"""Memory under pressure: nothing is lost, the right process dies, swap may fail."""
import glob
import os
import re
import struct

from suite.base import BUILD, CAMPAIGN, boot, both, check, equal, figure, machine, make, scratch, shell

PAGE = 4096


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


@both("reclaim-usertests", timeout=900)
def pressed_usertests(arch):
    """usertests and the glibc programs pass with 64 MiB and swap, on 1 and on 4 CPUs."""
    for cpus in (1, 4):
        out = boot(arch, "usertests && /glibc/run-all", cpus=cpus, mem="64M", swap="128M", disk=large_disk(arch, "64M"), timeout=400).output
        equal(f"failed on {cpus} CPUs", ["0", "0"], re.findall(r"passed, (\d+) failed", out))


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


def bad_swap(arch, kind, command, **options):
    """Boot with a swap disk on which every `kind` ("read", "write") of one of its first pages fails."""
    path = f"{scratch()}/swap.img"
    with open(path, "wb") as file:
        file.truncate(64 << 20)
    shell("mkswap", "-q", path, env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin"))
    drive = ("if=none,id=bad,driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename=" + path)
    for i, sector in enumerate(range(8 * 16, 8 * 16 + 8 * 64, 8)):
        drive += (f",file.inject-error.{i}.event=none,file.inject-error.{i}.iotype={kind},"
                  f"file.inject-error.{i}.errno=5,file.inject-error.{i}.sector={sector}")
    m = machine(arch, mem="64M", disk="none", extra=["-drive", drive, "-device", "virtio-blk-device,drive=bad"], **options)
    return m, command
