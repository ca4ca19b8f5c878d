/* window.c - the window of sequence numbers that a receiver takes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "window.h"

/* Where the handshake, or its options, were not captured: beyond what systems allow by default (Linux 6 MiB).
 */
#define WINDOW_UNKNOWN_BYTES (UINT64_C(8) << 20)

void ka_window_note(ka_half *half, const ka_segment *s)
{
    if (s->flags & KA_SYN)
        half->window_scale = s->window_scale;
    while (s->window >> half->window_bits != 0) /* sixteen times in all */
        half->window_bits++;
}

/* Every SYN names its MSS: without one, options were cut off. */
static bool has_options(const ka_half *half)
{
    return half->syn && half->mss != 0;
}

/* Scaling holds only when both sides name a scale (RFC 7323 section 2.2). */
static uint64_t window_bytes(const ka_half *half, const ka_half *other)
{
    enum { SCALE_MAX = 14 };
    if (!has_options(half) || !has_options(other))
        return WINDOW_UNKNOWN_BYTES;
    unsigned scale = half->window_scale > 0 && other->window_scale > 0 ? half->window_scale - 1u : 0;
    return UINT64_C(1) << (half->window_bits + (scale < SCALE_MAX ? scale : SCALE_MAX));
}

bool ka_window_is_older(const ka_half *sender, const ka_half *receiver, const ka_segment *s)
{
    if (sender->seen || !receiver->syn || (s->flags & (KA_ACK | KA_SYN | KA_RST)) != KA_ACK)
        return false;
    uint64_t ack = ka_transport_unwrap(receiver, s->ack);
    return ack > receiver->next + WINDOW_UNKNOWN_BYTES || ack + WINDOW_UNKNOWN_BYTES < receiver->next;
}

bool ka_window_takes_reset(const ka_half *sender, const ka_half *receiver, const ka_segment *rst)
{
    uint64_t seq = ka_transport_unwrap(sender, rst->seq);
    uint64_t window = window_bytes(receiver, sender);
    uint64_t newest = sender->next > receiver->acked ? sender->next : receiver->acked;
    /* No RST lies so far behind what its sender has sent, but one that answers an earlier connection's ACK.
     */
    if (newest != 0 && (seq > newest + window || seq + 2 * window < sender->next))
        return false;
    /* A system that does not know the connection takes the number from the ACK of what it answers, which
     * newer ones have overtaken by a window at most; it answers those, too. Some systems do not count their
     * FIN. */
    uint64_t before = rst->flags & KA_ACK ? 1 : window;
    return seq + before >= receiver->acked;
}
