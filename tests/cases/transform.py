# transform.py - the same story told differently: every variant must be judged alike.
# SPDX-License-Identifier: GPL-2.0-or-later
"""TRANSFORMATIONS maps a name to a function: case -> variants."""
from dataclasses import dataclass, replace

from payload import H2_PREFACE, h2
from play import FIN, ISN, MODULUS, PSH, RST, SYN, Packet, Play

SWAPPED_NS = 900_000      # by how much a piece is captured late: twice that is less than 3 ms
COPY_NS = 150_000         # a mirror port's copy
RESENT_NS = (30_000_000, 250_000_000)  # before and after the ACK came back on the usual path
H2_BEGINNING = H2_PREFACE + h2("settings")
PIECES_MAX = 600          # longer payloads are not split into single bytes
POSITIONS_MAX = 400       # nor cut behind this
# A story of many connections is split in fewer ways, so that no variant and no case outweighs all others.
BYTES_MAX = 8000          # of a variant in single bytes; of more, the pieces are larger
PACKETS_MAX = 20000       # of all variants that are cut at one position


@dataclass
class Variant:
    """One telling of a case."""
    case: object
    name: str       # "split at 17"
    packets: list
    version: int = 4
    isn: tuple = ISN


def plain(case):
    return [Variant(case, "plain", Play(case).packets)]


def ipv6(case):
    return [Variant(case, "ipv6", Play(case).packets, version=6)]


def at_client(case):
    return [Variant(case, "at-client", Play(case, "at-client").packets)]


def at_server(case):
    return [Variant(case, "at-server", Play(case, "at-server").packets)]


def pieces(packet, cuts):
    """A packet cut at those offsets, all captured at its time: FIN and RST go with the last piece."""
    edges = [0, *cuts, len(packet.bytes)]
    made = []
    for number, (first, end) in enumerate(zip(edges, edges[1:])):
        flags = packet.flags if end == len(packet.bytes) else packet.flags & ~(FIN | RST | PSH)
        made.append(Packet(packet.time_ns, packet.segment, packet.seq + first, packet.ack, flags, packet.bytes[first:end],
                           (packet.ip_id + 7 * number) & 0xffff, packet.clock_ns))
    return made


def is_divisible(packet):
    return len(packet.bytes) > 1 and not packet.segment.probe and not packet.flags & SYN and \
        "snap" not in packet.segment.options


def cut_all(packets, cuts_of, whole=b""):
    """Each payload cut where cuts_of(its length) says, but not within `whole` at its beginning."""
    made = []
    for packet in packets:
        cuts = cuts_of(len(packet.bytes)) if is_divisible(packet) else []
        if whole and packet.bytes.startswith(whole):
            cuts = [cut for cut in cuts if cut >= len(whole)]
        made += pieces(packet, cuts) if cuts else [packet]
    return made


def small_pieces(packets):
    """Cuts into single bytes, or where there are many into pieces so small that there are BYTES_MAX."""
    step = 1 + sum(len(packet.bytes) for packet in packets if len(packet.bytes) <= PIECES_MAX) // BYTES_MAX
    return lambda length: range(step, length, step) if length <= PIECES_MAX else []


def positions(packets):
    """Where payloads are cut in two: everywhere, or in a story of many packets here and there."""
    end = min(longest(packets), POSITIONS_MAX)
    step = 1 + end * len(packets) // PACKETS_MAX
    return range(1, end, step)


def longest(packets):
    return max((len(packet.bytes) for packet in packets if is_divisible(packet)), default=0)


def split(case):
    packets = Play(case).packets
    # Wireshark 4.0 needs the preface and the head of the frame behind it in one segment, as clients send them: else it
    # loses frames, and the plugin's gate `unframed` fails.
    variants = [Variant(case, "split into bytes", cut_all(packets, small_pieces(packets), H2_BEGINNING))]
    for at in positions(packets):
        variants.append(Variant(case, f"split at {at}",
                                cut_all(packets, lambda length, at=at: [at] if at < length else [], H2_BEGINNING)))
    return variants


def reorder(packets, cuts_of, order):
    """Each payload in pieces, captured in the order of `order(count)`."""
    made = []
    for packet in packets:
        cuts = cuts_of(len(packet.bytes)) if is_divisible(packet) else []
        parts = pieces(packet, cuts) if cuts else [packet]
        places = order(len(parts))
        late_ns = 2 * SWAPPED_NS // max(1, len(parts) - 1) if len(parts) > 1 else 0
        made += [replace(part, time_ns=packet.time_ns + place * late_ns) for part, place in zip(parts, places)]
    return sorted(made, key=lambda packet: packet.time_ns)


def swap_neighbours(packets):
    """Payload segments and FINs of one direction that follow each other within the window change places."""
    made, last = list(packets), {}
    for index, packet in enumerate(made):
        key = packet.segment.connection, packet.segment.side
        if not packet.bytes and not packet.flags & FIN:
            continue
        if key in last and packet.time_ns - made[last[key]].time_ns < 2 * SWAPPED_NS:
            other = last.pop(key)
            first, second = made[other], made[index]
            made[other] = replace(second, time_ns=first.time_ns)
            made[index] = replace(first, time_ns=second.time_ns)
        else:
            last[key] = index
    return made


def backward(count):
    return range(count - 1, -1, -1)


def last_first(count):
    return [*range(1, count), 0]


def swapped(case):
    packets = Play(case).packets
    halves = lambda length: [length // 2]
    thirds = lambda length: [length // 3, 2 * length // 3] if length > 2 else [1]
    fifths = lambda length: [length * part // 5 for part in range(1, 5)] if length > 5 else [1]
    ends = lambda length: [1, length - 1] if length > 2 else [1]
    return [Variant(case, "swapped neighbours", swap_neighbours(packets)),
            Variant(case, "swapped halves", reorder(packets, halves, backward)),
            Variant(case, "swapped thirds", reorder(packets, thirds, last_first)),
            Variant(case, "swapped fifths", reorder(packets, fifths, backward)),
            Variant(case, "swapped ends", reorder(packets, ends, backward))]


def resent(case):
    return [Variant(case, f"resent {after_ns // 1_000_000} ms later", Play(case, resent_ns=after_ns).packets)
            for after_ns in RESENT_NS]


def duplicated(case):
    packets = Play(case).packets
    copies = [replace(packet, time_ns=packet.time_ns + COPY_NS) for packet in packets]
    return [Variant(case, "duplicated", sorted(packets + copies, key=lambda packet: packet.time_ns))]


def wrapped(case):
    packets = Play(case).packets
    sent = [max([packet.seq + len(packet.bytes) for packet in packets if packet.segment.side == side], default=2)
            for side in (0, 1)]
    variants = []
    for name, before in (("at the SYN", (0, 0)), ("behind the SYN", (1, 1)), ("in the first head", (20, 20)),
                         ("half way", (sent[0] // 2, sent[1] // 2)), ("at the end", tuple(sent)),
                         ("behind the end", (sent[0] + 1, sent[1] + 1))):
        isn = tuple((MODULUS - 1 - count) % MODULUS for count in before)
        variants.append(Variant(case, f"wrapped {name}", packets, isn=isn))
    return variants


TRANSFORMATIONS = {"plain": plain, "split": split, "swapped": swapped, "resent": resent, "duplicated": duplicated,
                   "ipv6": ipv6, "at-client": at_client, "at-server": at_server, "wrapped": wrapped, "cut": plain}
