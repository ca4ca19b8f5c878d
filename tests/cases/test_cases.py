#!/usr/bin/env python3
# test_cases.py - does the machinery of the cases do what README.md says?
# SPDX-License-Identifier: GPL-2.0-or-later
import importlib.machinery
import importlib.util
import json
import struct
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "plugin")]

import exceptions
import excuses
import expectation
import story
import transform
import verdict
from capture import Capture
from play import ACK, FIN, SYN, Play


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, str(HERE / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def case_of(text, name="closed-early/a"):
    """The story of that text."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / (name + ".case")
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        return story.read(path, Path(directory))


EARLY = """# A server closes early.
+0.1 C> GET /
+0.1 S> 200 | Connection: keep-alive | Keep-Alive: timeout=5
+3   S> FIN @close
+0.1 C> FIN
expect requests 1, idle 3.0
expect closed-early warn server @close idle=3.0
"""


class Grammar(unittest.TestCase):
    def refuse(self, text, line, words):
        with self.assertRaises(story.CaseError) as raised:
            case_of("# A story.\n" + text)
        self.assertRegex(str(raised.exception), rf"a\.case:{line}: .*{words}")

    def test_mistakes_are_told_with_their_line(self):
        self.refuse("+0.1 C> GET /\n+0.1 X> 200\n", 3, "expected TIME")
        self.refuse("+0.1 C> hello\n", 2, "no message")
        self.refuse("+0.1 C> GET / | nonsense\n", 2, "no header line")
        self.refuse("+0.1 C> GET / [wobbly]\n", 2, "no option")
        self.refuse("+0.1 C> again nobody\n", 2, "no line is named")
        self.refuse("+0.1 b C> GET /\n", 2, "no connection b")
        self.refuse("connect a\nconnect b\n+0.1 C> FIN\n", 4, "which connection")
        self.refuse("later+1 C> FIN\n", 2, "no line before is named")
        self.refuse("+0.1 C> FIN @a\n+0.1 S> FIN @a\n", 3, "already")
        self.refuse("+0.1 C> FIN\nexpect no-such-finding warn\n", 3, "neither a finding nor a fact")
        self.refuse("+0.1 C> FIN\nexpect closed-early warn\n", 3, "@LABEL")
        self.refuse("+0.1 C> FIN\nexpect closed-early @a\n", 3, "severity")
        self.refuse("+0.1 C> FIN\nexpect closed-early warn @b\n", 3, "no line is named b")
        self.refuse("+0.1 C> FIN\nexpect requests many\n", 3, "no number")
        self.refuse("+0.1 C> FIN\nunless plain: requests 1\n", 3, "gate")
        self.refuse("+0.1 C> FIN\nunless magic gate: requests 1\n", 3, "no transformation")
        self.refuse("+0.1 C> GET /\n+0.01 S> 200\n", 3, "has not arrived")
        self.refuse("+0.1 C> FIN\nexpect server-timer fixed\n", 3, "facts of servers")
        self.refuse("+0.1 C> FIN\nexpect server: requests 1\n", 3, "facts of servers")
        self.refuse("+0.1 C> FIN\nexpect server: server-timer often\n", 3, "of SITE")
        self.refuse("+0.1 C> FIN\nexpect server: server-timer several 5.0\n", 3, "of SITE")
        self.refuse("repeat 2\n", 2, "COUNT every DURATION")
        self.refuse("repeat 2 every 1s\nrepeat 2 every 1s\n", 3, "not within another")
        self.refuse("repeat 2 every 1s\n+1 C> FIN\n", 2, "repeat without end")
        self.refuse("repeat 2 every 1s\n+1 C> FIN @a\nend\n", 3, "already")
        self.refuse("+5 C> FIN\n3 end\n+0.1 S> FIN\n", 4, "goes on behind its end")

    def test_a_story_is_told_first(self):
        with self.assertRaisesRegex(story.CaseError, r"a\.case:1: .*begins with a comment"):
            case_of("+0.1 C> GET /\n")

    def test_times(self):
        case = case_of("# T.\n+1 C> GET / @ask\n+250ms S> 200\nask+2 C> FIN\n0.5m S> FIN\n")
        self.assertEqual([event.at_ns // 10**6 for event in case.events], [1000, 1250, 3000, 30000])

    def test_repetitions(self):
        case = case_of("# R.\nconnect 1 a\nrepeat 3 every 2s\n0.5 a C> GET /{n} @ask{n}\nask{n}+250ms a S> 200\n"
                       "end\n+1 a C> FIN\n0.5 a S> FIN\n")
        self.assertEqual([event.at_ns // 10**6 for event in case.events],
                         [1500, 1750, 3500, 3750, 5500, 5750, 6750, 500])
        self.assertEqual([event.bytes[4:6] for event in case.events[:6:2]], [b"/1", b"/2", b"/3"])
        self.assertEqual([event.line for event in case.events], [4, 5] * 3 + [7, 8])
        case = case_of("# R.\n7 C> FIN\nrepeat 2 every 2s from 3\n+1 S> FIN\nend\n")
        self.assertEqual([event.at_ns // 10**6 for event in case.events], [7000, 4000, 6000])

    def test_messages(self):
        case = case_of('# M.\n+1 C> HEAD /a | X: y\n+1 S> 200 | Content-Length: 7\n+1 C> POST /b HTTP/1.0 [body "xy"]\n'
                       '+1 S> HTTP/1.0 204\n+1 C> "a\\r\\n" "\\x00"\n')
        self.assertEqual([event.bytes for event in case.events], [
            b"HEAD /a HTTP/1.1\r\nHost: server.example\r\nX: y\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
            b"POST /b HTTP/1.0\r\nContent-Length: 2\r\n\r\nxy", b"HTTP/1.0 204 No Content\r\n\r\n", b"a\r\n\0"])

    def test_comments_end_lines(self):
        case = case_of("# C.\n+1 C> GET /   # a remark\n")
        self.assertTrue(case.events[0].bytes.startswith(b"GET / HTTP/1.1\r\n"))


class Playing(unittest.TestCase):
    def seen(self, text, point="middle"):
        return [(packet.segment.side, packet.flags & (SYN | FIN | ACK), packet.seq, packet.ack, len(packet.bytes),
                 packet.time_ns // 10**6) for packet in Play(case_of("# P.\n" + text), point).packets]

    def test_what_arrives_is_acknowledged(self):
        self.assertEqual(self.seen("+0.1 C> bytes 10\n"), [
            (0, SYN, 0, 0, 0, 10), (1, SYN | ACK, 0, 1, 0, 40), (0, ACK, 1, 1, 0, 60),
            (0, ACK, 1, 1, 10, 110), (1, ACK, 1, 11, 0, 140)])

    def test_crossing_needs_no_numbers(self):
        seen = self.seen("+1 S> FIN\n+0.01 C> bytes 5\n")
        self.assertIn((0, ACK, 1, 1, 5, 1020), seen)  # does not cover the FIN
        self.assertNotIn((1, ACK, 2, 6, 0, 1050), seen)  # and the server answers no payload any more

    def test_what_is_lost_is_not_acknowledged(self):
        text = "+1 C> bytes 5 [lost] @a\n+0.2 C> bytes 5\n+0.2 C> again a\n"
        self.assertEqual([packet[:5] for packet in self.seen(text)[3:]], [
            (0, ACK, 1, 1, 5), (0, ACK, 6, 1, 5), (1, ACK, 1, 1, 0), (0, ACK, 1, 1, 5), (1, ACK, 1, 11, 0)])
        self.assertEqual(len(self.seen(text, "at-client")), len(self.seen(text)))
        self.assertEqual(len(self.seen(text, "at-server")), len(self.seen(text)) - 1)

    def test_the_capture_point_moves_times(self):
        at = {point: [packet[5] for packet in self.seen("+1 C> FIN [unacked]\n", point)][-1]
              for point in ("at-client", "middle", "at-server")}
        self.assertEqual(at, {"at-client": 1000, "middle": 1010, "at-server": 1025})
        self.assertEqual(self.seen("capture server\n+1 C> FIN [unacked]\n", None)[-1][5], 1025)


class Transforming(unittest.TestCase):
    def setUp(self):
        self.case = case_of(EARLY)

    def payload(self, variant, side):
        packets = [packet for packet in variant.packets if packet.segment.side == side]
        found = {packet.seq + offset: packet.bytes[offset:offset + 1] for packet in packets
                 for offset in range(len(packet.bytes))}
        return b"".join(found[seq] for seq in sorted(found))

    def test_no_transformation_changes_what_is_sent(self):
        plain = transform.plain(self.case)[0]
        for name, tell in transform.TRANSFORMATIONS.items():
            for variant in tell(self.case):
                for side in (0, 1):
                    self.assertEqual(self.payload(variant, side), self.payload(plain, side), variant.name)
                times = [packet.time_ns for packet in variant.packets]
                self.assertEqual(times, sorted(times), variant.name)

    def test_each_transformation_changes_something(self):
        count = {name: [len(variant.packets) for variant in tell(self.case)]
                 for name, tell in transform.TRANSFORMATIONS.items()}
        plain = count["plain"][0]
        self.assertEqual(max(count["split"]) - plain, sum(len(event.bytes) - 1 for event in self.case.events
                                                          if event.bytes))
        self.assertEqual(count["duplicated"], [2 * plain])
        self.assertTrue(all(packets > plain for packets in count["resent"]))

    def test_many_packets_are_split_in_fewer_ways(self):
        case = case_of("# M.\nconnect a\nrepeat 100 every 1s\n0.1 a C> GET /\n+0.1 a S> 200\nend\n")
        variants = transform.split(case)
        plain = transform.plain(case)[0]
        self.assertLess(len(variants[0].packets), transform.BYTES_MAX + len(plain.packets))
        self.assertLess((len(variants) - 1) * len(plain.packets), transform.PACKETS_MAX + len(plain.packets))
        self.assertGreater(len(variants), 10)
        for variant in variants:
            self.assertEqual(self.payload(variant, 0), self.payload(plain, 0), variant.name)

    def test_checksums(self):
        capture = Capture(transform.plain(self.case) + transform.ipv6(self.case))
        for record in capture.records():
            packet = record[16:]
            header, pseudo = (20, packet[12:20]) if packet[0] >> 4 == 4 else (40, packet[8:40])
            if header == 20:
                self.assertEqual(int.from_bytes(packet[:20], "big") % 0xffff, 0)
            if packet[header - 8:header - 4] == b"\xc0\0\2\1":
                continue  # the last packet, which is somebody else's
            segment = packet[header:] + b"\0" * (len(packet) % 2)
            whole = pseudo + struct.pack("!II", len(packet) - header, 6) + segment
            self.assertEqual(int.from_bytes(whole, "big") % 0xffff, 0)


class Judging(unittest.TestCase):
    """What a program might say of EARLY."""

    def setUp(self):
        self.case = case_of(EARLY + "unless resent retransmitted: closed-early note @close\n")
        self.capture = Capture(transform.plain(self.case))
        (client, server) = self.capture.instances[0].ends[""]
        ends = {"client": dict(zip(("ip", "port"), client)), "server": dict(zip(("ip", "port"), server))}
        frame = next(number for number, (_, _, packet) in enumerate(self.capture.told, 1)
                     if packet.segment.event is not None and packet.segment.event.label == "close")
        self.record = {"type": "connection", "stream": 0, **ends, "first_frame": 1, "requests": 1, "protocol": "http/1.1",
                       "close": {"by": "server", "how": "fin", "idle": 3.0, "verdict": "early"}, "confidence": []}
        self.found = {"type": "finding", "id": "closed-early", "severity": "warn", "fault": "server", "stream": 0,
                      "frame": frame, "values": {"idle": 3.001}, "message": ""}
        self.excuses = None

    def problems(self, *findings, transformation="plain"):
        lines = "".join(json.dumps(record) + "\n" for record in (self.record, *findings))
        return [problem.text for problem in
                verdict.judge(verdict.Said(self.capture, lines.encode()), transformation, self.excuses)[0]]

    def test_as_expected(self):
        self.assertEqual(self.problems(self.found), [])

    def test_not_found(self):
        self.assertRegex(self.problems()[0], "closed-early was not found")

    def test_not_expected(self):
        self.assertRegex(self.problems(self.found, self.found | {"id": "kept-late"})[0], "not expected: kept-late")

    def test_differs(self):
        for change, words in (({"severity": "note"}, "severity"), ({"fault": "client"}, "fault"),
                              ({"frame": 1}, "wanted on line 4 @close"), ({"values": {"idle": 3.1}}, "idle=3.0"),
                              ({"values": {}}, "is not among")):
            self.assertRegex(self.problems(self.found | change)[0], words)

    def test_facts_differ(self):
        self.record["requests"] = 2
        self.assertEqual(self.problems(self.found), ["wanted requests 1, got 2"])

    def test_timers_differ(self):
        def told(kind, median, **more):
            return {"inferred": {"server_timeout": {"kind": kind, "median": median} | more}}
        self.case.expectations += [expectation.read(9, text, None, None) for text in
                                   ("server: server-timer by-site", "server: server-timer of a fixed 3.0")]
        (ip, port), = self.capture.instances[0].servers.values()
        server = {"type": "endpoint", "server": {"ip": ip, "port": port}, **told("several", None, by_site=True),
                  "sites": [{"name": "b"} | told("few", None), {"name": "a"} | told("fixed", 3.004)]}
        self.assertEqual(self.problems(self.found, server), [])
        self.assertRegex(self.problems(self.found, server | told("several", None))[0], "by-site none, got several")
        for sites in ([], [{"name": "a"} | told("few", None)], [{"name": "a"} | told("fixed", 3.1)]):
            self.assertRegex(self.problems(self.found, server | {"sites": sites})[0], "server-timer of a fixed 3.0")
        self.assertEqual(len(self.problems(self.found)), 2)

    def test_lowered_only_with_its_gate(self):
        lowered = self.found | {"severity": "note"}
        self.assertEqual(len(self.problems(lowered, transformation="resent")), 1)
        self.record["confidence"] = ["retransmitted"]
        self.assertEqual(self.problems(lowered, transformation="resent"), [])
        self.assertEqual(len(self.problems(lowered)), 1)

    def test_excused_where_an_exception_is_listed(self):
        rules = [exceptions.Rule(7, f"cases/{self.case.name}", "*", field)
                 for field in ("finding:closed-early", "requests")]
        self.record["requests"] = 2
        self.assertEqual(len(self.problems()), 2)
        listed = excuses.of_cases(rules, [self.case])
        said = json.dumps(self.record).encode()
        graver = verdict.Said(self.capture, said + b"\n" + json.dumps(self.found | {"severity": "error"}).encode())
        said = verdict.Said(self.capture, said)
        self.assertEqual(excuses.judge(said, "plain", listed)[0], [])
        self.assertEqual(excuses.needless(said, "plain", listed), [])
        self.assertRegex(excuses.judge(graver, "plain", listed)[0][0].text, "maybe, but not error")

    def test_needless_exceptions_are_told(self):
        rule = exceptions.Rule(7, f"cases/{self.case.name}:plain", "*", "finding:closed-early")
        said = verdict.Said(self.capture, (json.dumps(self.record) + "\n" + json.dumps(self.found)).encode())
        listed = excuses.of_cases([rule], [self.case])
        self.assertRegex(excuses.needless(said, "plain", listed)[0].text, "exceptions.tsv:7")
        self.assertEqual(excuses.needless(said, "resent", listed), [])

    def test_exceptions_name_what_there_is(self):
        for capture, stream in (("cases/no/such", "*"), (f"cases/{self.case.name}:magic", "*"),
                                (f"cases/{self.case.name}", "b")):
            rule = exceptions.Rule(7, capture, stream, "requests")
            self.assertEqual(len(list(excuses.unknown([rule], [self.case]))), 1)

    def test_needless_excuses_are_told(self):
        self.assertEqual(len(verdict.needless([self.case], "resent", set())), 1)
        self.assertEqual(verdict.needless([self.case], "resent", {self.case.name}), [])


class Coverage(unittest.TestCase):
    def setUp(self):
        self.check = load("check")
        self.known = {"closed-early": "warn", "cap-gap": "note"}
        self.holds = case_of(EARLY)
        self.silent = case_of("# S.\n+0.1 C> GET /\n")

    def problems(self, cases):
        return self.check.coverage(cases, self.known)

    def test_both_are_needed(self):
        self.assertEqual(self.problems([self.holds, self.silent]), [])
        self.assertRegex(self.problems([self.holds])[0], "a neighbour in which it does not")
        self.assertRegex(self.problems([self.silent])[0], "a case in which it holds")

    def test_timing_diagnoses_need_both_edges(self):
        timed = self.check.read_timed()
        self.assertIn("closed-early", timed)
        self.assertNotIn("ka-bare-number", timed)
        inside = case_of(EARLY, "closed-early/just-inside")
        self.assertRegex(self.check.edges([inside], {"closed-early"})[0], "no case just outside")
        outside = case_of(EARLY, "closed-early/x-just-outside")
        self.assertEqual(self.check.edges([inside, outside], {"closed-early"}), [])

    def test_exceptions_are_counted(self):
        rules = [exceptions.Rule(1, capture, "*", "requests") for capture in ["cases/a/b", "sample"] * 5 + ["x/y.pcap"]]
        self.assertEqual(self.check.too_many(rules), [])
        self.assertEqual(len(self.check.too_many(rules + [rules[1]])), 1)

    def test_torture_page(self):
        head = "| trouble | what | cases |\n|---|---|---|\n"
        names = ["tcp-torture/gap", "healthy/node"]
        self.assertEqual(self.check.torture(head + "| gaps | x | `tcp-torture/gap`, `healthy/node` |\n", names), [])
        self.assertRegex(self.check.torture(head + "| gaps | x | `tcp-torture/none` |\n", names)[0], "there is no case")
        self.assertRegex(self.check.torture(head + "| gaps | x | y |\n", names)[0], "names no case")
        self.assertRegex(self.check.torture(head + "| gaps | x | `healthy/node` |\n", names)[0], "no row")
        self.assertRegex(self.check.torture("", [])[0], "has no table")


if __name__ == "__main__":
    unittest.main()
