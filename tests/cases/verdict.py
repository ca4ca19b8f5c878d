# verdict.py - compares what was said of the stories in a capture with what they expect.
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal

import expectation

MOVED = ("at-client", "at-server")
ENDPOINT = re.compile(r'\{"type": ?"endpoint", ?"server": ?\{"ip": ?"([^"]*)", ?"port": ?(\d+)')


@dataclass
class Problem:
    case: object
    variant: str
    line: int   # of the case
    text: str


@dataclass
class Told:
    """What was said of one instance."""
    connections: dict = field(default_factory=dict)  # name -> record
    servers: dict = field(default_factory=dict)      # name -> endpoint record
    findings: list = field(default_factory=list)     # (subject, finding)


def timed_servers(capture):
    """(ip, port) of those of which a case expects timers."""
    return {instance.servers[wanted.subject] for instance in capture.instances
            for wanted in instance.variant.case.expectations
            if wanted.facts and wanted.subject in instance.servers and wanted.subject not in instance.ends}


def read_records(output, servers):
    """Records of servers are long, so only of those."""
    def is_wanted(line):
        match = ENDPOINT.match(line)
        return match is None or (match[1], int(match[2])) in servers
    return [json.loads(line, parse_float=Decimal) for line in output.decode("utf-8").splitlines() if is_wanted(line)]


def ends_of(record):
    return frozenset((record[side]["ip"], record[side]["port"]) for side in ("client", "server"))


def assign(capture, records):
    """(Told of each instance, strays: findings of nobody)."""
    places, servers, told = {}, {}, {}
    for instance in capture.instances:
        told[id(instance)] = Told()
        for name, ends in instance.ends.items():
            places.setdefault(frozenset(ends), []).append((instance, name))
        for name, address in instance.servers.items():
            servers[address] = instance, name
    by_stream, strays = {}, []
    connections = [record for record in records if record["type"] == "connection"]
    for record in sorted(connections, key=lambda record: record["first_frame"]):
        if places.get(ends_of(record)):
            instance, name = by_stream[record["stream"]] = places[ends_of(record)].pop(0)
            told[id(instance)].connections[name] = record
    for record in [record for record in records if record["type"] == "endpoint"]:
        instance, name = servers.get((record["server"]["ip"], record["server"]["port"]), (None, None))
        if instance is not None:
            told[id(instance)].servers[name] = record
    for finding in [record for record in records if record["type"] == "finding"]:
        stream = finding["pair"]["downstream"]["stream"] if "pair" in finding else finding.get("stream")
        place = by_stream.get(stream) if stream is not None else \
            servers.get((finding["server"]["ip"], finding["server"]["port"]))
        if place is None:
            strays.append(finding)
        else:
            told[id(place[0])].findings.append((place[1], finding))
    return told, strays


class Said:
    """What a front end said of a capture."""

    def __init__(self, capture, output):
        self.capture = capture
        self.told, strays = assign(capture, read_records(output, timed_servers(capture)))
        self.strays = [Problem(None, "", 0, f"a finding of no story: {json.dumps(stray, default=str)}")
                       for stray in strays]


def judge(said, transformation, excuses=None, only=None):
    """(problems of all instances, names of the cases that needed their `unless` lines). excuses: of a case, by its name;
    only: the name of the one case to judge."""
    capture, told, problems = said.capture, said.told, list(said.strays)
    excused = set()
    for instance in capture.instances:
        case = instance.variant.case
        if only not in (None, case.name):
            continue
        usual = expectation.effective(case.expectations, (excuses or {}).get(case.name, []))
        found = Judge(capture, instance, told[id(instance)], transformation, usual).judge()
        if found and gated(case, transformation):
            lowered = expectation.effective(usual, gated(case, transformation))
            lowered_found = Judge(capture, instance, told[id(instance)], transformation, lowered).judge()
            if not lowered_found:
                excused.add(case.name)
            found = lowered_found and found
        problems += found
    return problems, excused


def gated(case, transformation):
    return [wanted for wanted in case.expectations if wanted.transformation == transformation]


def needless(cases, transformation, excused):
    """`unless` lines nothing needs any more."""
    return [Problem(case, transformation, wanted.line, "nothing needs this line any more")
            for case in cases if case.name not in excused for wanted in gated(case, transformation)]


