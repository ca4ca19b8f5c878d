#!/usr/bin/env python3
# blind_proxy.py - a proxy of the time before persistent connections: it hands on one request and copies until the origin closes.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: blind_proxy.py PORT ORIGIN_HOST ORIGIN_PORT"""
import re
import socket
import sys
import threading
import time

STARTED = time.monotonic()


def tell(text):
    print(f"{time.monotonic() - STARTED:8.3f} {text}", flush=True)


def serve(client):
    head = b""
    while b"\r\n\r\n" not in head:
        data = client.recv(65536)
        if not data:
            return client.close()
        head += data
    upstream = socket.create_connection((sys.argv[2], int(sys.argv[3])))
    number = re.search(rb"(?im)^x-sample: *(\d+)", head)
    name = f"n={number[1].decode()} client={client.getpeername()[1]} upstream={upstream.getsockname()[1]}"
    tell(f"{name} handed on")
    upstream.sendall(head)
    while data := upstream.recv(65536):  # the end of the answer is the end of the connection
        client.sendall(data)
    tell(f"{name} the origin closed")
    upstream.close()
    client.close()


def main():
    listener = socket.create_server(("", int(sys.argv[1])))
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],)).start()


if __name__ == "__main__":
    main()
