#!/usr/bin/env python3
# test_golden.py - proves that golden.py notices each kind of mismatch, with a fake tool that says what it is told.
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import copy
import importlib.util
import io
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import golden

HAS_JSONSCHEMA = importlib.util.find_spec("jsonschema") is not None

FAKE = """#!/bin/sh
# Prints the prepared output of the format asked for.
[ "$1" = --format ] || exit 2
for last; do :; done
[ -f "$last" ] || exit 3
cat "@/$2.out"
echo "prepared message" >&2
exit "$(cat "@/status")"
"""

CONNECTION = {"type": "connection", "stream": 0, "protocol": "http/1.1", "client": {"ip": "10.0.0.1", "port": 4000},
              "advertised": {"timeout": 5, "max": 100}, "idle": {"count": 1, "longest": 3.000000001},
              "close": {"by": "server", "idle": 3.000000001, "verdict": "early"}, "confidence": [],
              "findings": ["closed-early", "abandoned"]}
FINDING = {"type": "finding", "id": "closed-early", "severity": "warn", "stream": 0, "values": {"short_by": 2.0},
           "cause": [], "frames": {"fin": 9}}
OTHER = {"type": "finding", "id": "abandoned", "severity": "note", "stream": 0}
SERVER = {"type": "finding", "id": "mass-close", "severity": "warn", "server": {"ip": "10.0.0.2", "port": 80}}
EXCHANGES = [{"type": "exchange", "stream": 0, "number": number, "status": 200, "idle_before": None}
             for number in (1, 2)]
RECORDS = [{"type": "capture", "schema": "keptalive/1"}, *EXCHANGES, FINDING, OTHER, SERVER, CONNECTION,
           {"type": "endpoint", "server": {"ip": "10.0.0.2", "port": 80}, "connections": 1},
           {"type": "summary", "packets": 12}]
EXPECTED = [{"type": "connection", "stream": 0, "advertised": {"max": 100}, "idle": {"longest": 3.000000001},
             "close": {"idle": {"min": 2.9, "max": 3.1}}, "findings": ["abandoned", "closed-early"]},
            {"type": "finding", "id": "closed-early", "stream": 0, "values": {"short_by": {"max": 2}}},
            {"type": "finding", "id": "abandoned", "stream": 0},
            {"type": "finding", "id": "mass-close", "server": {"port": 80}},
            {"type": "exchange", "stream": 0, "number": 2, "idle_before": None},
            {"type": "endpoint", "server": {"ip": "10.0.0.2"}, "connections": 1},
            {"type": "summary", "packets": 12}]
SCHEMA = {"$schema": "https://json-schema.org/draft/2020-12/schema", "oneOf": [
    {"type": "object", "properties": {"stream": {"type": "integer", "minimum": 0}, "type": {"const": kind}},
     "required": ["type"]} for kind in ("capture", "connection", "finding", "exchange", "endpoint", "summary")]}


