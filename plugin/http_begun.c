/* http_begun.c - an HTTP/1 message that has begun, but that Wireshark does not show (yet).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Wireshark shows a message when its end has come. But an event stream has none, a head that is cut off by
 * the close neither, and what is no message at all is not shown as one.
 */
#include "http_begun.h"

#include <string.h>

enum {
    BEGUN_BYTES_MAX = 65536, /* servers refuse heads of more than 8 to 64 kB */
    BEGUN_BYTES_FIRST = 512,
};

static http_asked asked_of(const collect_connection *connection)
{
    return connection->asked_count > 0 ? (http_asked)connection->asked[connection->asked_first]
                                       : HTTP_ASKED_OTHER;
}

ka_message http_begun_message(const collect_frame *frame, const http_head *head)
{
    return (ka_message){
        .direction = (uint8_t)frame->direction,
        .is_response = head->is_response,
        .version = head->version,
        .status = head->status,
        .method = head->method,
        .framing = http_head_framing(head, asked_of(frame->connection)),
        .fields = head->fields,
        .field_count = head->field_count,
    };
}

/* ---- What is no message ---- */

/* The first bytes of a connection tell that it is another protocol; in mid-stream it was a wrong guess. */
void http_begun_give_up(collect_frame *frame)
{
    collect_connection *connection = frame->connection;
    if (connection->http) {
        ka_gate_failed(connection->core, KA_GATE_UNFRAMED);
    } else if (connection->began_with_syn) {
        ka_protocol_seen(connection->core, KA_PROTOCOL_OTHER);
        connection->over = true;
    }
    connection->sides[frame->direction].lost = true;
}

static bool awaits_tunnel(const collect_connection *connection)
{
    unsigned newest = (connection->asked_first + connection->asked_count - 1u) % COLLECT_ASKED_MAX;
    return connection->asked_count > 0 && connection->asked[newest] == HTTP_ASKED_CONNECT;
}

static bool must_begin(const collect_frame *frame, uint32_t seq)
{
    const collect_side *side = &frame->connection->sides[frame->direction];
    return !frame->connection->tls && (side->has_claimed || side->has_syn) && seq == side->claimed_seq &&
           !awaits_tunnel(frame->connection);
}

/* An answer of HTTP/0.9, or bytes behind the last message. */
bool http_begun_no_message(const collect_frame *frame, ka_slice bytes, uint32_t seq)
{
    return frame->connection->http && must_begin(frame, seq) && http_guess(bytes) == KA_PROTOCOL_OTHER;
}

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

static void on_head(const collect_frame *frame, const http_head *head)
{
    ka_message m = http_begun_message(frame, head);
    if (m.is_response && (m.framing == KA_FRAMING_CHUNKED || m.framing == KA_FRAMING_UNTIL_CLOSE))
        ka_head_seen(frame->connection->core, &m);
}

/* Reads from a copy: folded lines are unfolded in place. */
static void read_begun(collect_frame *frame)
{
    collect_side *side = &frame->connection->sides[frame->direction];
    http_head head;
    ka_slice all = {side->begun, side->begun_bytes};
    char *copy = wmem_memdup(frame->pinfo->pool, all.bytes, all.len_bytes);
    http_head_status status = http_head_read(copy, all.len_bytes, &head);
    if ((status == HTTP_HEAD_BAD && must_begin(frame, side->begun_seq)) ||
        (status == HTTP_HEAD_NONE && http_begun_no_message(frame, all, side->begun_seq)))
        http_begun_give_up(frame);
    if (status == HTTP_HEAD_WHOLE)
        on_head(frame, &head);
    side->known =
        status >= HTTP_HEAD_BAD || (status == HTTP_HEAD_NONE && http_guess(all) != KA_PROTOCOL_HTTP);
    if (side->known)
        drop(side);
}

void http_begun_tell(collect_frame *frame)
{
    collect_side *side = &frame->connection->sides[frame->direction];
    if (frame->connection->tls || side->waiting != NULL)
        return;
    if (side->begun_seq != side->claimed_seq)
        begin_anew(side);
    ka_slice bytes = side->known ? (ka_slice){NULL, 0} : next_bytes(frame);
    if (bytes.len_bytes == 0 || side->begun_bytes + bytes.len_bytes > BEGUN_BYTES_MAX)
        return;
    bool line_ends = memchr(bytes.bytes, '\n', bytes.len_bytes) != NULL;
    bool is_first = side->begun_bytes == 0;
    append(side, bytes);
    if (line_ends || is_first)
        read_begun(frame);
}
