# hellos.py - made-up ClientHellos, and how the endpoint of their server must be named.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Imported by edges."""
import struct

CLOSE = [("SF",), ("CF",)]
HOST_NAME, OTHER_TYPE = 0, 1
SERVER_NAME, PADDING, ALPN = 0, 21, 16
NAME = b"shop.example"
LONG = b"a." * 40 + b"example"
KEPT_BYTES = 63
CONNECT = b"CONNECT origin.example:443 HTTP/1.0\r\n\r\n"


def extension(number, body):
    return struct.pack("!HH", number, len(body)) + body


def listed(*names):
    """A list of server names, each with its type."""
    entries = b"".join(struct.pack("!BH", kind, len(name)) + name for kind, name in names)
    return extension(SERVER_NAME, struct.pack("!H", len(entries)) + entries)


def hello(extensions):
    """The handshake message."""
    extensions += extension(ALPN, b"\0\x09\x08http/1.1") + extension(PADDING, bytes(100))
    body = (b"\x03\x03" + b"\x11" * 32 + b"\0" + b"\0\x04\x13\x01\xc0\x2f" + b"\x01\0" +
            struct.pack("!H", len(extensions)) + extensions)
    return b"\x01" + len(body).to_bytes(3, "big") + body


def record(body):
    return struct.pack("!B2sH", 22, b"\x03\x01", len(body)) + body


def stories():
    """(what, steps, the name or None)"""
    whole = record(hello(listed((HOST_NAME, NAME))))
    message = hello(listed((HOST_NAME, NAME)))
    said = NAME.decode()
    yield "hello", [("C", whole), *CLOSE], said
    yield "hello in segments of 9", [*(("C", whole[i:i + 9]) for i in range(0, len(whole), 9)), *CLOSE], said
    yield "hello in two records", [("C", record(message[:130]) + record(message[130:])), *CLOSE], None
    yield "hello cut off by the capture", [("C", whole[:-50], len(whole)), *CLOSE], None
    yield "hello without a name", [("C", record(hello(b""))), *CLOSE], None
    yield "long name", [("C", record(hello(listed((HOST_NAME, LONG))))), *CLOSE], LONG[:KEPT_BYTES].decode()
    yield "empty name", [("C", record(hello(listed((HOST_NAME, b""))))), *CLOSE], None
    yield "name with a NUL", [("C", record(hello(listed((HOST_NAME, b"shop\0.example"))))), *CLOSE], None
    yield "name in UTF-8", [("C", record(hello(listed((HOST_NAME, "käse.example".encode()))))), *CLOSE], None
    yield "name of another type", [("C", record(hello(listed((OTHER_TYPE, NAME))))), *CLOSE], None
    yield "two names", [("C", record(hello(listed((HOST_NAME, NAME), (HOST_NAME, b"b"))))), *CLOSE], said
    yield "hello by the server", [("S", whole), *CLOSE], None
    yield "hello behind CONNECT", [("C", CONNECT), ("S", b"HTTP/1.0 200 OK\r\n\r\n"), ("C", whole), *CLOSE], None
