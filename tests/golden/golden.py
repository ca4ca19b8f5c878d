#!/usr/bin/env python3
# golden.py - runs the tool on a sample and compares what it says with what the sample expects.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Usage: golden.py --tool KEPTALIVE [--schema FILE] SAMPLE

A sample is a directory with capture.pcap or capture.pcapng, expect.ndjson and report.txt. Other captures beside it are of
the same traffic, taken elsewhere, and read with it.

expect.ndjson holds one JSON object a line, each with a "type". It matches exactly one record of that type: for a
connection the one with its stream; for a finding the one with its id and its stream, server (of several the one with
its frame) or pair; for an exchange
the one with its stream and number or frame; for an endpoint the one with its server; else the one with all keys given. Keys left out are not checked; a number may be {"min": .., "max": ..}; a list of names may be in
any order. Every connection and every finding must be expected. {"type": "exit", "status": 3} expects an exit status
other than 0. {"type": "healthy"} is for tests/plugin/healthy. Lines starting with # are comments.

report.txt is the text report, byte for byte; tests/golden/update rewrites it.

Exit status 0: as expected; 1: not; 77: as expected, but the schema could not be checked."""
import argparse
import difflib
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

SKIPPED = 77
TIMEOUT_S = 120
COMPLETE = {"connection", "finding"}  # types of which every record must be expected
OF_THE_SAMPLE = {"exit", "healthy"}  # types of lines that expect no record


class BadJson(ValueError):
    pass


def parse(line):
    """One object; numbers stay exact. Repeated keys and NaN are no JSON."""
    def unique(pairs):
        if len({key for key, _ in pairs}) != len(pairs):
            raise BadJson("a key occurs twice")
        return dict(pairs)

    def refuse(name):
        raise BadJson(f"{name} is not JSON")
    try:
        record = json.loads(line, parse_float=Decimal, parse_constant=refuse, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise BadJson(str(error)) from error
    if not isinstance(record, dict) or not isinstance(record.get("type"), str):
        raise BadJson("not an object with a type")
    return record


def show(value):
    return json.dumps(value, default=lambda number: float(number), ensure_ascii=False)


# ---- Comparing one record with one expectation --------------------------------------------------

def is_number(value):
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def is_range(expected):
    return isinstance(expected, dict) and bool(expected) and set(expected) <= {"min", "max"}


def names(value):
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def differences(expected, actual, path=""):
    """One line for each place where the record is not as expected."""
    if is_range(expected) and is_number(actual):
        inside = expected.get("min", actual) <= actual <= expected.get("max", actual)
        return [] if inside else [f"{path}: expected {show(expected)}, got {show(actual)}"]
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = []
        for key, value in expected.items():
            where = f"{path}.{key}" if path else key
            found += differences(value, actual[key], where) if key in actual else [f"{where}: is not there"]
        return found
    if names(expected) and names(actual):
        same = sorted(expected) == sorted(actual)
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [line for index, pair in enumerate(zip(expected, actual))
                for line in differences(*pair, f"{path}[{index}]")]
    else:
        same = expected == actual and isinstance(expected, bool) == isinstance(actual, bool)
    return [] if same else [f"{path}: expected {show(expected)}, got {show(actual)}"]


def identity(expected):
    """The keys that say which record is meant, or all of them."""
    keys = {"connection": ["stream"], "endpoint": ["server"], "capture": [], "summary": []}.get(expected["type"])
    if expected["type"] == "finding":
        about = [key for key in ("stream", "server", "pair") if key in expected][:1]
        keys = ["id"] + about + (["frame"] if about == ["server"] and "frame" in expected else [])
    if expected["type"] == "exchange" and "stream" in expected:
        numbers = [key for key in ("number", "request_frame", "response_frame") if key in expected][:1]
        keys = ["stream"] + numbers if numbers else None
    return {key: expected[key] for key in (expected if keys is None else keys) if key in expected}


def incomplete(expected):
    """What an expectation lacks to mean one record, or None."""
    if expected["type"] == "connection" and "stream" not in expected:
        return "needs a stream"
    if expected["type"] == "finding" and ("id" not in expected or len(identity(expected)) < 2):
        return "needs an id, and a stream, server or pair"
    return None


def closest(expected, records):
    """For a message: how the record that differs least differs."""
    found = [differences(expected, record) for record in records if record["type"] == expected["type"]]
    return min(found, key=len, default=[])


def compare(expectations, records):
    """Problems; each expectation against its record, and records that nobody expected."""
    problems, met = [], {}
    for number, expected in expectations:
        where, meant = f"expect.ndjson:{number}", {"type": expected["type"], **identity(expected)}
        if incomplete(expected):
            problems.append(f"{where}: {expected['type']} {incomplete(expected)}")
            continue
        found = [index for index, record in enumerate(records) if not differences(meant, record)]
        if len(found) != 1:
            problems.append(f"{where}: {len(found)} records are {show(meant)}, expected exactly one")
            if not found and expected["type"] not in COMPLETE:
                problems += [f"    closest: {line}" for line in closest(expected, records)]
            continue
        if found[0] in met:
            problems.append(f"{where}: expects the same record as line {met[found[0]]}")
        met[found[0]] = number
        lines = differences(expected, records[found[0]])
        if lines:
            problems.append(f"{where}: {show(meant)}")
            problems += [f"    {line}" for line in lines]
    problems += [f"not expected: {show(record)}" for index, record in enumerate(records)
                 if record["type"] in COMPLETE and index not in met]
    return problems


# ---- What holds for every output ----------------------------------------------------------------

def read_records(output):
    """(records, problems) of the tool's NDJSON."""
    records, problems = [], []
    try:
        text = output.decode("utf-8")
    except UnicodeDecodeError as error:
        return [], [f"the output is not UTF-8: {error}"]
    if not text.endswith("\n"):
        problems.append("the output does not end with a line end")
    for number, line in enumerate(text.split("\n")[:-1] if text.endswith("\n") else text.split("\n"), 1):
        try:
            records.append(parse(line))
        except BadJson as error:
            problems.append(f"output line {number}: {error}: {line[:200]}")
    return records, problems


