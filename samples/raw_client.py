#!/usr/bin/env python3
# raw_client.py - plays scripts of bytes and pauses on TCP connections, one script a connection.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: raw_client.py [--apart S] [--add 'Name: value']... [--tls] HOST PORT SCRIPT...

Every SCRIPT is played on a connection of its own, all at once, the next one starting S (0.1) seconds after the one
before, so that connections are numbered in the order of the scripts. A script is commands separated by ';':

  get PATH       send GET PATH HTTP/1.1 with Host and the --add lines
  head PATH      likewise HEAD; the next `read` knows that the response has no body
  send BYTES     send these bytes; \\r \\n \\xHH are understood
  read [N]       read N (1) complete responses; 1xx are shown and skipped
  request        read one request head (for raw_server.py)
  idle S         sleep until S seconds after the last response was read (or request sent)
  sleep S        sleep
  eof            wait until the peer closes, and say after how long
  close          close (FIN; RST if something is unread)
  reset          close with RST
  shut           half-close: FIN, still reading
  hold S         keep the connection for S seconds without looking at it

At the end of a script the connection is closed. What happens is told on standard output, one line an event:
connection number, seconds since the program started, what.
"""
import argparse
import re
import socket
import ssl
import struct
import sys
import threading
import time

STARTED = time.monotonic()
PRINTING = threading.Lock()


def tell(number, text):
    with PRINTING:
        print(f"{number} {time.monotonic() - STARTED:9.4f} {text}", flush=True)


class Player:
    """One connection and the script played on it."""

    def __init__(self, number, sock, host="x", add=()):
        self.number, self.sock, self.add = number, sock, list(add)
        self.host = f"[{host}]" if ":" in host else host
        self.buffer = b""
        self.bodyless = []  # of each unanswered request: was it HEAD?
        self.since = time.monotonic()

    def play(self, script):
        try:
            for command in filter(None, (part.strip() for part in script.split(";"))):
                word, _, rest = command.partition(" ")
                getattr(self, "do_" + word)(rest)
        except (ConnectionError, EOFError, OSError) as error:
            tell(self.number, f"error {type(error).__name__}: {error}"
                              f" {time.monotonic() - self.since:.4f} s after the last event")
        finally:
            self.sock.close()

    def do_send(self, text):
        data = text.encode("latin-1").decode("unicode_escape").encode("latin-1")
        methods = re.findall(rb"(?m)^(GET|HEAD|POST|PUT) ", data)
        tell(self.number, f"sends {len(data)} bytes, {len(methods)} request lines")
        self.sock.sendall(data)
        self.bodyless += [method == b"HEAD" for method in methods]

    def send_request(self, method, path):
        lines = [f"{method} {path or '/'} HTTP/1.1", f"Host: {self.host}", *self.add, "", ""]
        tell(self.number, f"{method} {path} {time.monotonic() - self.since:.4f} s after the last event")
        self.sock.sendall("\r\n".join(lines).encode())
        self.bodyless.append(method == "HEAD")
        self.since = time.monotonic()

    def do_get(self, path):
        self.send_request("GET", path)

    def do_head(self, path):
        self.send_request("HEAD", path)

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError("the peer closed")
        self.buffer += data

    def line_block(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head.decode("latin-1").split("\r\n")

    def skip(self, count):
        while len(self.buffer) < count:
            self.more()
        self.buffer = self.buffer[count:]

    def skip_chunked(self):
        while True:
            while b"\r\n" not in self.buffer:
                self.more()
            size, _, self.buffer = self.buffer.partition(b"\r\n")
            if int(size.split(b";")[0], 16) == 0:
                break
            self.skip(int(size.split(b";")[0], 16) + 2)
        self.skip(2)  # no trailers in the samples

    def read_response(self):
        while True:
            head = self.line_block()
            status = int(head[0].split()[1])
            tell(self.number, head[0])
            if status >= 200:
                break
        fields = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:]}
        bodyless = self.bodyless.pop(0) if self.bodyless else False
        if not (bodyless or status in (204, 304)):
            if fields.get("transfer-encoding", "").lower() == "chunked":
                self.skip_chunked()
            else:
                self.skip(int(fields.get("content-length", 0)))
        told = [f"{name}: {fields[name]}" for name in ("connection", "keep-alive") if name in fields]
        tell(self.number, "response complete; " + ", ".join(told))
        self.since = time.monotonic()

    def do_read(self, count):
        for _ in range(int(count or 1)):
            self.read_response()

    def do_request(self, _):
        tell(self.number, self.line_block()[0])
        self.since = time.monotonic()

    def do_idle(self, seconds):
        time.sleep(max(0.0, self.since + float(seconds) - time.monotonic()))

    def do_sleep(self, seconds):
        time.sleep(float(seconds))

    do_hold = do_sleep

    def do_eof(self, _):
        try:
            while self.sock.recv(65536):
                tell(self.number, "unexpected bytes")
            how = "end of file"
        except ConnectionResetError:
            how = "reset"
        tell(self.number, f"{how} {time.monotonic() - self.since:.4f} s after the last event")

    def do_close(self, _):
        self.sock.close()

    def do_reset(self, _):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def do_shut(self, _):
        self.sock.shutdown(socket.SHUT_WR)
        tell(self.number, "half-closed")


def connect(host, port, tls):
    sock = socket.create_connection((host, port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        sock = context.wrap_socket(sock)
    return sock


def run(number, options, script):
    Player(number, connect(options.host, options.port, options.tls), options.host, options.add).play(script)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--apart", type=float, default=0.1)
    parser.add_argument("--add", action="append", default=[])
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("scripts", nargs="+")
    options = parser.parse_args()
    threads = []
    for number, script in enumerate(options.scripts):
        threads.append(threading.Thread(target=run, args=(number, options, script)))
        threads[-1].start()
        time.sleep(options.apart)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
