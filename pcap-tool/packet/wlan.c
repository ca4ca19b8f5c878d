/* wlan.c - IEEE 802.11 data frames behind radiotap, Prism and AVS headers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "wlan.h"

#include "bytes.h"
#include "ethertype.h"

enum {
    RADIOTAP_BYTES = 8,
    RADIOTAP_TSFT = 1 << 0, /* 8 bytes, aligned */
    RADIOTAP_FLAGS = 1 << 1,
    RADIOTAP_PADDED = 0x20, /* of the flags: the 802.11 header is padded to 4 bytes */
    PRISM_BYTES = 8,
    WLAN_BYTES = 24,
    ADDRESS4_BYTES = 6,
    QOS_BYTES = 2,
    HT_BYTES = 4,
};

/* IEEE 802.11-2020 section 9.2.4: frame control, first byte, then second byte. */
enum {
    TYPE_MASK = 0x0c,
    TYPE_DATA = 0x08,
    SUBTYPE_NO_DATA = 0x40,
    SUBTYPE_QOS = 0x80,
    BOTH_DS = 0x03, /* four addresses */
    MORE_FRAGMENTS = 0x04,
    PROTECTED = 0x40,
    ORDER = 0x80,     /* with QoS: an HT control field follows */
    QOS_AMSDU = 0x80, /* of the QoS field */
};

static uint32_t le16(const uint8_t *at)
{
    return (uint32_t)at[1] << 8 | at[0];
}

static uint32_t le32(const uint8_t *at)
{
    return le16(at + 2) << 16 | le16(at);
}

/* The flags field, 0 when there is none. Fields follow one or more words that tell which are present. */
static unsigned radiotap_flags(const uint8_t *header, uint32_t len_bytes)
{
    uint32_t present = le32(header + 4);
    uint32_t at = RADIOTAP_BYTES;
    for (uint32_t word = present; word >> 31 != 0; at += 4) {
        if (at + 4 > len_bytes)
            return 0;
        word = le32(header + at);
    }
    if (present & RADIOTAP_TSFT)
        at = (at + 7) / 8 * 8 + 8;
    return present & RADIOTAP_FLAGS && at < len_bytes ? header[at] : 0;
}

static packet_verdict skip_radiotap(packet_bytes *packet, bool *padded)
{
    if (!bytes_hold(packet, RADIOTAP_BYTES))
        return bytes_missing(packet, RADIOTAP_BYTES);
    uint32_t len_bytes = le16(packet->bytes + 2);
    if (len_bytes < RADIOTAP_BYTES || len_bytes > packet->wire_bytes)
        return PACKET_MALFORMED;
    if (!bytes_hold(packet, len_bytes))
        return PACKET_CUT;
    *padded = (radiotap_flags(packet->bytes, len_bytes) & RADIOTAP_PADDED) != 0;
    *packet = bytes_after(*packet, len_bytes);
    return PACKET_TCP;
}

/* A number and a length each: in network order for AVS, in that of the capturing machine for Prism. */
static packet_verdict skip_prism_or_avs(packet_bytes *packet)
{
    if (!bytes_hold(packet, PRISM_BYTES))
        return bytes_missing(packet, PRISM_BYTES);
    bool avs = (bytes_be32(packet->bytes) & 0xfffff000) == 0x80211000;
    uint32_t len_bytes = bytes_be32(packet->bytes + 4);
    if (!avs && len_bytes > 0xffff)
        len_bytes = __builtin_bswap32(len_bytes);
    if (len_bytes < PRISM_BYTES || len_bytes > packet->wire_bytes)
        return PACKET_MALFORMED;
    *packet = bytes_after(*packet, len_bytes);
    return PACKET_TCP;
}

/* The header's length by its first two bytes. */
static uint32_t header_bytes(const uint8_t *control)
{
    uint32_t len_bytes = WLAN_BYTES;
    if ((control[1] & BOTH_DS) == BOTH_DS)
        len_bytes += ADDRESS4_BYTES;
    if (control[0] & SUBTYPE_QOS)
        len_bytes += QOS_BYTES + (control[1] & ORDER ? HT_BYTES : 0);
    return len_bytes;
}

static packet_verdict parse_frame(packet_bytes packet, bool padded, packet_path *path, link_payload *out)
{
    if (!bytes_hold(&packet, 2))
        return bytes_missing(&packet, 2);
    const uint8_t *control = packet.bytes;
    if ((control[0] & TYPE_MASK) != TYPE_DATA || (control[0] & SUBTYPE_NO_DATA) || (control[1] & PROTECTED))
        return PACKET_OTHER;
    uint32_t len_bytes = header_bytes(control);
    uint32_t skipped_bytes = padded ? (len_bytes + 3) / 4 * 4 : len_bytes;
    if (!bytes_hold(&packet, skipped_bytes))
        return bytes_missing(&packet, skipped_bytes);
    uint32_t qos_at = len_bytes - QOS_BYTES - (control[1] & ORDER ? HT_BYTES : 0);
    bool amsdu = control[0] & SUBTYPE_QOS && control[qos_at] & QOS_AMSDU;
    bool is_piece = control[1] & MORE_FRAGMENTS || (control[22] & 0x0f) != 0;
    if (amsdu || is_piece)
        return PACKET_AGGREGATE;
    return ethertype_parse(ETHERTYPE_LLC, bytes_after(packet, skipped_bytes), path, out);
}

packet_verdict wlan_parse(wlan_radio_header radio, packet_bytes packet, packet_path *path, link_payload *out)
{
    bool padded = false;
    packet_verdict verdict = radio == WLAN_RADIOTAP       ? skip_radiotap(&packet, &padded)
                             : radio == WLAN_PRISM_OR_AVS ? skip_prism_or_avs(&packet)
                                                          : PACKET_TCP;
    return verdict == PACKET_TCP ? parse_frame(packet, padded, path, out) : verdict;
}
