/* http_facts.c - the HTTP/1 messages Wireshark shows in a frame, told to the core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "http_facts.h"

#include "claims.h"
#include "http_tell.h"
#include "memory.h"
#include "wanted.h"

/* What is known of a message when its head was read. */
typedef struct shown {
    ka_message message;
    http_head head;
} shown;

/* The bytes of one http item: it ends where the next one begins. */
typedef struct extent {
    tvbuff_t *bytes;
    int start;
    int end;     /* of what was captured */
    bool placed; /* in TCP's own bytes */
    uint32_t seq;
    uint32_t decrypted_end; /* of a decrypted one, whose place is made up */
} extent;

/* ---- Outstanding requests ---- */

static void push_asked(collect_connection *connection, http_asked asked)
{
    if (connection->asked_count == COLLECT_ASKED_MAX)
        return;
    unsigned at = (connection->asked_first + connection->asked_count++) % COLLECT_ASKED_MAX;
    connection->asked[at] = (uint8_t)asked;
}

static http_asked pop_asked(collect_connection *connection, unsigned status)
{
    bool is_interim = status / 100 == 1 && status != 101;
    if (connection->asked_count == 0)
        return HTTP_ASKED_OTHER;
    http_asked asked = connection->asked[connection->asked_first];
    if (is_interim)
        return asked;
    connection->asked_first = (uint8_t)((connection->asked_first + 1) % COLLECT_ASKED_MAX);
    connection->asked_count--;
    return asked;
}

/* ---- Waiting for the last byte ---- */

static void keep_slice(char **at, ka_slice *slice)
{
    if (slice->len_bytes > 0)
        memcpy(*at, slice->bytes, slice->len_bytes);
    slice->bytes = *at;
    *at += slice->len_bytes;
}

/* The message with all it points to in one block of file scope. */
static ka_message *keep(const ka_message *m)
{
    size_t fields_bytes = m->field_count * sizeof *m->fields;
    size_t text_bytes = m->method.len_bytes;
    for (size_t i = 0; i < m->field_count; i++)
        text_bytes += m->fields[i].value.len_bytes;
    ka_message *kept = wmem_alloc(wmem_file_scope(), sizeof *kept + fields_bytes + text_bytes);
    ka_field *fields = (ka_field *)(kept + 1);
    char *at = (char *)(fields + m->field_count);
    *kept = *m;
    kept->fields = fields;
    keep_slice(&at, &kept->method);
    for (size_t i = 0; i < m->field_count; i++) {
        fields[i] = m->fields[i];
        keep_slice(&at, &fields[i].value);
    }
    return kept;
}

/* Its end has gone by: sets where. */
static bool is_complete(const collect_side *side, ka_message *m)
{
    if (m->framing == KA_FRAMING_UNTIL_CLOSE) {
        if (side->fin.frame == 0 || seq_minus(side->fin_seq, m->seq) <= 0)
            return false;
        m->len_bytes = side->fin_seq - m->seq;
        m->last = side->fin;
        return true;
    }
    const track_piece *piece = track_of_byte(&side->track, (uint32_t)(m->seq + m->len_bytes - 1));
    if (piece == NULL)
        return false;
    m->last = piece->at;
    return true;
}

static void drop_waiting(collect_side *side)
{
    wmem_free(wmem_file_scope(), side->waiting);
    side->waiting = NULL;
}

static void set_body(const collect_side *side, ka_message *m, size_t head_bytes)
{
    const track_piece *piece =
        m->body.frame == 0 ? track_of_byte(&side->track, (uint32_t)(m->seq + head_bytes)) : NULL;
    bool has_body = m->framing == KA_FRAMING_UNTIL_CLOSE || m->len_bytes > head_bytes;
    if (piece != NULL && has_body)
        m->body = piece->at;
}

static void tell_waiting(collect_frame *frame, collect_side *side)
{
    if (side->waiting == NULL || !is_complete(side, side->waiting))
        return;
    ka_message *m = side->waiting;
    side->waiting = NULL;
    set_body(side, m, side->waiting_head_bytes);
    http_tell(frame, m);
    wmem_free(wmem_file_scope(), m);
}

/* Of a request with Expect: its body may come late, or never. */
static void tell_request_head(const collect_frame *frame, const ka_message *m, size_t head_bytes)
{
    ka_message head = *m;
    head.len_bytes = head_bytes;
    for (size_t i = 0; i < m->field_count && !m->is_response; i++) {
        if (m->fields[i].name == KA_FIELD_EXPECT) {
            ka_head_seen(frame->connection->core, &head);
            return;
        }
    }
}

