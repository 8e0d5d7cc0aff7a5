"""What a graded file may hold.

The source is read before anything is compiled: no assembly, no file from outside the kernel's headers,
no attribute that moves code where somebody else runs it. The object is read before it is linked: it calls
only what the lab allows, defines no name of the harness, and has no privileged instruction but those
that the given inline functions (interrupts off and on, this CPU's data) consist of.

Text that becomes assembly is the door to everything: .incbin reads files, .macro hides what a line is. So no file
may use a macro of the headers that puts its arguments there, nor change by a macro what the headers say.
"""
import functools
import glob
import os
import re
import subprocess
import sys

from .lab import TOP, Trouble

sys.path.insert(0, f"{TOP}/tools")
from strata.symbols import COMPILER, SECTIONS  # noqa: E402

# What is opened and not closed is matched, too, to the end of its line or file: nothing is read twice, or a
# hostile file would keep this busy for hours.
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*+"?|\'(?:\\.|[^\'\\\n])*+\'?', re.S)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*+"?', re.S)
DIRECTIVE = re.compile(r"^[ \t]*(?:#|%:)[ \t]*(\w+)([^\n]*)", re.M)
ASSEMBLY = re.compile(r"\b(?:asm|__asm|__asm__)\b")
MACHINE = re.compile(r"\b(?:csr_(?:read|write|set|clear)\w*|__CSR_STR|(?:read|write)_sysreg\w*)\b|\.incbin\b")
FORBIDDEN = re.compile(r"\b(_*(?:section|constructor|destructor|alias|ifunc|weakref|naked|interrupt|target|"
                       r"target_clones|no_sanitize\w*|symver|cleanup|optimize)_*|_Pragma|__pragma)\b")
# What only the tests' builds have: a file that asks for it means to be another one there.
TELLING = re.compile(r"\b(?:CONFIG_WORLD|CONFIG_ARCH_HOST|CONFIG_FUZZ|__SANITIZE_\w+|__x86_64\w*|__linux\w*)\b")
PROBING = re.compile(r"\b__has_(?:include|include_next|embed)\b|\b__(?:asan|ubsan|sanitizer|sancov|interceptor)_\w+")
# These leave a function by another way than its end.
LEAVING = re.compile(r"\b__builtin_(?:longjmp|setjmp|eh_return\w*|unwind_init|apply\w*|return|frame_address|dwarf\w*)\b")
RAW_STRING = re.compile(r'\b(?:u8|[uUL])?R"')
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)\([^)]+\)((?:\\\n|[^\n])*)", re.M)
ATTRIBUTE = re.compile(r"\b__attribute(?:__)?\b|\[\[")
INCLUDE = re.compile(r'\s*"([\w/.-]+\.h)"\s*$')
SIZE_LIMIT, ALIGN_LIMIT = 1 << 20, 1 << 16
PRIVILEGED = {
    "riscv": re.compile(r"^(?:csr\w+|sfence\S*|hfence\S*|sinval\S*|ecall|[sm]ret|wfi|fence\.i|rd(?:cycle|time|instret)h?)$"),
    "arm64": re.compile(r"^(?:mrs|msr|svc|hvc|smc|eret|wfi|wfe|wfit|tlbi|at|ic|sys|sysl|hlt|dcps\d)$"),
}
GIVEN = {"riscv": re.compile(r"\bsstatus\b"), "arm64": re.compile(r"(?i)\b(?:daif\w*|tpidr_el1|sp_el0)\b")}


def hidden(match):
    """A string or character without its contents; one that is not closed is code."""
    text = match[0]
    return text[0] * 2 if len(text) > 1 and text[-1] == text[0] else text


def scan_source(text, headers):
    """What is wrong with this file, in words; headers: the folders whose *.h may be included."""
    wrong = []
    if "\0" in text:
        return ["this is no text file"]
    text = re.sub(r"\\[ \t]*\r?\n", "", text)      # spliced lines are one line
    # Even in comments: to tell them from code as the compiler does takes a compiler.
    words = re.sub(r'^[ \t]*#[ \t]*include[ \t]+"[\w/.-]+\.h"[ \t]*$', "", text, flags=re.M)
    if ASSEMBLY.search(words):
        says = " with .incbin" if ".incbin" in words else ""
        wrong.append(f"inline assembly{says} is not allowed")
    for name in sorted(set(MACHINE.findall(words)) | assembling(tuple(headers)) & set(re.findall(r"\w+", words))):
        wrong.append(f"{name}: access to system registers, sections and barriers of one machine is not allowed")
    for name in sorted(set(TELLING.findall(words))):
        wrong.append(f"{name}: a file is to be the same in the tests and in the kernel")
    for name in sorted(set(PROBING.findall(words) + LEAVING.findall(words))):
        wrong.append(f"{name} is not allowed")
    if RAW_STRING.search(words):
        wrong.append("raw strings are not allowed")
    spliced = COMMENT_OR_STRING.sub(lambda m: " " if m[0][0] == "/" else m[0] if m[0][0] == '"' else hidden(m), text)
    bare = STRING.sub(hidden, spliced)
    if "##" in bare or "%:%:" in bare:
        wrong.append("## (pasting of tokens) is not allowed")
    defined = False
    for match in DIRECTIVE.finditer(spliced):
        word, rest = match[1], match[2]
        if word in ("define", "undef"):
            defined = True
        elif word == "include" and defined:
            wrong.append(f"#include{rest.rstrip()[:100]} stands behind a #define or #undef: headers come first")
        if word.isdigit() or word in ("include_next", "import", "embed", "pragma", "line", "ident", "sccs", "assert"):
            wrong.append(f"#{word} is not allowed")
        elif word == "include":
            name = INCLUDE.match(rest)
            if not name or ".." in name[1] or name[1].startswith("/") or not any(
                    os.path.isfile(os.path.join(folder, name[1])) for folder in headers):
                wrong.append(f"#include{rest.rstrip()[:100]}: only the kernel's own headers may be included")
    if ATTRIBUTE.search(bare) or "_Pragma" in bare or "__pragma" in bare:
        for name in sorted(set(FORBIDDEN.findall(bare))):
            wrong.append(f"the attribute or pragma {name} is not allowed")
    return wrong


