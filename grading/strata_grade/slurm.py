"""A class on a cluster: `grading/grade-class --executor slurm` submits an array job, a task for each submission.

All nodes must see this tree, OUT and $BUILD under the same names, and have what ./tools/setup --grade installs. A task
is `grade-class --only NAME`, which grades what --prepare has planned and writes OUT/NAME/; nothing else is shared,
so tasks need not know of each other. What a lost node took with it is submitted once more; what then has no
verdict is trouble of the grader's own, and never a zero. If this process ends before the tasks, it cancels them; if it
is killed, the next run does so before it submits anything: what they had finished is kept.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import time

from .classroom.work import is_done, read_json, write_json
from .grade import Base
from .lab import Trouble

ATTEMPTS = 2
ARRAY = 1000            # tasks in one array: slurm's MaxArraySize is 1001 unless set
POLL = 2                # seconds
PATIENCE = 300          # seconds for which the controller may be away
SETTLE = 10             # seconds until a network's file system shows what another node wrote
DEFAULTS = ["--cpus-per-task=2", "--time=60", "--requeue"]     # a grade runs two machines at a time


def slurm(*words, text=None):
    return subprocess.run(words, input=text, stdin=None if text else subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)


class Cluster:
    def __init__(self, lab, out, whole, options=""):
        """options: more words for sbatch, as on its command line: '--partition=cpu --mem=4G'."""
        for name in ("sbatch", "squeue", "scancel"):
            if not shutil.which(name):
                raise Trouble(f"{name} is not installed: --executor slurm needs slurm's commands (slurm-client)")
        self.lab, self.out, self.whole, self.options = lab, out, whole, shlex.split(options)
        self.folder, self.jobs = f"{out}/.slurm", []

    def run(self):
        """Submissions that were graded now."""
        todo = [one for one in self.whole["submissions"] if not is_done(self.out, one)]
        self.cancel_old()
        if not todo:
            return 0
        os.makedirs(self.folder, exist_ok=True)
        Base(self.lab, 0 if self.lab.handout else 1)    # once, and not on every node
        for one in todo:        # an older run's trouble is not this one's
            if os.path.exists(f"{self.out}/{one['slug']}/state.json"):
                os.remove(f"{self.out}/{one['slug']}/state.json")
        left, attempt = todo, 0
        try:
            while left and attempt < ATTEMPTS:
                attempt += 1
                for at in range(0, len(left), ARRAY):
                    self.submit(left[at:at + ARRAY], len(self.jobs))
                self.wait(len(todo), todo)
                left = self.settle(left)
        finally:
            self.cancel()
        for one in left:
            write_json({"key": one["key"], "status": "trouble", "seconds": 0,
                        "why": f"its task ended {ATTEMPTS} times without a verdict: see {self.folder}"},
                       f"{self.out}/{one['slug']}/state.json")
        return len(todo)

    def submit(self, ones, number):
        """One array; the names are in a file, a line for each task."""
        names = f"{self.folder}/{number}.names"
        with open(names, "w", encoding="utf-8") as file:
            file.writelines(f"{one['slug']}\n" for one in ones)
        command = shlex.join([f"{self.lab.top}/grading/grade-class", "--lab", str(self.lab.number), "--out", self.out])
        script = "#!/bin/sh\n" \
            f'name=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" {shlex.quote(names)})\n' \
            f'exec {command} --only "$name"\n'
        done = slurm("sbatch", "--parsable", f"--array=0-{len(ones) - 1}", f"--job-name=strata-lab{self.lab.number}",
                     f"--output={self.folder}/{number}-%a.log".replace("\\", "\\\\"), f"--chdir={self.lab.top}",
                     *DEFAULTS, *self.options, text=script)
        if done.returncode:
            raise Trouble(f"sbatch: {(done.stderr or done.stdout).strip()[:300]}")
        self.jobs.append(done.stdout.split(";")[0].strip())
        with open(f"{self.folder}/jobs", "w", encoding="ascii") as file:
            file.write("\n".join(self.jobs) + "\n")
        self.say(f"job {self.jobs[-1]}: {len(ones)} submissions")

    def wait(self, total, todo):
        """Until no task is in the queue; a line whenever there are more grades."""
        heard, told = time.monotonic(), 0
        while True:
            done = slurm("squeue", "-h", "-r", "-o", "%i", "-j", ",".join(self.jobs))
            if done.returncode == 0 or "Invalid job id" in done.stderr:     # it has forgotten them: they are over
                heard = time.monotonic()
                if not done.stdout.strip():
                    return
            elif time.monotonic() - heard > PATIENCE:
                raise Trouble(f"squeue: {done.stderr.strip()[:300]}")
            graded = sum(is_done(self.out, one) for one in todo)
            if graded > told:
                told = graded
                self.say(f"{graded} of {total} graded")
            time.sleep(POLL)

    def settle(self, ones):
        """Those without a word from their task."""
        end = time.monotonic() + SETTLE
        while True:
            left = [one for one in ones if not self.state(one)]
            if not left or time.monotonic() > end:
                return left
            time.sleep(1)

    def state(self, one):
        state = read_json(f"{self.out}/{one['slug']}/state.json")
        return state if state and state["key"] == one["key"] else None

    def cancel_old(self):
        """Tasks of a run that was killed."""
        try:
            with open(f"{self.folder}/jobs", encoding="ascii") as file:
                self.jobs = [word for word in file.read().split() if re.fullmatch(r"\d+", word)]
        except OSError:
            return
        mine = slurm("squeue", "-h", "-o", "%A %j")     # numbers begin anew when a cluster does
        still = {line.split()[0] for line in mine.stdout.splitlines() if line.endswith(f" strata-lab{self.lab.number}")}
        self.jobs = [job for job in self.jobs if job in still]
        if self.jobs:
            self.say(f"ending job {', '.join(self.jobs)} of an earlier run")
            self.cancel()
            self.wait(0, [])
        self.jobs = []

    def cancel(self):
        if self.jobs:
            slurm("scancel", *self.jobs)

    @staticmethod
    def say(text):
        print(f"slurm: {text}", file=sys.stderr, flush=True)