class Judge:
    """One instance."""

    def __init__(self, capture, instance, told, transformation, wanted):
        self.capture = capture
        self.instance = instance
        self.case = instance.variant.case
        self.told = told
        self.transformation = transformation
        self.wanted = wanted
        moved_ns = self.case.path_ns if transformation in MOVED else 0
        self.margin_s = expectation.MARGIN_S + Decimal(moved_ns) / 10**9
        self.problems = []

    def problem(self, line, text):
        self.problems.append(Problem(self.case, self.instance.variant.name, line, text))

    def judge(self):
        expected = set()
        for wanted in self.wanted:
            if wanted.gate:
                self.gate(wanted)
            if wanted.facts:
                self.facts(wanted)
            elif wanted.finding:
                expected.add((wanted.subject, wanted.finding))
                self.maybe(wanted) if wanted.maybe else self.finding(wanted)
        for subject, finding in self.told.findings:
            if (subject, finding["id"]) not in expected:
                _, event = self.capture.event_of(finding["frame"])
                self.problem(event.line if event else 0, "not expected: "
                             f"{subject + ': ' if subject else ''}{finding['id']} {finding['severity']} "
                             f"{finding['fault']}: {finding['message']}")
        return self.problems

    def gate(self, wanted):
        record = self.told.connections.get(wanted.subject)
        if record is not None and wanted.gate not in record["confidence"]:
            self.problem(wanted.line, f"confidence does not name {wanted.gate}: {record['confidence']}")

    # ---- Findings

    def told_of(self, wanted):
        return next((finding for subject, finding in self.told.findings
                     if (subject, finding["id"]) == (wanted.subject, wanted.finding)), None)

    def maybe(self, wanted):
        """It may be there, but not graver than expected elsewhere, or a note."""
        found = self.told_of(wanted)
        if found is not None and found["severity"] not in ("note", "chat", wanted.severity):
            self.problem(wanted.line, f"{wanted.finding}: maybe, but not {found['severity']}: {found['message']}")

    def finding(self, wanted):
        found = self.told_of(wanted)
        if found is None:
            others = [finding["id"] for subject, finding in self.told.findings if subject == wanted.subject]
            self.problem(wanted.line, f"{wanted.finding} was not found{': got ' + ', '.join(others) if others else ''}")
            return
        for name in ("severity", "fault"):
            if getattr(wanted, name) and found[name] != getattr(wanted, name):
                self.problem(wanted.line, f"{wanted.finding}: wanted {name} {getattr(wanted, name)}, got {found[name]}")
        if wanted.label:
            self.place(wanted, found)
        for name, number in wanted.values.items():
            if name not in found["values"]:
                self.problem(wanted.line, f"{wanted.finding}: {name} is not among {sorted(found['values'])}")
            elif not self.near(found["values"][name], number):
                self.problem(wanted.line,
                             f"{wanted.finding}: wanted {name}={number.value}, got {found['values'][name]}")

    def place(self, wanted, found):
        owner, event = self.capture.event_of(found["frame"])
        if owner is self.instance and event is not None and event.label == wanted.label:
            return
        got = f"line {event.line}: {self.case.line_of(event.line)}" if owner is self.instance and event else \
            f"frame {found['frame']}, which is no line of the story"
        self.problem(wanted.line, f"{wanted.finding}: wanted on line {self.case.event(wanted.label).line} "
                                  f"@{wanted.label}, got {got}")

    def near(self, got, number):
        margin = number.margin if number.margin is not None else self.margin_s
        return abs(Decimal(got) - number.value) <= margin

    # ---- Facts

    def facts(self, wanted):
        if wanted.subject not in self.case.connections:
            self.timers(wanted)
            return
        record = self.told.connections.get(wanted.subject)
        if record is None:
            self.problem(wanted.line, f"there is no record of the connection {wanted.subject}")
            return
        for name, value in wanted.facts.items():
            got = fact_of(record, name)
            if not self.is_fact(name, value, got):
                self.problem(wanted.line, f"wanted {name} {show(value)}, got {show(got)}")

    def timers(self, wanted):
        for (name, site), (kind, seconds) in wanted.facts.items():
            timer = timer_of(self.told.servers.get(wanted.subject, {}), name, site)
            got = "by-site" if timer.get("by_site") else timer.get("kind")
            if got != kind or (seconds is not None and not self.near(timer["median"], seconds)):
                self.problem(wanted.line, f"wanted {name}{' of ' * bool(site)}{site} {kind} {show(seconds)}, "
                                          f"got {got} {show(timer.get('median'))}")

    def is_fact(self, name, value, got):
        if value == expectation.ANY:
            return True
        if name == "confidence":
            return set(value) <= set(got) if self.transformation not in ("plain", "cut") else set(value) == set(got)
        if isinstance(value, expectation.Number):
            if got is None:
                return False
            return self.near(got, value) if name in expectation.TIMES else got == value.value
        return value == got


def timer_of(endpoint, name, site):
    """Of the server, or of that site; {}: there is no such site."""
    records = [record for record in endpoint.get("sites", []) if record["name"] == site] if site else [endpoint]
    return records[0].get("inferred", {}).get(name.replace("-timer", "_timeout"), {}) if records else {}


def fact_of(record, name):
    close = record["close"]
    return {"protocol": lambda: record["protocol"],
            "proxied-for": lambda: "{ip}:{port}".format(**record["proxied_for"]) if "proxied_for" in record else None,
            "requests": lambda: record["requests"],
            "responses": lambda: record["responses"],
            "timeout": lambda: record["advertised"]["timeout"],
            "max": lambda: record["advertised"]["max"],
            "max-style": lambda: record["advertised"]["max_style"],
            "close": lambda: (close["by"], close["how"]),
            "verdict": lambda: close["verdict"],
            "idle": lambda: close["idle"],
            "idles": lambda: record["idle"]["count"],
            "longest": lambda: record["idle"]["longest"],
            "confidence": lambda: record["confidence"]}[name]()


def show(value):
    if isinstance(value, expectation.Number):
        return str(value.value)
    if isinstance(value, (list, tuple)):
        return " ".join(value) or "none"
    return "none" if value is None else str(value)
