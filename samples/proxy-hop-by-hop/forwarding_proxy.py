#!/usr/bin/env python3
# forwarding_proxy.py - a proxy with a pool of its own that hands on every field, also those meant for one hop.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: forwarding_proxy.py PORT IDLE_S ORIGIN_HOST ORIGIN_PORT

A client's connection is closed after IDLE_S seconds without a request.
"""
import http.client
import http.server
import select
import sys

POOL = []


def connection():
    """One from the pool that the origin has not closed, or a new one."""
    while POOL:
        pooled = POOL.pop()
        if not select.select([pooled.sock], [], [], 0)[0]:
            return pooled
        pooled.close()
    return http.client.HTTPConnection(sys.argv[3], int(sys.argv[4]))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = float(sys.argv[2])

    def do_GET(self):
        upstream = connection()
        upstream.putrequest("GET", self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders()
        answer = upstream.getresponse()
        body = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        POOL.append(upstream)
        print(f"n={self.headers['X-Sample']} client={self.client_address[1]} status={answer.status} "
              f"upstream_port={upstream.sock.getsockname()[1]}", flush=True)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Handler).serve_forever()
