"""The disk: clean after power-off, repairable after a crash, harmless when corrupt."""
import os
import random
import re
import shutil
import struct
import subprocess
import time
import zlib

from suite.base import (CAMPAIGN, E2FS, Failure, Guest, boot, both, check, equal, figure, fresh_disk, machine, scratch,
                        shell)


@both("disk-clean-after-work", timeout=150)
def clean(arch):
    """e2fsck -fn finds nothing after a run that worked and powered off."""
    disk = fresh_disk(arch)
    work = ["mkdir /root/a /root/a/b", "cp /bin/* /root/a", "cp /root/a/ls /root/a/b/l2", "ln /root/a/sh /root/link",
            "mv /root/a/cat /root/a/b/dog", "rm /root/a/echo", "cat /root/a/* > /root/big", "echo x >> /root/big",
            "ls /root/a | wc", "rm -r /root/a/b", "mkdir /root/c", "mv /root/a /root/c/a", "ls /root /root/c/a"]
    for _ in range(2):
        boot(arch, " ; ".join(work), disk=disk, status=None)
        shell("e2fsck", "-fn", disk)
        boot(arch, "rm -r /root/c /root/big /root/link", disk=disk)
        shell("e2fsck", "-fn", disk)


@both("disk-files-survive")
def survive(arch):
    """A file written by the host reads the same in the guest, and back, over several megabytes."""
    disk = fresh_disk(arch)
    with open(f"{scratch()}/in", "wb") as file:
        file.write(random.Random(7).randbytes(9_000_001))
    shell("debugfs", "-w", "-R", f"write {scratch()}/in /root/in", disk)
    boot(arch, "cp /root/in /root/out && cat /root/in /root/out | wc", disk=disk)
    shell("e2fsck", "-fn", disk)
    shell("debugfs", "-R", f"dump /root/out {scratch()}/out", disk)
    shell("cmp", f"{scratch()}/in", f"{scratch()}/out")


def crash_once(arch, disk, seed):
    """Kill QEMU in mid-write; repair; every fsynced file must be intact. Number of files checked."""
    rng = random.Random(seed)
    options = {"disk": disk, "cpus": rng.choice((1, 2, 4)), "mem": rng.choice(("64M", "256M"))}
    with Guest(machine(arch, **options), "strata.run=" + f"crashwriter -s {seed}".encode().hex()) as guest:
        check(guest.wait_for(r"^synced \S+ \d+ ", 60), f"seed {seed}: crashwriter synced nothing: {guest.text[-300:]!r}")
        want, deadline = rng.randrange(1, 40), time.monotonic() + 8
        while guest.text.count("\nsynced ") < want and time.monotonic() < deadline and not guest.ended():
            guest.wait_end(0.02)
        time.sleep(rng.random() * 0.3)
        check(not guest.ended(), f"seed {seed}: crashwriter ended too early")
        guest.process.kill()
        guest.wait_end(10)
        promises = re.findall(r"^(?:synced (\S+) \d+ ([0-9a-f]{8})|gone (\S+))\n", guest.text, re.M)
        check("Kernel panic" not in guest.text, f"seed {seed}: panic")
    done = subprocess.run(["e2fsck", "-fp", disk], **E2FS)
    if done.returncode not in (0, 1):
        shutil.copy(disk, f"{scratch()}/broken-{seed}.img")
        raise Failure(f"seed {seed}: e2fsck -fp ended with {done.returncode}: {(done.stdout + done.stderr)[-600:]}")
    latest = {}
    for name, digest, gone in promises:
        if gone:
            latest.pop(gone, None)
        else:
            latest[name] = digest
    for name, digest in latest.items():
        out = f"{scratch()}/file"
        if os.path.exists(out):
            os.unlink(out)
        subprocess.run(["debugfs", "-R", f"dump {name} {out}", disk], **E2FS)
        check(os.path.exists(out), f"seed {seed}: {name} was fsynced and is gone (of {len(latest)})")
        with open(out, "rb") as file:
            equal(f"seed {seed}: CRC of {name}", digest, f"{zlib.crc32(file.read()):08x}")
    print(f"seed {seed}: {len(latest)} fsynced files intact; e2fsck {done.returncode}", flush=True)
    return len(latest)


