#!/usr/bin/env python3
# test_truth.py - truth.py sees a link that is missing or wrong, and a finding that is missing or false.
# SPDX-License-Identifier: GPL-2.0-or-later
import sys
import unittest

sys.dont_write_bytecode = True
import truth  # noqa: E402

CLIENT, PROXY, BEHIND, ORIGIN = "10.0.0.1:5000", "10.0.0.2:80", "10.0.0.2:6000", "10.0.0.3:80"
REQUESTS = {n: {"client": CLIENT, "upstream": [{"from": BEHIND}]} for n in (1, 2)}


def end(text):
    ip, port = text.split(":")
    return {"ip": ip, "port": int(port)}


def connection(stream, client, server):
    return {"type": "connection", "stream": stream, "client": end(client), "server": end(server)}


def pair(requests=2, upstream=BEHIND, **more):
    return {"type": "pair", "downstream": {"stream": 0, "client": end(CLIENT)},
            "upstream": {"stream": 1, "client": end(upstream)}, "requests": requests, **more}


def finding(name, number):
    return {"type": "finding", "id": name, "pair": {"downstream": {"stream": 0}, "upstream": {"stream": 1}},
            "values": {"request_number": number}, "message": "so it was"}


def told(*records):
    return truth.Told([connection(0, CLIENT, PROXY), connection(1, BEHIND, ORIGIN), *records])


class Links(unittest.TestCase):
    def problems(self, *records):
        return list(truth.link_problems(REQUESTS, told(*records)))

    def test_all_there(self):
        self.assertEqual(self.problems(pair()), [])

    def test_missing(self):
        self.assertEqual(self.problems(), [f"{CLIENT} -> {BEHIND}: 2 requests, told were 0"])

    def test_too_few(self):
        self.assertEqual(self.problems(pair(1)), [f"{CLIENT} -> {BEHIND}: 2 requests, told were 1"])

    def test_wrong(self):
        self.assertEqual(self.problems(pair(), pair(1, "10.0.0.2:6001")),
                         [f"{CLIENT} -> 10.0.0.2:6001: 0 requests, told were 1"])


class Diagnoses(unittest.TestCase):
    def problems(self, line, *records):
        return list(truth.diagnosis_problems([line], REQUESTS, told(*records)))

    def test_of_a_request(self):
        line = {"type": "diagnosis", "id": "gateway-hang", "n": 2}
        self.assertEqual(self.problems(line, finding("gateway-hang", 2)), [])
        self.assertEqual(self.problems(line, finding("gateway-hang", 1)), ["gateway-hang is not told of n 2"])
        self.assertEqual(self.problems(line, finding("upstream-orphan", 2)), ["gateway-hang is not told of n 2"])

    def test_innocent(self):
        line = {"type": "innocent", "id": "gateway-hang", "n": 1}
        self.assertEqual(self.problems(line, finding("gateway-hang", 2)), [])
        self.assertEqual(self.problems(line, finding("gateway-hang", 1)), ["gateway-hang is told of n 1: so it was"])

    def test_of_a_server(self):
        for key, server in (("origin", ORIGIN), ("proxy", PROXY)):
            line = {"type": "diagnosis", "id": "idle-order-inverted", key: server}
            self.assertEqual(self.problems(line, finding("idle-order-inverted", 1)), [])
            self.assertEqual(self.problems(line), [f"idle-order-inverted is not told of {key} {server}"])


class Clocks(unittest.TestCase):
    def problems(self, offset, drift):
        line = {"type": "clock", "offset_s": 3.2, "drift_ppm": 400}
        return len(list(truth.clock_problems([line], told(pair(clock_offset=offset, clock_drift_ppb=drift)))))

    def test_clock(self):
        self.assertEqual(self.problems(3.21, 390000), 0)
        self.assertEqual(self.problems(3.3, 390000), 1)
        self.assertEqual(self.problems(3.2, 500000), 1)
        self.assertEqual(self.problems(None, None), 2)

    def test_no_pair_tells_of_it(self):
        line = {"type": "clock", "offset_s": 3.2, "drift_ppm": 400}
        self.assertTrue(list(truth.clock_problems([line], told())))


if __name__ == "__main__":
    unittest.main()
