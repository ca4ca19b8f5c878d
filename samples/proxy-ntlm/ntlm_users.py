#!/usr/bin/env python3
# ntlm_users.py - users who log in by NTLM, each on a connection from an address of its own; tells what they saw as users.py does.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: ntlm_users.py PROXY PORT FIRST SCRIPT...

Each SCRIPT is ADDRESS COMMAND...: the first request of the first one is number FIRST, of the next one FIRST + 10.

  wait@S         until S seconds after the beginning
  get:PATH       without saying who asks
  ask:PATH       the first step; the challenge is kept
  login:PATH     the third step, as USER (the address's last number)
"""
import json
import socket
import sys
import threading
import time

import http.client
import ntlm

PRINTING = threading.Lock()
BEGAN = time.monotonic()


class User:
    def __init__(self, host, port, number, address):
        self.connection = http.client.HTTPConnection(host, port, timeout=30, source_address=(address, 0))
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number, self.name, self.challenge = number, "user" + address.rpartition(".")[2], None

    def send(self, path, message=None):
        began = time.monotonic()
        fields = {"X-Sample": str(self.number)}
        if message:
            fields["Authorization"] = ntlm.value_of(message)
        self.connection.request("GET", path, headers=fields)
        answer = self.connection.getresponse()
        text = answer.read().decode().strip()
        self.challenge = ntlm.step_of(answer.headers["WWW-Authenticate"])[0]
        with PRINTING:
            print(json.dumps({"n": self.number, "method": "GET", "target": path, "saw": answer.status,
                              "seconds": round(time.monotonic() - began, 4), "error": None, "text": text}), flush=True)
        self.number += 1

    def play(self, commands):
        for command in commands:
            word, _, rest = command.replace("@", ":").partition(":")
            if word == "wait":
                time.sleep(max(0.0, BEGAN + float(rest) - time.monotonic()))
            elif word == "login":
                self.send(rest, ntlm.authenticate(self.name, self.challenge))
            else:
                self.send(rest, ntlm.negotiate() if word == "ask" else None)
        self.connection.close()


def main():
    host, port, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    threads = []
    for index, script in enumerate(sys.argv[4:]):
        address, *commands = script.split()
        user = User(host, port, first + 10 * index, address)  # so connections are in the order of the scripts
        threads.append(threading.Thread(target=user.play, args=(commands,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
