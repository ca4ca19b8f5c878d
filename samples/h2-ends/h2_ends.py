#!/usr/bin/env python3
# h2_ends.py - HTTP/2 in clear with hand-made frames: connections that end in different ways.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: h2_ends.py serve PORT
       h2_ends.py ask ADDRESS PORT STREAM...    request these one after the other, and wait for the close
       h2_ends.py idle|polite|abandon|late ADDRESS PORT

The server does what the path of a request says: /idle: answers, and closes 1 s later; /polite: the same with GOAWAY;
/abandon: closes after 0.2 s without an answer; /late: answers, says GOAWAY at once, closes 1 s later. The client of
`late` asks once more 0.5 s after it had the GOAWAY.
"""
import pathlib
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "h2-connection-field"))
from h2_server import (ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PREFACE, SETTINGS, STATUS_200, frame,
                       literal, read_exactly, read_frame)


def get(path):
    # RFC 7541, appendix A: GET (2), http (6), :path (4) and :authority (1) as literals.
    name = path.encode()
    return b"\x82\x86" + b"\x04" + bytes([len(name)]) + name + b"\x01" + bytes([len(b"sample")]) + b"sample"


def settle(sock, kind, flags):
    if kind == SETTINGS and not flags & ACK:
        sock.sendall(frame(SETTINGS, ACK, 0))


def answer(sock, stream):
    sock.sendall(frame(HEADERS, END_HEADERS, stream, STATUS_200 + literal(b"content-length", b"2")) +
                 frame(DATA, END_STREAM, stream, b"ok"))


def go_away(sock, stream):
    sock.sendall(frame(GOAWAY, 0, 0, struct.pack(">II", stream, 0)))


def serve_one(sock):
    assert read_exactly(sock, len(PREFACE)) == PREFACE
    sock.sendall(frame(SETTINGS, 0, 0))
    kind = None
    while kind != HEADERS:
        kind, flags, stream, block = read_frame(sock)
        settle(sock, kind, flags)
    story = block[4:4 + block[3]].decode().strip("/")
    if story != "abandon":
        answer(sock, stream)
    if story == "late":
        go_away(sock, stream)
    time.sleep(0.2 if story == "abandon" else 1)
    if story == "polite":
        go_away(sock, stream)
    sock.shutdown(socket.SHUT_WR)
    print(f"{story}: closed after stream {stream}", flush=True)
    while sock.recv(4096):
        pass


def serve(port):
    listener = socket.create_server(("", port))
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock:
            serve_one(sock)


def until(sock, wanted):
    """Reads until that kind of frame came; with None, until the close."""
    while True:
        try:
            kind, flags, stream, _ = read_frame(sock)
        except EOFError:
            print("the server closed", flush=True)
            return
        settle(sock, kind, flags)
        if kind == DATA and flags & END_STREAM:
            print(f"stream {stream}: answered", flush=True)
        if kind == GOAWAY:
            print("GOAWAY", flush=True)
        if kind == wanted:
            return


def ask(sock, stream, path):
    sock.sendall(frame(HEADERS, END_STREAM | END_HEADERS, stream, get(path)))


def play(sock, what, streams):
    sock.sendall(PREFACE + frame(SETTINGS, 0, 0))
    if what == "ask":
        for stream in streams:
            ask(sock, int(stream), "/hello.txt")
            until(sock, DATA)
    else:
        ask(sock, 1, "/" + what)
    if what == "late":
        until(sock, GOAWAY)
        time.sleep(0.5)
        ask(sock, 3, "/late")
    until(sock, None)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    with socket.create_connection((sys.argv[2], int(sys.argv[3]))) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        play(sock, sys.argv[1], sys.argv[4:])


if __name__ == "__main__":
    main()
