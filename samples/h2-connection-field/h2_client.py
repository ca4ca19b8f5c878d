#!/usr/bin/env python3
# h2_client.py - HTTP/2 in clear with hand-made frames: three requests with pauses.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: h2_client.py ADDRESS PORT

Streams 1 and 3 at 0 s and 1 s, each after the answer before. During the pause before stream 5, 1.5 s long, it
sends a PING, which is no request. Stream 5 carries Proxy-Connection. Closes when the server has.
"""
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from h2_server import ACK, DATA, END_HEADERS, END_STREAM, PREFACE, SETTINGS, HEADERS, frame, literal, read_frame

PING = 6
# RFC 7541, appendix A: GET, http, /; then :authority (index 1) as a literal.
GET = b"\x82\x86\x84" + b"\x01" + bytes([len(b"sample")]) + b"sample"


def ask(sock, stream, more=b""):
    sock.sendall(frame(HEADERS, END_STREAM | END_HEADERS, stream, GET + more))
    while True:
        kind, flags, of, _ = read_frame(sock)
        if kind == SETTINGS and not flags & ACK:
            sock.sendall(frame(SETTINGS, ACK, 0))
        if kind == DATA and of == stream and flags & END_STREAM:
            print(f"stream {stream}: answered", flush=True)
            return


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(PREFACE + frame(SETTINGS, 0, 0))
        ask(sock, 1)
        time.sleep(1)
        ask(sock, 3)
        time.sleep(0.7)
        sock.sendall(frame(PING, 0, 0, b"still on"))
        time.sleep(0.8)
        ask(sock, 5, literal(b"proxy-connection", b"keep-alive"))
        try:
            while True:
                read_frame(sock)
        except EOFError:
            print("the server closed", flush=True)


if __name__ == "__main__":
    main()
