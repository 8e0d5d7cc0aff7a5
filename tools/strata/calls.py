"""Writes the functions that stand at the border of the files under test: kernel/test/ktest/calls.h tells what for.

A prototype is taken from the kernel's headers as it stands there; what has none (a variable, a macro), takes a variable
number of arguments, or is called without end (memset, a lock) is left alone.
"""
import glob
import re

LEAVE = re.compile(r"^(mem\w+|str\w+|_?_?(pa|va)|panic|printk|warn_slow|dump_stack|slab_bug|spin_\w+|(via_)?ktest_\w+|real_\w+)$")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
QUALIFIER = re.compile(r"\b(extern|__must_check|__malloc|__printf\([^)]*\))\s*")
SCALAR = {"u64", "u32", "int", "unsigned int", "unsigned long", "long", "size_t", "phys_addr_t", "pfn_t"}
UNSIGNED = SCALAR | {"unsigned char", "unsigned short", "u8", "u16", "slab_flags_t"}
MOST_ARGS = 6


class Prototype:
    def __init__(self, result, name, params, header):
        self.name, self.header = name, header
        self.result = QUALIFIER.sub("", " ".join(result.split()))
        self.params = [] if params.strip() in ("", "void") else [" ".join(p.split()) for p in params.split(",")]
        self.names = [re.search(r"(\w+)(\[\])?$", p)[1] for p in self.params]
        self.types = [re.sub(r"\s*\w+(\[\])?$", r"\1", p) for p in self.params]

    def declaration(self, name):
        return f"{self.result}{'' if self.result.endswith('*') else ' '}{name}({', '.join(self.params) or 'void'})"


def prototypes(names, folder="kernel"):
    """{name: Prototype} as far as there are some."""
    found, pattern = {}, re.compile(r"^((?:[A-Za-z_][\w*]*[ \t\n]+)+\**)(%s)\(([^(){};]*)\)[^{};()]*;" %
                                    "|".join(sorted(map(re.escape, names))), re.M)
    for path in sorted(glob.glob(f"{folder}/**/*.h", recursive=True)):
        if "/arch/" in path or "/uapi/" in path:
            continue
        with open(path, encoding="utf-8") as file:
            text = COMMENT.sub(" ", file.read())
        for match in pattern.finditer(text):
            result, name, params = match[1], match[2], match[3]
            if name not in found and "..." not in params and params.count(",") < MOST_ARGS \
                    and not re.search(r"\b(static|typedef|return|__noreturn)\b", result):
                found[name] = Prototype(result, name, params, path.removeprefix(f"{folder}/"))
    return found


def kind(ctype):
    plain = ctype.replace("const ", "").strip()
    if plain in ("struct page *", "struct zone *"):
        return plain[7]
    if plain == "struct kmem_cache *":
        return "c"
    if plain == "char *":
        return "s"
    if "*" in plain or "[]" in plain or plain in ("phys_addr_t", "pfn_t"):
        return "x"
    known = {"void": "v", "bool": "b", "gfp_t": "g", "int": "d", "long": "d"}
    return known.get(plain, "u" if plain in UNSIGNED or plain.startswith("enum ") else "m")


def value(ctype, name):
    letter = kind(ctype)
    if letter == "p":
        return f"{name} ? page_to_pfn({name}) : CALL_NULL"
    if letter == "z":
        return f"{name} ? (u64){name}->nid << 8 | {name}->type : CALL_NULL"
    if letter == "c":
        return f"{name} ? (u64){name}->name : 0"
    if letter == "m":
        return f"CALL_BYTES({name})"
    return f"(u64){name}"


def pointee(ctype):
    """Of a pointer to a number: what is shown is what it points to when the call is over."""
    plain = ctype.removesuffix("*").strip()
    return plain if ctype.endswith("*") and plain in SCALAR else None


def wrapper(proto, inside, outside, outward):
    """inside: the name that is called; outside: the name of the function in between."""
    void = proto.result == "void"
    shown = [f"*{n}" if pointee(t) else n for t, n in zip(proto.types, proto.names)]
    kinds = "".join(kind(pointee(t) or t) for t in proto.types)
    values = [f"{n} ? (u64)*{n} : 0" if pointee(t) else value(t, n) for t, n in zip(proto.types, proto.names)]
    call = f"{inside}({', '.join(proto.names)})"
    yield f"{proto.declaration(inside)};"
    yield f"{proto.declaration(outside)};"
    yield f"{proto.declaration(outside)}"
    yield "{"
    names = "".join(f'"{name}", ' for name in shown)
    yield (f'\tstatic const struct ktest_call_fn fn = {{ "{proto.name}", "{kinds}", {{ {names}}}, '
           f"'{kind(proto.result)}', {int(outward)} }};")
    yield f"\tu64 args[CALL_ARGS] = {{ {', '.join(values)} }};"
    yield "\tstruct ktest_call *noted = ktest_call_enter(&fn, args);"
    yield f"\t{'' if void else proto.declaration('').split('(')[0].strip() + ' result = '}{call};"
    for at, (ctype, name) in enumerate(zip(proto.types, proto.names)):
        if pointee(ctype) and not ctype.startswith("const"):
            yield f"\tif (noted && {name})\n\t\tnoted->arg[{at}] = *{name};"
    yield f"\tktest_call_leave(noted, {'0' if void else value(proto.result, 'result')});"
    yield from (() if void else ("\treturn result;",))
    yield "}"
    yield ""


def source(defined, called):
    """defined: what the files export; called: what they call. The text of a C file, and {old name: new name} for
    the symbols of their object."""
    mine = sorted(n for n in defined if not LEAVE.match(n))
    theirs = sorted(n for n in called if not LEAVE.match(n) and n not in defined)
    known = prototypes({n.removeprefix("via_") for n in mine + theirs})
    renamed, text = {}, []
    for name in mine:
        if name in known:
            renamed[name] = f"real_{name}"
            text += wrapper(known[name], f"real_{name}", name, False)
    for name in theirs:
        proto = known.get(name.removeprefix("via_"))
        if proto:
            renamed[name] = f"out_{name}"
            text += wrapper(proto, name, f"out_{name}", True)
    headers = ["test/ktest/calls.h", "mm/phys/zone.h", "mm/phys/page_alloc.h", "mm/slab/slab.h"]
    headers += sorted({known[n.removeprefix("via_")].header for n in renamed} - set(headers))
    head = ["/* Written by tools/ktest-build. */", *(f'#include "{h}"' for h in headers), "", ""]
    return "\n".join(head + text), renamed
