# recode.py - one capture written again: other byte orders, clocks, formats, compressions, in one file or several.
# SPDX-License-Identifier: GPL-2.0-or-later
import gzip
import lzma
import shutil
import struct
import subprocess

ETHERNET, RAW, LINUX_SLL, LINUX_SLL2 = 1, 101, 113, 276
LINK_BYTES = {ETHERNET: 14, RAW: 0, LINUX_SLL: 16, LINUX_SLL2: 20}
BOTH = ("<", ">")


class Packet:
    def __init__(self, time_ns, wire_bytes, data):
        self.time_ns, self.wire_bytes, self.data = time_ns, wire_bytes, data


def read_pcap(data):
    """(link type, packets) of a little-endian pcap file, as samples/*/make wrote it."""
    magic, _, _, _, _, _, link = struct.unpack("<IHHiIII", data[:24])
    unit = {0xa1b2c3d4: 1000, 0xa1b23c4d: 1}[magic]
    packets, at = [], 24
    while at < len(data):
        seconds, fraction, captured, wire = struct.unpack_from("<IIII", data, at)
        packets.append(Packet(seconds * 10**9 + fraction * unit, wire, data[at + 16:at + 16 + captured]))
        at += 16 + captured
    return link, packets


def pcap(link, packets, order="<", unit=1000):
    parts = [struct.pack(order + "IHHiIII", 0xa1b2c3d4 if unit == 1000 else 0xa1b23c4d, 2, 4, 0, 0, 262144, link)]
    for packet in packets:
        seconds, fraction = divmod(packet.time_ns, 10**9)
        parts.append(struct.pack(order + "IIII", seconds, fraction // unit, len(packet.data), packet.wire_bytes))
        parts.append(packet.data)
    return b"".join(parts)


def pcap_modified(link, packets):
    """As Alexey Kuznetzov's patched libpcap wrote them: eight more bytes a packet."""
    parts = [struct.pack("<IHHiIII", 0xa1b2cd34, 2, 4, 0, 0, 262144, link)]
    for packet in packets:
        seconds, fraction = divmod(packet.time_ns, 10**9)
        parts.append(struct.pack("<IIII", seconds, fraction // 1000, len(packet.data), packet.wire_bytes))
        parts.append(struct.pack("<IHBB", 2, 0x800, 0, 0) + packet.data)
    return b"".join(parts)


# ---- pcapng ----

def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order):
    return block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))


def interface(order, link, snap=0, resolution=6, offset_s=0):
    options = struct.pack(order + "HHB3xHHqHH", 9, 1, resolution, 14, 8, offset_s, 0, 0)
    return block(order, 1, struct.pack(order + "HHI", link, 0, snap) + options)


def ticks(packet, resolution, offset_s):
    ns = packet.time_ns - offset_s * 10**9
    per_second = 2**(resolution & 0x7f) if resolution & 0x80 else 10**resolution
    return -(-ns * per_second // 10**9)  # rounded up: reading rounds down


def enhanced(order, number, packet, resolution=6, offset_s=0, data=None):
    data = packet.data if data is None else data
    time = ticks(packet, resolution, offset_s)
    wire = packet.wire_bytes - len(packet.data) + len(data)
    head = struct.pack(order + "IIIII", number, time >> 32, time & 0xffffffff, len(data), wire)
    return block(order, 6, head + data)


def pcapng(link, packets, order="<", resolution=6, offset_s=0):
    return section(order) + interface(order, link, 0, resolution, offset_s) + b"".join(
        enhanced(order, 0, packet, resolution, offset_s) for packet in packets)


def pcapng_sections(link, packets):
    """A section for every three packets, in alternating byte orders."""
    return b"".join(pcapng(link, packets[at:at + 3], BOTH[at // 3 % 2], (6, 9, 7)[at // 3 % 3])
                    for at in range(0, len(packets), 3))


def pcapng_interfaces(link, packets):
    """Three interfaces with clocks and snapshot lengths of their own, taken in turn."""
    clocks = [(6, 0), (9, 1000000000), (0x80 | 30, -77)]
    parts = [section("<")] + [interface("<", link, snap, *clock) for snap, clock in zip((65535, 96 << 10, 0), clocks)]
    parts += [enhanced("<", number % 3, packet, *clocks[number % 3]) for number, packet in enumerate(packets)]
    return b"".join(parts)


def pcapng_links(link, packets):
    """Each second packet on an interface of raw IP, without its link header."""
    parts = [section(">"), interface(">", link), interface(">", RAW)]
    for number, packet in enumerate(packets):
        data = packet.data[LINK_BYTES[link]:] if number % 2 else packet.data
        parts.append(enhanced(">", number % 2, packet, data=data))
    return b"".join(parts)


def pcapng_obsolete(link, packets):
    parts = [section("<"), interface("<", link)]
    for packet in packets:
        time = packet.time_ns // 1000
        head = struct.pack("<HHIIII", 0, 0xffff, time >> 32, time & 0xffffffff, len(packet.data), packet.wire_bytes)
        parts.append(block("<", 2, head + packet.data))
    return b"".join(parts)


# ---- Compression: Python's modules, and the tools of those it has no module for ----

def piped(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def compressions():
    """name -> function, of those that can be made here."""
    known = {"gz": lambda data: gzip.compress(data, mtime=0), "xz": lzma.compress,
             "gz-members": lambda data: b"".join(gzip.compress(data[at:at + 700], mtime=0)
                                                 for at in range(0, len(data), 700)),
             "xz-streams": lambda data: lzma.compress(data[:99]) + b"\0" * 8 + lzma.compress(data[99:])}
    for name, command in (("zst", ["zstd", "-q", "-c", "-"]), ("lz4", ["lz4", "-q", "-c", "-B4", "-"])):
        if shutil.which(command[0]):
            known[name] = lambda data, command=command: piped(command, data)
    return known
