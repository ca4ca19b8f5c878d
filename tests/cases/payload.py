# payload.py - what a line of a story sends, as bytes: HTTP messages, literal text, TLS records, HTTP/2 frames, PROXY preambles.
# SPDX-License-Identifier: GPL-2.0-or-later
"""make() returns (bytes, method of a request or "", whether it is a final response) or raises ValueError."""
import ipaddress
import re
import struct
from http import HTTPStatus

REQUEST = re.compile(r"([A-Z]+) (\S+)(?: HTTP/(\d\.\d))?$")
RESPONSE = re.compile(r"(?:HTTP/(\d\.\d) )?(\d{3})(?: (.*))?$")
STRINGS = re.compile(r'"(?:\\.|[^"\\])*"(?:\s+"(?:\\.|[^"\\])*")*$')
ONE_STRING = re.compile(r'"((?:\\.|[^"\\])*)"')
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")
ESCAPES = {"r": "\r", "n": "\n", "t": "\t", '"': '"', "\\": "\\", "0": "\0"}
DEFAULT_BODY = b"ok"

TLS_TYPES = {"change-cipher": 20, "alert": 21, "handshake": 22, "data": 23}
TLS_1_2 = b"\x03\x03"
H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
H2_DATA, H2_HEADERS, H2_RST, H2_SETTINGS, H2_PING, H2_GOAWAY, H2_WINDOW = 0, 1, 3, 4, 6, 7, 8


def make(text, body, host, asked):
    if STRINGS.match(text):
        made = b"".join(unescape(string) for string in ONE_STRING.findall(text))
        return made, "", False
    if text == "CRLF":
        return b"\r\n", "", False
    word, _, rest = text.partition(" ")
    if word == "bytes" and rest.isdigit():
        return filler(int(rest)), "", False
    if word == "tls":
        return b"".join(map(tls, parts(rest))), "", False
    if word == "h2":
        return b"".join(map(h2, parts(rest))), "", False
    if word == "proxy":
        return proxy(rest), "", False
    start, *fields = [piece.strip() for piece in text.split("|")]
    if match := REQUEST.match(start):
        return request(match, fields, body_bytes(body, b""), host), match[1], False
    if match := RESPONSE.match(start):
        status = int(match[2])
        return response(match, fields, body_bytes(body, DEFAULT_BODY), asked), "", status >= 200 or status == 101
    raise ValueError(f"{start}: no message, no string in quotes, and no word of the language")


def unescape(string):
    """Latin-1: \\xff is one byte."""
    def one(match):
        if match[1][0] == "x" and len(match[1]) == 3:
            return chr(int(match[1][1:], 16))
        if match[1] not in ESCAPES:
            raise ValueError(f"\\{match[1]} is no escape")
        return ESCAPES[match[1]]
    return ESCAPE.sub(one, string).encode("latin-1")


