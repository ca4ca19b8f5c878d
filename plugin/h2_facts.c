/* h2_facts.c - the HTTP/2 frames Wireshark shows in a frame, told to the core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a frame is stands in its header of nine bytes, so that no field is wanted for it (RFC 9113 section
 * 4.1). Names of header fields are Wireshark's: it alone decodes the header blocks.
 */
#include "h2_facts.h"

#include "claims.h"
#include "http_facts.h"
#include "wanted.h"

enum { PREFACE_BYTES = 24, HEADER_BYTES = 9, GOAWAY = 7, LAST_STREAM_BYTES = 4 };

static uint32_t stream_id(tvbuff_t *bytes, int at)
{
    return tvb_get_ntohl(bytes, at) & 0x7fffffff; /* the first bit is reserved */
}

/* The client's preface is shown as a frame, too (RFC 9113 section 3.4). */
static bool is_preface(const field_info *item)
{
    return tvb_bytes_exist(item->ds_tvb, item->start, 4) &&
           tvb_memeql(item->ds_tvb, item->start, (const uint8_t *)"PRI ", 4) == 0;
}

static bool read_frame(const field_info *item, ka_h2_frame *out)
{
    tvbuff_t *bytes = item->ds_tvb;
    int at = item->start;
    if (!tvb_bytes_exist(bytes, at, HEADER_BYTES) || is_preface(item))
        return false;
    *out = (ka_h2_frame){
        .len_bytes = HEADER_BYTES + (uint64_t)tvb_get_ntoh24(bytes, at),
        .type = compat_byte(bytes, at + 3),
        .flags = compat_byte(bytes, at + 4),
        .stream_id = stream_id(bytes, at + 5),
    };
    if (out->type == GOAWAY && tvb_bytes_exist(bytes, at + HEADER_BYTES, LAST_STREAM_BYTES))
        out->last_stream = stream_id(bytes, at + HEADER_BYTES);
    return true;
}

/* Frames follow each other without a gap: else Wireshark took other bytes for one. */
static void note_skipped(const collect_frame *frame, uint32_t seq)
{
    const collect_side *side = &frame->connection->sides[frame->direction];
    if (side->has_claimed && side->claimed_seq != seq && !frame->connection->cut)
        ka_gate_failed(frame->connection->core, KA_GATE_UNFRAMED);
}

/* Its place in the direction. Decrypted bytes are longer on the wire: theirs is made up. */
static void set_place(const collect_frame *frame, const field_info *item, unsigned index, unsigned count,
                      ka_h2_frame *f)
{
    const track *seen = &frame->connection->sides[frame->direction].track;
    ka_moment now = {frame->tcp.segment.time_ns, frame->tcp.segment.frame};
    const track_piece *last = NULL;
    if (collect_seq(frame, item->ds_tvb, item->start, &f->seq)) {
        note_skipped(frame, f->seq);
        last = track_of_byte(seen, (uint32_t)(f->seq + f->len_bytes - 1));
        if (last == NULL && !frame->connection->cut)
            ka_gate_failed(frame->connection->core, KA_GATE_UNFRAMED); /* told not to reassemble */
    } else {
        uint32_t end;
        http_facts_place_decrypted(frame, index, count, &f->seq, &end);
        f->len_bytes = end - f->seq;
    }
    const track_piece *first = track_of_byte(seen, f->seq);
    f->first = first != NULL ? first->at : now;
    f->last = last != NULL ? last->at : now;
}

static void tell_frames(collect_frame *frame, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const field_info *item = wanted_item(frame->tree, WANTED_HTTP2, i);
        ka_h2_frame f;
        uint32_t seq;
        if (is_preface(item) && collect_seq(frame, item->ds_tvb, item->start, &seq))
            claims_add(&frame->connection->sides[frame->direction], seq + PREFACE_BYTES);
        if (!read_frame(item, &f))
            continue;
        set_place(frame, item, i, count, &f);
        f.direction = (uint8_t)frame->direction;
        ka_h2_frame_seen(frame->all->audit, frame->connection->core, &f);
        claims_add(&frame->connection->sides[frame->direction], (uint32_t)(f.seq + f.len_bytes));
    }
}

/* A block is shown in the frame that completes it. */
static void tell_fields(collect_frame *frame)
{
    ka_moment now = {frame->tcp.segment.time_ns, frame->tcp.segment.frame};
    unsigned count = wanted_count(frame->tree, WANTED_HTTP2_FIELD);
    for (unsigned i = 0; i < count; i++) {
        const field_info *item = wanted_item(frame->tree, WANTED_HTTP2_FIELD, i);
        if (item->length <= 0 || !tvb_bytes_exist(item->ds_tvb, item->start, item->length))
            continue;
        ka_slice name = {(const char *)tvb_get_ptr(item->ds_tvb, item->start, item->length),
                         (size_t)item->length};
        ka_h2_field_seen(frame->all->audit, frame->connection->core, frame->direction, name, now);
    }
}

/* A side that closed has ended its last frame. */
static void note_rest(const collect_frame *frame)
{
    const collect_connection *connection = frame->connection;
    const collect_side *side = &connection->sides[frame->direction];
    if (connection->h2 && !connection->tls && !connection->cut && claims_can_end(side) &&
        side->claimed_seq != side->fin_seq)
        ka_gate_failed(connection->core, KA_GATE_UNFRAMED);
}

void h2_facts_tell(collect_frame *frame)
{
    collect_connection *connection = frame->connection;
    unsigned count = wanted_count(frame->tree, WANTED_HTTP2);
    if (count == 0) {
        note_rest(frame);
        return;
    }
    uint32_t seq;
    const field_info *item = wanted_item(frame->tree, WANTED_HTTP2, 0);
    bool in_clear = collect_seq(frame, item->ds_tvb, item->start, &seq);
    if (!connection->h2)
        ka_protocol_seen(connection->core, in_clear ? KA_PROTOCOL_H2C : KA_PROTOCOL_H2);
    connection->h2 = true;
    tell_frames(frame, count);
    tell_fields(frame);
    note_rest(frame);
}