def check_order(records):
    types = [record["type"] for record in records]
    problems = []
    if types[:1] != ["capture"] or types.count("capture") != 1:
        problems.append("the first record, and no other, must be the capture")
    if types[-1:] != ["summary"] or types.count("summary") != 1:
        problems.append("the last record, and no other, must be the summary")
    return problems


def check_ids(records):
    """A connection names exactly the findings told about it."""
    problems = []
    for record in records:
        if record["type"] == "connection" and "findings" in record:
            told = sorted({other.get("id") for other in records
                           if other["type"] == "finding" and other.get("stream") == record.get("stream")})
            if sorted(record["findings"]) != told:
                problems.append(f"connection {record.get('stream')} names the findings {show(record['findings'])}, "
                                f"told were {show(told)}")
    return problems


def check_schema(output, schema_path):
    """(problems, reason why it could not be checked or None)."""
    if schema_path is None or not schema_path.is_file():
        print(f"there is no schema {schema_path}: records are not checked against it")
        return [], None
    try:
        import jsonschema
    except ImportError:
        return [], "python3-jsonschema is not installed: records are not checked against the schema"
    schema = json.loads(schema_path.read_text(encoding="utf-8"))
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator, problems = kind(schema), []
    for number, line in enumerate(output.decode("utf-8").splitlines(), 1):
        for error in (meant for found in validator.iter_errors(json.loads(line)) for meant in meant_by(found)):
            place = "/".join(map(str, error.absolute_path)) or "record"
            problems.append(f"output line {number} is not as the schema says: {place}: {error.message[:300]}")
    return problems, None


