# namespace.py - a network of our own to capture in: nobody else's traffic, and no rights of root needed.
# SPDX-License-Identifier: GPL-2.0-or-later
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

INSIDE = "KEPTALIVE_TEST_NAMESPACE"
SKIPPED = 77
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 1, 0x40


def skip(reason):
    print(f"skipped: live capture: {reason}")
    sys.exit(SKIPPED)


def up(interface):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", interface.encode(), IFF_UP | IFF_RUNNING))


def enter():
    """Runs this program again in a namespace of its own; returns there, with lo up."""
    if INSIDE in os.environ:
        up("lo")
        return
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
    if not shutil.which("unshare"):
        skip("there is no unshare (util-linux)")
    if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
        skip("no right to make a network namespace")
    os.environ[INSIDE] = "1"
    os.execvp("unshare", [*unshare, sys.executable, "-B", *sys.argv])
