#!/usr/bin/env python3
# house.py - checks that the house is built as docs/architecture.md says: who may include, call and name what.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Usage: house.py CHECK --tree DIR [--build DIR] [--core LIBRARY]

Each check returns the problems it found, one line each, naming the file. Exit status 0: none."""
import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

# The core is libc only, and of libc only what neither allocates, prints nor looks at the world.
CORE_HEADERS = {"assert.h", "arpa/inet.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h", "stdbool.h",
                "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h"}  # stdio.h for snprintf alone
CORE_CALLS = {"memchr", "memcmp", "memcpy", "memmove", "memset", "strchr", "strcmp", "strcspn", "strlen", "strncmp",
              "strnlen", "strrchr", "strspn", "strstr", "snprintf", "vsnprintf", "qsort", "bsearch", "inet_ntop", "inet_pton",
              "bcmp",  # what clang makes of memcmp() == 0
              "abort", "__assert_fail", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}
COMPILER_CALLS = re.compile(r"__(asan|lsan|ubsan|sanitizer|sancov)_|__gcov|__tsan_")

# Which rooms' headers each room may include besides its own; "tool" is pcap-tool/*.[ch].
PUBLIC_CORE = "core/keptalive.h"
ROOMS = {
    "core": [],
    "pcap-tool/capture": [PUBLIC_CORE, "pcap-tool/memory.h"],
    "pcap-tool/packet": [PUBLIC_CORE],
    "pcap-tool/stream": [PUBLIC_CORE, "pcap-tool/packet/packet.h"],
    "pcap-tool/report": [PUBLIC_CORE, "core/explanation.h", "pcap-tool/memory.h"],
    # Its own document, written with the report's means.
    "pcap-tool/what-if": [PUBLIC_CORE] + [f"pcap-tool/report/{name}.h" for name in
                                          ("color", "escape", "line", "table", "units", "wrap")],
    "plugin": [PUBLIC_CORE],
}

# Libraries with one room each: headers they are known by, and calls.
LIBRARIES = {
    "libpcap": (re.compile(r"^pcap([./-]|$)"), re.compile(r"\bpcap_\w+\s*\("), {"pcap-tool/capture"}),
    "decompression": (re.compile(r"^(zlib|zstd|lz4|lzma)"),
                      re.compile(r"\b(inflate\w*|ZSTD_\w+|LZ4F_\w+|lzma_\w+)\s*\("), {"pcap-tool/capture"}),
    "libseccomp": (re.compile(r"^seccomp"), re.compile(r"\bseccomp_\w+\s*\("), {"tool"}),
    "llhttp": (re.compile(r"^llhttp"), re.compile(r"\bllhttp_\w+\s*\("), {"pcap-tool/stream"}),
    "nghttp2": (re.compile(r"^nghttp2"), re.compile(r"\bnghttp2_\w+\s*\("), {"pcap-tool/stream"}),
    "epan and glib": (re.compile(r"^(epan|wsutil|wiretap|glib)"), re.compile(r"\b(g|proto_tree|wmem)_\w+\s*\("),
                      {"plugin"}),
}

LINES_LISTED, LINES_MAX = 400, 500
TEST_LINES_MAX = 700  # a test of many cases is read case by case
FUNCTION_LINES_LISTED = 60
SPDX = "SPDX-License-Identifier: GPL-2.0-or-later"
SOURCE_DIRECTORIES = ["core", "pcap-tool", "plugin", "tests", "samples", "cmake", ".ci"]


def sources(tree, suffixes=(".c", ".h"), below=("core", "pcap-tool", "plugin")):
    for directory in below:
        for path in sorted((tree / directory).rglob("*")):
            if path.is_file() and path.suffix in suffixes:
                yield path


def text_of(path):
    return path.read_text(encoding="utf-8", errors="replace")


def without_comments(text):
    """Comments become white space; strings and characters stay, whatever they hold."""
    def blank(match):
        return match.group() if match.group()[0] in "\"'" else "\n" * match.group().count("\n") + " "
    return re.sub(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", blank, text, flags=re.S)


def includes(path):
    """(line number, "<" or '"', name) of every #include."""
    for number, line in enumerate(without_comments(text_of(path)).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1), match.group(2)


