#!/usr/bin/env python3
# test_agreement.py - can the comparison of tool and plugin fail?
# SPDX-License-Identifier: GPL-2.0-or-later
import copy
import importlib.util
import json
import sys
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
loader = SourceFileLoader("agreement", str(Path(__file__).parent / "agreement"))
agreement = importlib.util.module_from_spec(importlib.util.spec_from_loader("agreement", loader))
loader.exec_module(agreement)

CLIENT, SERVER = {"ip": "10.0.0.1", "port": 4000}, {"ip": "10.0.0.2", "port": 80}
RECORDS = [
    {"type": "connection", "stream": 3, "protocol": "http/1.1", "client": CLIENT, "server": SERVER, "first_frame": 7,
     "requests": 2, "responses": 2, "confidence": []},
    {"type": "finding", "id": "closed-early", "severity": "warn", "stream": 3, "frame": 12, "message": "too early"},
    {"type": "endpoint", "server": SERVER, "requests": 2},
]


def report(records):
    return agreement.Report("\n".join(map(json.dumps, records)).encode())


def differences(change):
    """What compare says when change() was done to the plugin's records."""
    changed = copy.deepcopy(RECORDS)
    change(changed)
    tool, plugin = report(RECORDS), report(changed)
    return [(stream, field) for stream, field, _ in (*agreement.compare_connections(tool, plugin),
                                                     *agreement.compare_findings(tool, plugin),
                                                     *agreement.compare_endpoints(tool, plugin))]


class Comparison(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(differences(lambda records: None), [])

    def test_a_field_of_a_connection(self):
        self.assertEqual(differences(lambda records: records[0].update(requests=1)), [("3", "requests")])

    def test_a_connection_less(self):
        found = differences(lambda records: records.pop(0))
        self.assertIn(("3", "record"), found)

    def test_other_numbers_of_streams(self):
        def renumber(records):
            records[0]["stream"] = records[1]["stream"] = 5
        self.assertEqual(differences(renumber), [("3", "stream")])

    def test_a_finding_less(self):
        self.assertEqual(differences(lambda records: records.pop(1)), [("3", "finding:closed-early")])

    def test_a_finding_on_another_frame(self):
        self.assertEqual(differences(lambda records: records[1].update(frame=13)), [("3", "finding:closed-early")] * 2)

    def test_another_message(self):
        self.assertEqual(differences(lambda records: records[1].update(message="so early")),
                         [("3", "finding:closed-early")])

    def test_an_endpoint(self):
        self.assertEqual(differences(lambda records: records[2].update(requests=3)),
                         [("10.0.0.2:80", "endpoint.requests")])


class Exceptions(unittest.TestCase):
    found = [agreement.Difference("a", "3", "requests", "tool 2, plugin 1")]

    def rules(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
            file.write(text)
            file.flush()
            return agreement.exceptions.read(Path(file.name))

    def test_none(self):
        self.assertEqual(len(agreement.judge([], "a", self.found)), 1)

    def test_covered(self):
        for columns in ("a\t3\trequests", "a\t*\trequests", "a\t*\t*"):
            self.assertEqual(agreement.judge(self.rules(f"{columns}\treason\n"), "a", self.found), [])

    def test_not_needed(self):
        self.assertIn("no longer needed", agreement.judge(self.rules("a\t3\trequests\treason\n"), "a", [])[0])

    def test_of_another_capture(self):
        self.assertEqual(agreement.judge(self.rules("b\t3\trequests\treason\n"), "a", []), [])

    def test_without_a_reason(self):
        with self.assertRaises(RuntimeError):
            self.rules("a\t3\trequests\n")


if __name__ == "__main__":
    unittest.main()
