/* http_facts.c - the HTTP/1 messages Wireshark shows in a frame, told to the core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "http_facts.h"

#include "claims.h"
#include "http_begun.h"
#include "http_message.h"
#include "http_tell.h"
#include "wanted.h"

/* What is known of a message when its head was read. */
typedef struct shown {
    ka_message message;
    http_head head;
} shown;

/* The bytes from one http item on: how long it is Wireshark may be wrong about. */
typedef struct extent {
    tvbuff_t *bytes;
    int item_start;
    int start;
    int end;     /* of what was captured */
    bool placed; /* in TCP's own bytes */
    uint32_t seq;
    uint32_t decrypted_end; /* of a decrypted one, whose place is made up */
} extent;

/* ---- Reading ---- */

/* False: the end of a chunked body is not there. */
static bool set_length(const extent *at, shown *s)
{
    ka_message *m = &s->message;
    m->len_bytes = s->head.len_bytes;
    if (m->framing == KA_FRAMING_LENGTH)
        m->body_bytes = s->head.length_bytes;
    if (m->framing != KA_FRAMING_CHUNKED) {
        m->len_bytes += MIN(m->body_bytes, UINT64_MAX - m->len_bytes);
        return true;
    }
    int body = at->start + (int)s->head.len_bytes;
    int len_bytes = at->end - body;
    ka_slice bytes = {len_bytes > 0 ? (const char *)tvb_get_ptr(at->bytes, body, len_bytes) : "",
                      (size_t)len_bytes};
    uint64_t wire_bytes;
    if (!http_chunked_bytes(bytes, &wire_bytes, &m->body_bytes))
        return false;
    m->len_bytes += wire_bytes;
    return true;
}

static void set_decrypted_place(collect_frame *frame, const extent *at, ka_message *m)
{
    const collect_side *side = &frame->connection->sides[frame->direction];
    const track_piece *first = track_of_byte(&side->track, at->seq);
    m->seq = at->seq;
    m->len_bytes = at->decrypted_end - at->seq;
    m->ack = first != NULL ? first->ack : frame->tcp.segment.ack;
    m->first = first != NULL ? first->at : (ka_moment){frame->tcp.segment.time_ns, frame->tcp.segment.frame};
}

static bool set_place(collect_frame *frame, const extent *at, ka_message *m)
{
    const track_piece *first = track_of_byte(&frame->connection->sides[frame->direction].track, at->seq);
    if (first == NULL)
        return false;
    m->seq = at->seq;
    m->ack = first->ack;
    m->first = first->at;
    return true;
}

/* Wireshark was told not to reassemble. */
static void fail_unframed(const collect_connection *connection)
{
    if (!connection->cut)
        ka_gate_failed(connection->core, KA_GATE_UNFRAMED);
}

/* Reads from a copy, for folded lines. Nearly all heads are short, bodies need not be: first try with little.
 */
static http_head_status read_head(const collect_frame *frame, const extent *at, http_head *head)
{
    static const int tries_bytes[] = {4096, 262144};
    http_head_status status = HTTP_HEAD_NONE;
    int len_bytes = at->end - at->start;
    for (size_t i = 0; i < G_N_ELEMENTS(tries_bytes) && status < HTTP_HEAD_BAD; i++) {
        if (i > 0 && len_bytes <= tries_bytes[i - 1])
            break;
        size_t some_bytes = (size_t)MIN(len_bytes, tries_bytes[i]);
        char *bytes = tvb_memdup(frame->pinfo->pool, at->bytes, at->start, some_bytes);
        status = http_head_read(bytes, some_bytes, head);
    }
    return status;
}

static bool is_no_message(const collect_frame *frame, const extent *at)
{
    size_t len_bytes = (size_t)(at->end - at->start);
    ka_slice bytes = {(const char *)tvb_get_ptr(at->bytes, at->start, (int)len_bytes), len_bytes};
    return at->placed && http_message_none(frame, bytes, at->seq);
}

static uint64_t tell_placed(collect_frame *frame, const extent *at, const http_head *head, ka_message *m)
{
    if (!set_place(frame, at, m)) {
        http_message_begun(frame->connection, head);
        return 0;
    }
    http_message_take(frame, head, m);
    return m->framing == KA_FRAMING_UNTIL_CLOSE ? 0 : m->len_bytes;
}