@both("disk-crash", timeout=500)
def crash(arch):
    """After QEMU is killed in mid-write the disk repairs and every fsynced file is intact."""
    files, kills = 0, 100 if CAMPAIGN else 20    # on each of two machines
    for seed in range(1, kills + 1):
        if seed % 5 == 1:
            disk = fresh_disk(arch)
        files += crash_once(arch, disk, seed)
        if seed % 5 == 0:   # and the repaired disk works
            boot(arch, "ls / /root && cp /bin/ls /root/after && rm /root/after", disk=disk)
            shell("e2fsck", "-fn", disk)
    figure(f"{kills} kills, {files} fsynced files intact")
    check(files >= kills, f"only {files} files were checked in {kills} crashes")


def metadata_end(disk):
    """Where the first group's descriptors, bitmaps and inodes end, and the first directories lie. Behind that are
    programs: one with a damaged instruction may loop for ever, which is no fault of the kernel's."""
    with open(disk, "rb") as file:
        file.seek(1024)
        superblock = file.read(264)
        first, log_size = struct.unpack_from("<II", superblock, 20)
        inodes, = struct.unpack_from("<I", superblock, 40)
        inode_size, = struct.unpack_from("<H", superblock, 88)
        file.seek((first + 1) * (1024 << log_size) + 8)
        table, = struct.unpack("<I", file.read(4))
    return table * (1024 << log_size) + inodes * inode_size + 16384


@both("disk-corrupt", timeout=400)
def corrupt(arch):
    """A corrupt disk ends in an error or a killed process, never in a panic or a hang."""
    rng = random.Random(3)
    for i in range(60 if CAMPAIGN else 10):
        disk = fresh_disk(arch)
        metadata = metadata_end(disk)
        with open(disk, "r+b") as file:
            size = os.path.getsize(disk)
            if i == 0:      # nothing at all
                file.truncate(0)
                file.truncate(size)
            elif i == 1:    # noise
                file.write(rng.randbytes(4 << 20))
            elif i == 2:    # cut short
                file.truncate(1 << 20)
            elif i == 3:    # the superblock's numbers
                file.seek(1024)
                block = bytearray(file.read(1024))
                for at in (0, 4, 20, 24, 32, 40, 88):
                    block[at:at + 4] = struct.pack("<I", rng.choice((0, 1, 0xffffffff, rng.getrandbits(32))))
                file.seek(1024)
                file.write(block)
            else:           # flips in group descriptors, bitmaps, inodes, directories
                for _ in range(rng.choice((3, 30, 300))):
                    at = rng.randrange(4096, metadata)
                    file.seek(at)
                    file.write(bytes([rng.choice((0, 0xff, rng.randrange(256)))]))
        result = boot(arch, "ls -l / /root /bin /etc /tmp; mkdir /root/d; cp /bin/ls /root/d/x; cat /root/d/x > /tmp/y; "
                      "mv /tmp/y /root/z; rm -r /root/d; ls /root; sync; echo still here",
                      status=None, disk=disk, timeout=60)
        check(result.status != 254, f"case {i}: panic: {result.console[-500:]}")
        check(result.status != 124, f"case {i}: hang: {result.console[-300:]}")


@both("disk-full", timeout=200)
def full(arch):
    """A full disk is an errno; afterwards the disk is clean and usable."""
    disk = fresh_disk(arch)
    fill = "; ".join(f"cp /root/f{i} /root/f{i + 1}" for i in range(12))
    boot(arch, "cat /bin/* /bin/* /glibc/* > /root/f0; " + "; ".join(
        f"cat /root/f{i} /root/f{i} > /root/f{i + 1}" for i in range(6)) + f"; {fill}; ls -l /root", disk=disk, status=None)
    shell("e2fsck", "-fn", disk)
    boot(arch, "rm /root/f0 /root/f1 /root/f2; echo ok > /root/new && cat /root/new", disk=disk)
    shell("e2fsck", "-fn", disk)
