#!/usr/bin/env python3
# raw_server.py - a server that does what its scripts say: real bytes on real TCP, for what no real server sends.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: raw_server.py PORT SCRIPT...

The n-th connection accepted is played the n-th SCRIPT (commands as in raw_client.py, with `request` to read a
request); the server ends after the last one. `answer FIELDS` sends a 200 response with a body of two bytes and these
header lines, separated by '|'.
"""
import socket
import sys
import threading
import time

from raw_client import Player, tell


class ServingPlayer(Player):
    def do_answer(self, fields):
        lines = ["HTTP/1.1 200 OK", "Content-Length: 2"] + [f.strip() for f in fields.split("|") if f.strip()]
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\nok").encode("latin-1"))
        self.since = time.monotonic()
        tell(self.number, "answered; " + ", ".join(lines[2:]))

    def do_close(self, _):
        tell(self.number, f"closes {time.monotonic() - self.since:.4f} s after the last event")
        super().do_close(_)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    listener = socket.create_server(("", int(sys.argv[1])), family=family,
                                    dualstack_ipv6=family == socket.AF_INET6)
    threads = []
    for number, script in enumerate(sys.argv[2:]):
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threads.append(threading.Thread(target=ServingPlayer(number, sock).play, args=(script,)))
        threads[-1].start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
