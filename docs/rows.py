# rows.py - reads the rows of .def files, for the programs here that write pages from them.
# SPDX-License-Identifier: GPL-2.0-or-later
import re
import sys
from math import prod
from pathlib import Path

NS_PER_MS = 10**6
CONSTANTS = {"KA_MILLISECOND_NS": NS_PER_MS, "KA_SECOND_NS": 1000 * NS_PER_MS}

TOKEN = re.compile(r'/\*.*?\*/|"(?:[^"\\]|\\.)*"|[(),]|[^\s"(),/]+', re.DOTALL)


def rows(path, macro):
    """The arguments of each call of the macro; adjacent string literals become one."""
    return [arguments for _, arguments in all_rows(path, {macro})]


def all_rows(path, macros):
    """(macro, arguments) of each call of one of the macros, in the order of the file."""
    text = re.sub(r"^#.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    tokens = [t for t in TOKEN.findall(text) if not t.startswith("/*")]
    at = 0
    while at < len(tokens):
        if tokens[at] not in macros:
            at += 1
            continue
        macro, at = tokens[at], at + 2
        arguments, words, depth = [], [], 0
        while depth or tokens[at] != ")":
            token = tokens[at]
            depth += (token == "(") - (token == ")")
            if token == "," and not depth:
                arguments.append(joined(words))
                words = []
            else:
                words.append(token)
            at += 1
        yield macro, arguments + [joined(words)]


def joined(words):
    if words and all(word.startswith('"') for word in words):
        return "".join(word[1:-1].replace('\\"', '"') for word in words)
    return " ".join(words)


def table(heads, lines):
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(["| " + " | ".join(line) + " |" for line in [heads, ["---"] * len(heads)] + cells]) + "\n"


def value_of(expression):
    return prod(CONSTANTS.get(word) or int(word) for word in expression.split(" * "))


def write_or_check(path, text, program):
    """Writes the page; with --check only tells whether it is up to date. Returns the exit status."""
    if sys.argv[1:] == ["--check"]:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return 0
        print(f"docs/{path.name} is not up to date: run docs/{Path(program).name}")
        return 1
    if sys.argv[1:]:
        print(f"usage: {Path(program).name} [--check]", file=sys.stderr)
        return 2
    path.write_text(text, encoding="utf-8")
    return 0
