# story.py - reads a case: who sent what when, and what must be said of it.
# SPDX-License-Identifier: GPL-2.0-or-later
"""The language is described in README.md. read(path) returns a Case or raises CaseError with file and line."""
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import expectation
import payload

SECOND_NS = 1_000_000_000
UNITS_NS = {"ms": 1_000_000, "s": SECOND_NS, "": SECOND_NS, "m": 60 * SECOND_NS}
CLIENT, SERVER = 0, 1
SIDES = {"client": CLIENT, "server": SERVER}
NAME = r"[A-Za-z][\w-]*"
NUMBER = r"\d+(?:\.\d+)?"
TIME = re.compile(rf"(?:(?P<label>{NAME})?(?P<plus>\+))?(?P<number>{NUMBER})(?P<unit>ms|s|m|)$")
EVENT = re.compile(rf"(?P<time>\S+)\s+(?:(?P<connection>{NAME})\s+)?(?P<side>[CS])>\s*(?P<what>.*)$")
LABEL = re.compile(rf"\s+@({NAME})$")
OPTIONS = re.compile(r"\s*\[([^\]]*)\]$")
OPTION = re.compile(r"""((?:"(?:\\.|[^"\\])*"|[^,"])+)(?:,|$)""")
SHIFT = re.compile(r"[+-]\d+$")
COMMENT = re.compile(r"\s{2,}#\s.*$")
REPEAT = re.compile(r"repeat\s+(\d+)\s+every\s+(\S+)(?:\s+from\s+(\S+))?$")
COUNTER = "{n}"
FLAGS = {"FIN": "fin", "RST": "rst", "ACK": "ack", "SYN": "syn", "SYN-ACK": "syn-ack"}
DEFAULT_PATH_NS = 50_000_000
TAIL_NS = 3 * SECOND_NS  # longer than a connection takes to settle


class CaseError(Exception):
    """A mistake in a case, with its place."""

    def __init__(self, path, line, text):
        super().__init__(f"{path}:{line}: {text}")


@dataclass
class Connection:
    name: str
    client: str
    server: str
    at_ns: int
    line: int
    bare: bool = False
    reuses: str = ""
    mute: set = field(default_factory=set)
    unseen: set = field(default_factory=set)
    mss: int = 1460
    scale: int = None  # of both sides' windows


@dataclass
class Event:
    """One line of the story: something a side sends."""
    line: int
    at_ns: int
    connection: str
    side: int
    kind: str            # "data", "fin", "rst", "ack", "syn", "syn-ack", "probe", "again", "gone"
    bytes: bytes = b""
    again: str = ""      # the label of what is sent once more
    label: str = ""
    options: dict = field(default_factory=dict)


@dataclass
class Repeat:
    """Lines told several times."""
    line: int
    count: int
    first_ns: int
    every_ns: int
    lines: list = field(default_factory=list)  # (number, text)


@dataclass
class Case:
    path: Path
    name: str            # "closed-early/nginx"
    title: str = ""
    path_ns: int = DEFAULT_PATH_NS
    point: str = "middle"  # of capture
    servers: dict = field(default_factory=dict)  # name -> {"port": 80, "named": "server"}
    clients: list = field(default_factory=list)
    proxies: list = field(default_factory=list)  # names that are a server and a client with one address
    connections: dict = field(default_factory=dict)
    events: list = field(default_factory=list)
    end_ns: int = None
    expectations: list = field(default_factory=list)
    source: list = field(default_factory=list)   # its lines

    def line_of(self, number):
        return self.source[number - 1].strip() if 0 < number <= len(self.source) else ""

    def event(self, label):
        return next((event for event in self.events if event.label == label), None)


def read(path, root):
    path = Path(path)
    return Reader(path, path.relative_to(root).with_suffix("").as_posix()).read()


