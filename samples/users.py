#!/usr/bin/env python3
# users.py - clients that play scripts: each a requests.Session, that is, a real pool of connections.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: users.py [--ids] [--trace] [--http10] [--add 'Name: value']... URL FIRST SCRIPT...

All scripts begin at once, each with a session of its own. A script is commands separated by ';':

  wait S              sleep
  get PATH [LIMIT]    ask, and give up after LIMIT (30) seconds without an answer
  post PATH [LIMIT]   likewise, with a body
  idle S              sleep until S seconds after the last answer
  close               close the session's connections; the next request opens one

Every request says `X-Sample: N`, unique in the sample: FIRST for the first request of the first script, one more for the
next, and FIRST + 100 for the first of the second script. It passes every proxy unchanged, so that what belongs together
is known without any analysis. --ids adds X-Request-Id, --trace adds traceparent; --http10 asks with HTTP/1.0.

What the users saw is told on standard output, one JSON object a request.
"""
import argparse
import http.client
import json
import threading
import time
import uuid

import requests

PRINTING = threading.Lock()


class User:
    def __init__(self, options, number):
        self.options, self.number = options, number
        self.session = requests.Session()
        self.answered = time.monotonic()

    def play(self, script):
        for command in filter(None, (part.strip() for part in script.split(";"))):
            word, *rest = command.split()
            getattr(self, "do_" + word)(*rest)
        self.session.close()

    def headers(self):
        fields = {"X-Sample": str(self.number)}
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.options.url}#{self.number}")
        fields |= dict(line.split(": ", 1) for line in self.options.add)
        if self.options.ids:
            fields["X-Request-Id"] = str(name)
        if self.options.trace:
            fields["traceparent"] = f"00-{name.hex}-{name.hex[:16]}-01"
        return fields

    def ask(self, method, path, limit_s, body=None):
        saw, error = None, None
        began = time.monotonic()
        try:
            answer = self.session.request(method, self.options.url + path, data=body, headers=self.headers(),
                                          timeout=(5, float(limit_s)))
            saw = answer.status_code
        except requests.Timeout:
            saw = "gave-up"
        except requests.RequestException as reason:
            saw, error = "closed", str(reason)
        self.answered = time.monotonic()
        told = {"n": self.number, "method": method, "target": path, "saw": saw,
                "seconds": round(self.answered - began, 4), "error": error}
        with PRINTING:
            print(json.dumps(told), flush=True)
        self.number += 1

    def do_get(self, path, limit_s=30):
        self.ask("GET", path, limit_s)

    def do_post(self, path, limit_s=30):
        self.ask("POST", path, limit_s, body=b"amount=1")

    def do_wait(self, seconds):
        time.sleep(float(seconds))

    def do_idle(self, seconds):
        time.sleep(max(0.0, self.answered + float(seconds) - time.monotonic()))

    def do_close(self):
        self.session.close()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--ids", action="store_true")
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--http10", action="store_true")
    parser.add_argument("--add", action="append", default=[])
    parser.add_argument("url")
    parser.add_argument("first", type=int)
    parser.add_argument("scripts", nargs="+")
    options = parser.parse_args()
    if options.http10:
        http.client.HTTPConnection._http_vsn, http.client.HTTPConnection._http_vsn_str = 10, "HTTP/1.0"
    users = [threading.Thread(target=User(options, options.first + 100 * index).play, args=(script,))
             for index, script in enumerate(options.scripts)]
    for user in users:
        user.start()
    for user in users:
        user.join()


if __name__ == "__main__":
    main()