static void tell_decrypted(collect_frame *frame, const extent *at, ka_message *m)
{
    set_decrypted_place(frame, at, m);
    m->last = (ka_moment){frame->tcp.segment.time_ns, frame->tcp.segment.frame};
    http_tell(frame, m);
}

/* Tells the message that begins there. Returns how many bytes it has, 0: nothing more can be read here. One
 * that begins behind another of the item, and is not whole, Wireshark will show when it is. */
static uint64_t read_message(collect_frame *frame, const extent *at)
{
    collect_connection *connection = frame->connection;
    bool is_shown = at->start == at->item_start;
    shown s;
    http_head_status status = read_head(frame, at, &s.head);
    if (status == HTTP_HEAD_CUT && !at->placed)
        fail_unframed(connection);
    if (status == HTTP_HEAD_BAD || (status == HTTP_HEAD_NONE && is_no_message(frame, at)))
        http_message_give_up(frame);
    if (status != HTTP_HEAD_WHOLE)
        return 0;
    s.message = http_message_of(frame, &s.head);
    bool is_sized = !at->placed || set_length(at, &s);
    if (!is_sized && !is_shown)
        return 0;
    if (is_sized && at->placed)
        return tell_placed(frame, at, &s.head, &s.message);
    http_message_begun(connection, &s.head);
    if (at->placed)
        fail_unframed(connection);
    else
        tell_decrypted(frame, at, &s.message);
    return 0;
}

/* Empty lines between requests (RFC 9112 section 2.2); not the end of a head that Wireshark did not begin to
 * read. */
static void skip_strays(collect_frame *frame, extent *at)
{
    collect_side *side = &frame->connection->sides[frame->direction];
    if (at->placed && side->has_claimed && at->seq != side->claimed_seq)
        return;
    while (at->end - at->start >= 2 && tvb_get_ntohs(at->bytes, at->start) == 0x0d0a) {
        const track_piece *piece = at->placed ? track_of_byte(&side->track, at->seq) : NULL;
        if (piece != NULL) {
            ka_bytes stray = {.direction = (uint8_t)frame->direction,
                              .seq = at->seq,
                              .len_bytes = 2,
                              .first = piece->at,
                              .last = piece->at};
            ka_stray_seen(frame->all->audit, frame->connection->core, &stray);
            claims_add(side, at->seq + 2);
        }
        at->start += 2;
        at->seq += 2;
    }
}

/* ---- Items ---- */

/* Behind the payload Ethernet may pad, or add a trailer. */
static int end_of(const collect_frame *frame, const tvbuff_t *bytes)
{
    const tcp_facts *tcp = &frame->tcp;
    return bytes == tcp->bytes ? tcp->payload_start + (int)tcp->segment.captured_bytes
                               : (int)tvb_captured_length(bytes);
}

unsigned http_facts_decrypted(const collect_frame *frame)
{
    unsigned decrypted = 0, count = wanted_count(frame->tree, WANTED_HTTP);
    for (unsigned i = 0; i < count; i++) {
        const field_info *item = wanted_item(frame->tree, WANTED_HTTP, i);
        uint32_t seq;
        decrypted += !collect_seq(frame, item->ds_tvb, item->start, &seq);
    }
    return decrypted;
}

/* The first frame whose bytes went into what this frame shows decrypted. */
static uint64_t first_frame(const collect_frame *frame)
{
    static const wanted fields[] = {WANTED_TCP_SEGMENT, WANTED_TLS_SEGMENT};
    uint64_t first = frame->tcp.segment.frame;
    for (size_t f = 0; f < G_N_ELEMENTS(fields); f++) {
        unsigned count = wanted_count(frame->tree, fields[f]);
        for (unsigned i = 0; i < count; i++) {
            uint32_t number = compat_uinteger(wanted_item(frame->tree, fields[f], i));
            if (number < first)
                first = number;
        }
    }
    return first;
}