@functools.cache
def assembling(headers):
    """The macros of these folders whose arguments become assembly or the name of a section."""
    found = set()
    for folder in headers:
        for path in glob.glob(f"{folder}/**/*.h", recursive=True):
            with open(path, encoding="utf-8") as file:
                found |= {m[1] for m in MACRO.finditer(file.read()) if re.search(r"\b_*asm_*\b|\bsection\b", m[2])}
    return found


def tool(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                          env=dict(os.environ, LC_ALL="C"), timeout=120, check=False)
    if done.returncode:
        raise Trouble(f"{' '.join(words[:3])}: {done.stderr.strip()[:300]}")
    return done.stdout


def globals_of(tools, objects):
    """{object: (defined, undefined)}"""
    out = {}
    for obj in objects:
        defined, undefined = set(), set()
        for line in tool(f"{tools}nm", "-g", obj).splitlines():
            *_, kind, name = line.split()
            (undefined if kind in "Uwv" else defined).add(name)
        out[obj] = defined, undefined
    return out


def check_size(tools, obj):
    """Code and variables must fit into a small machine's memory."""
    total = 0
    for line in tool(f"{tools}size", "-A", "-d", obj).splitlines():
        words = line.split()
        if len(words) == 3 and re.match(r"\.s?(text|rodata|data|bss)", words[0]):
            total += int(words[1])
    return [f"its code and variables take {total} bytes, {SIZE_LIMIT} are allowed"] if total > SIZE_LIMIT else []


def check_sections(tools, obj):
    """Sections are where somebody else looks for what to run: initcalls, constructors. And one that must lie at a
    multiple of 16 MiB makes an image of that size."""
    found = dict(re.findall(r"^\s*\d+ (\S+).*2\*\*(\d+)$", tool(f"{tools}objdump", "-h", obj), re.M))
    wrong = [f"a section of its own, {name}, is not allowed" for name in sorted(found)
             if not SECTIONS.match(name) or name.startswith((".init_array", ".fini_array"))]
    return wrong + [f"alignment to {1 << int(power)} bytes; {ALIGN_LIMIT} are allowed" for power in sorted(set(found.values()))
                    if 1 << int(power) > ALIGN_LIMIT]


def check_symbols(lab, names, reserved):
    """names: {path: (defined, undefined)} of the graded files; {path: [what is wrong]}."""
    exports, wrong = set(lab.toml["exports"]), {}
    ours = set().union(*(defined for defined, _ in names.values()))
    allowed = set(lab.toml["may_call"]) | set(lab.toml.get("via", [])) | exports | ours
    for path, (defined, undefined) in names.items():
        for name in sorted((defined - exports) & reserved):
            wrong.setdefault(path, []).append(f"it defines {name}, which belongs to the kernel or the harness")
        for name in sorted(undefined - allowed):
            if not COMPILER.match(name):
                wrong.setdefault(path, []).append(f"it calls {name}, which this lab's files may not call")
        for other, (theirs, _) in names.items():
            if other < path:
                for name in sorted(defined & theirs):
                    wrong.setdefault(path, []).append(f"it defines {name}, and so does {other}")
    return wrong


def check_headers(dependencies, top, stage):
    """What the compiler really read, from its list of dependencies."""
    wrong = set()
    for name in re.sub(r"\\\n", " ", dependencies.split(":", 1)[-1].split("\n\n")[0]).split():
        name = name.rstrip(":")
        path = os.path.normpath(os.path.join(top, name))
        if not path.startswith((f"{top}/kernel/", f"{stage}/")):
            wrong.add(f"it includes {name}, which is no header of the kernel")
        elif not path.startswith(f"{stage}/") and not path.endswith(".h"):
            wrong.add(f"it includes {name}, which is no header")
    return sorted(wrong)


def check_instructions(arch, tools, obj):
    wrong = set()
    for line in tool(f"{tools}objdump", "-d", "--no-show-raw-insn", obj).splitlines():
        words = line.split("\t")
        if len(words) < 2 or not line.startswith(" "):
            continue
        if PRIVILEGED[arch].match(words[1].strip()) and not GIVEN[arch].search(" ".join(words[2:])):
            wrong.add(f"privileged instruction: {' '.join(w.strip() for w in words[1:3])}")
    return sorted(wrong)