static void tell_or_wait(collect_frame *frame, ka_message *m, size_t head_bytes)
{
    collect_side *side = &frame->connection->sides[m->direction];
    drop_waiting(side); /* another message begins: the one before had no such end */
    set_body(side, m, head_bytes);
    if (is_complete(side, m)) {
        http_tell(frame, m);
        return;
    }
    side->waiting = keep(m);
    side->waiting_head_bytes = head_bytes;
    tell_request_head(frame, m, head_bytes);
}

/* ---- Reading ---- */

static bool set_length(collect_frame *frame, const extent *at, shown *s)
{
    ka_message *m = &s->message;
    m->len_bytes = s->head.len_bytes;
    if (s->head.bad_length && m->framing == KA_FRAMING_LENGTH) {
        ka_gate_failed(frame->connection->core, KA_GATE_UNFRAMED);
        return false;
    }
    if (m->framing == KA_FRAMING_LENGTH)
        m->body_bytes = s->head.length_bytes;
    if (m->framing == KA_FRAMING_CHUNKED) {
        int body = at->start + (int)s->head.len_bytes;
        uint64_t wire_bytes;
        int len_bytes = at->end - body;
        ka_slice bytes = {len_bytes > 0 ? (const char *)tvb_get_ptr(at->bytes, body, len_bytes) : "",
                          (size_t)len_bytes};
        if (!http_chunked_bytes(bytes, &wire_bytes, &m->body_bytes)) {
            if (!frame->connection->cut)
                ka_gate_failed(frame->connection->core, KA_GATE_UNFRAMED);
            return false;
        }
        m->len_bytes += wire_bytes;
    } else {
        m->len_bytes += m->body_bytes;
    }
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

static ka_message message_of(const collect_frame *frame, const http_head *head, http_asked asked)
{
    return (ka_message){
        .direction = (uint8_t)frame->direction,
        .is_response = head->is_response,
        .version = head->version,
        .status = head->status,
        .method = head->method,
        .origin_form = head->origin_form,
        .framing = http_head_framing(head, asked),
        .fields = head->fields,
        .field_count = head->field_count,
    };
}

static void fill(collect_frame *frame, shown *s)
{
    collect_connection *connection = frame->connection;
    http_asked asked = HTTP_ASKED_OTHER;
    if (s->head.is_response)
        asked = pop_asked(connection, s->head.status);
    else
        push_asked(connection, http_head_asked(&s->head));
    s->message = message_of(frame, &s->head, asked);
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

/* These bytes are not what Wireshark took them for. The first ones of a connection tell that it is another
 * protocol. */
static void give_up(collect_frame *frame)
{
    collect_connection *connection = frame->connection;
    if (connection->http)
        ka_gate_failed(connection->core, KA_GATE_UNFRAMED);
    else if (connection->began_with_syn)
        ka_protocol_seen(connection->core, KA_PROTOCOL_OTHER);
    connection->over = connection->over || !connection->http;
    connection->sides[frame->direction].lost = true;
}

static bool awaits_tunnel(const collect_connection *connection)
{
    unsigned newest = (connection->asked_first + connection->asked_count - 1u) % COLLECT_ASKED_MAX;
    return connection->asked_count > 0 && connection->asked[newest] == HTTP_ASKED_CONNECT;
}

/* Where a message must begin, something else does: an answer of HTTP/0.9, or bytes behind the last message.
 */
static bool is_no_message(const collect_frame *frame, const extent *at)
{
    const collect_connection *connection = frame->connection;
    size_t len_bytes = (size_t)(at->end - at->start);
    const collect_side *side = &connection->sides[frame->direction];
    bool begins = side->has_claimed || side->has_syn;
    if (!connection->http || connection->tls || !at->placed || !begins || at->seq != side->claimed_seq ||
        awaits_tunnel(connection))
        return false;
    ka_slice bytes = {(const char *)tvb_get_ptr(at->bytes, at->start, (int)len_bytes), len_bytes};
    return http_guess(bytes) == KA_PROTOCOL_OTHER;
}

/* Tells the message that begins there. Returns how many bytes it has, 0: nothing more can be read here. */
static uint64_t read_message(collect_frame *frame, const extent *at)
{
    shown s;
    http_head_status status = read_head(frame, at, &s.head);
    if (status == HTTP_HEAD_CUT && !frame->connection->cut)
        ka_gate_failed(frame->connection->core, KA_GATE_UNFRAMED); /* Wireshark was told not to reassemble */
    if (status == HTTP_HEAD_BAD || (status == HTTP_HEAD_NONE && is_no_message(frame, at)))
        give_up(frame);
    if (status != HTTP_HEAD_WHOLE)
        return 0;
    fill(frame, &s);
    if (!at->placed) {
        set_decrypted_place(frame, at, &s.message);
        s.message.last = (ka_moment){frame->tcp.segment.time_ns, frame->tcp.segment.frame};
        http_tell(frame, &s.message);
        return 0;
    }
    if (!set_place(frame, at, &s.message) || !set_length(frame, at, &s))
        return 0;
    tell_or_wait(frame, &s.message, s.head.len_bytes);
    return s.message.framing == KA_FRAMING_UNTIL_CLOSE ? 0 : s.message.len_bytes;
}

/* Empty lines between requests (RFC 9112 section 2.2). */
static void skip_strays(collect_frame *frame, extent *at)
{
    collect_side *side = &frame->connection->sides[frame->direction];
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

static int item_end(const collect_frame *frame, unsigned index, unsigned count)
{
    const field_info *item = wanted_item(frame->tree, WANTED_HTTP, index);
    const tcp_facts *tcp = &frame->tcp;
    int end = (int)tvb_captured_length(item->ds_tvb);
    if (item->ds_tvb == tcp->bytes) /* behind the payload Ethernet may pad, or add a trailer */
        end = tcp->payload_start + (int)tcp->segment.captured_bytes;
    for (unsigned i = index + 1; i < count; i++) {
        const field_info *next = wanted_item(frame->tree, WANTED_HTTP, i);
        if (next->ds_tvb == item->ds_tvb && next->start > item->start && next->start < end)
            end = next->start;
    }
    return end;
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

/* Where Wireshark took a body for longer than it was, its next item begins within a message. */
static void skip_claimed(const collect_frame *frame, extent *at)
{
    const collect_side *side = &frame->connection->sides[frame->direction];
    int32_t claimed_bytes = side->has_claimed ? seq_minus(side->claimed_seq, at->seq) : 0;
    if (!at->placed || claimed_bytes <= 0)
        return;
    int32_t skipped_bytes = MIN(claimed_bytes, at->end - at->start);
    at->start += skipped_bytes;
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
        skip_claimed(frame, at);
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
        extent at = {.bytes = item->ds_tvb, .start = item->start, .end = item_end(frame, i, count)};
        at.placed = collect_seq(frame, at.bytes, at.start, &at.seq);
        if (!at.placed)
            http_facts_place_decrypted(frame, decrypted++, decrypted_count, &at.seq, &at.decrypted_end);
        tell_extent(frame, &at);
    }
}

/* Wireshark shows a message when its end has come, but an event stream has none, a request with Expect need
 * not get one, and what is no message has none either: looks what begins. */
static void tell_head(collect_frame *frame)
{
    collect_connection *connection = frame->connection;
    const tcp_facts *tcp = &frame->tcp;
    extent at = {.bytes = tcp->bytes,
                 .start = tcp->payload_start,
                 .end = tcp->payload_start + (int)tcp->segment.captured_bytes,
                 .placed = true,
                 .seq = tcp->payload_seq};
    shown s;
    if (at.seq != connection->sides[frame->direction].claimed_seq || connection->tls || at.end <= at.start)
        return;
    http_head_status status = read_head(frame, &at, &s.head);
    if (status == HTTP_HEAD_NONE && is_no_message(frame, &at))
        give_up(frame);
    if (status != HTTP_HEAD_WHOLE)
        return;
    if (!s.head.is_response) {
        s.message = message_of(frame, &s.head, HTTP_ASKED_OTHER);
        s.message.seq = at.seq;
        tell_request_head(frame, &s.message, s.head.len_bytes);
        return;
    }
    http_asked asked = connection->asked_count > 0 ? (http_asked)connection->asked[connection->asked_first]
                                                   : HTTP_ASKED_OTHER;
    s.message = message_of(frame, &s.head, asked);
    if (s.message.framing == KA_FRAMING_CHUNKED || s.message.framing == KA_FRAMING_UNTIL_CLOSE)
        ka_head_seen(connection->core, &s.message);
}

/* Payload in which Wireshark shows no message: perhaps because its dissector gave up on one. */
static void tell_hidden(collect_frame *frame)
{
    if (frame->connection->http && frame->tcp.segment.captured_bytes > 0 &&
        wanted_count(frame->tree, WANTED_MALFORMED) > 0)
        ka_gate_failed(frame->connection->core, KA_GATE_UNFRAMED);
    tell_head(frame);
}

void http_facts_tell(collect_frame *frame)
{
    collect_side *side = &frame->connection->sides[frame->direction];
    tell_waiting(frame, side);
    unsigned count = wanted_count(frame->tree, WANTED_HTTP);
    if (count > 0 && !frame->connection->over && !frame->connection->h2)
        tell_items(frame, count);
    else if (!frame->connection->over && !side->lost)
        tell_hidden(frame);
    if (!frame->connection->over)
        tell_waiting(frame, side); /* the head and the FIN in one frame */
    if (frame->connection->http && !frame->connection->over && claims_can_end(side))
        claims_check(frame->connection, side, side->fin_seq);
}
