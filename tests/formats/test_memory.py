#!/usr/bin/env python3
# test_memory.py - --memory: a flood that needs more stays near the limit, and the report says what was dropped.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Usage: test_memory.py TOOL MAKE_CAPTURE MEASURE SANITIZED"""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL, MAKER, MEASURE = map(Path, sys.argv[1:4])
SANITIZED = sys.argv[4].upper() in ("ON", "1", "TRUE")  # a sanitizer's own memory says nothing about the tool's
LIMIT_BYTES, OUTSIDE_BYTES = 64 << 20, 16 << 20


class Memory(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.path = Path(holder.name) / "flood.pcap"

    def make(self, *words):
        subprocess.run([MAKER, words[0], self.path, *map(str, words[1:])], check=True)

    def peak_bytes(self, limit):
        said = subprocess.run([MEASURE, TOOL, "--memory", limit, self.path], check=True, capture_output=True, text=True)
        return int(said.stdout.split()[2]) * 1024

    def records(self, limit):
        run = subprocess.run([TOOL, "--memory", limit, "--format", "ndjson", self.path], check=True,
                             capture_output=True, text=True)
        return [json.loads(line) for line in run.stdout.splitlines()]

    def dropped(self, records):
        return {row["what"]: row["count"] for row in records[-1]["incomplete"]}

    def test_syn_flood(self):
        self.make("syn", 100_000)
        *rest, summary = self.records("64M")
        self.assertEqual(summary["connections"], 100_000)
        evicted = [record for record in rest if "lost-state" in record.get("confidence", [])]
        self.assertEqual(self.dropped([summary]), {"evicted": len(evicted)})
        self.assertGreater(len(evicted), 50_000)
        self.assertEqual(self.dropped(self.records("1G")), {})
        if not SANITIZED:
            self.assertLess(self.peak_bytes("64M"), LIMIT_BYTES + OUTSIDE_BYTES)
            self.assertGreater(self.peak_bytes("1G"), LIMIT_BYTES + OUTSIDE_BYTES)

    def test_busy_connections(self):
        """Each with some hundred requests that wait: memory is short long before there are too many of them."""
        self.make("pipeline", 40_000)
        records = self.records("64M")
        self.assertEqual(set(self.dropped(records)), {"evicted"})
        if not SANITIZED:
            self.assertLess(self.peak_bytes("64M"), LIMIT_BYTES + OUTSIDE_BYTES)
        self.assertEqual(records, self.records("64M"))  # secrets of hash tables change nothing

    def test_many_servers(self):
        self.make("servers", 20_000)
        *rest, summary = self.records("64M")
        self.assertEqual(summary["connections"], 20_000)
        dropped = self.dropped([summary])
        endpoints = sum(record["type"] == "endpoint" for record in rest)
        self.assertEqual(dropped["servers"] + endpoints, 20_000)
        if not SANITIZED:
            self.assertLess(self.peak_bytes("64M"), LIMIT_BYTES + OUTSIDE_BYTES)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
