# excuses.py - the exceptions of the plugin that are about cases.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of tests/plugin/exceptions.tsv with the capture `cases/DIRECTORY/NAME` (in every transformation, checked in
`plain`) or `cases/DIRECTORY/NAME:TRANSFORMATION,...`; stream is the connection's name or, where there is one, `*`; field is a
fact of the grammar, `finding:ID`, or `*` for all of them. The plugin then need not say it; said, a finding is no graver than expected."""
import expectation
import verdict

PREFIX = "cases/"


class Excuse:
    def __init__(self, rule):
        self.case, _, transformations = rule.capture.removeprefix(PREFIX).partition(":")
        self.transformations = transformations.split(",") if transformations else []
        self.line = rule.line
        self.subject = rule.stream.replace("*", "")
        self.field = rule.field

    def holds_in(self, transformation):
        return not self.transformations or transformation in self.transformations

    def is_checked_in(self, transformation):
        return transformation in (self.transformations or ["plain"])

    def wanted(self, case):
        """What takes the place of the case's expectations."""
        return expectation.excuses(self.line, self.subject, self.field, case.expectations)


def of_cases(rules, cases):
    names = {case.name for case in cases}
    return [excuse for excuse in (Excuse(rule) for rule in rules if rule.capture.startswith(PREFIX))
            if excuse.case in names]


def judge(said, transformation, excuses, only=None):
    """verdict.judge of what the plugin said."""
    cases = {instance.variant.case.name: instance.variant.case for instance in said.capture.instances}
    by_case = {}
    for excuse in excuses:
        if excuse.holds_in(transformation) and excuse.case in cases:
            by_case.setdefault(excuse.case, []).extend(excuse.wanted(cases[excuse.case]))
    return verdict.judge(said, transformation, by_case, only)


def needless(said, transformation, excuses):
    """Problems: excuses without which the plugin would say what is expected."""
    found = []
    for excuse in excuses:
        if excuse.is_checked_in(transformation):
            others = [other for other in excuses if other is not excuse]
            problems, _ = judge(said, transformation, others, only=excuse.case)
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
        if case is None or not set(excuse.transformations) <= set(expectation.TRANSFORMATIONS):
            yield f"exceptions.tsv:{rule.line}: there is no {rule.capture}"
        elif excuse.subject not in case.connections:
            yield f"exceptions.tsv:{rule.line}: {excuse.case} has no connection {rule.stream}"
