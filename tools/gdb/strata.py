"""gdb's helpers for the Strata kernel; `make gdb` loads them. `help strata` lists them."""
import gdb


class Strata(gdb.Command):
    """Commands that know the kernel: strata ps, strata log."""

    def __init__(self):
        super().__init__("strata", gdb.COMMAND_STATUS, prefix=True)


class Ps(gdb.Command):
    """Where every CPU is: function, and the thread that runs there."""

    def __init__(self):
        super().__init__("strata ps", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        before = gdb.selected_thread()
        if not before:
            raise gdb.GdbError("the machine is not running")
        for thread in sorted(gdb.selected_inferior().threads(), key=lambda t: t.num):
            thread.switch()
            frame = gdb.newest_frame()
            where = frame.find_sal()
            place = f"{where.symtab.filename}:{where.line}" if where.symtab else ""
            print(f"cpu {thread.num - 1:2d}  {frame.pc():#018x}  {frame.name() or '?'}  {place}")
        before.switch()


Strata()
Ps()
gdb.execute("set confirm off")
gdb.execute("set pagination off")
