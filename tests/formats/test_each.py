#!/usr/bin/env python3
# test_each.py - --each: every file a capture of its own, whatever the number of jobs and whatever is wrong with one.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Usage: test_each.py TOOL SAMPLES [SCHEMA]"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

try:
    import jsonschema
except ImportError:
    jsonschema = None

TOOL, SAMPLES, SCHEMA = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
NAMES = ["apache-max", "nginx-closes-early", "race-lost-request", "healthy-ab"]
FOUND, USAGE, UNREAD, UNWRITTEN = 1, 2, 3, 4


def sample(name):
    return SAMPLES / name / "capture.pcap"


def run(*arguments, **options):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, timeout=60, text=True, **options)


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


class Each(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.paths = [sample(name) for name in NAMES]

    def each(self, *arguments, **options):
        return run("--each", "--format", "ndjson", *arguments, **options)

    def test_a_document_for_each_as_if_alone(self):
        found = lines(self.each("--exchanges", *self.paths))
        alone = [line for path in self.paths for line in lines(run("--format", "ndjson", "--exchanges", path))]
        files = [str(path) for path in self.paths]
        at = 0
        for line in found[:-1]:
            self.assertEqual(list(line)[:2], ["type", "file"])
            self.assertEqual(line.pop("file"), files[at])
            if line["type"] == "finding":
                self.assertEqual(line.pop("file_frame"), line["frame"])
            at += line["type"] == "summary"
        self.assertEqual(found[:-1], alone)

    def test_over_all(self):
        *rest, overall = lines(self.each(*self.paths))
        summaries = [line for line in rest if line["type"] == "summary"]
        self.assertEqual((overall["type"], overall["files"], overall["incomplete_files"]), ("overall", 4, 0))
        for key in ("packets", "bytes", "connections"):
            self.assertEqual(overall[key], sum(summary[key] for summary in summaries))
        self.assertEqual(overall["findings"], {"keepalive-race": 4, "race-exposure": 2, "closed-early": 1})
        self.assertEqual(overall["incomplete"], [])
        self.assertEqual([Path(row["file"]).parent.name for row in overall["by_file"]],
                         ["race-lost-request", "nginx-closes-early", "apache-max", "healthy-ab"])
        self.assertEqual([row["findings"] for row in overall["by_file"]],
                         [{"keepalive-race": 4, "race-exposure": 2}, {"closed-early": 1}, {}, {}])

    @unittest.skipUnless(jsonschema, "python3-jsonschema is not installed")
    def test_schema(self):
        schema = json.loads(SCHEMA.read_text())
        validator = jsonschema.validators.validator_for(schema)(schema)
        junk = self.write("junk.pcap", b"no capture")
        for line in lines(self.each("--exchanges", "--only", "closed-early", junk, *self.paths)):
            validator.validate(line)

    def test_jobs_change_nothing(self):
        cut = self.write("cut.pcap", sample("healthy-ab").read_bytes()[:5000])
        junk = self.write("junk.pcap", b"no capture")
        paths = [*self.paths, cut, junk, *self.paths * 5, self.folder / "none.pcap", *self.paths]
        for form in ("text", "ndjson"):
            first = run("--each", "--jobs", 1, "--format", form, *paths)
            self.assertEqual(first.returncode, UNREAD)
            self.assertEqual(first.stderr.count("\n"), 2)
            for jobs in (2, 3, 100):
                again = run("--each", "--jobs", jobs, "--format", form, *paths)
                self.assertEqual((again.stdout, again.stderr, again.returncode),
                                 (first.stdout, first.stderr, first.returncode))

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def test_directory(self):
        (self.folder / "below").mkdir()
        self.write("b.pcap", sample("healthy-ab").read_bytes())
        self.write("a.pcap", sample("apache-max").read_bytes())
        self.write("below/c.pcap", sample("race-lost-request").read_bytes())
        self.write("notes.txt", b"no capture")
        flat, deep = lines(self.each(self.folder)), lines(self.each("-r", self.folder))
        names = lambda found: [Path(line["file"]).name for line in found if line["type"] == "capture"]
        self.assertEqual((names(flat), names(deep)), (["a.pcap", "b.pcap"], ["a.pcap", "b.pcap", "c.pcap"]))
        self.assertEqual([row["what"] for row in deep[-1]["incomplete"]], ["left-out"])

    def test_unreadable_files_are_told_and_the_others_reported(self):
        junk, none = self.write("junk.pcap", b"no capture"), self.folder / "none.pcap"
        result = self.each(junk, self.paths[0], none)
        self.assertEqual(result.returncode, UNREAD)
        *rest, overall = lines(result)
        self.assertEqual({line["file"] for line in rest}, {str(self.paths[0])})
        self.assertEqual((overall["files"], overall["incomplete_files"]), (3, 2))
        self.assertEqual([(row["what"], row["count"]) for row in overall["incomplete"]], [("input", 1)] * 2)
        said = result.stderr.splitlines()
        for line, row, path in zip(said, overall["incomplete"], (junk, none), strict=True):
            self.assertIn(str(path), line)
            self.assertEqual(line, "keptalive: " + row["detail"])
        self.assertEqual([(row["complete"], row["file"]) for row in overall["by_file"]],
                         [(False, str(junk)), (False, str(none)), (True, str(self.paths[0]))])

    def test_text(self):
        result = run("--each", *self.paths)
        reports = result.stdout.split("\n" + 80 * "=" + "\n\n")
        self.assertEqual([run(path).stdout for path in self.paths], reports[:-1])
        self.assertIn("Over all files", reports[-1])
        self.assertIn("4 errors, 1 warning, 2 notes on 7 of ", reports[-1])
        self.assertLessEqual(max(map(len, reports[-1].splitlines())), 80)
        order = [reports[-1].index(name) for name in ("race-lost", "nginx-closes", "apache-max", "healthy-ab")]
        self.assertEqual(order, sorted(order))

    def test_exit_status(self):
        self.assertEqual(self.each("--fail-on", "warn", *self.paths).returncode, FOUND)
        self.assertEqual(self.each("--fail-on", "warn", sample("healthy-ab")).returncode, 0)
        self.assertEqual(self.each("--fail-on", "warn", self.folder / "none.pcap", *self.paths).returncode, UNREAD)
        with open("/dev/full", "w") as full:
            result = subprocess.run([TOOL, "--each", *self.paths], stdout=full, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual((result.returncode, result.stderr.count(b"\n")), (UNWRITTEN, 1))

    def test_wrong_usage(self):
        for words, said in [(["--each", "-"], "-: with --each"), (["--jobs", "2", "a"], "only with --each"),
                            (["--each", "--filter", "tcp (", *self.paths], "filter")]:
            result = run(*words)
            self.assertEqual((result.returncode, result.stderr.count("\n"), result.stdout), (USAGE, 1, ""))
            self.assertIn(said, result.stderr)
        output = self.write("out", sample("healthy-ab").read_bytes())
        self.assertEqual(run("--each", "--output", output, self.paths[0], output).returncode, USAGE)
        self.assertGreater(output.stat().st_size, 1000)

    def begin_on_pipes(self, count, *more, **options):
        """The tool on named pipes nobody writes to, so that its processes wait; and their ids."""
        pipes = [self.folder / f"pipe{number}" for number in range(count)]
        for pipe in pipes:
            os.mkfifo(pipe)
            self.addCleanup(os.close, os.open(pipe, os.O_RDWR))  # opening them does not wait then
        tool = subprocess.Popen([TOOL, "--each", "--jobs", str(count), "--format", "ndjson", *pipes, *more],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(tool.kill)
        children = Path(f"/proc/{tool.pid}/task/{tool.pid}/children")
        for _ in range(200):
            ids = children.read_text().split() if children.exists() else []
            if len(ids) == count:
                time.sleep(0.2)  # until they read
                return tool, list(map(int, ids))
            time.sleep(0.02)
        self.skipTest("/proc does not tell the tool's processes")

    def test_a_crash_is_one_files_own(self):
        tool, (child,) = self.begin_on_pipes(1, self.paths[0])
        os.kill(child, signal.SIGKILL)
        said, errors = tool.communicate(timeout=30)
        self.assertEqual(tool.returncode, UNREAD)
        self.assertRegex(errors, r"^keptalive: .*pipe0: the process that read it crashed")
        *rest, overall = map(json.loads, said.splitlines())
        self.assertEqual({line["file"] for line in rest}, {str(self.paths[0])})
        self.assertEqual(overall["incomplete_files"], 1)
        self.assertIn("crashed", overall["incomplete"][0]["detail"])

    def test_an_interrupt_of_all_is_no_crash(self):
        """As of a terminal: every process gets it."""
        tool, _ = self.begin_on_pipes(1, start_new_session=True)
        os.killpg(tool.pid, signal.SIGINT)
        _, errors = tool.communicate(timeout=30)
        self.assertEqual(tool.returncode, UNREAD)
        self.assertNotIn("crashed", errors)

    def test_an_interrupt_ends_with_what_there_is(self):
        tool, _ = self.begin_on_pipes(2, *self.paths)
        tool.send_signal(signal.SIGTERM)
        said, _ = tool.communicate(timeout=30)
        self.assertEqual(tool.returncode, UNREAD)
        overall = json.loads(said.splitlines()[-1])
        self.assertEqual(overall["type"], "overall")
        self.assertIn(("interrupted", len(self.paths)),
                      [(row["what"], row["count"]) for row in overall["incomplete"]])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
