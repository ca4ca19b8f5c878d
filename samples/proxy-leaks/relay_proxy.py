#!/usr/bin/env python3
# relay_proxy.py - a proxy with an upstream connection for each of its clients' connections, and one of two bugs.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: relay_proxy.py PORT half|forget ORIGIN_HOST ORIGIN_PORT

half: the end of one side is handed on as the end of sending to the other, and both sockets stay open until the
other direction has ended, too, for as long as that takes.
forget: when the client closes, its socket is closed; the upstream one is not looked at again, and never closed.
"""
import re
import socket
import sys
import threading
import time

STARTED = time.monotonic()
FORGOTTEN = []


def tell(text):
    print(f"{time.monotonic() - STARTED:8.3f} {text}", flush=True)


class Relay:
    def __init__(self, bug, client, origin):
        self.bug, self.client = bug, client
        self.upstream = socket.create_connection(origin)
        self.name = f"client={client.getpeername()[1]} upstream={self.upstream.getsockname()[1]}"
        self.ended = 0
        for one in (client, self.upstream):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self.copy, args=(client, self.upstream, "client")).start()
        threading.Thread(target=self.copy, args=(self.upstream, client, "origin")).start()

    def copy(self, source, sink, who):
        try:
            while data := source.recv(65536):
                for number in re.findall(rb"(?im)^x-sample: *(\d+)", data) if who == "client" else []:
                    tell(f"n={number.decode()} {self.name}")
                sink.sendall(data)
            tell(f"{self.name} the {who} closed")
            getattr(self, self.bug)(sink, who)
        except OSError as error:
            tell(f"{self.name} {who}: {error}")

    def half(self, sink, _):
        sink.shutdown(socket.SHUT_WR)
        self.ended += 1
        if self.ended == 2:
            tell(f"{self.name} both closed")
            self.client.close()
            self.upstream.close()

    def forget(self, _, who):
        FORGOTTEN.append(self)
        if who == "client":
            self.client.close()


def main():
    port, bug, host, origin_port = sys.argv[1:]
    listener = socket.create_server(("", int(port)))
    while True:
        Relay(bug, listener.accept()[0], (host, int(origin_port)))


if __name__ == "__main__":
    main()
