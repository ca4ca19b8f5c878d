# shark.py - runs tshark with the plugin (or without) in a home of its own.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Imported by the tests of this directory.

Wireshark ignores plugins of one's own when it runs as root: then tshark runs as nobody, and captures are copied to
where nobody may read them."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
NOBODY = 65534
TIMEOUT_S = 280
DAMAGE = "0.02"  # of the bytes
# Wireshark tells such mistakes of a plugin on standard error and goes on.
DISSECTOR_BUG = re.compile(rb"Dissector bug|\*\* \(|\bCRITICAL\b|OOPS|Sanitizer|runtime error", re.I)


class Skip(Exception):
    """Why a test cannot be done here."""


def tshark_version(tshark="tshark"):
    """ "4.0" """
    if shutil.which(tshark) is None:
        raise Skip("there is no tshark (Debian: tshark)")
    said = subprocess.run([tshark, "--version"], capture_output=True, text=True).stdout
    match = re.match(r"TShark \(Wireshark\) (\d+\.\d+)", said)
    if not match:
        raise Skip(f"tshark does not tell its version: {said[:80]!r}")
    return match.group(1)


class Shark:
    """A tshark; `with Shark(plugin) as shark: shark.run(["-r", shark.copy(capture)])`."""

    def __init__(self, plugin, preload=None):
        if plugin is not None and not Path(plugin).is_file():
            raise Skip("the plugin is not built: Wireshark's development files are missing (Debian: wireshark-dev)")
        self.version = tshark_version()
        self.plugin = plugin
        self.preload = preload  # the sanitizer's library, which the program itself must bring

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="keptalive-shark-"))
        self.home = self.directory / "home"
        plugins = self.directory / "plugins" / self.version / "epan"
        plugins.mkdir(parents=True)
        self.home.mkdir()
        if self.plugin is not None:
            shutil.copyfile(self.plugin, plugins / "keptalive.so")
            (plugins / "keptalive.so").chmod(0o644)
        for path in (self.directory, *(self.directory / "plugins").rglob("*")):
            if path.is_dir():
                path.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(self.home, NOBODY, NOBODY)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)

    def copy(self, capture, name=None):
        """The capture under a name tshark may read."""
        target = self.directory / (name or Path(capture).name)
        shutil.copyfile(capture, target)
        target.chmod(0o644)
        return target

    def command(self, arguments):
        as_nobody = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else None
        return ([shutil.which("setpriv"), *as_nobody] if as_nobody else []) + ["tshark", *map(str, arguments)]

    def environment(self, extra=None):
        environment = {name: value for name, value in os.environ.items()
                       if name in ("PATH", "LANG") or name.endswith("SAN_OPTIONS")}
        environment |= {"HOME": str(self.home), "WIRESHARK_PLUGIN_DIR": str(self.directory / "plugins"),
                        "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        if self.preload:
            environment |= {"LD_PRELOAD": str(self.preload), "ASAN_OPTIONS": "detect_leaks=0"}
        return environment | (extra or {})

    def run(self, arguments, extra=None):
        """The finished process; its status is not looked at."""
        return subprocess.run(self.command(arguments), env=self.environment(extra), cwd=self.home,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S)

    def ask(self, arguments, extra=None):
        """Standard output as bytes of a run that must succeed and tell of no mistake of the plugin."""
        done = self.run(arguments, extra)
        if done.returncode != 0 or DISSECTOR_BUG.search(done.stderr):
            raise RuntimeError(f"tshark {' '.join(map(str, arguments))}: exit status {done.returncode}\n"
                               + done.stderr.decode("utf-8", "replace"))
        return done.stdout


def capture_of(sample):
    """The capture of a sample's directory."""
    for name in ("capture.pcapng", "capture.pcap"):
        if (Path(sample) / name).is_file():
            return Path(sample) / name
    raise FileNotFoundError(f"{sample} holds no capture")


def samples_of(directory):
    """Name -> capture of every sample, sorted."""
    return {path.parent.name: capture_of(path.parent) for path in sorted(Path(directory).glob("*/expect.ndjson"))}


def damage(capture, seed, target):
    subprocess.run(["editcap", "-E", DAMAGE, "--seed", str(seed), capture, target], check=True,
                   capture_output=True)
    target.chmod(0o644)


def join(captures, target):
    """One behind the other, whatever their time stamps."""
    subprocess.run(["mergecap", "-a", "-w", target, *captures], check=True, capture_output=True)
    target.chmod(0o644)


def finish(problems):
    """Prints them; the exit status."""
    print("\n".join(problems) if problems else "passed")
    return 1 if problems else 0


def main(test):
    """Runs test(), which returns problems; the exit status is the program's."""
    try:
        return finish(test())
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stdout)
        return 1
