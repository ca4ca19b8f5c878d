#!/usr/bin/env python3
# test_signals.py - the command on files and pipes: signals, the progress bar, and what it is confined to.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Usage: test_signals.py TOOL SAMPLES"""
import gzip
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

TOOL, SAMPLES = os.path.abspath(sys.argv[1]), Path(sys.argv[2])
CAPTURE = (SAMPLES / "race-lost-request" / "capture.pcap").read_bytes()
MANY = 10  # seconds: longer than anything takes


def has_sandbox():
    return status_of_waiting("Seccomp") == "2"


def status_of_waiting(name, *arguments):
    """A line of /proc/PID/status while the command waits for the first byte of its capture."""
    with Waiting(b"", *arguments) as tool:
        time.sleep(0.3)
        text = Path(f"/proc/{tool.process.pid}/status").read_text()
        tool.process.kill()
    return re.search(rf"^{name}:\s*(.*)$", text, re.M).group(1)


class Waiting:
    """The command, after it was given some bytes, waiting for more."""
    def __init__(self, data, *arguments, errors=subprocess.PIPE):
        self.process = subprocess.Popen([TOOL, "--format", "ndjson", *arguments, "-"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=errors)
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for end in (self.process.stdin, self.process.stdout, self.process.stderr):
            if end:
                end.close()

    def has_read(self):
        """Waits until nothing of it is in the pipe any more, and a while for what was read."""
        time.sleep(0.3)

    def end(self, number=None):
        """Its status, summary and standard error."""
        if number is not None:
            self.process.send_signal(number)
        else:
            self.process.stdin.close()
        self.process.wait(MANY)
        lines = self.process.stdout.read().splitlines()
        return (self.process.returncode, json.loads(lines[-1]) if lines else None,
                self.process.stderr.read().decode() if self.process.stderr else None)


class Signals(unittest.TestCase):
    def test_interrupted_while_it_waits(self):
        for what, data, number in [("plain", CAPTURE[:3000], signal.SIGINT), ("whole", CAPTURE, signal.SIGTERM),
                                   ("gzip", gzip.compress(CAPTURE)[:1500], signal.SIGINT)]:
            with self.subTest(what), Waiting(data) as tool:
                tool.has_read()
                status, summary, errors = tool.end(number)
                self.assertEqual((status, errors), (3, ""))
                self.assertGreater(summary["packets"], 20)
                self.assertEqual([row["what"] for row in summary["incomplete"]], ["interrupted"])

    def test_interrupted_before_a_packet(self):
        for data in (b"", CAPTURE[:10], gzip.compress(CAPTURE)[:4]):
            with self.subTest(len(data)), Waiting(data) as tool:
                tool.has_read()
                self.assertEqual(tool.end(signal.SIGINT),
                                 (3, None, "keptalive: standard input: was interrupted before anything of it was read\n"))

    def test_a_named_pipe_without_a_writer(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pipe"
            os.mkfifo(path)
            with subprocess.Popen([TOOL, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tool:
                time.sleep(0.3)
                tool.send_signal(signal.SIGTERM)
                self.assertEqual(tool.wait(MANY), 3)
            with subprocess.Popen([TOOL, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tool:
                path.write_bytes(CAPTURE)
                self.assertEqual((tool.wait(MANY), tool.stderr.read()), (0, b""))

    def test_progress_for_who_asks(self):
        with Waiting(CAPTURE) as tool:
            tool.has_read()
            tool.process.send_signal(signal.SIGUSR1)
            line = tool.process.stderr.readline().decode()
            self.assertRegex(line, r"^keptalive: 85 packets \(9,064 bytes\), \d connections open, \d findings so far\n$")
            status, summary, _ = tool.end()
            self.assertEqual((status, summary["packets"], summary["incomplete"]), (0, 85, []))

    def test_asking_does_not_disturb_writing(self):
        with subprocess.Popen([TOOL, "--format", "ndjson", "--exchanges", "-r", SAMPLES], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as tool:
            time.sleep(0.5)  # it waits for room in the pipe
            for _ in range(5):
                tool.send_signal(signal.SIGUSR1)
                time.sleep(0.02)
            out, _ = tool.communicate(timeout=MANY)
            self.assertEqual(tool.returncode, 0)
            self.assertEqual(json.loads(out.splitlines()[-1])["type"], "summary")


class Bar(unittest.TestCase):
    def shown(self, *arguments):
        """What a terminal gets when the command waits for more than a second."""
        try:
            ours, theirs = pty.openpty()
        except OSError as error:
            self.skipTest(f"there is no terminal to be had: {error}")
        os.environ["TERM"] = "xterm"
        with Waiting(CAPTURE, *arguments, errors=theirs) as tool:
            time.sleep(1.8)
            self.assertEqual(tool.end()[0], 0)
        os.close(theirs)
        text = b""
        while select.select([ours], [], [], 0.2)[0]:
            try:
                text += os.read(ours, 4096)
            except OSError:
                break
        os.close(ours)
        return text.decode()

    def test_drawn_after_a_second_and_taken_away(self):
        self.assertRegex(self.shown(), r"^(\r85 packets, \d findings\x1b\[K)+\r\x1b\[K$")

    def test_not_wanted(self):
        self.assertEqual(self.shown("--no-progress"), "")


class Sandbox(unittest.TestCase):
    """That it holds is proven by unit/test_sandbox; here, that the command is in it."""
    def test_before_the_first_byte(self):
        if not has_sandbox():
            self.skipTest("this system, or this build, has no seccomp")
        self.assertEqual(status_of_waiting("NoNewPrivs"), "1")
        self.assertEqual(status_of_waiting("Seccomp", "--no-sandbox"), "0")

    def test_same_report_with_and_without(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            (folder / "plain.pcap").write_bytes(CAPTURE)
            (folder / "packed.pcap").write_bytes(gzip.compress(CAPTURE))
            os.symlink("plain.pcap", folder / "link")
            runs = [["plain.pcap"], ["packed.pcap"], ["link"], ["."], ["plain.pcap", "packed.pcap", "link"],
                    ["--connections", "--exchanges", "plain.pcap"], ["--filter", "tcp port http", "plain.pcap"],
                    ["--filter", "host localhost", "link"], ["plain.pcap", "missing"], ["missing"], ["/etc/shadow"]]
            for arguments in runs:
                with self.subTest(arguments):
                    told = [subprocess.run([TOOL, *more, *arguments], cwd=folder, capture_output=True)
                            for more in ([], ["--no-sandbox"])]
                    self.assertEqual(*[(run.returncode, run.stdout, run.stderr) for run in told])

    def test_outputs(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            capture = folder / "plain.pcap"
            capture.write_bytes(CAPTURE)
            for name in ("new.txt", "new.txt", folder / "other.txt", "/dev/null", "/dev/stdout"):
                with self.subTest(name), open(folder / "stdout", "wb") as out:
                    run = subprocess.run([TOOL, "-o", name, capture], cwd=folder, stdout=out, stderr=subprocess.PIPE)
                    self.assertEqual((run.returncode, run.stderr), (0, b""))
            sizes = {(folder / name).stat().st_size for name in ("new.txt", "other.txt", "stdout")}
            self.assertEqual(len(sizes), 1)
            run = subprocess.run([TOOL, "-o", "never.txt", "missing"], cwd=folder, capture_output=True)
            self.assertEqual(run.returncode, 3)
            self.assertFalse((folder / "never.txt").exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
