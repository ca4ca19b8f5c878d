#!/usr/bin/env python3
# test_bench.py - proves that the benchmark runs and that its captures are what they claim to be; times nothing.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Usage: test_bench.py MAKE_CAPTURE BARE_LOOP MEASURE KEPTALIVE"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

MAKER, BARE, MEASURE, TOOL = map(Path, sys.argv[1:5])
FIN, SYN, ACK = 1, 2, 16
FLOODS = {"syn": 100, "garbage": 100, "unanswered": 100, "pipeline": 100, "head": 100, "collide": 100, "reuse": 100,
          "servers": 100}


def packets(path):
    """(time in us, client's address, from the server, flags, payload) of each."""
    data = path.read_bytes()
    at = 24
    while at < len(data):
        seconds, microseconds, captured, wire = struct.unpack_from("=IIII", data, at)
        assert captured == wire
        frame = data[at + 16:at + 16 + captured]
        ports = struct.unpack_from(">HH", frame, 34)
        from_server = ports[0] == 80
        client = (frame[30:34], ports[1]) if from_server else (frame[26:30], ports[0])
        start = 34 + (frame[46] >> 4) * 4
        assert struct.unpack_from(">H", frame, 16)[0] + 14 == captured
        assert sum(struct.unpack_from(">10H", frame, 14)) % 0xffff == 0  # the IP checksum is right
        yield seconds * 10**6 + microseconds, client, from_server, frame[47], frame[start:]
        at += 16 + captured