def resolve(tree, path, name):
    """The file in the tree that #include "name" means, or None. A directory's own headers come before the core's."""
    own = tree / path.relative_to(tree).parts[0]
    for base in (path.parent, own, tree / "core", tree / "pcap-tool", tree / "plugin", tree):
        candidate = Path(os.path.normpath(base / name))
        if candidate.is_file() and candidate.is_relative_to(tree):
            return candidate
    return None


def room_of(tree, path):
    relative = path.relative_to(tree).as_posix()
    rooms = [room for room in ROOMS if relative.startswith(room + "/")]
    return max(rooms, key=len) if rooms else "tool" if relative.startswith("pcap-tool/") else None


# ---- Every header compiles alone ----------------------------------------------------------------

def compile_flags(build):
    """Directory -> compiler and flags of a source there, from compile_commands.json."""
    flags = {}
    for entry in json.loads(text_of(Path(build) / "compile_commands.json")):
        words = shlex.split(entry["command"])
        keep = [words[0]]
        for word, following in zip(words[1:], words[2:] + [""]):
            if re.match(r"-([DWIfm]|std=)", word):
                keep.append(word)
            elif word in ("-isystem", "-include"):
                keep += [word, following]
        flags.setdefault(Path(entry["file"]).parent, keep)
    return flags


def flags_for(tree, flags, header):
    """Those of the header's own directory, else of the nearest one above it in the tree."""
    for directory in header.parents:
        if directory in flags or directory == tree:
            return flags.get(directory)
    return None


def check_headers(tree, options):
    """Every header compiles alone."""
    flags, problems = compile_flags(options.build), []
    for header in sources(tree, (".h",), ("core", "pcap-tool", "plugin", "tests")):
        command = flags_for(tree, flags, header)
        if command is None:
            print(f"not built here, left out: {header.relative_to(tree)}")
            continue
        command = [*command, "-Werror", "-fsyntax-only", "-x", "c", "-"]
        run = subprocess.run(command, input=f'#include "{header}"\n', capture_output=True, text=True,
                             cwd=options.build)
        if run.returncode != 0:
            problems.append(f"{header.relative_to(tree)}: does not compile alone\n{run.stderr}")
    return problems


# ---- The core is libc only ----------------------------------------------------------------------

def check_core_includes(tree, options):
    """core/ includes a few libc headers and itself."""
    problems = []
    for path in sources(tree, (".c", ".h", ".def"), ("core",)):
        for number, kind, name in includes(path):
            if kind == "<" and name not in CORE_HEADERS:
                problems.append(f"{path.relative_to(tree)}:{number}: <{name}> is not for the core")
            if kind == '"' and (path.parent / name).resolve().parent != (tree / "core").resolve():
                problems.append(f'{path.relative_to(tree)}:{number}: "{name}" is not of the core')
    return problems


def check_core_symbols(tree, options):
    """The core's objects call nothing but a few pure libc functions: no clock, file, output, heap or library."""
    names = lambda *flags: subprocess.run(["nm", "-P", *flags, *options.core], capture_output=True, text=True,
                                          check=True).stdout
    defined = {line.split()[0] for line in names("--defined-only").splitlines() if len(line.split()) > 1}
    if not defined:
        return ["the core's library defines nothing"]
    problems, member = [], "core"
    for line in names("-u").splitlines():
        words = line.split()
        if line.endswith(":"):
            member = line.rstrip(":")
        if len(words) < 2 or words[1] != "U" or words[0] in defined or COMPILER_CALLS.match(words[0]):
            continue
        plain = re.sub(r"^__(\w+)_chk$", r"\1", words[0])  # _FORTIFY_SOURCE
        if words[0] not in CORE_CALLS and plain not in CORE_CALLS:
            problems.append(f"{member}: calls {words[0]}")
    return problems


