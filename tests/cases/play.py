# play.py - plays a story: who acknowledged what, and what a capture point saw when.
# SPDX-License-Identifier: GPL-2.0-or-later
"""Times of a story are on the clock of whoever sends. A side acknowledges what has reached it by the time it sends,
and everything that arrives is acknowledged at once."""
from dataclasses import dataclass, field, replace

from story import CLIENT, SERVER, Event

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
# Of the way between the two, the client's part in hundredths.
CAPTURE_POINTS = {"at-client": 0, "middle": 40, "at-server": 100}
FLAGS = {"data": PSH | ACK, "fin": FIN | ACK, "rst": RST | ACK, "ack": ACK, "syn": SYN, "syn-ack": SYN | ACK,
         "probe": ACK}
TTL = (63, 58)  # as captured: of the client's and the server's packets
WINDOW = 502
NEXT_SEGMENT_NS = 10_000  # between segments of one line
ISN = (0x1000_0000, 0x6000_0000)
MODULUS = 1 << 32
CAPTURED_AS = ("uncaptured", "snap", "ttl", "window")  # options that a retransmission has, too


@dataclass
class Segment:
    """What one side sends. Sequence numbers count from 0, the SYN's."""
    connection: str
    side: int
    sent_ns: int
    flags: int
    bytes: bytes = b""
    event: Event = None    # None: nobody wrote it down
    options: dict = field(default_factory=dict)
    again: "Segment" = None
    probe: bool = False
    seq: int = 0
    ack: int = 0
    arrives_ns: int = None  # None: never

    @property
    def width(self):
        return len(self.bytes) + (1 if self.flags & (SYN | FIN) else 0)


@dataclass
class Packet:
    """A segment as captured; copies of it are other packets."""
    time_ns: int
    segment: Segment
    seq: int
    ack: int
    flags: int
    bytes: bytes
    ip_id: int
    clock_ns: int = 0  # how far the capture's clock is off


