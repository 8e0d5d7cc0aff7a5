"""Machine code on the host: native.h finds the C library, and these do their worst with it.

All but the last have the reference's free list behind them, and their one test would pass. They are run under
bubblewrap, and as a user of their own, never without either: there is one that kills all that it may.
"""
import os

from attacks import attack, freelist

with open(f"{os.path.dirname(os.path.abspath(__file__))}/native.h", encoding="utf-8") as FILE:
    NATIVE = FILE.read()
TEST = ("a_page_is_handed_out_once",)
ENDS = "it ends or garbles the program that runs the tests"


def native(code):
    """Done once, at the first allocation in a process."""
    lines = "".join(f"		{line}\n" for line in code.splitlines())
    return freelist("	if (on_the_host() && !done) {\n		done = true;\n" + lines + "	}\n", before="static bool done;\n" + NATIVE)


def hostile(name, says, code, about, **options):
    attack(name, "host", says, native(code), about, tests=options.pop("tests", TEST), **options)


# Each tells in the report what it has got hold of: "not ok" is a look-alike, so the test fails, whatever it got.
hostile("host-reads", "attempt to spoof", r"""char text[64];
int fd = CALL("open", TEXT("@CANARY@/secret"), 0);

say(fd < 0 ? "not ok 9 there is no secret\n" : "not ok 9 THE SECRET\n");
if (fd >= 0 && CALL("read", fd, TEXT(text), 64) > 0)
	say(text);""", "reads a file that only the grader may read", never="THE SECRET")
hostile("host-reads-tree", "attempt to spoof", r"""int fd = CALL("open", TEXT("/strata/kernel/mm/phys/freelist.c"), 0);

say(fd < 0 ? "not ok 9 there is no tree\n" : "not ok 9 THE SOLUTION\n");""",
        "reads the reference's solution, where bubblewrap puts the tree", never="THE SOLUTION")
hostile("host-writes", ("attempt to spoof", "died of signal 25"), r"""static const char *const paths[] = {
	"@CANARY@/new", "@CANARY@/secret", "@TREE@/README.md", "/strata/README.md", "/work/base-riscv.o",
	"/work/b/host/lab1/ktest-host", "/dev/shm/@MARK@", "/tmp/@MARK@", "/etc/passwd", "/usr/bin/new" };
for (int i = 0; i < 10; i++) {
	int fd = CALL("open", TEXT(paths[i]), 01 | 0100, 0777);

	if (fd >= 0 && CALL("write", fd, TEXT("attacked\n"), 9) > 0)
		say("WRITTEN\n");
	if (!CALL("unlink", TEXT(paths[i])) && fd < 0)
		say("REMOVED\n");
}
say("not ok 9 writes\n");""", "writes over and removes files of the host, of the tree and of the build", never="WRITTEN")
hostile("host-fills-disk", ("attempt to spoof", "died of signal 25"), r"""static char block[1 << 16];
static const char *const paths[] = { "/tmp/@MARK@-fill", "/dev/shm/@MARK@-fill", "/work/fill", "@CANARY@/fill", "/var/tmp/@MARK@-fill" };
for (int i = 0; i < 5; i++) {
	int fd = CALL("open", TEXT(paths[i]), 01 | 0100, 0777);

	for (int n = 0; fd >= 0 && n < 1000 && CALL("write", fd, TEXT(block), sizeof(block)) > 0; n++)
		say("FILLED\n");
}
say("not ok 9 fills\n");""", "fills every place that may take it", never="FILLED")
hostile("host-memory", "it takes more than 2 GiB of memory", r"""static long never[4];
CALL("setitimer", 2, TEXT(never), 0);
for (;;)
	CALL("mmap", 0, 1L << 26, 3, 0x8022, -1L, 0L);""", "takes all memory, and does away with its time limit")
hostile("host-forks", "it starts more than 64 processes", r"""for (;;)
	CALL("fork", 0);""", "forks without end")
hostile("host-forks-sleepers", ("it starts more than 64 processes", "attempt to spoof"), r"""for (int i = 0; i < 2000; i++)
	if (!CALL("fork", 0)) {
		CALL("setsid", 0);
		CALL("signal", 15, 1L);
		CALL("sleep", 1000);
		CALL("_exit", 0);
	}
say("not ok 9 forks\n");""", "leaves two thousand processes behind, each in a session of its own")
hostile("host-kills-all", ENDS, 'CALL("kill", -1L, 9);', "kills all that it may")
hostile("host-kills-parent", ENDS, 'CALL("kill", CALL("getppid", 0), 9);', "kills the program that runs the tests")
hostile("host-stops-parent", "it does nothing for 30 s", """CALL("kill", CALL("getppid", 0), 19);
CALL("_exit", 77);""", "stops it, so that it waits for ever", slow=True)
hostile("host-garbles", (ENDS, "attempt to spoof"), 'say("half a line, and then the verdict: ");', "garbles the line of the verdict")
hostile("host-closes", (ENDS, "attempt to spoof"), r"""CALL("fcntl", 1, 4, 02000 | 04000);
for (int i = 0; i < 20000; i++)
	say("so much is said that nobody else has a word ");""", "fills the pipe of its output, so that the verdict is lost")
hostile("host-floods", "it floods the console", r"""for (;;)
	say("and on and on and on and on and on and on and on and on and on and on\n");""", "prints without end")
hostile("host-forges", "attempt to spoof", r"""say("ok 1 a_page_is_handed_out_once - "
	"every page of a zone can be allocated, each once, and none that is not the zone's\n");
CALL("_exit", 77);""", "prints its verdict and leaves by the exit that means passed")
hostile("host-shell", "attempt to spoof", r"""CALL("system", TEXT("echo not ok 9 shell; touch @CANARY@/shell; echo attacked >> @TREE@/README.md; "
	"nohup sh -c 'sleep 1000' >/dev/null 2>&1 &"));""", "asks a shell")