# ---- Arrows point down --------------------------------------------------------------------------

def check_rooms(tree, options):
    """Each room includes only what lies below it, and only one room names each library."""
    problems = []
    for path in sources(tree):
        room = room_of(tree, path)
        for number, kind, name in includes(path):
            where = f"{path.relative_to(tree)}:{number}"
            problems += [f"{where}: only {' '.join(homes)} may include <{name}> ({library})"
                         for library, (header, _, homes) in LIBRARIES.items()
                         if header.match(name) and kind == "<" and room not in homes]
            target = resolve(tree, path, name) if kind == '"' else None
            if room in ROOMS and target and not may_include(tree, room, target):
                problems.append(f"{where}: {room} must not include {target.relative_to(tree)}")
        problems += library_calls(tree, path, room)
    return problems


def may_include(tree, room, target):
    return room_of(tree, target) == room or target.relative_to(tree).as_posix() in ROOMS[room]


def library_calls(tree, path, room):
    return [f"{path.relative_to(tree)}:{number}: only {' '.join(homes)} may call {match.group()[:-1].strip()}"
            for number, line in enumerate(without_comments(text_of(path)).splitlines(), 1)
            for _, call, homes in LIBRARIES.values() if room not in homes
            for match in call.finditer(line)]


# ---- Licence and size ---------------------------------------------------------------------------

def is_source(path):
    if path.suffix in {".c", ".h", ".def", ".py", ".sh", ".cmake", ".js", ".lua"} or path.name == "CMakeLists.txt":
        return True
    if path.suffix:
        return False
    with open(path, "rb") as file:
        return file.read(2) == b"#!"


def check_spdx(tree, options):
    """Every source file names its licence in its first ten lines."""
    paths = [tree / "CMakeLists.txt"] + [path for directory in SOURCE_DIRECTORIES
                                         for path in sorted((tree / directory).rglob("*")) if path.is_file()]
    return [f"{path.relative_to(tree)}: no line with {SPDX} among its first ten" for path in paths
            if is_source(path) and SPDX not in "\n".join(text_of(path).splitlines()[:10])]


def long_functions(text):
    """(line, name, lines) of functions over the listed length; as clang-format lays them out, braces in
    column 0 enclose a body."""
    start, name = None, ""
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > FUNCTION_LINES_LISTED:
                yield start, name, number - start - 1
            start = None
        elif start is None and (head := re.match(r"\w[^(]*?(\w+)\(", line)):
            name = head.group(1)


def check_sizes(tree, options):
    """No file exceeds 500 lines; lists those over 400 and functions over 60."""
    problems = []
    for path in sources(tree, below=("core", "pcap-tool", "plugin", "tests")):
        text, name = text_of(path), path.relative_to(tree)
        lines = len(text.splitlines())
        limit = TEST_LINES_MAX if name.parts[0] == "tests" else LINES_MAX
        if lines > limit:
            problems.append(f"{name}: {lines} lines, more than {limit}")
        elif lines > LINES_LISTED:
            print(f"{name}: {lines} lines")
        for start, function, length in long_functions(text):
            print(f"{name}:{start}: {function} has {length} lines")
    return problems


CHECKS = {"headers": check_headers, "core_includes": check_core_includes, "core_symbols": check_core_symbols,
          "rooms": check_rooms, "spdx": check_spdx, "sizes": check_sizes}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument("--build", help="build directory with compile_commands.json, for headers")
    parser.add_argument("--core", action="append", help="library or object file of the core, for core_symbols")
    options = parser.parse_args()
    problems = CHECKS[options.check](options.tree.resolve(), options)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
