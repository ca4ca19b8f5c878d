# exceptions.py - where tool and plugin may differ: the rows of exceptions.tsv.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of `capture stream field reason`, separated by tabs; the tests that read them say what the columns mean, and
fail when one is no longer needed: `agreement` for captures, `tests/cases/run` for cases (`cases/DIRECTORY/NAME`, or
`cases/DIRECTORY/NAME:TRANSFORMATION`)."""
from pathlib import Path
from typing import NamedTuple

PATH = Path(__file__).resolve().parent / "exceptions.tsv"
ANY = "*"


class Rule(NamedTuple):
    line: int
    capture: str
    stream: str
    field: str

    def covers(self, difference):
        return (self.capture == difference.capture and self.stream in (ANY, difference.stream)
                and self.field in (ANY, difference.field))


def read(path):
    rules = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path else [], 1):
        if line.strip() and not line.startswith("#"):
            columns = line.split("\t")
            if len(columns) != 4 or not all(map(str.strip, columns)):
                raise RuntimeError(f"{path}:{number}: capture, stream, field and reason, separated by tabs")
            rules.append(Rule(number, *columns[:3]))
    return rules
