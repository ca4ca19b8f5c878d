/* bytes.h - big-endian numbers, and stepping over headers without reading past them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PACKET_BYTES_H
#define PACKET_BYTES_H

#include "packet.h"

static inline uint16_t bytes_be16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t bytes_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline bool bytes_hold(const packet_bytes *packet, uint32_t count)
{
    return packet->captured_bytes >= count;
}

/* Why the packet does not hold a header of so many bytes: the capture cut it, or it never had them. */
static inline packet_verdict bytes_missing(const packet_bytes *packet, uint32_t count)
{
    return packet->wire_bytes < count ? PACKET_MALFORMED : PACKET_CUT;
}

/* What follows the first `count` bytes, be they captured or not. count <= packet.wire_bytes. */
static inline packet_bytes bytes_after(packet_bytes packet, uint32_t count)
{
    uint32_t held = packet.captured_bytes < count ? packet.captured_bytes : count;
    return (packet_bytes){packet.bytes + held, packet.captured_bytes - held, packet.wire_bytes - count};
}

/* The packet without what lies behind its first `count` bytes on the wire. */
static inline packet_bytes bytes_first(packet_bytes packet, uint32_t count)
{
    if (packet.wire_bytes > count)
        packet.wire_bytes = count;
    if (packet.captured_bytes > count)
        packet.captured_bytes = count;
    return packet;
}

#endif
