# ntlm.py - as much of NTLMv2 (MS-NLMP) as one user and one server need, both of this sample.
# SPDX-License-Identifier: GPL-2.0-or-later
import base64
import hmac
import os
import struct

SIGNATURE = b"NTLMSSP\0"
NEGOTIATE, CHALLENGE, AUTHENTICATE = 1, 2, 3
FLAGS = 0x00888205  # Unicode, target, NTLM, always sign, extended session security, target info
# Everybody's password is "Password"; its NT hash is the example of MS-NLMP section 4.2.2.1.2.
NT_HASH = bytes.fromhex("a4f49c406510bdcab6824ee7c30fd852")
DOMAIN = "SAMPLE"
TARGET_INFO = struct.pack("<HH", 2, 2 * len(DOMAIN)) + DOMAIN.encode("utf-16-le") + struct.pack("<HH", 0, 0)


def md5(key, data):
    return hmac.new(key, data, "md5").digest()


def proof_of(user, challenge, blob):
    key = md5(NT_HASH, (user.upper() + DOMAIN).encode("utf-16-le"))
    return md5(key, challenge + blob)


def pack(header, payloads, tail=b""):
    """The fixed part, with each payload as length, room and offset, and the payloads behind it."""
    at, places = len(header) + 8 * len(payloads) + len(tail), b""
    for payload in payloads:
        places += struct.pack("<HHI", len(payload), len(payload), at)
        at += len(payload)
    return header + places + tail + b"".join(payloads)


def payload_at(message, at):
    size, _, offset = struct.unpack_from("<HHI", message, at)
    return message[offset:offset + size]


def negotiate():
    return SIGNATURE + struct.pack("<II", NEGOTIATE, FLAGS) + bytes(16)


def challenge(nonce):
    target = DOMAIN.encode("utf-16-le")
    header = SIGNATURE + struct.pack("<I", CHALLENGE)
    at = 48
    return (header + struct.pack("<HHI", len(target), len(target), at) + struct.pack("<I", FLAGS) + nonce + bytes(8)
            + struct.pack("<HHI", len(TARGET_INFO), len(TARGET_INFO), at + len(target)) + target + TARGET_INFO)


def authenticate(user, message):
    nonce, info = message[24:32], payload_at(message, 40)
    blob = struct.pack("<II", 0x0101, 0) + bytes(8) + os.urandom(8) + bytes(4) + info + bytes(4)
    payloads = [bytes(24), proof_of(user, nonce, blob) + blob, DOMAIN.encode("utf-16-le"), user.encode("utf-16-le"),
                "DESK".encode("utf-16-le"), b""]
    return pack(SIGNATURE + struct.pack("<I", AUTHENTICATE), payloads, struct.pack("<I", FLAGS))


def user_of(message, nonce):
    """The user that the third step proves to be; None: nobody, by this challenge."""
    response, user = payload_at(message, 20), payload_at(message, 36).decode("utf-16-le")
    if nonce is None or not hmac.compare_digest(response[:16], proof_of(user, nonce, response[16:])):
        return None
    return user


def step_of(value):
    """The NTLM message in a header value, and which it is."""
    scheme, _, token = (value or "").partition(" ")
    message = base64.b64decode(token) if scheme == "NTLM" else b""
    return (message, struct.unpack_from("<I", message, 8)[0]) if message.startswith(SIGNATURE) else (b"", 0)


def value_of(message):
    return "NTLM " + base64.b64encode(message).decode()