class Reader:
    def __init__(self, path, name):
        self.case = Case(path, name)
        self.line = 0
        self.begin_ns = 0  # of the story, or of the repetition under way
        self.before_ns = 0
        self.repeated = None
        self.left = {}     # (connection, side) -> bytes of a message that `rest` sends
        self.asked = {}    # connection -> (method, event) of requests without an answer
        self.labels = {}

    def fail(self, text):
        raise CaseError(self.case.path, self.line, text)

    def read(self):
        self.case.source = self.case.path.read_text(encoding="utf-8").splitlines()
        for self.line, text in enumerate(self.case.source, 1):
            text = text.strip()
            if text.startswith("#"):
                if not self.case.events and not self.case.title:
                    self.case.title = text[1:].strip()
            elif text:
                self.statement(COMMENT.sub("", text))
        self.finish()
        return self.case

    def statement(self, text):
        if not self.case.title:
            self.fail("a case begins with a comment that tells its story")
        word = text.split()[0]
        known = {"path": self.path, "capture": self.capture, "server": self.server, "client": self.client,
                 "proxy": self.proxy,
                 "connect": self.connect, "expect": self.expect, "unless": self.unless, "repeat": self.repeat}
        if self.repeated is not None and word == "end":
            self.repeat_all()
        elif self.repeated is not None and word != "repeat":
            self.repeated.lines.append((self.line, text))
        elif word in known:
            known[word](text)
        elif text.split()[1:] == ["end"]:
            self.case.end_ns = self.time(word)
        else:
            self.event(text)

    def repeat(self, text):
        match = REPEAT.match(text)
        if not match or self.repeated is not None:
            self.fail("repeat COUNT every DURATION [from TIME], and not within another one")
        first_ns = self.time(match[3]) if match[3] else self.before_ns
        self.repeated = Repeat(self.line, int(match[1]), first_ns, self.duration(match[2]))

    def repeat_all(self):
        """Each time as if the story began anew, so much later."""
        repeated, self.repeated = self.repeated, None
        for number in range(repeated.count):
            self.begin_ns = self.before_ns = repeated.first_ns + number * repeated.every_ns
            for self.line, text in repeated.lines:
                self.statement(text.replace(COUNTER, str(number + 1)))
        self.begin_ns = 0

    def finish(self):
        if self.repeated is not None:
            self.line = self.repeated.line
            self.fail("repeat without end")
        if not self.case.events and not self.case.connections:
            self.fail("nothing happens")
        for event in self.case.events:
            for label in filter(None, (event.again, event.options.get("ack", "") or "")):
                if label != "nothing" and label not in self.labels:
                    self.line = event.line
                    self.fail(f"no line is named {label}")
        last_ns = max([event.at_ns for event in self.case.events]
                      + [connection.at_ns for connection in self.case.connections.values()])
        if self.case.end_ns is None:
            self.case.end_ns = last_ns + TAIL_NS
        if self.case.end_ns < last_ns:
            self.fail("the story goes on behind its end")
        try:
            for wanted in self.case.expectations:
                self.line = wanted.line
                expectation.check(wanted, self.case)
        except ValueError as error:
            self.fail(str(error))

    # ---- Times

    def duration(self, text):
        match = re.fullmatch(rf"(-?{NUMBER})(ms|s|m|)", text)
        if not match:
            self.fail(f"{text} is no duration")
        return int(Decimal(match[1]) * UNITS_NS[match[2]])

    def time(self, text):
        match = TIME.match(text)
        if not match:
            self.fail(f"{text} is no time, and no word that begins a line")
        base_ns = self.begin_ns
        if match["label"]:
            if match["label"] not in self.labels:
                self.fail(f"no line before is named {match['label']}")
            base_ns = self.labels[match["label"]].at_ns
        elif match["plus"]:
            base_ns = self.before_ns
        self.before_ns = base_ns + self.duration(match["number"] + match["unit"])
        return self.before_ns

    # ---- Declarations

    def path(self, text):
        words = text.split()
        if len(words) != 2:
            self.fail("path DURATION")
        self.case.path_ns = self.duration(words[1])

    def capture(self, text):
        points = {"client": "at-client", "middle": "middle", "server": "at-server"}
        if text.split()[1:] not in [[word] for word in points]:
            self.fail("capture client|middle|server")
        self.case.point = points[text.split()[1]]

    def words_of(self, words, known):
        """{"port": "80"} of ["port", "80"]; each word of `known` takes that many words, or may come often ("set")."""
        found = {}
        while words:
            word = words.pop(0)
            if word not in known:
                self.fail(f"{word}: expected one of {', '.join(known)}")
            if known[word] == 0:
                found[word] = True
                continue
            if not words:
                self.fail(f"{word} of what?")
            value = words.pop(0)
            if known[word] == "set":
                found.setdefault(word, set()).add(value)
            else:
                found[word] = value
        return found

    def server(self, text):
        words = text.split()[1:]
        if not words or words[0] in self.case.servers:
            self.fail("a server needs a name of its own")
        name = words.pop(0)
        found = self.words_of(words, {"port": 1, "named": 1})
        self.case.servers[name] = {"port": int(found.get("port", 80)), "named": found.get("named", name + ".example")}

    def client(self, text):
        words = text.split()[1:]
        if len(words) != 1 or words[0] in self.case.clients:
            self.fail("a client needs a name of its own")
        self.case.clients.append(words[0])

    def proxy(self, text):
        """A server and a client, on one host."""
        self.server(text)
        self.client("client " + text.split()[1])
        self.case.proxies.append(text.split()[1])

    def connect(self, text):
        words = text.split()[1:]
        options = {"from": 1, "to": 1, "bare": 0, "reuses": 1, "mute": "set", "unseen": "set", "mss": 1,
                   "scale": 1}
        at_ns = self.time(words.pop(0)) if words and TIME.match(words[0]) else self.before_ns
        name = words.pop(0) if words and words[0] not in options else ""
        found = self.words_of(words, options)
        if name in self.case.connections or ("" in self.case.connections and name):
            self.fail("several connections need names of their own")
        client, server = found.get("from"), found.get("to")
        if "reuses" in found:
            if found["reuses"] not in self.case.connections:
                self.fail(f"there is no connection {found['reuses']}")
            before = self.case.connections[found["reuses"]]
            client, server = client or before.client, server or before.server
        self.case.connections[name] = Connection(
            name, self.known(client, self.case.clients, "client"), self.known(server, self.case.servers, "server"),
            at_ns, self.line, "bare" in found, found.get("reuses", ""), self.sides(found.get("mute", ())),
            self.sides(found.get("unseen", ())), int(found.get("mss", 1460)),
            int(found["scale"]) if "scale" in found else None)

    def known(self, name, names, default):
        """The client or server of that name; the first when none is given, and `default` when there is none."""
        if not names and name in (None, default):
            self.client("client client") if default == "client" else self.server("server server")
        if name is None:
            return next(iter(names))
        if name not in names:
            self.fail(f"there is no {default} {name}")
        return name

    def sides(self, words):
        if not set(words) <= set(SIDES):
            self.fail("client or server")
        return {SIDES[word] for word in words}

    # ---- Events

    def event(self, text):
        label, options = "", {}
        while True:
            if match := LABEL.search(text):
                label = match[1]
            elif match := OPTIONS.search(text):
                options |= self.options(match[1])
            else:
                break
            text = text[:match.start()]
        match = EVENT.match(text)
        if not match:
            self.fail("expected TIME [CONNECTION] C> or S> and what is sent")
        if not self.case.connections:
            self.case.connections[""] = Connection("", self.known(None, self.case.clients, "client"),
                                                   self.known(None, self.case.servers, "server"), 0, self.line)
        connection = match["connection"] or ""
        if connection not in self.case.connections:
            self.fail(f"there is no connection {connection}" if connection else "which connection?")
        side = CLIENT if match["side"] == "C" else SERVER
        event = Event(self.line, self.time(match["time"]), connection, side, "data", label=label, options=options)
        self.what(event, match["what"].strip())
        if label:
            if label in self.labels:
                self.fail(f"line {self.labels[label].line} is named {label} already")
            self.labels[label] = event
        self.case.events.append(event)

    def options(self, text):
        found = {}
        for match in OPTION.finditer(text):
            words = match[1].strip().split(None, 1)
            if not words:
                continue
            name, value = words[0], words[1] if len(words) > 1 else ""
            if name in ("delay", "clock"):
                value = self.duration(value)
            elif name in ("first", "ttl", "id", "window", "snap"):
                if not value.isdigit():
                    self.fail(f"[{name} N]")
                value = int(value)
            elif name == "seq":
                if not SHIFT.match(value):
                    self.fail("[seq +N] or [seq -N]")
                value = int(value)
            elif name not in ("body", "ack", "lost", "fin", "rst", "uncaptured", "unacked", "copied", "reply", "syn", "urg",
                              "whole", "unsummed"):
                self.fail(f"{name} is no option")
            found[name] = value
        return found

    def what(self, event, text):
        words = text.split()
        if not words:
            self.fail("what is sent?")
        if text in FLAGS:
            event.kind = FLAGS[text]
        elif words[0] == "probe" and words[1:] in ([], ["1"]):
            event.kind, event.bytes = "probe", b"\0" * len(words[1:])
        elif words[0] == "again" and len(words) == 2:
            event.kind, event.again = "again", words[1]
        elif text == "gone":
            event.kind = "gone"
        elif words[0] == "rest":
            event.bytes = self.rest(event, words[1:])
        else:
            self.payload(event, text)

    def payload(self, event, text):
        server = self.case.servers[self.case.connections[event.connection].server]
        asked = self.asked.setdefault(event.connection, [])
        try:
            made, method, final = payload.make(text, event.options.get("body"), server["named"],
                                               asked[0][0] if asked and event.side == SERVER else "")
        except ValueError as error:
            self.fail(str(error))
        if method:
            asked.append((method, event))
        if final and asked:
            _, request = asked.pop(0)
            if event.at_ns < request.at_ns + self.case.path_ns // 2 and " 408" not in made.decode("latin-1")[:12]:
                self.fail(f"the request of line {request.line} has not arrived by then")
        first = event.options.get("first", len(made))
        event.bytes, self.left[event.connection, event.side] = made[:first], made[first:]

    def rest(self, event, words):
        key = event.connection, event.side
        left = self.left.get(key, b"")
        if not left:
            self.fail("there is no rest")
        count = int(words[0]) if words and words[0].isdigit() else len(left)
        self.left[key] = left[count:]
        return left[:count]

    # ---- Expectations

    def expect(self, text):
        self.expectation(text.split(None, 1)[1:], None, None)

    def unless(self, text):
        match = re.match(rf"unless\s+({NAME})(?:\s+({NAME}))?\s*:\s*(.*)$", text)
        if not match:
            self.fail("unless TRANSFORMATION GATE: EXPECTATION")
        self.expectation([match[3]], match[1], match[2])

    def expectation(self, rest, transformation, gate):
        try:
            self.case.expectations.append(
                expectation.read(self.line, rest[0] if rest else "", transformation, gate))
        except ValueError as error:
            self.fail(str(error))
