#!/usr/bin/env python3
# truth.py - are a proxy's legs linked, and its failures told, as the logs of clients, proxy and origin say?
# SPDX-License-Identifier: GPL-2.0-or-later
"""Usage: truth.py --tool KEPTALIVE [--schema FILE] SAMPLE

A sample with truth.ndjson (samples/README.md). Every pair of connections that carried a request of the sample must be
told, with as many requests, and no other pair. Each `diagnosis` must be made, and no `innocent` one. The clock of a
`clock` line must be found.

Exit status 0: as the truth says; 1: not; 77: the output knows no pairs (by the schema)."""
import argparse
import collections
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import golden  # noqa: E402

OFFSET_TOLERANCE_S = 0.075  # the way between the captures, 42 ms, and the drift until the middle of a sample
DRIFT_TOLERANCE_PPM = 50  # a millisecond or two of jitter in half a minute


def address(end):
    return f"{end['ip']}:{end['port']}"


class Told:
    """What the tool says of the sample."""

    def __init__(self, records):
        self.pairs = [record for record in records if record["type"] == "pair"]
        self.findings = [record for record in records if record["type"] == "finding"]
        self.connections = {record["stream"]: record for record in records if record["type"] == "connection"}

    def stream_of(self, client):
        return next((stream for stream, record in self.connections.items() if address(record["client"]) == client), None)

    def links(self):
        return collections.Counter({(address(pair["downstream"]["client"]), address(pair["upstream"]["client"])):
                                    pair["requests"] for pair in self.pairs})

    def of_request(self, name, request, number):
        """Findings of that name about the request, or about one of its connections as a whole."""
        downstream = self.stream_of(request["client"])
        streams = {downstream, *(self.stream_of(tried["from"]) for tried in request["upstream"])}
        for finding in self.findings:
            legs = finding.get("pair", {})
            meant = legs["downstream"]["stream"] == downstream if legs else finding.get("stream") in streams
            if finding["id"] == name and meant and finding["values"].get("request_number", number) == number:
                yield finding

    def of_server(self, name, server):
        """Findings of that name about a server, or about a pair with a connection to it."""
        for finding in self.findings:
            streams = [leg["stream"] for leg in finding.get("pair", {}).values()]
            servers = {address(self.connections[stream]["server"]) for stream in streams if stream in self.connections}
            if "server" in finding:
                servers.add(address(finding["server"]))
            if finding["id"] == name and server in servers:
                yield finding


def link_problems(requests, told):
    wanted = collections.Counter((request["client"], tried["from"]) for request in requests.values()
                                 for tried in request["upstream"])
    found = told.links()
    for link in sorted(wanted | found):
        if wanted[link] != found[link]:
            yield f"{link[0]} -> {link[1]}: {wanted[link]} requests, told were {found[link]}"


def numbers_of(requests):
    """The number of each request on its client's connection."""
    count, numbers = collections.Counter(), {}
    for n, request in sorted(requests.items()):
        count[request["client"]] += 1
        numbers[n] = count[request["client"]]
    return numbers


def diagnosis_problems(lines, requests, told):
    numbers = numbers_of(requests)
    for line in lines:
        if line["type"] not in ("diagnosis", "innocent"):
            continue
        if "n" in line:
            found = list(told.of_request(line["id"], requests[line["n"]], numbers[line["n"]]))
        else:
            found = list(told.of_server(line["id"], line.get("origin") or line["proxy"]))
        what = ", ".join(f"{key} {line[key]}" for key in ("n", "origin", "proxy") if key in line)
        if line["type"] == "diagnosis" and not found:
            yield f"{line['id']} is not told of {what}"
        if line["type"] == "innocent" and found:
            yield f"{line['id']} is told of {what}: {found[0]['message']}"


def clock_problems(lines, told):
    for line in lines:
        if line["type"] != "clock":
            continue
        for pair in told.pairs[-1:] or [{}]:
            offset, drift = pair.get("clock_offset"), pair.get("clock_drift_ppb")
            if offset is None or abs(float(offset) - float(line["offset_s"])) > OFFSET_TOLERANCE_S:
                yield f"the clock is {line['offset_s']} s ahead, told was {offset}"
            if drift is None or abs(float(drift) / 1000 - float(line["drift_ppm"])) > DRIFT_TOLERANCE_PPM:
                yield f"the clock gains {line['drift_ppm']} ppm, told was {drift} ppb"


def check(tool, sample):
    run = golden.run_tool(tool, sample, "--format", "ndjson")
    records, problems = golden.read_records(run.stdout)
    lines = [golden.parse(line) for line in (sample / "truth.ndjson").read_text(encoding="utf-8").splitlines()]
    requests = {line["n"]: line for line in lines if line["type"] == "request"}
    told = Told(records)
    return [*golden.check_status(run, 0, "--format ndjson"), *problems, *link_problems(requests, told),
            *diagnosis_problems(lines, requests, told), *clock_problems(lines, told)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", type=Path, required=True)
    parser.add_argument("--schema", type=Path)
    parser.add_argument("sample", type=Path)
    options = parser.parse_args()
    if options.schema and '{ "const": "pair" }' not in options.schema.read_text(encoding="utf-8"):
        print("skipped: the output knows no pairs")
        return golden.SKIPPED
    try:
        problems = check(options.tool.resolve(), options.sample.resolve())
    except subprocess.TimeoutExpired:
        problems = ["the tool ran too long"]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
