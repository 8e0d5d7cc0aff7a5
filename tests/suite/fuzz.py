"""The allocators under libFuzzer, on the host: see tests/fuzz/fuzz.c."""
import os
import re
import shutil

from suite.base import TOP, check, figure, scratch, shell, test

RUN = f"{TOP}/tests/fuzz/run.sh"
ALLOCATORS = "page slab slub slub-hardened slob freelist buddy".split()
CORPUS_LIMIT = 60_000       # bytes of one allocator's
# allocator -> a lab's wrong versions of it that must be found within a minute.
MUTANTS = {"slab": ("3-slab", ["grow-leaks-pages", "colour-unaligned", "double-free-in-array"]),
           "slub": ("4-slub", ["chain-cut", "half-zeroed", "last-object-lost"])}


def fuzz(name, seconds):
    """The corpus is replayed, and the allocator fuzzed beyond it: nothing is found."""
    corpus = f"{TOP}/tests/fuzz/corpus/{name}"
    size = sum(os.path.getsize(f"{corpus}/{file}") for file in os.listdir(corpus))
    check(0 < size < CORPUS_LIMIT, f"the corpus has {size} bytes")
    out = shell(RUN, "--seconds", seconds, name, timeout=seconds + 600)
    line = re.search(r"^ok \S+: (\d+ inputs of the corpus, \d+ new ones)", out, re.M)
    check(line, "it does not say how many inputs there were")
    figure(line[1])


def mutants(name, lab, patches):
    """Wrong allocators are found by the fuzzer within a minute each."""
    for patch in patches:
        tree = f"{scratch()}/{patch}"
        shutil.copytree(f"{TOP}/kernel/mm/slab", f"{tree}/kernel/mm/slab")
        shell("patch", "-p1", "-i", f"{TOP}/labs/{lab}/mutants/{patch}.patch", cwd=tree)
        out = shell(RUN, "--seconds", 60, "--tree", tree, name, status=1,
                    env=dict(os.environ, BUILD=f"{scratch()}/b"))
        check(f"not ok {name}" in out, f"{patch} was not found")
    figure(f"{len(patches)} of {len(patches)} found")


for allocator in ALLOCATORS:
    test(f"fuzz-corpus-{allocator}", allocator, 10, timeout=180)(fuzz)
    test(f"fuzz-long-{allocator}", allocator, 1800, timeout=3000, campaign=True)(fuzz)
for allocator, (LAB, NAMES) in MUTANTS.items():
    test(f"fuzz-mutants-{allocator}", allocator, LAB, NAMES, timeout=400)(mutants)
