# excuses.py - the exceptions of the plugin that are about cases.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of tests/plugin/exceptions.tsv with the capture `cases/DIRECTORY/NAME` (in every transformation, checked in
`plain`) or `cases/DIRECTORY/NAME:TRANSFORMATION`; stream is the connection's name or, where there is one, `*`; field is a
fact of the grammar, `*` (all facts) or `finding:ID`. The plugin then need not say it; said, a finding is no graver than expected."""
import expectation
import verdict

PREFIX = "cases/"


class Excuse:
    def __init__(self, rule):
        self.case, _, self.transformation = rule.capture.removeprefix(PREFIX).partition(":")
        self.line = rule.line
        self.wanted = expectation.excuse(rule.line, rule.stream.replace("*", ""), rule.field)

    def holds_in(self, transformation):
        return self.transformation in ("", transformation)

    def is_checked_in(self, transformation):
        return transformation == (self.transformation or "plain")


def of_cases(rules, cases):
    names = {case.name for case in cases}
    return [excuse for excuse in (Excuse(rule) for rule in rules if rule.capture.startswith(PREFIX))
            if excuse.case in names]


def judge(capture, output, transformation, excuses):
    """verdict.judge of what the plugin said."""
    by_case = {}
    for excuse in excuses:
        if excuse.holds_in(transformation):
            by_case.setdefault(excuse.case, []).append(excuse.wanted)
    return verdict.judge(capture, output, transformation, by_case)


def needless(capture, output, transformation, excuses):
    """Problems: excuses without which the plugin would say what is expected."""
    found = []
    for excuse in excuses:
        if excuse.is_checked_in(transformation):
            problems, _ = judge(capture, output, transformation, [other for other in excuses if other is not excuse])
            if not any(problem.case and problem.case.name == excuse.case for problem in problems):
                found.append(verdict.Problem(None, "", 0, f"exceptions.tsv:{excuse.line}: nothing needs this line any more"))
    return found


def unknown(rules, cases):
    """Problems of rows: no such case, transformation, or connection."""
    by_name = {case.name: case for case in cases}
    for rule in rules:
        if not rule.capture.startswith(PREFIX):
            continue
        excuse = Excuse(rule)
        case = by_name.get(excuse.case)
        if case is None or excuse.transformation not in ("", *expectation.TRANSFORMATIONS):
            yield f"exceptions.tsv:{rule.line}: there is no {rule.capture}"
        elif excuse.wanted.subject not in case.connections:
            yield f"exceptions.tsv:{rule.line}: {excuse.case} has no connection {rule.stream}"
