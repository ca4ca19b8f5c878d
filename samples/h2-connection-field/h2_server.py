#!/usr/bin/env python3
# h2_server.py - HTTP/2 in clear with hand-made frames: what a proxy sends that passes HTTP/1's fields on.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: h2_server.py PORT

Serves one connection. The first request is answered properly, every further one with Connection: keep-alive and
Keep-Alive: timeout=5. 2 s after the last of three answers it says GOAWAY and closes.
"""
import socket
import struct
import sys
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, GOAWAY = 0, 1, 4, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
STATUS_200 = b"\x88"  # RFC 7541, appendix A: index 8 of the static table


def frame(kind, flags, stream, body=b""):
    return struct.pack(">I", len(body))[1:] + struct.pack(">BBI", kind, flags, stream) + body


def literal(name, value):
    """RFC 7541 section 6.2.2: without indexing, new name, no Huffman coding."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def read_exactly(sock, count):
    data = b""
    while len(data) < count:
        some = sock.recv(count - len(data))
        if not some:
            raise EOFError
        data += some
    return data


def read_frame(sock):
    head = read_exactly(sock, 9)
    length = int.from_bytes(head[:3], "big")
    kind, flags, stream = struct.unpack(">BBI", head[3:])
    return kind, flags, stream & 0x7FFFFFFF, read_exactly(sock, length)


def answer(sock, stream, number):
    block = STATUS_200 + literal(b"content-length", b"2")
    if number > 1:
        block += literal(b"connection", b"keep-alive") + literal(b"keep-alive", b"timeout=5")
    sock.sendall(frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, b"ok"))
    print(f"stream {stream}: answered {'with connection and keep-alive' if number > 1 else 'properly'}", flush=True)


def serve(sock):
    assert read_exactly(sock, len(PREFACE)) == PREFACE
    sock.sendall(frame(SETTINGS, 0, 0))
    answered = 0
    while answered < 3:
        kind, flags, stream, _ = read_frame(sock)
        if kind == SETTINGS and not flags & ACK:
            sock.sendall(frame(SETTINGS, ACK, 0))
        elif kind in (HEADERS, DATA) and flags & END_STREAM:
            answered += 1
            answer(sock, stream, answered)
    time.sleep(2)
    sock.sendall(frame(GOAWAY, 0, 0, struct.pack(">II", stream, 0)))
    sock.shutdown(socket.SHUT_WR)
    print(f"said GOAWAY with last stream {stream}, closed", flush=True)
    while sock.recv(4096):
        pass


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    listener = socket.create_server(("", int(sys.argv[1])))
    sock, _ = listener.accept()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with sock:
        serve(sock)


if __name__ == "__main__":
    main()
