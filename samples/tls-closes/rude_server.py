#!/usr/bin/env python3
# rude_server.py - HTTPS that closes an idle connection with a FIN only, no closure alert.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: rude_server.py ADDRESS PORT CERTIFICATE

Serves one connection: answers each request, and closes the socket 1.5 s after the last one.
"""
import socket
import ssl
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nok\n"


def serve(sock):
    sock.settimeout(1.5)
    try:
        while sock.recv(4096):
            sock.sendall(ANSWER)
            print("answered", flush=True)
    except TimeoutError:
        print("closes without unwrap()", flush=True)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3])
    listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
    sock, _ = listener.accept()
    with context.wrap_socket(sock, server_side=True) as tls:
        serve(tls)


if __name__ == "__main__":
    main()
