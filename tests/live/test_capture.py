#!/usr/bin/env python3
# test_capture.py - the command captures the traffic of a real server and client, and judges it meanwhile.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Usage: test_capture.py TOOL SAMPLES

Skipped (status 77) where nobody may capture."""
import json
import os
import pwd
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import namespace

TOOL = os.path.abspath(sys.argv[1])
ADVERTISED_S, IDLE_S, SETTLE_S = 5, 0.5, 2
MANY = 10  # seconds: longer than anything takes, and a test that hangs ends


class Server(threading.Thread):
    """Closes idle connections long before the timeout it advertises."""
    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, connection):
        connection.settimeout(IDLE_S)
        with connection:
            try:
                while (request := connection.recv(65536)):
                    body = b"x" * (int(request.split()[1][1:] or b"2"))
                    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=%d\r\n"
                                       b"Content-Length: %d\r\n\r\n%s" % (ADVERTISED_S, len(body), body))
            except TimeoutError:
                pass


def get(port, size=2):
    """One request, and then the server's close."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /%d HTTP/1.1\r\nHost: test\r\n\r\n" % size)
        while client.recv(1 << 20):
            pass
        return client.getsockname()[1]


class Tool:
    """The command, capturing."""
    def __init__(self, *arguments, interface="lo"):
        self.process = subprocess.Popen([TOOL, "--interface", interface, *map(str, arguments)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.ready = self.process.stderr.readline().decode()

    def line(self):
        """The next line of its output, which must come while it runs."""
        if not select.select([self.process.stdout], [], [], MANY)[0]:
            raise AssertionError("nothing came")
        return os.read(self.process.stdout.fileno(), 1 << 16).decode()

    def status_of(self, name):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return line.split(":")[1].split()
        return None

    def end(self, number=signal.SIGINT):
        """Its status, the rest of its output and of its standard error."""
        if number is not None:
            self.process.send_signal(number)
        out, errors = self.process.communicate(timeout=MANY)
        return self.process.returncode, out.decode(), errors.decode()


def records(text, kind):
    return [record for record in map(json.loads, text.splitlines()) if record["type"] == kind]


class Capture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.port = Server().port

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def test_a_finding_is_told_when_it_is_decided(self):
        tool = Tool()
        self.assertEqual(tool.ready, "keptalive: capturing on lo; Ctrl-C ends it and reports\n")
        client = get(self.port)
        line = tool.line()  # no packet comes any more: time passes all the same
        self.assertRegex(line, rf"^[-0-9]+ [0-9:.]+ warn closed-early stream 0, 127.0.0.1:{client} -> "
                               rf"127.0.0.1:{self.port}: The server advertised 5 s but closed after 0.5")
        self.assertEqual(line.count("\n"), 1)
        status, out, errors = tool.end()
        self.assertEqual((status, errors), (0, ""))
        self.assertIn("\n  Interface    lo\n", out)
        self.assertIn("--ring would have kept them", out)
        self.assertIn("1 warning on 1 of 1 connection.", out)
        self.assertNotIn("Not read", out)

    def test_ndjson_line_by_line(self):
        tool = Tool("--format", "ndjson", "--filter", f"tcp port {self.port}")
        first = json.loads(tool.line())
        self.assertEqual((first["files"], first["interfaces"]), ([], ["lo"]))
        get(self.port)
        early = tool.line()
        self.assertEqual([record["close"]["verdict"] for record in records(early, "connection")], ["early"])
        status, out, _ = tool.end(signal.SIGTERM)
        self.assertEqual(status, 0)
        summary = records(out, "summary")[0]
        self.assertEqual((summary["findings"], summary["incomplete"]), ({"closed-early": 1}, []))

    def test_what_is_open_is_judged_at_the_end(self):
        tool = Tool("--format", "ndjson")
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(b"GET /2 HTTP/1.1\r\nHost: test\r\n\r\n")
            client.recv(1000)
            _, out, _ = tool.end()  # its last packets are not a tenth of a second old
        self.assertEqual([(record["responses"], record["close"]["verdict"])
                          for record in records(out, "connection")], [(1, "open")])

    def test_duration(self):
        began = time.monotonic()
        tool = Tool("--duration", "700ms", "--fail-on", "note", "--ignore", "closed-early")
        get(self.port)
        self.assertEqual(tool.end(None)[0], 0)
        self.assertGreater(time.monotonic() - began, 0.7)

    def test_ring(self):
        tool = Tool("--format", "ndjson", "--ring", self.folder / "r.pcapng", "--ring-files", 3)
        get(self.port)
        _, out, _ = tool.end()
        finding = records(out, "finding")[0]
        self.assertEqual(finding["file"], str(self.folder / "r-1.pcapng"))
        again = subprocess.run([TOOL, "--format", "ndjson", finding["file"]], capture_output=True, check=True)
        found = records(again.stdout.decode(), "finding")[0]
        self.assertEqual((found["id"], found["frame"]), (finding["id"], finding["file_frame"]))
        whole = subprocess.run([TOOL, "--format", "ndjson", self.folder], capture_output=True)
        self.assertEqual(whole.returncode, 0)  # files not yet used are captures, too

    def test_ring_goes_round(self):
        tool = Tool("--format", "ndjson", "--ring", self.folder / "r.pcapng", "--ring-files", 2, "--ring-size", "1M")
        for _ in range(3):
            get(self.port, 1 << 20)
        _, out, _ = tool.end()
        files = sorted(self.folder.iterdir())
        self.assertEqual([file.name for file in files], ["r-1.pcapng", "r-2.pcapng"])
        self.assertTrue(all(file.stat().st_size <= 1 << 20 for file in files))
        findings = records(out, "finding")
        self.assertEqual([finding["id"] for finding in findings if finding["id"] == "closed-early"],
                         ["closed-early"] * 3)
        last = findings[-1]
        again = subprocess.run([TOOL, "--format", "ndjson", *files], capture_output=True)
        self.assertEqual(again.returncode, 0)
        frames = [(record["close"]["time"]) for record in records(again.stdout.decode(), "connection")]
        self.assertIn(last["time"], frames)  # the newest is there
        told = {finding.get("file") for finding in findings}
        self.assertIn(last["file"], map(str, files))
        self.assertLessEqual(told - {None}, set(map(str, files)))

    def test_any(self):
        tool = Tool("--format", "ndjson", interface="any")
        get(self.port)
        _, out, _ = tool.end()
        self.assertEqual([(record["protocol"], record["close"]["verdict"])
                          for record in records(out, "connection")], [("http/1.1", "early")])
        self.assertEqual(records(out, "summary")[0]["incomplete"], [])

    def test_two_interfaces_are_one_capture(self):
        tool = Tool("--interface", "any", "--format", "ndjson", "--ring", self.folder / "r")
        get(self.port)
        _, out, _ = tool.end()
        self.assertEqual(len(records(out, "connection")), 1)
        again = subprocess.run([TOOL, "--format", "ndjson", self.folder / "r-01"], capture_output=True, check=True)
        summaries = [records(text, "summary")[0] for text in (out, again.stdout.decode())]
        self.assertEqual(summaries[0]["packets"], summaries[1]["packets"])  # of two link types in one file

    def test_rights_are_given_up(self):
        tool = Tool()
        for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            self.assertEqual(int(tool.status_of(name)[0], 16), 0, name)
        self.assertEqual(tool.status_of("NoNewPrivs"), ["1"])
        if self.may_become_others():
            nobody = pwd.getpwnam("nobody")
            self.assertEqual(tool.status_of("Uid"), [str(nobody.pw_uid)] * 4)
            self.assertEqual(tool.status_of("Gid"), [str(nobody.pw_gid)] * 4)
            self.assertEqual(tool.status_of("Groups"), [])
        tool.end()

    @staticmethod
    def may_become_others():
        return len(Path("/proc/self/uid_map").read_text().splitlines()) > 1 or \
            int(Path("/proc/self/uid_map").read_text().split()[2]) > 1

    def test_who_called_sudo(self):
        if not self.may_become_others():
            self.skipTest("root of this namespace knows no other user")
        os.environ.update(SUDO_UID="12345", SUDO_GID="23456")
        self.addCleanup(lambda: (os.environ.pop("SUDO_UID"), os.environ.pop("SUDO_GID")))
        tool = Tool("--ring", self.folder / "mine")
        self.assertEqual(tool.status_of("Uid"), ["12345"] * 4)
        status = (self.folder / "mine-01").stat()
        self.assertEqual((status.st_uid, status.st_gid, status.st_mode & 0o777), (12345, 23456, 0o600))
        tool.end()
        tool = Tool("--user", "nobody")
        self.assertEqual(tool.status_of("Uid"), [str(pwd.getpwnam("nobody").pw_uid)] * 4)
        tool.end()

    def test_progress_for_who_asks(self):
        tool = Tool()
        get(self.port)
        tool.process.send_signal(signal.SIGUSR1)
        line = tool.process.stderr.readline().decode()
        self.assertRegex(line, r"^keptalive: \d+ packets \([\d,]+ bytes\), \d connections? open, \d findings so far\n$")
        tool.end()

    def test_what_was_dropped_is_told(self):
        tool = Tool("--format", "ndjson")
        tool.process.send_signal(signal.SIGSTOP)
        for _ in range(6):
            get(self.port, 32 << 20)
        tool.process.send_signal(signal.SIGCONT)
        status, out, _ = tool.end()
        dropped = [row for row in records(out, "summary")[0]["incomplete"] if row["what"] == "dropped"]
        self.assertEqual(len(dropped), 1)
        self.assertGreater(dropped[0]["count"], 0)
        self.assertEqual(status, 3)

    def fails(self, status, text, *arguments, **how):
        run = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, timeout=MANY, **how)
        self.assertEqual((run.returncode, run.stdout), (status, b""))
        self.assertEqual(run.stderr.count(b"\n"), 1)
        self.assertIn(text, run.stderr.decode())

    def test_what_cannot_be_captured(self):
        self.fails(3, "nix0: there is no such interface", "-i", "nix0")
        self.fails(2, 'filter "tcp prot 1": ', "-i", "lo", "--filter", "tcp prot 1")
        self.fails(2, "no-such-user", "-i", "lo", "--user", "no-such-user")
        self.fails(4, "none/ring-01: No such file", "-i", "lo", "--ring", self.folder / "none/ring")
        self.fails(4, "none/report: No such file", "-i", "lo", "-o", self.folder / "none/report")

    def test_without_the_right_to(self):
        if not self.may_become_others():
            self.skipTest("root of this namespace knows no other user")
        try:
            self.fails(3, "lo: no right to capture: run as root, or once: setcap cap_net_raw+ep", "-i", "lo",
                       user=65534)
        except PermissionError:
            self.skipTest("nobody cannot reach the command here")


if __name__ == "__main__":
    namespace.enter()
    if subprocess.run([TOOL, "-i", "lo", "--duration", "10ms"], capture_output=True).returncode != 0:
        namespace.skip("not even here may packets be captured")
    unittest.main(argv=sys.argv[:1])