void http_facts_place_decrypted(const collect_frame *frame, unsigned index, unsigned count, uint32_t *seq,
                                uint32_t *end)
{
    const track_piece *first =
        track_of_frame(&frame->connection->sides[frame->direction].track, first_frame(frame));
    const ka_segment *segment = &frame->tcp.segment;
    uint32_t begin = index == 0 && first != NULL ? first->seq : frame->tcp.payload_seq;
    uint32_t share = count > 0 ? segment->len_bytes / count : 0;
    *seq = index == 0 ? begin : frame->tcp.payload_seq + index * share;
    *end = index + 1 == count ? frame->tcp.payload_seq + segment->len_bytes
                              : frame->tcp.payload_seq + (index + 1) * share;
}

/* How many bytes from `seq` on belong to messages that are known. */
static uint64_t known_bytes(const collect_side *side, uint32_t seq)
{
    const ka_message *m = side->waiting;
    uint32_t end = side->claimed_seq;
    if (side->ahead_bytes > 0 || (m != NULL && m->seq == seq))
        return UINT64_MAX;
    if (m != NULL && !m->is_response) /* of a response, a HEAD may have been the request */
        end = (uint32_t)(m->seq + m->len_bytes);
    else if (!side->has_claimed)
        return 0;
    return (uint64_t)MAX(seq_minus(end, seq), 0);
}

/* Where Wireshark took a body for longer than it was, or for none, its next item begins within a message. */
static void skip_known(const collect_frame *frame, extent *at)
{
    const collect_side *side = &frame->connection->sides[frame->direction];
    if (!at->placed)
        return;
    uint64_t skipped_bytes = MIN(known_bytes(side, at->seq), (uint64_t)(at->end - at->start));
    at->start += (int)skipped_bytes;
    at->seq += (uint32_t)skipped_bytes;
}

/* An item may be more than one message: of pipelined requests Wireshark remembers one, so that it gives the
 * response to a HEAD the body of the next. */
static void tell_extent(collect_frame *frame, extent *at)
{
    uint64_t len_bytes = 0;
    do {
        at->start += (int)len_bytes;
        at->seq += (uint32_t)len_bytes;
        skip_known(frame, at);
        skip_strays(frame, at);
        len_bytes = at->end > at->start ? read_message(frame, at) : 0;
    } while (len_bytes > 0 && len_bytes < (uint64_t)(at->end - at->start) && !frame->connection->over &&
             !frame->connection->h2);
}

static void tell_items(collect_frame *frame, unsigned count)
{
    const collect_side *side = &frame->connection->sides[frame->direction];
    unsigned decrypted = 0, decrypted_count = http_facts_decrypted(frame);
    for (unsigned i = 0; i < count && !frame->connection->over && !side->lost; i++) {
        const field_info *item = wanted_item(frame->tree, WANTED_HTTP, i);
        extent at = {.bytes = item->ds_tvb,
                     .item_start = item->start,
                     .start = item->start,
                     .end = end_of(frame, item->ds_tvb)};
        at.placed = collect_seq(frame, at.bytes, at.start, &at.seq);
        if (!at.placed)
            http_facts_place_decrypted(frame, decrypted++, decrypted_count, &at.seq, &at.decrypted_end);
        tell_extent(frame, &at);
    }
}

static bool is_followed(const collect_frame *frame)
{
    const collect_connection *connection = frame->connection;
    return !connection->over && !connection->h2 && !connection->sides[frame->direction].lost;
}

/* Payload in which Wireshark shows no message: perhaps because its dissector gave up on one. */
static void note_hidden(const collect_frame *frame)
{
    if (frame->connection->http && frame->tcp.segment.captured_bytes > 0 &&
        wanted_count(frame->tree, WANTED_MALFORMED) > 0)
        ka_gate_failed(frame->connection->core, KA_GATE_UNFRAMED);
}

void http_facts_tell(collect_frame *frame)
{
    collect_side *side = &frame->connection->sides[frame->direction];
    http_message_tell_waiting(frame);
    unsigned count = wanted_count(frame->tree, WANTED_HTTP);
    if (count > 0 && is_followed(frame))
        tell_items(frame, count);
    else if (is_followed(frame))
        note_hidden(frame);
    if (is_followed(frame))
        http_begun_tell(frame);
    if (!frame->connection->over)
        http_message_tell_waiting(frame); /* the head and the FIN in one frame */
    if (frame->connection->http && !frame->connection->over && claims_can_end(side))
        claims_check(frame->connection, side, side->fin_seq);
}
