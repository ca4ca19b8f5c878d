#!/usr/bin/env python3
# test_memory.py - --memory: a flood that needs more stays near the limit, and the report says what was dropped.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Usage: test_memory.py TOOL MAKE_CAPTURE MEASURE SANITIZED"""
import gzip
import json
import lzma
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import recode

TOOL, MAKER, MEASURE = map(Path, sys.argv[1:4])
SANITIZED = sys.argv[4].upper() in ("ON", "1", "TRUE")  # a sanitizer's own memory says nothing about the tool's
LIMIT_BYTES, OUTSIDE_BYTES = 64 << 20, 16 << 20


class Case(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.path = self.folder / "flood.pcap"

    def make(self, *words):
        subprocess.run([MAKER, words[0], self.path, *map(str, words[1:])], check=True)

    def peak_bytes(self, limit, *words):
        said = subprocess.run([MEASURE, TOOL, *words, "--memory", limit, self.path], check=True, capture_output=True,
                              text=True)
        return int(said.stdout.split()[2]) * 1024

    def stays_within(self, limit="64M", *words):
        if not SANITIZED:
            self.assertLess(self.peak_bytes(limit, *words), LIMIT_BYTES + OUTSIDE_BYTES)

    def run_tool(self, limit, *words, status=0):
        run = subprocess.run([TOOL, *words, "--memory", limit, "--format", "ndjson", self.path], capture_output=True,
                             text=True)
        self.assertEqual(run.returncode, status, run.stderr)
        return run

    def records(self, limit, *words, status=0):
        return [json.loads(line) for line in self.run_tool(limit, *words, status=status).stdout.splitlines()]


class Memory(Case):

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

    def test_what_if(self):
        """What is kept for replaying is limited, too; what is left out is told."""
        self.make("small", 50_000, 50)
        what_if = "what-if", "--client-idle", "4s"
        *answers, summary = self.records("64M", *what_if)
        left_out = self.dropped([summary])["what-if"]
        answers = [record for record in answers if record["type"] == "what_if"]
        self.assertEqual({record["left_out"] for record in answers}, {left_out})
        kept = sum(record["captured"]["connections"] for record in answers)
        self.assertEqual(kept + left_out, summary["connections"])
        self.assertGreater(kept, 20_000)
        self.stays_within("64M", *what_if)
        self.assertNotIn("what-if", self.dropped(self.records("1G", *what_if)))


PACKET_BYTES = 120_000  # of each packet
PACKETS = 200 if SANITIZED else 1500  # what is decompressed is many times a window, where that is measured
TIME_S = 1_700_000_000


def pcap_head(link=1, snap=262144):
    return struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, snap, link)


def record_head(number, captured=PACKET_BYTES):
    return struct.pack("<IIII", TIME_S + number, 0, captured, captured)


def zstd_bomb(window_log, packets):
    """RFC 8878: a frame of raw blocks, and of one byte repeated."""
    def block(kind, size, data):
        return struct.pack("<I", size << 3 | kind << 1)[:3] + data
    yield b"\x28\xb5\x2f\xfd\0" + bytes([window_log - 10 << 3]) + block(0, 24, pcap_head())
    for number in range(packets):
        yield block(0, 16, record_head(number)) + block(1, PACKET_BYTES, b"x")
    yield struct.pack("<I", 1)[:3]  # the last one


