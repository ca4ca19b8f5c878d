# capture.py - variants of stories as one capture: addresses, headers, checksums, and what each frame was.
# SPDX-License-Identifier: GPL-2.0-or-later
"""All stories end when the capture does, so what is open at the end of a story is open at the end of the capture.
Each has addresses of its own."""
import ipaddress
import struct
from dataclasses import dataclass, field

from play import ACK, MODULUS, SYN, TTL, URG, WINDOW
from story import CLIENT

EPOCH_NS = 1_700_000_000_000_000_000  # when the capture ends
FIRST_PORT = 40000
CLIENTS = {4: int(ipaddress.ip_address("10.0.0.0")), 6: int(ipaddress.ip_address("2001:db8:c::"))}
SERVERS = {4: int(ipaddress.ip_address("10.128.0.0")), 6: int(ipaddress.ip_address("2001:db8:5::"))}
LINKTYPE_RAW = 101
PCAP_NS = struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, LINKTYPE_RAW)
NOTHING_OPTION, MSS_OPTION, SCALE_OPTION = 1, 2, 3
ISN_STEP = 0x01000193
TCP = 6


@dataclass
class Instance:
    """A variant with its addresses."""
    variant: object
    ends: dict = field(default_factory=dict)     # connection -> ((client ip, port), (server ip, port)) as text
    servers: dict = field(default_factory=dict)  # server -> (ip, port)
    raw: dict = field(default_factory=dict)      # connection -> packed addresses and ports
    isns: dict = field(default_factory=dict)     # connection -> initial sequence numbers


class Capture:
    """The packets of many variants: files, and from frames back to lines of stories."""

    def __init__(self, variants):
        self.next_host = {"client": 1, "server": 1}
        self.instances = [self.settle_in(variant) for variant in variants]
        told = []
        for instance in self.instances:
            begin_ns = EPOCH_NS - instance.variant.case.end_ns
            told += [(begin_ns + packet.time_ns, instance, packet) for packet in instance.variant.packets]
        told.sort(key=lambda one: one[0])
        self.told = told

    def host(self, kind, version):
        number = self.next_host[kind]
        self.next_host[kind] = number + 1
        return ipaddress.ip_address((CLIENTS if kind == "client" else SERVERS)[version] + number)

    def settle_in(self, variant):
        instance, case = Instance(variant), variant.case
        servers = {name: self.host("server", variant.version) for name in case.servers}
        clients = {name: servers[name] if name in case.proxies else self.host("client", variant.version)
                   for name in case.clients}
        instance.servers = {name: (str(servers[name]), case.servers[name]["port"]) for name in servers}
        ports = {}
        for number, (name, connection) in enumerate(case.connections.items()):
            port = ports[name] = ports[connection.reuses] if connection.reuses else FIRST_PORT + number
            client, server = clients[connection.client], servers[connection.server]
            server_port = case.servers[connection.server]["port"]
            instance.ends[name] = ((str(client), port), (str(server), server_port))
            instance.raw[name] = ((client.packed, port), (server.packed, server_port))
            shift = ISN_STEP * number if connection.reuses else 0  # the same ports need other sequence numbers
            instance.isns[name] = tuple((base + shift) % MODULUS for base in variant.isn)
        return instance

    def event_of(self, frame):
        """(instance, event or None) of a frame."""
        if not 1 <= frame <= len(self.told):
            return None, None
        _, instance, packet = self.told[frame - 1]
        return instance, packet.segment.event

    def records(self):
        """pcap records; the last one is somebody else's."""
        for time_ns, instance, packet in self.told:
            yield pcap_record(time_ns + packet.clock_ns, *datagram(instance, packet))
        last = struct.pack("!HHIIBBHHH", 1, 2, 1, 0, 0x50, SYN, 1000, 0, 0)
        yield pcap_record(EPOCH_NS, *ipv4(b"\xc0\0\2\1", b"\xc0\0\2\2", last, 64, 1), 0)

    def write(self, path):
        with open(path, "wb") as out:
            out.write(PCAP_NS)
            for record in self.records():
                out.write(record)

    def write_cut(self, first_path, second_path, at):
        """The first `at` packets in one file, the others in another."""
        with open(first_path, "wb") as first, open(second_path, "wb") as second:
            first.write(PCAP_NS)
            second.write(PCAP_NS)
            for number, record in enumerate(self.records()):
                (first if number < at else second).write(record)


def pcap_record(time_ns, header, payload, missing):
    captured = len(header) + len(payload) - missing
    return struct.pack("<IIII", time_ns // 10**9, time_ns % 10**9, captured, len(header) + len(payload)) + \
        (header + payload)[:captured]


def checksum(data):
    """RFC 1071: a number modulo 2^16 - 1 is the sum of its 16-bit digits."""
    if len(data) % 2:
        data += b"\0"
    return 0xffff - (int.from_bytes(data, "big") % 0xffff or 0xffff)  # the data here are never all zero


def ipv4(source, destination, payload, ttl, ip_id):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ip_id, 0x4000, ttl, TCP, 0, source, destination)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:], payload


def ipv6(source, destination, payload, ttl, _):
    return struct.pack("!IHBB16s16s", 0x60000000, len(payload), TCP, ttl, source, destination), payload


def datagram(instance, packet):
    """(IP header, TCP segment, how many bytes of it the capture lacks)."""
    segment = packet.segment
    variant, options = instance.variant, segment.options
    ends = instance.raw[segment.connection]
    (source, source_port), (target, target_port) = ends[segment.side], ends[1 - segment.side]
    connection = variant.case.connections[segment.connection]
    isn = instance.isns[segment.connection]
    seq = (isn[segment.side] + packet.seq) % MODULUS
    ack = (isn[1 - segment.side] + packet.ack) % MODULUS if packet.flags & ACK else 0
    tail = struct.pack("!BBH", MSS_OPTION, 4, connection.mss) if packet.flags & SYN else b""
    if tail and connection.scale is not None:
        tail += struct.pack("!BBBB", NOTHING_OPTION, SCALE_OPTION, 3, connection.scale)
    window = options.get("window", WINDOW)
    urgent = len(packet.bytes) if packet.flags & URG else 0
    tcp = struct.pack("!HHIIBBHHH", source_port, target_port, seq, ack, (20 + len(tail)) << 2, packet.flags, window,
                      0, urgent) + tail + packet.bytes
    pseudo = source + target + struct.pack("!II", len(tcp), TCP)
    summed = pseudo if "unsummed" in options else pseudo + tcp  # the network card adds the rest
    tcp = tcp[:16] + struct.pack("!H", checksum(summed)) + tcp[18:]
    missing = max(0, len(packet.bytes) - options["snap"]) if "snap" in options else 0
    make = ipv6 if variant.version == 6 else ipv4
    return *make(source, target, tcp, options.get("ttl", TTL[segment.side]), packet.ip_id & 0xffff), missing