def meant_by(error):
    """Of a record that fits none of the kinds the schema offers, the errors against the kind its type names."""
    kinds = {}
    for inner in error.context:
        kinds.setdefault(inner.schema_path[0], []).append(inner)
    for errors in kinds.values():
        if not any(list(inner.path) == ["type"] for inner in errors):
            return [deeper for inner in errors for deeper in meant_by(inner)]
    return [error]


# ---- One sample ---------------------------------------------------------------------------------

def capture_of(sample):
    for name in ("capture.pcapng", "capture.pcap"):
        if (sample / name).is_file():
            return name
    return None


def captures_of(sample):
    first = capture_of(sample)
    return [first, *sorted(path.name for path in sample.glob("*.pcap*") if path.name != first)]


def run_tool(tool, sample, *arguments):
    """In the sample's directory, so that no path of this machine gets into the output."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    return subprocess.run([str(tool), *arguments, *captures_of(sample)], cwd=sample, env=environment,
                          capture_output=True, timeout=TIMEOUT_S)


def text_report(tool, sample):
    return run_tool(tool, sample, "--format", "text")


def read_expectations(sample):
    lines = (sample / "expect.ndjson").read_text(encoding="utf-8").splitlines()
    return [(number, parse(line)) for number, line in enumerate(lines, 1)
            if line.strip() and not line.startswith("#")]


def check_status(run, expected, what):
    if run.returncode == expected:
        return []
    return [f"{what}: exit status {run.returncode}, expected {expected}",
            *("    " + line for line in run.stderr.decode("utf-8", "replace").splitlines())]


def check_records(tool, sample, schema):
    expectations = read_expectations(sample)
    status = next((line["status"] for _, line in expectations if line["type"] == "exit"), 0)
    run = run_tool(tool, sample, "--format", "ndjson", "--exchanges")
    records, problems = read_records(run.stdout)
    schema_problems, reason = check_schema(run.stdout, schema) if not problems else ([], None)
    problems = check_status(run, status, "--format ndjson") + problems + schema_problems
    problems += check_order(records) + check_ids(records)
    problems += compare([line for line in expectations if line[1]["type"] not in OF_THE_SAMPLE], records)
    return problems, status, reason


def report_diff(sample, actual):
    """The lines in which the report differs from report.txt."""
    path = sample / "report.txt"
    wanted = path.read_bytes() if path.is_file() else b""
    if wanted == actual and path.is_file():
        return []
    lines = lambda text: text.decode("utf-8", "backslashreplace").splitlines()
    return list(difflib.unified_diff(lines(wanted), lines(actual), f"{sample.name}/report.txt", "the report now",
                                     lineterm="")) or ["report.txt is missing, or differs in line ends"]


def check_report(tool, sample, status):
    run = text_report(tool, sample)
    lines = report_diff(sample, run.stdout)
    hint = ["the text report has changed; when that is right: tests/golden/update " + sample.name] if lines else []
    return check_status(run, status, "--format text") + hint + lines


def check(tool, sample, schema):
    """(problems, reason why something was skipped or None)."""
    if capture_of(sample) is None or not (sample / "expect.ndjson").is_file():
        return [f"{sample.name}: needs capture.pcap or capture.pcapng, and expect.ndjson"], None
    try:
        problems, status, reason = check_records(tool, sample, schema)
        return problems + check_report(tool, sample, status), reason
    except BadJson as error:
        return [f"expect.ndjson: {error}"], None
    except subprocess.TimeoutExpired:
        return [f"the tool ran longer than {TIMEOUT_S} s"], None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", type=Path, required=True)
    parser.add_argument("--schema", type=Path)
    parser.add_argument("sample", type=Path)
    options = parser.parse_args()
    problems, skipped = check(options.tool.resolve(), options.sample.resolve(), options.schema)
    print("\n".join(problems))
    if skipped and not problems:
        print(f"skipped: {skipped}")
    return 1 if problems else SKIPPED if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