class Golden(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = Path(holder.name)
        self.sample = self.directory / "sample"
        self.sample.mkdir()
        (self.sample / "capture.pcap").write_bytes(b"a capture")
        self.tool = self.directory / "keptalive"
        self.tool.write_text(FAKE.replace("@", str(self.directory)))
        self.tool.chmod(0o755)
        self.schema = self.directory / "schema.json"
        self.schema.write_text(json.dumps(SCHEMA))
        self.records, self.expected = copy.deepcopy(RECORDS), copy.deepcopy(EXPECTED)
        self.text(b"The report.\n")
        (self.sample / "report.txt").write_bytes(b"The report.\n")
        self.status(0)
        self.raw = None

    def text(self, output):
        (self.directory / "text.out").write_bytes(output)

    def status(self, number):
        (self.directory / "status").write_text(str(number))

    def record(self, kind, number=0):
        return [record for record in self.records if record["type"] == kind][number]

    def problems(self):
        lines = self.raw if self.raw is not None else "".join(json.dumps(line) + "\n" for line in self.records).encode()
        (self.directory / "ndjson.out").write_bytes(lines)
        (self.sample / "expect.ndjson").write_text(
            "# a comment\n\n" + "".join(json.dumps(line) + "\n" for line in self.expected))
        with contextlib.redirect_stdout(io.StringIO()) as self.said:
            found, self.skipped = golden.check(self.tool, self.sample, self.schema)
        return found

    def assert_fails(self, *texts):
        found = "\n".join(self.problems())
        for text in texts:
            self.assertIn(text, found)

    def change(self, kind, path, value, number=0):
        """Sets a value deep in the tool's record."""
        target = self.record(kind, number)
        *above, last = path.split(".")
        for key in above:
            target = target[key]
        target[last] = value

    def test_as_expected(self):
        self.assertEqual(self.problems(), [])
        self.assertEqual(self.skipped is None, HAS_JSONSCHEMA)

    # What every output must be

    def test_line_that_is_no_json(self):
        good = b'{"type":"capture"}\n{"type":"summary"}\n'
        self.expected = []
        for line, text in [(b"{\n", "output line 1"), (b"{\"type\":\"x\",\"a\":NaN}\n", "NaN"), (b"\n", "line 1"),
                           (b"[1]\n", "not an object with a type"), (b'{"type":"x","a":1,"a":2}\n', "twice"),
                           (b"{} {}\n", "line 1"), (b"\xff\n", "not UTF-8")]:
            with self.subTest(line):
                self.raw = line + good
                self.assert_fails(text)

    def test_last_line_without_end(self):
        self.raw = b'{"type":"capture"}\n{"type":"summary"}'
        self.assert_fails("does not end with a line end")

    def test_no_output(self):
        self.raw = b""
        self.assert_fails("the first record", "the last record")

    def test_capture_not_first(self):
        self.records.insert(0, self.records.pop(1))
        self.assert_fails("the first record, and no other, must be the capture")

    def test_two_captures(self):
        self.records.insert(1, self.records[0])
        self.assert_fails("the first record, and no other, must be the capture")

    def test_summary_not_last(self):
        self.records.insert(1, self.records.pop())
        self.assert_fails("the last record, and no other, must be the summary")

    @unittest.skipUnless(HAS_JSONSCHEMA, "python3-jsonschema is not installed")
    def test_not_as_the_schema_says(self):
        self.change("connection", "stream", -1)
        self.assert_fails("output line 7 is not as the schema says: stream: -1 is less than the minimum of 0")
        self.change("connection", "type", "connexion")
        self.assert_fails("output line 7 is not as the schema says: record: ")

    def test_without_schema_says_so(self):
        self.schema.unlink()
        self.assertEqual(self.problems(), [])
        self.assertIn("there is no schema", self.said.getvalue())

    def test_without_jsonschema_is_skipped_only_when_all_else_is_right(self):
        with mock.patch.dict(sys.modules, jsonschema=None):
            self.assertEqual(self.problems(), [])
            self.assertIn("python3-jsonschema", self.skipped)
            self.change("summary", "packets", 13)
            self.assert_fails("packets: expected 12, got 13")

    def test_connection_names_other_findings_than_told(self):
        self.change("connection", "findings", ["closed-early"])
        self.assert_fails('connection 0 names the findings ["closed-early"], told were ["abandoned", "closed-early"]')

    def test_exit_status(self):
        self.status(1)
        self.assert_fails("--format ndjson: exit status 1, expected 0", "prepared message", "--format text: exit status 1")

    def test_expected_exit_status(self):
        self.expected.append({"type": "exit", "status": 3})
        self.assert_fails("exit status 0, expected 3")
        self.status(3)
        self.assertEqual(self.problems(), [])

    # Each kind of difference

    def test_values_that_differ(self):
        for kind, path, value, text in [
                ("connection", "advertised.max", 99, "advertised.max: expected 100, got 99"),
                ("connection", "advertised.max", None, "advertised.max: expected 100, got null"),
                ("connection", "advertised", None, 'advertised: expected {"max": 100}, got null'),
                ("connection", "advertised", {}, "advertised.max: is not there"),
                ("connection", "idle.longest", 3.000000002, "idle.longest: expected 3.000000001"),
                ("connection", "close.idle", 2.899999999, 'close.idle: expected {"min": 2.9, "max": 3.1}'),
                ("connection", "close.idle", 3.100000001, "close.idle: expected"),
                ("connection", "close.idle", None, "close.idle: expected"),
                ("connection", "close.idle", "3", "close.idle: expected"),
                ("finding", "values.short_by", 2.1, "values.short_by: expected"),
                ("endpoint", "connections", True, "connections: expected 1, got true"),
                ("summary", "packets", "12", 'packets: expected 12, got "12"')]:
            with self.subTest(path=path, value=value):
                self.records = copy.deepcopy(RECORDS)
                self.change(kind, path, value)
                self.assert_fails(text)

    def test_lists_that_differ(self):
        for actual, expected in [(["a", "b"], ["a"]), (["a"], ["a", "a"]), ([1, 2], [2, 1]), ([], ["a"]), ("a", ["a"])]:
            with self.subTest(actual=actual, expected=expected):
                self.assertTrue(golden.differences(expected, actual))
        self.assertFalse(golden.differences(["b", "a"], ["a", "b"]))
        self.assertFalse(golden.differences([{"min": 1}, {"a": 1}], [2, {"a": 1, "b": 2}]))

    # Each expectation meets exactly one record, each connection and finding is expected

    def test_missing_records(self):
        for kind, text in [("connection", '0 records are {"type": "connection", "stream": 0}'),
                           ("finding", '0 records are {"type": "finding", "id": "closed-early", "stream": 0}'),
                           ("exchange", "0 records are"), ("endpoint", "0 records are")]:
            with self.subTest(kind):
                self.records = [record for record in copy.deepcopy(RECORDS) if record["type"] != kind]
                self.assert_fails(text)

    def test_finding_on_another_stream(self):
        self.change("finding", "stream", 1)
        self.assert_fails("0 records are", "not expected")

    def test_finding_of_another_server(self):
        self.change("finding", "server.port", 81, 2)
        self.assert_fails('0 records are {"type": "finding", "id": "mass-close"', "not expected")

    def test_exchange_that_differs(self):
        self.change("exchange", "idle_before", 1.5, 1)
        self.assert_fails("idle_before: expected null, got 1.5")

    def test_without_a_name_shows_the_closest(self):
        self.expected.append({"type": "exchange", "stream": 0, "status": 503, "idle_before": None})
        self.assert_fails("0 records are", "closest: status: expected 503, got 200")

    def test_record_told_twice(self):
        for kind in ("connection", "finding", "exchange", "endpoint"):
            with self.subTest(kind):
                self.records = copy.deepcopy(RECORDS)
                self.records.insert(1, self.record(kind, 1 if kind == "exchange" else 0))
                self.assert_fails("2 records are")

    def test_connection_nobody_expected(self):
        self.records.insert(1, {**CONNECTION, "stream": 1, "findings": []})
        self.assert_fails('not expected: {"type": "connection", "stream": 1')

    def test_finding_nobody_expected(self):
        self.records.insert(1, {**SERVER, "id": "leak"})
        self.assert_fails('not expected: {"type": "finding", "id": "leak"')

    def test_one_record_expected_twice(self):
        self.expected.append(EXPECTED[0])
        self.assert_fails("expects the same record as line 3")

    def test_expectations_that_mean_no_record(self):
        for line, text in [({"type": "connection"}, "connection needs a stream"),
                           ({"type": "finding", "stream": 0}, "finding needs an id"),
                           ({"type": "finding", "id": "closed-early"}, "finding needs an id, and a stream")]:
            with self.subTest(line):
                self.expected = EXPECTED + [line]
                self.assert_fails(text)

    def test_expectation_that_is_no_json(self):
        self.expected = [["a list"]]
        self.assert_fails("expect.ndjson: not an object with a type")

    def test_sample_without_capture(self):
        (self.sample / "capture.pcap").unlink()
        self.assert_fails("needs capture.pcap or capture.pcapng")

    # The text report

    def test_report_that_differs(self):
        for now in (b"The  report.\n", b"The report.", b"The report.\r\n", b"", b"The report.\nmore\n"):
            with self.subTest(now):
                self.text(now)
                self.assert_fails("the text report has changed")
        self.text(b"Another.\n")
        self.assert_fails("-The report.", "+Another.")

    def test_report_that_was_never_written(self):
        (self.sample / "report.txt").unlink()
        self.assert_fails("the text report has changed", "+The report.")
        self.text(b"")
        self.assert_fails("the text report has changed")

    # The commands

    def test_exit_statuses_of_the_command(self):
        def status(*options):
            self.problems()
            return subprocess.run([sys.executable, golden.__file__, "--tool", str(self.tool), *options,
                                   str(self.sample)], capture_output=True).returncode
        self.assertEqual(status("--schema", str(self.schema)), 0 if HAS_JSONSCHEMA else golden.SKIPPED)
        self.assertEqual(status(), 0)  # without a schema there is nothing to skip
        self.text(b"")
        self.assertEqual(status(), 1)


if __name__ == "__main__":
    unittest.main()
