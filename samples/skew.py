#!/usr/bin/env python3
# skew.py - gives a capture the clock of another host: an offset, and a drift since its first packet.
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: skew.py OFFSET_S DRIFT_PPM IN.pcap OUT.pcap (little-endian pcap with microseconds, as tcpdump writes it here)"""
import struct
import sys

MAGIC, RECORD = 0xa1b2c3d4, struct.Struct("<IIII")


def main():
    offset_us, drift = round(float(sys.argv[1]) * 1e6), float(sys.argv[2]) / 1e6
    data = open(sys.argv[3], "rb").read()
    if struct.unpack_from("<I", data)[0] != MAGIC:
        sys.exit(f"{sys.argv[3]}: not a little-endian pcap with microseconds")
    out, position, first_us = [data[:24]], 24, None
    while position < len(data):
        seconds, micros, captured, length = RECORD.unpack_from(data, position)
        true_us = seconds * 1000000 + micros
        first_us = true_us if first_us is None else first_us
        told_us = true_us + offset_us + round((true_us - first_us) * drift)
        out += [RECORD.pack(told_us // 1000000, told_us % 1000000, captured, length),
                data[position + RECORD.size:position + RECORD.size + captured]]
        position += RECORD.size + captured
    open(sys.argv[4], "wb").write(b"".join(out))


if __name__ == "__main__":
    main()
