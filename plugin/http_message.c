/* http_message.c - one HTTP/1 message whose head was read: told when its last byte has gone by.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "http_message.h"

#include <string.h>

#include "http_tell.h"

/* ---- Outstanding requests ---- */

static void push_asked(collect_connection *connection, http_asked asked)
{
    if (connection->asked_count == COLLECT_ASKED_MAX)
        return;
    unsigned at = (connection->asked_first + connection->asked_count++) % COLLECT_ASKED_MAX;
    connection->asked[at] = (uint8_t)asked;
}

static void pop_asked(collect_connection *connection, unsigned status)
{
    bool is_interim = status / 100 == 1 && status != 101;
    if (connection->asked_count == 0 || is_interim)
        return;
    connection->asked_first = (uint8_t)((connection->asked_first + 1) % COLLECT_ASKED_MAX);
    connection->asked_count--;
}

static http_asked asked_of(const collect_connection *connection)
{
    return connection->asked_count > 0 ? (http_asked)connection->asked[connection->asked_first]
                                       : HTTP_ASKED_OTHER;
}

ka_message http_message_of(const collect_frame *frame, const http_head *head)
{
    return (ka_message){
        .direction = (uint8_t)frame->direction,
        .is_response = head->is_response,
        .version = head->version,
        .status = head->status,
        .method = head->method,
        .target = head->target,
        .origin_form = head->origin_form,
        .framing = http_head_framing(head, asked_of(frame->connection)),
        .fields = head->fields,
        .field_count = head->field_count,
    };
}

void http_message_begun(collect_connection *connection, const http_head *head)
{
    if (head->is_response)
        pop_asked(connection, head->status);
    else
        push_asked(connection, http_head_asked(head));
    if (!connection->http)
        ka_protocol_seen(connection->core, KA_PROTOCOL_HTTP);
    connection->http = true;
}

/* The body of a request with Expect may come late, or never; an event stream has no end; and whose head it is
 * tells who the client is, where the SYN was not captured. */
void http_message_head(const collect_frame *frame, const http_head *head, const ka_message *m)
{
    ka_message begun = *m;
    begun.len_bytes = head->len_bytes;
    if (m->framing != KA_FRAMING_NONE && m->framing != KA_FRAMING_TUNNEL)
        ka_head_seen(frame->connection->core, &begun);
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
    size_t text_bytes = m->method.len_bytes + m->target.len_bytes;
    for (size_t i = 0; i < m->field_count; i++)
        text_bytes += m->fields[i].value.len_bytes;
    ka_message *kept = wmem_alloc(wmem_file_scope(), sizeof *kept + fields_bytes + text_bytes);
    ka_field *fields = (ka_field *)(kept + 1);
    char *at = (char *)(fields + m->field_count);
    *kept = *m;
    kept->fields = fields;
    keep_slice(&at, &kept->method);
    keep_slice(&at, &kept->target);
    for (size_t i = 0; i < m->field_count; i++) {
        fields[i] = m->fields[i];
        keep_slice(&at, &fields[i].value);
    }
    return kept;
}

/* Beyond that, sequence numbers do not tell what comes before and what after. */
static const uint64_t len_bytes_max = INT32_MAX;

/* Its end has gone by: sets where. */
static bool is_complete(const collect_side *side, ka_message *m)
{
    if (side->ahead_bytes > 0)
        return false;
    if (m->framing == KA_FRAMING_UNTIL_CLOSE) {
        if (side->fin.frame == 0 || seq_minus(side->fin_seq, m->seq) <= 0)
            return false;
        m->len_bytes = side->fin_seq - m->seq;
        m->last = side->fin;
        return true;
    }
    const track *seen = &side->track;
    bool is_newest = m->len_bytes > len_bytes_max && seen->count > 0;
    const track_piece *piece = is_newest ? &seen->pieces[seen->count - 1]
                                         : track_of_byte(seen, (uint32_t)(m->seq + m->len_bytes - 1));
    if (piece == NULL)
        return false;
    m->last = piece->at;
    return true;
}

static void drop_waiting(collect_side *side)
{
    wmem_free(wmem_file_scope(), side->waiting);
    side->waiting = NULL;
    side->ahead_bytes = 0;
}

static void set_body(const collect_side *side, ka_message *m, size_t head_bytes)
{
    const track_piece *piece =
        m->body.frame == 0 ? track_of_byte(&side->track, (uint32_t)(m->seq + head_bytes)) : NULL;
    bool has_body = m->framing == KA_FRAMING_UNTIL_CLOSE || m->len_bytes > head_bytes;
    if (piece != NULL && has_body)
        m->body = piece->at;
}

void http_message_tell_waiting(collect_frame *frame)
{
    collect_side *side = &frame->connection->sides[frame->direction];
    if (side->waiting == NULL || !is_complete(side, side->waiting))
        return;
    ka_message *m = side->waiting;
    side->waiting = NULL;
    set_body(side, m, side->waiting_head_bytes);
    http_tell(frame, m);
    wmem_free(wmem_file_scope(), m);
}

void http_message_take(collect_frame *frame, const http_head *head, ka_message *m)
{
    collect_side *side = &frame->connection->sides[m->direction];
    http_message_begun(frame->connection, head);
    drop_waiting(side); /* another message begins: the one before had no such end */
    if (m->framing != KA_FRAMING_UNTIL_CLOSE && m->len_bytes > len_bytes_max)
        side->ahead_bytes = m->len_bytes - (side->next_seq - m->seq);
    set_body(side, m, head->len_bytes);
    if (is_complete(side, m)) {
        http_tell(frame, m);
        return;
    }
    side->waiting = keep(m);
    side->waiting_head_bytes = head->len_bytes;
    http_message_head(frame, head, m);
}

/* ---- What is no message ---- */

/* The first bytes of a connection tell that it is another protocol; in mid-stream it was a wrong guess. */
void http_message_give_up(collect_frame *frame)
{
    collect_connection *connection = frame->connection;
    if (connection->tunnelled && !connection->http) {
        connection->over = true; /* neither HTTP nor TLS is inside */
    } else if (connection->http) {
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

bool http_message_must_begin(const collect_frame *frame, uint32_t seq)
{
    const collect_side *side = &frame->connection->sides[frame->direction];
    return !frame->connection->tls && (side->has_claimed || side->has_syn) && seq == side->claimed_seq &&
           !awaits_tunnel(frame->connection);
}

/* An answer of HTTP/0.9, or bytes behind the last message. */
bool http_message_none(const collect_frame *frame, ka_slice bytes, uint32_t seq)
{
    return frame->connection->http && http_message_must_begin(frame, seq) &&
           http_guess(bytes) == KA_PROTOCOL_OTHER;
}
