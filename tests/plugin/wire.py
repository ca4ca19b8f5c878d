# wire.py - writes captures of made-up connections.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Imported by the tests of this directory.

A story is a list of steps on one connection: ("C", bytes) the client sends a segment, ("S", bytes) the server does,
("CF",) and ("SF",) they send a FIN, ("wait", seconds). Every segment acknowledges all that came before it."""
import struct

CLIENT, SERVER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
SERVER_PORT = 80
FIRST_CLIENT_PORT = 20000
FIN, SYN, PSH, ACK = 1, 2, 8, 16
STEP_S = 0.001
BETWEEN_S = 10  # so that a connection has settled when the next begins
EPOCH_S = 1700000000


class Capture:
    """Frames of one connection after the other."""

    def __init__(self):
        self.packets, self.now = [], 0.0

    def segment(self, ends, flags, seq, ack, payload=b"", len_bytes=None):
        """Captured is `payload`; on the wire were len_bytes."""
        (source, source_port), (target, target_port) = ends
        tcp = struct.pack("!HHIIBBHHH", source_port, target_port, seq % 2**32, ack % 2**32, 5 << 4, flags, 65535, 0, 0)
        total = 40 + (len(payload) if len_bytes is None else len_bytes)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, total, len(self.packets) % 2**16, 0, 64, 6, 0, source, target)
        seconds = int(self.now)
        self.packets.append(struct.pack("<IIII", EPOCH_S + seconds, int((self.now - seconds) * 1e6),
                                        40 + len(payload), total) + ip + tcp + payload)
        self.now += STEP_S

    def connection(self, story, port=SERVER_PORT):
        """Returns the number of its first frame."""
        first_frame = len(self.packets) + 1
        ends = {"C": (CLIENT, FIRST_CLIENT_PORT + first_frame % 40000), "S": (SERVER, port)}
        next_seq = {"C": 1000, "S": 5000}

        def send(who, flags, payload=b"", len_bytes=None):
            other = "S" if who == "C" else "C"
            ack = 0 if flags == SYN else next_seq[other]
            self.segment((ends[who], ends[other]), flags, next_seq[who], ack, payload, len_bytes)
            next_seq[who] += (len_bytes or len(payload)) + bool(flags & (SYN | FIN))

        send("C", SYN)
        send("S", SYN | ACK)
        send("C", ACK)
        for step in story:
            if step[0] == "wait":
                self.now += step[1]
            elif step[0] in ("CF", "SF"):
                send(step[0][0], FIN | ACK)
            else:
                send(step[0], PSH | ACK, *step[1:])
        send("C", ACK)
        self.now += BETWEEN_S
        return first_frame

    def write(self, path):
        """Raw IP, so that nothing has to be padded."""
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101))
            file.writelines(self.packets)
