# expectation.py - what must be said of a story: one expect or unless line.
# SPDX-License-Identifier: GPL-2.0-or-later
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

ANY = "any"
SEVERITIES = ("error", "warn", "note", "chat")
FAULTS = ("client", "server", "proxy", "middle", "network", "config", "capture")
TRANSFORMATIONS = ("plain", "split", "swapped", "resent", "duplicated", "ipv6", "at-client", "at-server", "wrapped",
                   "cut")
COUNTS = {"requests", "responses", "timeout", "max", "idles"}
TIMES = {"idle", "longest"}
WORDS = {"protocol", "proxied-for", "max-style", "verdict"}
TIMERS = {"server-timer", "client-timer"}  # of a server, or of one of its sites
TIMER_KINDS = ("none", "few", "fixed", "several", "by-site", "varied")
MARGIN_S = Decimal("0.005")  # captures and captured software are not more exact
FINDINGS_DEF = Path(__file__).resolve().parents[2] / "core" / "findings.def"
SUBJECT = re.compile(r"([A-Za-z][\w-]*):\s+(.*)$")
VALUE = re.compile(r"([a-z][\w]*)=(-?[\d.]+)(?:~([\d.]+))?$")


def known_findings():
    """id -> severity of every row of the catalogue."""
    rows = re.findall(r'KA_FINDING\(\w+,\s*"([^"]+)",\s*KA_(\w+)', FINDINGS_DEF.read_text(encoding="utf-8"))
    return {identity: severity.lower() for identity, severity in rows}


@dataclass
class Number:
    """A wanted number; margin None: the usual one."""
    value: Decimal
    margin: Decimal = None


@dataclass
class Expectation:
    line: int
    subject: str = ""         # a connection or a server
    transformation: str = ""  # of unless
    gate: str = ""
    facts: dict = field(default_factory=dict)
    finding: str = ""
    maybe: bool = False       # unless ...: maybe FINDING
    severity: str = ""
    fault: str = ""
    label: str = ""
    values: dict = field(default_factory=dict)


def read(line, text, transformation, gate):
    wanted = Expectation(line, transformation=transformation or "", gate=gate or "")
    if transformation and transformation not in TRANSFORMATIONS:
        raise ValueError(f"{transformation} is no transformation: {', '.join(TRANSFORMATIONS)}")
    if transformation and not gate:
        raise ValueError("unless needs a gate that says why")
    if match := SUBJECT.match(text):
        wanted.subject, text = match[1], match[2]
    words = text.split()
    if not words:
        raise ValueError("expect what?")
    if words[0] == "maybe" and transformation and len(words) == 2:
        wanted.maybe, words = True, words[1:]
    if words[0] in known_findings():
        finding(wanted, words)
    elif wanted.maybe or words[0].rstrip(",") not in COUNTS | TIMES | WORDS | TIMERS | {"close", "confidence"}:
        raise ValueError(f"{words[0]} is neither a finding nor a fact")
    else:
        for fact in text.split(","):
            read_fact(wanted, fact.split())
    return wanted


def finding(wanted, words):
    wanted.finding, *words = words
    if wanted.maybe:
        return
    for word in words:
        if word in SEVERITIES and not wanted.severity:
            wanted.severity = word
        elif word in FAULTS:
            wanted.fault = word
        elif word.startswith("@"):
            wanted.label = word[1:]
        elif match := VALUE.match(word):
            wanted.values[match[1]] = number(match[2], match[3])
        else:
            raise ValueError(f"{word}: expected a severity, a fault, @LABEL or value=NUMBER")
    if not wanted.severity:
        raise ValueError(f"{wanted.finding}: which severity?")


def number(text, margin=None):
    try:
        return Number(Decimal(text), Decimal(margin) if margin else None)
    except InvalidOperation as error:
        raise ValueError(f"{text} is no number") from error


def read_timer(wanted, name, words):
    """[of SITE] KIND [SECONDS], seconds only of a fixed one."""
    site = ""
    if len(words) > 2 and words[0] == "of":
        site, words = words[1], words[2:]
    kind, *seconds = words
    if kind not in TIMER_KINDS or len(seconds) > (kind == "fixed"):
        raise ValueError(f"{name}: [of SITE] and one of {', '.join(TIMER_KINDS)}, with seconds when it is fixed")
    wanted.facts[name, site] = kind, number(*seconds[0].partition("~")[::2]) if seconds else None


def read_fact(wanted, words):
    if not words or (len(words) < 2 and words[0] != "confidence"):
        raise ValueError("a fact needs a value")
    name, *values = words
    if name in TIMERS:
        read_timer(wanted, name, values)
        return
    if values == ["any"] and name in COUNTS | TIMES | WORDS and wanted.transformation:
        wanted.facts[name] = ANY
        return
    none = values == ["none"]
    if name in COUNTS | TIMES and len(values) == 1:
        value, _, margin = values[0].partition("~")
        wanted.facts[name] = None if none else number(value, margin)
    elif name in WORDS and len(values) == 1:
        wanted.facts[name] = None if none else values[0]
    elif name == "close" and (none or (len(values) == 2 and values[0] in ("client", "server")
                                       and values[1] in ("fin", "rst"))):
        wanted.facts[name] = ("none", "none") if none else tuple(values)
    elif name == "confidence":
        wanted.facts[name] = [] if none else values
    else:
        raise ValueError(f"{name} {' '.join(values)} is no fact")


def check(wanted, case):
    """Raises ValueError unless it names what the story has."""
    about_server = wanted.subject in case.servers and wanted.subject not in case.connections
    if not about_server and wanted.subject not in case.connections:
        raise ValueError(f"there is no connection {wanted.subject}" if wanted.subject else "of which connection?")
    if any((name[0] in TIMERS) != about_server for name in wanted.facts):
        raise ValueError("timers are facts of servers, all others of connections")
    if wanted.label and case.event(wanted.label) is None:
        raise ValueError(f"no line is named {wanted.label}")
    if wanted.finding and not (wanted.label or wanted.maybe or about_server or wanted.finding.startswith("cap-")):
        raise ValueError(f"{wanted.finding}: @LABEL of the line that decides is missing")


def excuses(line, subject, field, expectations):
    """What takes the place of the expectations that an exception of the plugin is about: any value, and findings that
    need not be found."""
    findings = [wanted.finding for wanted in expectations if wanted.finding and wanted.subject == subject]
    names = sorted(COUNTS | TIMES | WORDS | {"close", "confidence"})
    if field.startswith("finding:"):
        names, findings = [], [field.removeprefix("finding:")]
    elif field != "*":
        names, findings = [field], []
    maybe = [Expectation(line, subject, finding=identity, maybe=True) for identity in findings]
    return maybe + ([Expectation(line, subject, facts=dict.fromkeys(names, ANY))] if names else [])


def effective(expectations, others):
    """The expectations that always hold, with others put in the place of what they are about."""
    chosen = [wanted for wanted in expectations if not wanted.transformation]
    for other in others:
        if other.finding:
            replaced = [wanted for wanted in chosen
                        if (wanted.finding, wanted.subject) == (other.finding, other.subject)]
            chosen = [wanted for wanted in chosen if wanted not in replaced]
            if other.maybe and replaced:
                other = replace(other, severity=replaced[0].severity)
        else:
            chosen = [without_facts(wanted, other) for wanted in chosen]
        chosen.append(replace(other, transformation=""))
    return chosen


def without_facts(wanted, other):
    if wanted.subject != other.subject:
        return wanted
    return replace(wanted, facts={name: value for name, value in wanted.facts.items() if name not in other.facts})
