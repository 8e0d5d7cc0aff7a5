"""Boots a test image as often as it takes to have a verdict on every test.

Session.run(tests) -> {name: {"verdict": "passed" | "failed" | "timed out" | "not run", "why", "log", "instructions"}}

What to believe: a line that ends in mac=… counts only if the code is right for this boot's key, if the test
was asked for, if it is the one that runs, and if it has no verdict yet. A line that looks like a verdict and
is not is a spoof: it is noted and earns nothing. A test that was started and has no verdict when the
machine stops has failed: it panicked, or it broke the machine.

Early end. A test that breaks the machine or runs out of time costs a boot and a whole budget. A part whose tests
are worth something only together is lost with the first of them: after LATE_TESTS such tests, or LATE_BUDGET
instructions spent in vain, the part's other tests are not run.

Trouble. What the code under test cannot have done is the host's: QEMU killed or missing, no room for its console.
"""
import glob
import os
import re
import secrets
import signal
import subprocess
import tempfile
import time

from strata.machine import PANIC, QEMU, Trouble, die_with_parent

MEM, MEM_USED = "128M", "124M"      # the key lies between the two
LINE = re.compile(r"^(ok|not ok|# start) (\d+) (\w+)(?: # (.*?))? mac=([0-9a-f]{16})$")
LOOK_ALIKE = re.compile(r"^\s*(ok|not ok)\s+\d+\b|mac=[0-9a-f]")
CPU_SECONDS = 120                   # of QEMU for one boot: the last resort, not the load's
WALL_SECONDS = 1500
SILENCE = 30                        # CPU seconds without a new line, while no test runs that has a budget
SLOWEST = 20_000_000                # instructions in a CPU second, before anything was measured
PATIENCE, MARGIN = 4, 5             # a test may take so many times its budget's time, and so many CPU seconds more
STILL = 30                          # seconds in which QEMU, though alive, used no processor at all
CONSOLE_LIMIT = 8 << 20
CALLS_BUDGET = 8                    # times the budget, where calls are noted: kernel/test/ktest/calls.h
NOTED_CALL = "#   call: "
ROOM = 1 << 16                      # bytes that must be left on the disk, or lines may have been lost
LATE_TESTS, LATE_BUDGET = 2, 300_000_000    # kernel/test/ktest/host.c has them, too
MASK = (1 << 64) - 1


