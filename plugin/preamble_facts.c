/* preamble_facts.c - what a proxy may say before the first byte of HTTP or TLS (PROXY protocol), told to the
 * core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Read from the payload: Wireshark's own dissector of it is a heuristic that is off, and does not come before
 * the one of the port.
 */
#include "preamble_facts.h"

#include <string.h>

#include "claims.h"

static ka_slice payload_of(const collect_frame *frame)
{
    const tcp_facts *tcp = &frame->tcp;
    int len_bytes = (int)tcp->segment.captured_bytes;
    return (ka_slice){(const char *)tvb_get_ptr(tcp->bytes, tcp->payload_start, len_bytes),
                      (size_t)len_bytes};
}

/* The first bytes of a direction, in whatever order they come. */
typedef struct collect_first {
    char bytes[KA_PREAMBLE_BYTES_MAX];
    bool there[KA_PREAMBLE_BYTES_MAX];
} collect_first;

static void keep(collect_side *side, uint32_t seq, ka_slice payload)
{
    if (side->first == NULL)
        side->first = wmem_new0(wmem_file_scope(), collect_first);
    uint32_t at = seq - side->claimed_seq;
    for (size_t i = 0; i < payload.len_bytes && at < KA_PREAMBLE_BYTES_MAX; i++, at++) {
        side->first->bytes[at] = payload.bytes[i];
        side->first->there[at] = true;
    }
}

static ka_slice kept(const collect_side *side)
{
    size_t len_bytes = 0;
    while (len_bytes < KA_PREAMBLE_BYTES_MAX && side->first->there[len_bytes])
        len_bytes++;
    return (ka_slice){side->first->bytes, len_bytes};
}

static void tell(collect_frame *frame, const ka_preamble *preamble)
{
    collect_side *side = &frame->connection->sides[frame->direction];
    const ka_moment now = {frame->tcp.segment.time_ns, frame->tcp.segment.frame};
    const track_piece *first = track_of_byte(&side->track, side->claimed_seq);
    ka_bytes bytes = {.direction = (uint8_t)frame->direction,
                      .seq = side->claimed_seq,
                      .len_bytes = preamble->len_bytes,
                      .first = first != NULL ? first->at : now,
                      .last = now};
    ka_preamble_seen(frame->all->audit, frame->connection->core, &bytes, &preamble->client);
    claims_add(side, bytes.seq + preamble->len_bytes);
}

/* The payload from claimed_seq on, when it has that byte. */
static ka_slice behind(const collect_frame *frame, ka_slice payload)
{
    const collect_side *side = &frame->connection->sides[frame->direction];
    uint32_t gone = side->claimed_seq - frame->tcp.payload_seq;
    if (gone >= payload.len_bytes)
        return (ka_slice){NULL, 0};
    return (ka_slice){payload.bytes + gone, payload.len_bytes - gone};
}

static ka_slice decide(collect_frame *frame, ka_slice payload, ka_slice first)
{
    collect_side *side = &frame->connection->sides[frame->direction];
    ka_preamble preamble;
    ka_preamble_status status = first.len_bytes > 0 ? ka_preamble_read(first, &preamble) : KA_PREAMBLE_MORE;
    if (status == KA_PREAMBLE_MORE) {
        keep(side, frame->tcp.payload_seq, payload);
        return (ka_slice){NULL, 0};
    }
    side->first_known = true;
    if (status == KA_PREAMBLE_WHOLE)
        tell(frame, &preamble);
    return behind(frame, payload);
}

ka_slice preamble_facts_tell(collect_frame *frame)
{
    collect_side *side = &frame->connection->sides[frame->direction];
    ka_slice payload = payload_of(frame);
    if (side->first_known)
        return behind(frame, payload);
    if (!side->has_syn || side->has_claimed)
        return payload;
    if (side->first == NULL && frame->tcp.payload_seq == side->claimed_seq)
        return decide(frame, payload, payload);
    keep(side, frame->tcp.payload_seq, payload);
    ka_slice rest = decide(frame, payload, kept(side));
    if (side->first_known) {
        wmem_free(wmem_file_scope(), side->first);
        side->first = NULL;
    }
    return rest;
}
