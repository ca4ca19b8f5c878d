#!/usr/bin/env python3
# ntlm_origin.py - a server that knows who asks by connection, as IIS does: NTLM below /mail, everything else is for all.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: ntlm_origin.py PORT"""
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import ntlm


class Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    nonce = user = None

    def do_GET(self):
        message, step = ntlm.step_of(self.headers["Authorization"])
        if step == ntlm.NEGOTIATE:
            self.nonce, self.user = os.urandom(8), None
            self.answer(401, ntlm.value_of(ntlm.challenge(self.nonce)))
            return
        if step == ntlm.AUTHENTICATE:
            self.user, self.nonce = ntlm.user_of(message, self.nonce), None
        if self.path.startswith("/slow"):
            time.sleep(1)
        if self.path.startswith("/mail") and self.user is None:
            self.answer(401, "NTLM")
        else:
            self.answer(200)

    def handle(self):
        try:
            super().handle()
        except ConnectionResetError:  # HAProxy clears its pool
            pass

    def answer(self, status, demand=None):
        body = f"hello, {self.user or 'whoever you are'}\n".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if demand:
            self.send_header("WWW-Authenticate", demand)
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        print(f"n={self.headers['X-Sample']} client={self.client_address[1]} {self.path} {code} as {self.user or 'nobody'}",
              flush=True)


ThreadingHTTPServer(("", int(sys.argv[1])), Connection).serve_forever()
