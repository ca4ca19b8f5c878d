#!/usr/bin/env python3
# test_healthy.py - can the test of the healthy samples fail?
# SPDX-License-Identifier: GPL-2.0-or-later
import importlib.util
import json
import sys
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
loader = SourceFileLoader("healthy", str(Path(__file__).parent / "healthy"))
healthy = importlib.util.module_from_spec(importlib.util.spec_from_loader("healthy", loader))
loader.exec_module(healthy)

CONNECTION = {"type": "connection", "stream": 0}


def finding(severity, **about):
    return {"type": "finding", "id": "closed-early", "severity": severity, "frame": 7, "message": "too early", **about}


def trouble(*records):
    return healthy.trouble("\n".join(map(json.dumps, records)).encode())


class Trouble(unittest.TestCase):
    def test_none(self):
        self.assertEqual(trouble(CONNECTION), [])

    def test_chat_is_none(self):
        self.assertEqual(trouble(CONNECTION, finding("chat", stream=0)), [])

    def test_above_chat(self):
        for severity in ("note", "warn", "error"):
            self.assertEqual(len(trouble(CONNECTION, finding(severity, stream=0))), 1)

    def test_of_a_server(self):
        self.assertEqual(len(trouble(CONNECTION, finding("warn", server={"ip": "10.0.0.1", "port": 80}))), 1)

    def test_silence_is_no_health(self):
        self.assertEqual(len(trouble({"type": "capture"})), 1)


class Mark(unittest.TestCase):
    def marked(self, text):
        with tempfile.TemporaryDirectory() as directory:
            (Path(directory) / "expect.ndjson").write_text(text)
            return healthy.is_healthy(Path(directory))

    def test_marked(self):
        self.assertTrue(self.marked('# a story\n{"type":"healthy"}\n{"type":"connection","stream":0}\n'))

    def test_not_marked(self):
        self.assertFalse(self.marked('# {"type":"healthy"}\n{"type":"connection","stream":0}\n'))


if __name__ == "__main__":
    unittest.main()
