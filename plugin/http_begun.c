/* http_begun.c - an HTTP/1 message that has begun, but that Wireshark does not show (yet).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Wireshark shows a message when its end has come. But an event stream has none, a head that is cut off by
 * the close neither, of a body with bytes missing it waits in vain, methods and ports it does not know are
 * nothing to it, and what is no message at all is not shown as one.
 */
#include "http_begun.h"

#include <string.h>

#include "http_message.h"

enum {
    BEGUN_BYTES_MAX = 65536, /* servers refuse heads of more than 8 to 64 kB */
    BEGUN_BYTES_FIRST = 512,
};

/* ---- Bytes ---- */

static void drop(collect_side *side)
{
    wmem_free(wmem_file_scope(), side->begun);
    side->begun = NULL;
    side->begun_bytes = side->begun_room = 0;
}

static void begin_anew(collect_side *side)
{
    drop(side);
    side->begun_seq = side->claimed_seq;
    side->known = false;
}

static void append(collect_side *side, ka_slice bytes)
{
    if (side->begun_bytes + bytes.len_bytes > side->begun_room) {
        uint32_t room = MAX(side->begun_room, BEGUN_BYTES_FIRST);
        while (room < side->begun_bytes + bytes.len_bytes)
            room *= 2;
        side->begun = wmem_realloc(wmem_file_scope(), side->begun, room);
        side->begun_room = room;
    }
    memcpy(side->begun + side->begun_bytes, bytes.bytes, bytes.len_bytes);
    side->begun_bytes += (uint32_t)bytes.len_bytes;
}

/* Those of the frame's payload that come next; none: they are known, or others are missing before them. */
static ka_slice next_bytes(const collect_frame *frame)
{
    const tcp_facts *tcp = &frame->tcp;
    const collect_side *side = &frame->connection->sides[frame->direction];
    uint32_t len_bytes = tcp->segment.captured_bytes;
    uint32_t known_bytes = side->begun_seq + side->begun_bytes - tcp->payload_seq;
    if (known_bytes >= len_bytes)
        return (ka_slice){NULL, 0};
    int at = tcp->payload_start + (int)known_bytes;
    len_bytes -= known_bytes;
    return (ka_slice){(const char *)tvb_get_ptr(tcp->bytes, at, (int)len_bytes), len_bytes};
}

/* ---- Heads ---- */

static bool set_place(const collect_frame *frame, const http_head *head, ka_message *m)
{
    const collect_side *side = &frame->connection->sides[frame->direction];
    const track_piece *first = track_of_byte(&side->track, side->begun_seq);
    m->seq = side->begun_seq;
    if (first == NULL)
        return false;
    if (m->framing == KA_FRAMING_LENGTH)
        m->body_bytes = head->length_bytes;
    m->len_bytes = head->len_bytes + MIN(m->body_bytes, UINT64_MAX - head->len_bytes);
    m->ack = first->ack;
    m->first = first->at;
    return true;
}

/* In a tunnel Wireshark shows no HTTP: there a chunked body must be found whole among the bytes. False: it is
 * not, yet. */
static bool take_chunked(collect_frame *frame, const http_head *head, ka_message *m)
{
    const collect_side *side = &frame->connection->sides[frame->direction];
    ka_slice body = {side->begun + head->len_bytes, side->begun_bytes - head->len_bytes};
    uint64_t wire_bytes;
    if (!http_chunked_bytes(body, &wire_bytes, &m->body_bytes))
        return false;
    m->len_bytes = head->len_bytes + wire_bytes;
    http_message_take(frame, head, m);
    return true;
}

/* Where the message ends the head tells; but of a chunked body Wireshark. False: more must come first. */
static bool on_head(collect_frame *frame, const http_head *head)
{
    ka_message m = http_message_of(frame, head);
    bool is_placed = set_place(frame, head, &m);
    if (is_placed && m.framing == KA_FRAMING_CHUNKED && frame->connection->tunnelled)
        return take_chunked(frame, head, &m);
    if (is_placed && m.framing != KA_FRAMING_CHUNKED && !frame->connection->other)
        http_message_take(frame, head, &m);
    else
        http_message_head(frame, head, &m);
    return true;
}

/* Reads from a copy: folded lines are unfolded in place. */
static void read_begun(collect_frame *frame)
{
    collect_side *side = &frame->connection->sides[frame->direction];
    http_head head;
    ka_slice all = {side->begun, side->begun_bytes};
    char *copy = wmem_memdup(frame->pinfo->pool, all.bytes, all.len_bytes);
    http_head_status status = http_head_read(copy, all.len_bytes, &head);
    if ((status == HTTP_HEAD_BAD && http_message_must_begin(frame, side->begun_seq)) ||
        (status == HTTP_HEAD_NONE && http_message_none(frame, all, side->begun_seq)))
        http_message_give_up(frame);
    bool is_waiting = status == HTTP_HEAD_WHOLE && !on_head(frame, &head);
    side->known = (status >= HTTP_HEAD_BAD && !is_waiting) ||
                  (status == HTTP_HEAD_NONE && http_guess(all) != KA_PROTOCOL_HTTP);
    if (side->known)
        drop(side);
}

/* Whether there may be more to see in this frame. */
static bool look(collect_frame *frame)
{
    collect_side *side = &frame->connection->sides[frame->direction];
    if (side->begun_seq != side->claimed_seq)
        begin_anew(side);
    ka_slice bytes = side->known ? (ka_slice){NULL, 0} : next_bytes(frame);
    if (bytes.len_bytes == 0)
        return false;
    if (side->begun_bytes + bytes.len_bytes > BEGUN_BYTES_MAX) {
        if (frame->connection->tunnelled && frame->connection->http)
            ka_gate_failed(frame->connection->core, KA_GATE_UNFRAMED);
        return false;
    }
    bool line_ends = memchr(bytes.bytes, '\n', bytes.len_bytes) != NULL;
    bool is_first = side->begun_bytes == 0;
    append(side, bytes);
    if (line_ends || is_first)
        read_begun(frame);
    return side->begun_seq != side->claimed_seq;
}

void http_begun_tell(collect_frame *frame)
{
    const collect_connection *connection = frame->connection;
    const collect_side *side = &connection->sides[frame->direction];
    while (!connection->tls && !connection->over && !connection->h2 && !side->lost && side->waiting == NULL &&
           look(frame))
        continue;
}