def filler(count):
    """Bytes that cannot be taken for a message."""
    return (b"abcdefghijklmnopqrstuvwxyz" * (count // 26 + 1))[:count]


def parts(text):
    return [part.strip() for part in text.split(",") if part.strip()]


# ---- HTTP/1

def body_bytes(body, default):
    if body is None:
        return default
    if body.isdigit():
        return filler(int(body))
    if match := ONE_STRING.fullmatch(body):
        return unescape(match[1])
    raise ValueError("[body N] or [body \"text\"]")


def has(fields, name):
    return any(line.lower().startswith(name + ":") for line in fields)


def head(start, fields):
    lines = [start, *(line for line in fields if line and line.lower() != "content-length: none")]
    for line in lines[1:]:
        if ":" not in line:
            raise ValueError(f"{line} is no header line")
    return "".join(line + "\r\n" for line in lines).encode("latin-1") + b"\r\n"


def request(match, fields, body, host):
    version = match[3] or "1.1"
    if version != "1.0" and not has(fields, "host"):
        fields = [f"Host: {host}", *fields]
    if body and not has(fields, "content-length") and not has(fields, "transfer-encoding"):
        fields = [*fields, f"Content-Length: {len(body)}"]
    return head(f"{match[1]} {match[2]} HTTP/{version}", fields) + body


def response(match, fields, body, asked):
    status = int(match[2])
    reason = match[3] or (HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown")
    if status < 200 or status in (204, 304):
        body = b""
    elif not has(fields, "content-length") and not has(fields, "transfer-encoding"):
        fields = [*fields, f"Content-Length: {len(body)}"]
    if has(fields, "transfer-encoding"):
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    if asked == "HEAD":
        body = b""
    return head(f"HTTP/{match[1] or '1.1'} {status} {reason}", fields) + body


# ---- TLS

def tls(part):
    words = part.split()
    if words[0] in ("client-hello", "server-hello", "finished"):
        return tls_hello(words)
    if len(words) != 2 or not words[1].isdigit() or not (words[0] in TLS_TYPES or words[0].isdigit()):
        raise ValueError(f"tls {part}: TYPE LENGTH")
    kind = TLS_TYPES.get(words[0]) or int(words[0])
    body = b"\x01" if kind == 20 else b"\x5a" * int(words[1])  # no handshake message has type 0x5a: it is encrypted
    return record(kind, body)


def record(kind, body):
    return struct.pack("!B2sH", kind, TLS_1_2, len(body)) + body


def extension(number, body):
    return struct.pack("!HH", number, len(body)) + body


def tls_hello(words):
    """RFC 8446 section 4.1: with the application protocols offered or chosen."""
    if words[0] == "finished":
        return record(20, b"\x01") + record(22, b"\x5a" * 40)
    client = words[0] == "client-hello"
    version = "" if client else words[1] if len(words) > 1 else ""
    if not client and version not in ("1.2", "1.3"):
        raise ValueError("tls server-hello 1.2|1.3")
    names = words[1 if client else 2:]
    extensions = b""
    if client:
        extensions += extension(43, b"\x04\x03\x04\x03\x03")
    elif version == "1.3":
        extensions += extension(43, b"\x03\x04")
    if names:
        listed = b"".join(bytes([len(name)]) + name.encode() for name in names[0].split("+"))
        extensions += extension(16, struct.pack("!H", len(listed)) + listed)
    suites = b"\x00\x04\x13\x01\xc0\x2f\x01\x00" if client else (b"\x13\x01" if version == "1.3" else b"\xc0\x2f") + b"\0"
    body = TLS_1_2 + b"\x11" * 32 + b"\0" + suites + struct.pack("!H", len(extensions)) + extensions
    return record(22, bytes([1 if client else 2]) + len(body).to_bytes(3, "big") + body)


# ---- PROXY protocol

def proxy(text):
    """v1 or v2, CLIENT ADDRESS:PORT (or what stands for none), and the length of a TLV to be passed over."""
    version, who, *more = text.split() + [""]
    extra = int(more[1]) if more[0] == "tlv" else 0
    if version == "v1":
        return b"PROXY UNKNOWN\r\n" if who == "unknown" else proxy_line(who)
    if version != "v2":
        raise ValueError("proxy v1|v2 ADDRESS:PORT, proxy v1 unknown, proxy v2 local; v2 also: tlv N")
    tlv = b"\xee" + struct.pack("!H", extra) + filler(extra) if extra else b""
    kind, addresses = (b"\x20\x00", b"") if who == "local" else proxy_addresses(who)
    return b"\r\n\r\n\0\r\nQUIT\n" + kind + struct.pack("!H", len(addresses + tlv)) + addresses + tlv


def client_of(who):
    host, _, port = who.rpartition(":")
    return ipaddress.ip_address(host.strip("[]")), int(port)


def proxy_line(who):
    ip, port = client_of(who)
    own = "192.0.2.80" if ip.version == 4 else "2001:db8::80"
    return f"PROXY TCP{ip.version} {ip} {own} {port} 80\r\n".encode()


def proxy_addresses(who):
    ip, port = client_of(who)
    own = ipaddress.ip_address("192.0.2.80" if ip.version == 4 else "2001:db8::80")
    return bytes([0x21, 0x11 if ip.version == 4 else 0x21]), ip.packed + own.packed + struct.pack("!HH", port, 80)


# ---- HTTP/2

def frame(kind, flags, stream, body=b""):
    return len(body).to_bytes(3, "big") + struct.pack("!BBI", kind, flags, stream) + body


def literal(line):
    """RFC 7541 section 6.2.2: a field without indexing, without Huffman codes."""
    at = line.index(":", 1)
    name, value = line[:at].strip().lower().encode(), line[at + 1:].strip().encode()
    if max(len(name), len(value)) > 126:
        raise ValueError("h2: a field name or value has at most 126 bytes here")
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def h2(part):
    start, *fields = [piece.strip() for piece in part.split("|")]
    word, *words = start.split()
    numbers = [int(text) for text in words if text.isdigit()]
    ends = 1 if "end" in words else 0
    try:
        return {"preface": lambda: H2_PREFACE,
                "settings": lambda: frame(H2_SETTINGS, 0, 0),
                "settings-ack": lambda: frame(H2_SETTINGS, 1, 0),
                "ping": lambda: frame(H2_PING, 0, 0, b"keptaliv"),
                "headers": lambda: frame(H2_HEADERS, 4 | ends, numbers[0], b"".join(map(literal, fields))),
                "data": lambda: frame(H2_DATA, ends, numbers[0], filler(numbers[1])),
                "goaway": lambda: frame(H2_GOAWAY, 0, 0, struct.pack("!II", numbers[0], 0)),
                "rst": lambda: frame(H2_RST, 0, numbers[0], b"\0\0\0\x08"),
                "window": lambda: frame(H2_WINDOW, 0, numbers[0], b"\0\0\x10\0")}[word]()
    except (KeyError, IndexError) as error:
        raise ValueError(f"h2 {start}: no such part, or a number is missing") from error
