#!/usr/bin/env python3
# test_formats.py - the same capture in every format, compression, order of files: the same records.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Usage: test_formats.py TOOL SAMPLES"""
import json
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import recode

TOOL, SAMPLES = sys.argv[1], Path(sys.argv[2])
NAMES = ["nginx-closes-early", "race-lost-request"]
UNREAD = 3
BUILT_WITHOUT = "was built without"


def run(*arguments, stdin=None):
    return subprocess.run([TOOL, "--format", "ndjson", "--exchanges", *map(str, arguments)], input=stdin,
                          capture_output=True, timeout=60)


def records(result):
    """Without what may differ: names of files, and the bytes of link headers."""
    found = [json.loads(line) for line in result.stdout.splitlines()]
    for record in found:
        for key in ("file", "file_frame", "files", "bytes"):
            record.pop(key, None)
    return [record for record in found if record["type"] != "capture"]


def can_decompress(compress):
    return BUILT_WITHOUT not in run("-", stdin=compress(b"no capture")).stderr.decode()


COMPRESSIONS = {name: compress for name, compress in recode.compressions().items() if can_decompress(compress)}


class Formats(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def samples(self):
        for name in NAMES:
            link, packets = recode.read_pcap((SAMPLES / name / "capture.pcap").read_bytes())
            plain = self.write("plain.pcap", recode.pcap(link, packets))
            with self.subTest(name):
                yield link, packets, records(run(plain))

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def same(self, expected, what, result):
        with self.subTest(what):
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            self.assertEqual(records(result), expected)

    def test_one_file(self):
        for link, packets, expected in self.samples():
            self.assertGreater(len(expected), 2)
            forms = {"big-endian": recode.pcap(link, packets, ">"), "nanoseconds": recode.pcap(link, packets, "<", 1),
                     "both": recode.pcap(link, packets, ">", 1), "modified": recode.pcap_modified(link, packets),
                     "pcapng": recode.pcapng(link, packets), "pcapng big-endian": recode.pcapng(link, packets, ">"),
                     "pcapng binary clock": recode.pcapng(link, packets, "<", 0x80 | 30),
                     "pcapng offset": recode.pcapng(link, packets, ">", 9, 1500000000),
                     "sections": recode.pcapng_sections(link, packets),
                     "interfaces": recode.pcapng_interfaces(link, packets),
                     "link types": recode.pcapng_links(link, packets),
                     "obsolete blocks": recode.pcapng_obsolete(link, packets)}
            for what, data in forms.items():
                self.same(expected, what, run(self.write("form", data)))
                self.same(expected, what + ", piped", run("-", stdin=data))
                for name, compress in COMPRESSIONS.items():
                    self.same(expected, f"{what}, {name}", run(self.write("form", compress(data))))
                    self.same(expected, f"{what}, {name}, piped", run("-", stdin=compress(data)))

    def test_filter_of_several_link_types(self):
        for link, packets, _ in self.samples():
            plain = run("--filter", "tcp", self.write("form", recode.pcap(link, packets)))
            mixed = run("--filter", "tcp", self.write("form", recode.pcapng_links(link, packets)))
            self.same(records(plain), "tcp", mixed)
            none = run("--filter", "udp", self.write("form", recode.pcapng_links(link, packets)))
            self.assertEqual([record["type"] for record in records(none)], ["summary"])

    def rotated(self, link, packets):
        """A file for every four packets, each of another kind."""
        kinds = [lambda part: recode.pcap(link, part), lambda part: recode.pcap(link, part, ">", 1),
                 lambda part: recode.pcapng(link, part)]
        compress = [lambda data: data, *COMPRESSIONS.values()]
        return [compress[at // 4 % len(compress)](kinds[at // 4 % 3](packets[at:at + 4]))
                for at in range(0, len(packets), 4)]

    def test_series_in_any_order(self):
        chance = random.Random(5)
        for link, packets, expected in self.samples():
            paths = [self.write(f"rotated{number}", data)
                     for number, data in enumerate(self.rotated(link, packets))]
            self.assertGreater(len(paths), 3)
            for what in ("as written", "newest first", "shuffled", "shuffled again"):
                self.same(expected, what, run(*paths))
                paths.reverse() if what == "as written" else chance.shuffle(paths)

    def test_directory(self):
        for link, packets, expected in self.samples():
            with tempfile.TemporaryDirectory(dir=self.folder) as place:
                place = Path(place)
                (place / "below").mkdir()
                for number, data in enumerate(self.rotated(link, packets)):
                    (place / ("below" if number % 2 else "") / f"{99 - number}.pcap").write_bytes(data)
                (place / "notes.txt").write_text("no capture\n")
                result = run("-r", place)
                found = records(result)
                self.assertEqual(result.returncode, 0)
                self.assertEqual([row["what"] for row in found[-1].pop("incomplete")], ["left-out"])
                expected[-1].pop("incomplete")
                self.assertEqual(found, expected)
                flat = records(run(place))
                self.assertLess(flat[-1]["packets"], len(packets))

    def test_overlapping_interfaces_are_merged(self):
        for link, packets, expected in self.samples():
            paths = [self.write(f"half{half}", recode.pcap(link, packets[half::2])) for half in (0, 1)]
            self.same(expected, "halves", run(*paths))
            self.same(expected, "halves", run(*reversed(paths)))

    def test_cut_is_told_and_the_rest_reported(self):
        link, packets = recode.read_pcap((SAMPLES / NAMES[0] / "capture.pcap").read_bytes())
        chance = random.Random(6)  # several blocks of what cannot be compressed
        packets += [recode.Packet(packets[-1].time_ns, 4000, chance.randbytes(4000)) for _ in range(200)]
        for name, compress in COMPRESSIONS.items():
            with self.subTest(name):
                data = compress(recode.pcap(link, packets))
                cut = self.write("cut", data[:len(data) * 3 // 4])
                result = run(cut)
                self.assertEqual(result.returncode, UNREAD)
                summary = records(result)[-1]
                self.assertGreater(summary["packets"], 0)
                told = [row for row in summary["incomplete"] if row["what"] == "input"]
                self.assertEqual(len(told), 1)
                self.assertRegex(told[0]["detail"], r"cut: .*at byte \d+.*everything before it was used")
                self.assertNotIn("\n", told[0]["detail"])

    def test_nothing_in_it(self):
        (self.folder / "none").mkdir()
        for path, text in [(self.folder / "none", "there is no capture in this directory"),
                           (self.write("empty", b""), "is empty"),
                           (self.write("garbage", b"\x1f\x8b\x08garbage, and more of it"), "gzip")]:
            with self.subTest(text):
                result = run(path)
                self.assertEqual((result.returncode, result.stdout), (UNREAD, b""))
                self.assertIn(text, result.stderr.decode())
                self.assertEqual(result.stderr.count(b"\n"), 1)


if __name__ == "__main__":
    print("compressions:", *COMPRESSIONS)
    unittest.main(argv=sys.argv[:1])
