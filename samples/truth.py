#!/usr/bin/env python3
# truth.py - what became of each request that went through a proxy, from the logs of all three: samples/*/truth.ndjson.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: truth.py --proxy ADDRESS[,ADDRESS...] [--known FILE] DIRECTORY CAPTURE...

In DIRECTORY lie users.log (users.py) and, as far as the servers write them, proxy.log and origin.log, a line a request
with `n=N` (the request's X-Sample), `client=PORT` (the port it came from) and anything else. The captures say which
ports the requests with this number had on both legs; they must agree with the logs where those tell ports.
--known FILE has lines that follow from the configuration, and are put in front.
"""
import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

FIELDS = ["tcp.stream", "frame.number", "ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "http.request.method",
          "http.request.uri", "http.request.line"]


def requests_of(capture):
    arguments = [argument for field in FIELDS for argument in ("-e", field)]
    ports = [argument for port in range(80, 90) for argument in ("-d", f"tcp.port=={port},http")]
    told = subprocess.run(["tshark", "-n", "-r", capture, "-o", "tcp.reassemble_out_of_order:TRUE", *ports, "-Y",
                           "http.request && !tcp.analysis.retransmission", "-T", "fields", "-E", "separator=/t",
                           "-E", "aggregator=|", *arguments],
                          capture_output=True, text=True, check=True).stdout
    for line in told.splitlines():
        request = dict(zip(FIELDS, line.split("\t")))
        fields = {}
        for field in re.split(r"\\r\\n\|?", request["http.request.line"]):
            name, _, value = field.partition(":")
            fields.setdefault(name.strip().lower(), value.strip())
        if "x-sample" in fields:
            yield request, fields


def log_lines(path):
    """By request number, the lines of a log without that number."""
    lines = {}
    for line in path.read_text().splitlines() if path.is_file() else []:
        number = re.search(r"\bn=(\d+)", line)
        if number:
            lines.setdefault(int(number[1]), []).append(line.replace(number[0], "").strip())
    return lines


def check_ports(what, number, lines, ports):
    for line in lines:
        port = re.search(r"\bclient=(\d+)", line)
        if port and int(port[1]) not in ports:
            sys.exit(f"request {number}: the {what} tells of port {port[1]}, the capture of {ports}")


def legs_of(captures, proxies):
    """By request number: the request as the proxy got it, and as it sent it on, each time."""
    downstream, upstream = {}, {}
    for capture in captures:
        for request, fields in requests_of(capture):
            number = int(fields["x-sample"])
            if request["ip.dst"] in proxies:
                downstream.setdefault(number, (request, fields))
            elif request["ip.src"] in proxies:
                upstream.setdefault(number, []).append((request, fields))
    return downstream, upstream


def end(request, side):
    return f"{request['ip.' + side]}:{request['tcp.' + side + 'port']}"


def told_of(user, downstream, upstream, proxy_log, origin_log):
    number = user["n"]
    record = {"type": "request", "n": number, "method": user["method"], "target": user["target"]}
    if number in downstream:
        request, fields = downstream[number]
        record |= {"client": end(request, "src"), "proxy": end(request, "dst"),
                   "request_id": fields.get("x-request-id"), "traceparent": fields.get("traceparent")}
        check_ports("proxy's log", number, proxy_log.get(number, []), [int(request["tcp.srcport"])])
    record["upstream"] = [{"from": end(request, "src"), "origin": end(request, "dst"),
                           "request_id": fields.get("x-request-id")}
                          for request, fields in upstream.get(number, [])]
    check_ports("origin's log", number, origin_log.get(number, []),
                [int(request["tcp.srcport"]) for request, _ in upstream.get(number, [])])
    return record | {"saw": user["saw"], "proxy_log": proxy_log.get(number, []), "origin_log": origin_log.get(number, [])}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--proxy", required=True)
    parser.add_argument("--known", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("captures", nargs="+")
    options = parser.parse_args()
    users = [json.loads(line) for line in (options.directory / "users.log").read_text().splitlines()]
    logs = [log_lines(options.directory / name) for name in ("proxy.log", "origin.log")]
    downstream, upstream = legs_of(options.captures, options.proxy.split(","))
    if options.known:
        print(options.known.read_text(), end="")
    for user in sorted(users, key=lambda user: user["n"]):
        print(json.dumps(told_of(user, downstream, upstream, *logs), separators=(",", ":")))


if __name__ == "__main__":
    main()