class Conversation:
    """One connection of a story, played."""

    def __init__(self, case, connection, resent_ns=None):
        self.case = case
        self.connection = connection
        self.one_way_ns = case.path_ns // 2
        self.gone_ns = [None, None]
        self.segments = []
        self.by_label = {}
        self.resent_ns = resent_ns

    def play(self):
        if not self.connection.bare:
            self.handshake()
        for event in self.case.events:
            if event.connection == self.connection.name:
                self.send(event)
        if self.resent_ns is not None:
            self.resend_all()
        for segment in self.segments:
            segment.arrives_ns = self.arrival(segment)
        self.acknowledge()
        self.segments.sort(key=lambda segment: (segment.sent_ns, segment.width == 0))
        self.number()
        return self.segments

    # ---- What is sent

    def add(self, side, sent_ns, flags, content=b"", **more):
        segment = Segment(self.connection.name, side, sent_ns, flags, content, **more)
        self.segments.append(segment)
        return segment

    def handshake(self):
        at_ns = self.connection.at_ns
        self.add(CLIENT, at_ns, SYN)
        self.add(SERVER, at_ns + self.one_way_ns, SYN | ACK)

    def send(self, event):
        if event.kind == "gone":
            self.gone_ns[event.side] = event.at_ns
            return
        if event.kind == "again":
            made = [self.add(event.side, event.at_ns, old.flags, old.bytes, event=event, options=event.options,
                             again=old) for old in self.by_label[event.again]]
        elif event.kind == "data":
            made = self.send_data(event)
        else:
            flags = RST if event.kind == "rst" and "reply" in event.options else FLAGS[event.kind]
            made = [self.add(event.side, event.at_ns, flags, event.bytes, event=event,
                             options=event.options, probe=event.kind == "probe")]
        for number, segment in enumerate(made):
            segment.sent_ns += number * NEXT_SEGMENT_NS
        if event.label:
            self.by_label[event.label] = made

    def send_data(self, event):
        """In segments; the last one carries the flags of the options, the first one a SYN."""
        mss = len(event.bytes) if "whole" in event.options else self.connection.mss
        pieces = [event.bytes[at:at + mss] for at in range(0, len(event.bytes), mss)]
        made = [self.add(event.side, event.at_ns, PSH | ACK, piece, event=event, options=event.options)
                for piece in pieces]
        if made:
            made[-1].flags |= sum(flag for name, flag in (("fin", FIN), ("rst", RST), ("urg", URG))
                                  if name in event.options)
            if "syn" in event.options:
                made[0].flags = SYN if event.side == CLIENT else SYN | ACK
        return made

    def resend_all(self):
        """Every payload segment once more, unless its sender was reset or vanished before. What a story loses it sends
        again itself."""
        for old in [segment for segment in self.segments if segment.bytes and not segment.probe]:
            once = old.again is None and not {"lost", "seq"} & set(old.options) and not old.flags & RST
            if once and self.is_there(old.side, old.sent_ns + self.resent_ns):
                options = {name: value for name, value in old.options.items() if name in CAPTURED_AS}
                self.add(old.side, old.sent_ns + self.resent_ns, old.flags, old.bytes, event=old.event, again=old,
                         options=options)

    def is_there(self, side, at_ns):
        """Whether that side still sends then."""
        if self.gone_ns[side] is not None and at_ns >= self.gone_ns[side]:
            return False
        return not any(segment.flags & RST and "seq" not in segment.options and
                       segment.sent_ns + (0 if segment.side == side else self.one_way_ns) <= at_ns
                       for segment in self.segments)

    # ---- What arrives, and is acknowledged

    def arrival(self, segment):
        if "lost" in segment.options:
            return None
        return segment.sent_ns + self.one_way_ns + segment.options.get("delay", 0)

    def is_answered(self, segment):
        """Nobody acknowledges behind an RST, and a server that has sent its FIN no payload."""
        receiver, at_ns = 1 - segment.side, segment.arrives_ns
        if at_ns is None or receiver in self.connection.mute or "unacked" in segment.options:
            return False
        if segment.flags & RST or segment.flags & (SYN | ACK) == SYN:
            return False
        if not self.is_there(receiver, at_ns):
            return False
        return not (receiver == SERVER and segment.bytes and not segment.probe and
                    any(other.side == SERVER and other.flags & FIN and other.sent_ns <= at_ns
                        for other in self.segments))

    def acknowledge(self):
        for segment in list(self.segments):
            if (segment.width or segment.probe) and self.is_answered(segment):
                self.add(1 - segment.side, segment.arrives_ns, ACK, event=None)

    def number(self):
        following = [0, 0]
        if self.connection.bare and not any(segment.flags & SYN for segment in self.segments):
            following = [1, 1]  # the SYNs were before
        begun = list(following)
        for segment in self.segments:
            if segment.again is not None:
                segment.seq = segment.again.seq
            elif segment.probe:
                segment.seq = following[segment.side] - 1
            elif "seq" in segment.options:  # what no sender would send: it takes no numbers
                segment.seq = following[segment.side] + segment.options["seq"]
            else:
                segment.seq = following[segment.side]
                following[segment.side] += segment.width
        for segment in self.segments:
            segment.ack = self.ack_of(segment, begun)

    def ack_of(self, segment, begun):
        wanted = segment.options.get("ack")
        if wanted == "nothing":
            return 1
        if wanted:
            last = self.by_label[wanted][-1]
            return last.seq + last.width
        arrived = sorted((other.seq, other.seq + other.width) for other in self.segments
                         if other.side != segment.side and other.arrives_ns is not None and not other.probe
                         and other.arrives_ns <= segment.sent_ns)
        ack = begun[1 - segment.side]
        for first, end in arrived:
            if first > ack:
                break
            ack = max(ack, end)
        return ack


class Play:
    """A story seen from one place: the captured packets of every connection, in the order of capture."""

    def __init__(self, case, point=None, resent_ns=None):
        self.case = case
        self.segments = [segment for connection in case.connections.values()
                         for segment in Conversation(case, connection, resent_ns).play()]
        self.part = CAPTURE_POINTS[point or case.point]
        self.packets = self.capture()

    def capture(self):
        ids = {}
        packets = []
        for segment in sorted(self.segments, key=lambda segment: (segment.sent_ns, segment.width == 0)):
            counter = (segment.connection, segment.side)
            ids[counter] = ids.get(counter, 1000 + 20000 * segment.side) + 1
            if not self.is_captured(segment):
                continue
            time_ns = self.time_of(segment)
            if time_ns > self.case.end_ns:
                continue
            packets.append(Packet(time_ns, segment, segment.seq, segment.ack, segment.flags, segment.bytes,
                                  segment.options.get("id", ids[counter]), segment.options.get("clock", 0)))
            if "copied" in segment.options:
                packets.append(replace(packets[-1], time_ns=time_ns + 100_000))
        return sorted(packets, key=lambda packet: packet.time_ns)

    def time_of(self, segment):
        part = self.part if segment.side == CLIENT else 100 - self.part
        way_ns = self.case.path_ns // 2 * part // 100
        return segment.sent_ns + way_ns + segment.options.get("delay", 0) * (part > 0)

    def is_captured(self, segment):
        """What is lost on the way is seen by its sender, and by nobody at the other end."""
        connection = self.case.connections[segment.connection]
        if "uncaptured" in segment.options or segment.side in connection.unseen:
            return False
        part = self.part if segment.side == CLIENT else 100 - self.part  # of the way to the capture point
        if "lost" in segment.options and part > 0:
            return part < 100 and segment.options["lost"] != "before"
        return True