def siphash(key, data):
    """SipHash-2-4 of bytes under a key of 16 bytes."""
    k0, k1 = (int(key.hex()[i:i + 16], 16) for i in (0, 16))
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]

    def rotl(x, n):
        return (x << n | x >> (64 - n)) & MASK

    def rounds(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & MASK
            v[1] = rotl(v[1], 13) ^ v[0]
            v[0] = rotl(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK
            v[3] = rotl(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK
            v[3] = rotl(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK
            v[1] = rotl(v[1], 17) ^ v[2]
            v[2] = rotl(v[2], 32)

    for at in range(0, len(data) + 1, 8):
        chunk = data[at:at + 8]
        word = int.from_bytes(chunk, "little") | ((len(data) & 255) << 56 if len(chunk) < 8 else 0)
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xff
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def wants_to_run(pid):
    """Is a thread of it running, waiting for a processor or a disk, or stopped by somebody?"""
    for path in glob.glob(f"/proc/{pid}/task/*/stat"):
        try:
            with open(path, encoding="ascii") as file:
                if file.read().rsplit(")", 1)[1].split()[0] in "RDTt":
                    return True
        except OSError:
            pass
    return False


class Console:
    """Reads one boot's console and judges line by line."""

    def __init__(self, key, names, results, spoofs):
        self.key, self.names, self.results, self.spoofs = key, names, results, spoofs
        self.running, self.number, self.log, self.calls, self.panic = None, 0, [], [], None
        self.ended, self.started, self.trouble = False, False, None

    def line(self, line):
        match = LINE.match(line)
        if match and int(match[5], 16) == siphash(self.key, line[:line.rindex(" mac=")].encode()):
            self.sealed(*match.groups()[:4])
        elif match or (self.started and LOOK_ALIKE.search(line)):
            self.spoof(line)
        elif line.startswith("# ktest: trouble") and not self.started:
            self.trouble = line[2:]
        elif line == "# ktest: end":
            self.ended = True
        elif line.startswith("KTAP version"):
            self.started = True
        elif self.running:
            if line.startswith("#   spoof: "):
                self.spoof(line[4:])
            if PANIC.match(line):
                self.panic = line[line.index("Kernel panic"):]
            if line.startswith(NOTED_CALL):
                self.calls.append(line.removeprefix(NOTED_CALL))
            elif len(self.log) < 60:
                self.log.append(line.removeprefix("#   "))

    def spoof(self, line):
        """One a test is enough."""
        if not any(spoof["test"] == self.running for spoof in self.spoofs):
            self.spoofs.append({"test": self.running, "line": line[:200]})

    def sealed(self, kind, number, name, rest):
        if kind == "# start":
            if name in self.names and name not in self.results and int(number) == self.number + 1:
                self.running, self.number, self.log, self.calls = name, int(number), [], []
            return
        if name != self.running or int(number) != self.number or name in self.results:
            self.spoof(f"{kind} {number} {name}")
            return
        count = re.match(r"(\d+) instructions", rest or "")
        late = (rest or "").startswith("timed out")
        runs = re.search(r"\d+ of \d+ runs differ$", rest or "")
        self.results[name] = {
            "verdict": "passed" if kind == "ok" else "timed out" if late else "failed",
            "why": rest if late else runs[0] if runs else "", "log": [] if kind == "ok" else self.log,
            "instructions": int(count[1]) if count else None, "calls": self.calls}
        self.running = None

    def left_over(self, why):
        """The machine stopped: what ran then has failed."""
        if self.running and self.running not in self.results:
            self.results[self.running] = {"verdict": "failed", "why": self.panic or why, "log": self.log,
                                          "instructions": None, "calls": self.calls}
            return True
        return False


class Pace:
    """How long until the machine must have said something, in seconds of QEMU's own processor time.

    The machine itself ends a test whose budget of instructions is spent. If it has been broken so badly that it does
    not, somebody else must, and soon. What a budget is in seconds is learned from the tests that are done: the
    slower the host, the longer it has. Nothing is believed here but the time."""

    def __init__(self, budgets, told=None):
        """told: called with each of the console's lines."""
        self.budgets, self.read, self.rest, self.told = budgets, 0, b"", told
        self.first, self.done, self.since, self.limit = None, 0, 0.0, SILENCE

    def look(self, path, spent):
        """At what is new on the console, when this much time was spent; the seconds that are left."""
        with open(path, "rb") as file:
            file.seek(self.read)
            new = file.read(CONSOLE_LIMIT)
        self.read += len(new)
        *lines, self.rest = (self.rest + new).split(b"\n")
        self.rest = self.rest[-256:]
        if new and self.limit == SILENCE:
            self.since = spent
        for line in (line.decode("utf-8", "replace").rstrip("\r") for line in lines):
            match = LINE.match(line)
            if match:
                self.line(*match.groups()[:4], spent)
            if self.told:
                self.told(line)
        return self.since + self.limit - spent

    def line(self, kind, _number, name, rest, spent):
        self.since, self.limit = spent, SILENCE
        count = re.match(r"(\d+) instructions", rest or "")
        if kind != "# start":
            self.done += int(count[1]) if count else 0
        elif name in self.budgets:
            self.first = spent if self.first is None else self.first
            known = spent - self.first > 0.5
            speed = self.done / (spent - self.first) / PATIENCE if known else SLOWEST
            self.limit = self.budgets[name] / max(speed, 1) + MARGIN


class Session:
    """Of QEMU's CPUs every second one is used (cpustep=2), see kernel/test/ktest/run.c."""

    def __init__(self, arch, image, cpus=4, seed=1, seeds=0, calls=False, progress=None):
        """progress: called with the results so far, while more are awaited."""
        self.arch, self.image, self.cpus, self.seed, self.seeds = arch, image, cpus, seed, seeds
        self.stretch = CALLS_BUDGET if calls else 1
        self.boots, self.spoofs, self.consoles, self.progress = 0, [], [], progress

    def command(self, key, names, console):
        append = f"ktest quiet cpustep=2 panic=-1 mem={MEM_USED} ktest.seed={self.seed} ktest.tests={','.join(names)} " \
                 f"secret={key.hex()}"
        append += f" ktest.seeds={self.seeds}" if self.seeds else ""
        if len(append) > 3900:
            raise Trouble("too many tests for one command line")
        machine = {"riscv": ["-machine", "virt", "-cpu", "rv64", "-bios", "default"],
                   "arm64": ["-machine", "virt,gic-version=3", "-cpu", "cortex-a76"]}[self.arch]
        return [os.environ.get("QEMU") or QEMU[self.arch], "-no-reboot", "-nic", "none", "-nodefaults",
                "-smp", str(2 * self.cpus), "-m", MEM, *machine, "-kernel", self.image, "-append", append,
                "-icount", "shift=0,sleep=off", "-rtc", "base=2020-01-01,clock=vm", "-seed", "1",
                "-display", "none", "-monitor", "none", "-serial", f"file:{console}"]

    def run(self, tests):
        """tests: as in tests.json."""
        results, spoilt = {}, {}
        while True:
            left = [t for t in tests if t["name"] not in results]
            if not left:
                return results
            last = self.boot([t["name"] for t in left], results, {t["name"]: self.budget(t) for t in left})
            if not last:
                raise Trouble(f"a boot for {left[0]['name']} gave no verdict")
            for test in left:   # whatever the boot ended with has spoilt it, but at the end of the list
                if test["name"] == last and test is not left[-1]:
                    self.spoil(test, tests, results, spoilt.setdefault(test["part"], []))

    def budget(self, test):
        """As kernel/test/ktest/run.c reckons it."""
        return self.stretch * test["budget"] // test["seeds"] * (self.seeds if self.seeds and test["seeds"] > 1 else test["seeds"])

    @staticmethod
    def spoil(test, tests, results, spoilt):
        """spoilt: the tests of this part that have cost a machine."""
        spoilt.append(test)
        late = [t["budget"] for t in spoilt if results[t["name"]]["verdict"] == "timed out"]
        if len(spoilt) < LATE_TESTS and sum(late) < LATE_BUDGET:
            return
        names = " and ".join(t["name"] for t in spoilt)
        for other in tests:
            if other["part"] == test["part"] and other["name"] not in results:
                results[other["name"]] = {
                    "verdict": "not run", "log": [], "instructions": None, "calls": [],
                    "why": f"the part is lost: each test that hangs or crashes costs a boot, as {names} did"}

    def boot(self, names, results, budgets):
        """One boot; the last test that it gave a verdict on, or None."""
        before, key = len(results), secrets.token_bytes(16)
        judge = Console(key, names, results, self.spoofs)
        with tempfile.TemporaryDirectory(prefix="ktest-") as folder:
            path, errors = os.path.join(folder, "console"), os.path.join(folder, "errors")
            open(path, "wb").close()
            command = self.command(key, names, path)
            with open(errors, "wb") as err:
                try:
                    qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                                            preexec_fn=die_with_parent)
                except OSError as error:
                    raise Trouble(f"{command[0]}: {error.strerror}; run ./tools/setup") from None
            try:
                why = self.watch(qemu, path, Pace(budgets, self.progress and self.telling(key, names, results)))
            finally:
                if qemu.poll() is None:
                    qemu.kill()
                qemu.wait()
            with open(path, "rb") as file:
                text = file.read(CONSOLE_LIMIT + 1).decode("utf-8", "replace").replace("\r", "")
            with open(errors, encoding="utf-8", errors="replace") as file:
                complaint = file.read().strip()
            if os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize < ROOM:
                raise Trouble(f"no space left in {tempfile.gettempdir()}")
        self.boots += 1
        self.consoles.append(text.replace(key.hex(), "-" * 32))
        for line in text.split("\n"):
            judge.line(line)
        if judge.trouble:
            raise Trouble(judge.trouble)
        judge.left_over(why or "the machine stopped without a word")
        if len(results) == before and not judge.started:
            tail = " / ".join(text.strip().splitlines()[-3:])
            raise Trouble(f"the test image does not start: {why or complaint or tail}")
        return list(results)[-1] if len(results) > before else None

    def telling(self, key, names, results):
        """Judges as Console does, but at once; what counts is judged when the boot is over."""
        judge = Console(key, names, dict(results), list(self.spoofs))

        def told(line):
            known = len(judge.results)
            judge.line(line)
            if len(judge.results) > known:
                self.progress({"tests": judge.results, "spoofs": judge.spoofs})
        return told

    @staticmethod
    def watch(qemu, path, pace):
        """Waits for the end of QEMU; None, or why it had to be ended. Load does not matter: what
        is measured is QEMU's own processor time."""
        start = still = time.monotonic()
        spent_last = -1.0
        clock = os.sysconf("SC_CLK_TCK")
        while qemu.poll() is None:
            try:
                qemu.wait(0.05)
                continue
            except subprocess.TimeoutExpired:
                pass
            try:
                with open(f"/proc/{qemu.pid}/stat", encoding="ascii") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                spent = (int(fields[11]) + int(fields[12])) / clock
            except OSError:
                continue
            if spent != spent_last or wants_to_run(qemu.pid):
                spent_last, still = spent, time.monotonic()
            if time.monotonic() - still > STILL:
                return "every CPU sleeps and nothing will wake them"
            left = pace.look(path, spent)
            if pace.read > CONSOLE_LIMIT:
                return "it flooded the console"
            if left < 0 or spent > CPU_SECONDS:
                return f"the machine was beyond rescue after {spent:.0f} s of processor time"
            if time.monotonic() - start > WALL_SECONDS:
                raise Trouble(f"no end after {WALL_SECONDS} s")
        if qemu.returncode < 0:     # no guest can do that
            raise Trouble(f"QEMU was killed by {signal.Signals(-qemu.returncode).name}")
        return f"QEMU ended with status {qemu.returncode}" if qemu.returncode else None


def report(tests, results, args, session):
    """KTAP; the number of tests that did not pass."""
    print(f"KTAP version 1\n1..{len(tests)}")
    bad = 0
    for number, test in enumerate(tests, 1):
        result = results[test["name"]]
        if result["verdict"] != "passed":
            bad += 1
            for line in result["calls"]:
                print(f"#   {line}")
            for line in result["log"]:
                print(f"#   {line}")
            seed = next((line.split()[1] for line in result["log"] if re.match(r"seed \d+$", line)), args.seed)
            print(f"#   replay: make ktest LAB={args.lab} ARCH={args.arch} TESTS={test['name']} SEED={seed}")
        note = f" # {result['why']}" if result["why"] else ""
        print(f"{'ok' if result['verdict'] == 'passed' else 'not ok'} {number} {test['name']} - {test['about']}{note}")
    for spoof in session.spoofs:
        print(f"# not from the harness, ignored (during {spoof['test']}): {spoof['line']}")
    print(f"# {len(tests) - bad} passed, {bad} failed; {args.arch}, seed {args.seed}, {session.boots} boots")
    return bad