class Bench(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = Path(holder.name)

    def make(self, *arguments, name="one.pcap"):
        path = self.directory / name
        subprocess.run([MAKER, arguments[0], path, *map(str, arguments[1:])], check=True)
        return path

    def test_small_messages(self):
        all_packets = list(packets(self.make("small", 200, 20)))
        times = [packet[0] for packet in all_packets]
        self.assertEqual(times, sorted(times))
        flags, open_now, open_most = Counter(), set(), 0
        for _, client, from_server, bits, payload in all_packets:
            flags[bits & (SYN | FIN), from_server] += 1
            (open_now.add if bits & SYN else open_now.discard if bits & FIN else len)(client)
            open_most = max(open_most, len(open_now))
        self.assertEqual([flags[bits, side] for bits in (SYN, FIN) for side in (False, True)], [200] * 4)
        self.assertEqual(open_most, 20)
        requests = [payload for *_, from_server, _, payload in all_packets if payload and not from_server]
        responses = [payload for *_, from_server, _, payload in all_packets if payload and from_server]
        self.assertEqual(len(requests), len(responses))
        self.assertTrue(all(request.count(b"\r\n") == 12 for request in requests))  # ten fields
        self.assertTrue(all(b"\r\nKeep-Alive: timeout=5, max=" in response for response in responses))
        for response in responses:
            head, body = response.split(b"\r\n\r\n", 1)
            self.assertEqual(json.loads(unchunked(body) if b"chunked" in head else body)["state"], "open")
        self.assertTrue(0 < sum(b"chunked" in response for response in responses) < len(responses) / 2)

    def test_large_bodies(self):
        path = self.make("large", 1, 1)
        said = [int(payload.split(b"Content-Length: ")[1].split()[0]) for *_, payload in packets(path)
                if payload.startswith(b"HTTP")]
        bodies = [payload for *_, from_server, _, payload in packets(path)
                  if from_server and not payload.startswith(b"HTTP")]
        self.assertEqual(sum(map(len, bodies)), sum(said))
        self.assertTrue(all(1 << 20 <= size <= 16 << 20 for size in said))
        self.assertEqual(max(map(len, bodies)), 1448)
        acks = sum(not from_server and not payload for *_, from_server, _, payload in packets(path))
        self.assertAlmostEqual(acks / len(bodies), 0.5, delta=0.02)

    def test_idle_connections(self):
        counts = Counter((bits & (SYN | FIN), from_server, bool(payload))
                         for _, _, from_server, bits, payload in packets(self.make("idle", 50)))
        self.assertEqual(counts, {(SYN, False, False): 50, (SYN, True, False): 50, (0, False, True): 50,
                                  (0, True, True): 50, (0, False, False): 100, (0, True, False): 50})

    def test_no_connections(self):
        self.assertEqual(list(packets(self.make("idle", 0))), [])

    def test_same_arguments_make_the_same_bytes(self):
        first, second = self.make("small", 50, 10), self.make("small", 50, 10, name="two.pcap")
        self.assertEqual(first.read_bytes(), second.read_bytes())

    def test_floods(self):
        for name, times in FLOODS.items():
            with self.subTest(name):
                first, second = self.make(name, times), self.make(name, times, name="two.pcap")
                self.assertEqual(first.read_bytes(), second.read_bytes())
                run = subprocess.run([TOOL, "--format", "ndjson", first], capture_output=True, text=True, check=True)
                connections = json.loads(run.stdout.splitlines()[-1])["connections"]
                self.assertEqual(connections, {"garbage": connections, "pipeline": 100, "head": 100}.get(name, times))

    def test_unwritable_file_and_wrong_usage(self):
        run = lambda *words: subprocess.run([MAKER, *words], capture_output=True).returncode
        self.assertEqual(run("small", self.directory / "no" / "directory", "1", "1"), 1)
        self.assertEqual(run("huge", self.directory / "x"), 2)
        self.assertEqual(run(), 2)

    def test_bare_loop_counts(self):
        path = self.make("small", 20, 10)
        said = subprocess.run([BARE, path], capture_output=True, text=True, check=True).stdout
        count = len(list(packets(path)))
        self.assertEqual(said, f"{count} packets, {path.stat().st_size - 24 - 16 * count} bytes\n")

    def test_measure(self):
        def cost(*command):
            run = subprocess.run([MEASURE, *command], capture_output=True, text=True, check=True)
            return tuple(map(int, run.stdout.split())), run.stderr
        (cpu_us, wall_us, _, status), _ = cost("sleep", "0.2")
        self.assertEqual((status, cpu_us < wall_us, wall_us >= 200_000), (0, True, True))
        self.assertEqual(cost("sh", "-c", "echo output; exit 3")[0][3], 3)
        self.assertEqual(cost("sh", "-c", "kill -KILL $$")[0][3], 128 + 9)
        (_, _, _, status), said = cost("/no/such/command")
        self.assertEqual((status, "/no/such/command" in said), (127, True))
        peak = lambda size: cost(sys.executable, "-c", f"b'x' * {size}")[0][2]
        self.assertAlmostEqual(peak(64 << 20) - peak(1), 64 << 10, delta=8 << 10)

    def test_the_floods_run_and_clean_up(self):
        run = self.bench(TOOL, "--floods")
        self.assertEqual(run.returncode, 0, run.stderr)
        for name in ("idle", *FLOODS):
            self.assertRegex(run.stdout, rf"(?m)^  {name} +[\d,]+ .* us .* MB.* us .* MB")
        self.assertEqual(list(self.directory.iterdir()), [])

    def bench(self, tool, *more):
        command = [sys.executable, "-B", Path(__file__).parent / "run", "--tool", tool, "--maker", MAKER, "--bare",
                   BARE, "--measure", MEASURE, "--pairs", "1", "--divisor", "1000", *more]
        return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TMPDIR": self.directory})

    def test_the_benchmark_runs_and_cleans_up(self):
        run = self.bench(TOOL)
        self.assertEqual(run.returncode, 0, run.stderr)
        for text in ("small:", "large:", "processor time  ratio", "wall time", "packets/s", "peak memory",
                     "idle: 1000 open connections", "bytes each"):
            self.assertIn(text, run.stdout)
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_a_tool_that_fails_is_told_and_cleaned_up(self):
        run = self.bench("false")
        self.assertEqual(run.returncode, 1)
        self.assertIn("exit status 1", run.stderr)
        self.assertEqual(list(self.directory.iterdir()), [])


def unchunked(body):
    whole = b""
    while body:
        size, rest = body.split(b"\r\n", 1)
        length = int(size, 16)
        whole, body = whole + rest[:length], rest[length + 2:]
        if length == 0:
            assert body == b""
    return whole


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