def lz4_length(count):
    """What does not fit into a token's half."""
    return b"\xff" * ((count - 15) // 255) + bytes([(count - 15) % 255])


def lz4_bomb(blocks):
    """(a frame of the largest blocks, 4 MiB, each a packet repeated; how many packets)"""
    count = 16_000
    unit = record_head(0, 240) + b"x" * 240
    frame = b"\x04\x22\x4d\x18\x40\x70\xdf"
    for number in range(blocks):
        literals = unit if number else pcap_head() + unit
        repeated = (count - 1) * len(unit) - 5  # the last five bytes must be literals
        data = b"\xff" + lz4_length(len(literals)) + literals + struct.pack("<H", len(unit)) + \
            lz4_length(repeated - 4) + b"\x50" + b"xxxxx"
        frame += struct.pack("<I", len(data)) + data
    return frame + bytes(4), blocks * count


class Reading(Case):
    """Files made to take memory while they are read."""

    def told(self, limit, status):
        """(packets, what is told of the input) of a run with that exit status."""
        run = self.run_tool(limit, status=status)
        if not run.stdout:
            return 0, run.stderr
        summary = json.loads(run.stdout.splitlines()[-1])
        return summary["packets"], " ".join(row["detail"] for row in summary["incomplete"] if row["what"] == "input")

    def refused_within(self, limit):
        packets, why = self.told(limit, 3)
        self.assertIn("memory", why)
        self.stays_within(limit)
        return packets

    def test_zstd(self):
        for window_log, status in ((23, 0), (27, 3)):
            with open(self.path, "wb") as out:
                out.writelines(zstd_bomb(window_log, PACKETS))
            if status == 0:
                self.assertEqual(self.told("64M", 0), (PACKETS, ""))
                self.stays_within()
            else:
                self.refused_within("64M")
        self.assertEqual(self.told("1G", 0), (PACKETS, ""))

    def test_xz(self):
        data = pcap_head() + b"".join(record_head(number) + b"x" * PACKET_BYTES for number in range(PACKETS // 2))
        for dictionary, status in ((8 << 20, 0), (96 << 20, 3)):
            filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": dictionary}]
            self.path.write_bytes(lzma.compress(data, filters=filters))
            if status == 0:
                self.assertEqual(self.told("64M", 0), (PACKETS // 2, ""))
                self.stays_within()
            else:
                self.refused_within("64M")
        self.assertEqual(self.told("1G", 0), (PACKETS // 2, ""))

    def test_lz4(self):
        frame, packets = lz4_bomb(20)
        self.path.write_bytes(frame)
        self.assertEqual(self.told("64M", 0), (packets, ""))
        self.stays_within()

    def test_interfaces(self):
        def blocks(interfaces, room):
            out = recode.section("<") + recode.interface("<", 1) * interfaces
            return out + recode.block("<", 6, struct.pack("<IIIII", 0, 0, 0, room, room) + bytes(room))
        self.path.write_bytes(blocks(60_000, 8 << 20))
        self.assertEqual(self.told("64M", 0), (1, ""))
        self.stays_within()
        self.path.write_bytes(blocks(60_000, (16 << 20) - 20))
        self.assertEqual(self.refused_within("64M"), 0)
        self.assertEqual(self.told("1G", 0), (1, ""))

    def test_huge_packets(self):
        """Of D-Bus, libpcap takes them; as large as the file says they may be."""
        d_bus, size = 231, 100 << 20
        self.path.write_bytes(pcap_head(d_bus) + record_head(0, 1000) + bytes(1000))
        self.assertEqual(self.told("64M", 3), (1, ""))
        self.path.write_bytes(pcap_head(d_bus, 1 << 30) + record_head(0, size) + bytes(size))
        self.assertEqual(self.refused_within("64M"), 0)
        self.assertEqual(self.told("1G", 3), (1, ""))  # read; but its link type is not known

    def test_hundreds_of_files(self):
        """All are open at once: each has packets over the whole time."""
        files = 400
        self.path = self.folder / "many"
        self.path.mkdir()
        for compress, plenty in ((lambda data: data, "64M"), (gzip.compress, "1G")):
            for number in range(files):
                data = pcap_head() + b"".join(record_head(at, 60) + bytes(60) for at in range(3))
                (self.path / f"{number:03}").write_bytes(compress(data))
            self.assertEqual(self.told(plenty, 0), (3 * files, ""))
            if plenty == "64M":
                self.stays_within()
        self.assertGreater(self.refused_within("64M"), files)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
