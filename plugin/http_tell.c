/* http_tell.c - one HTTP/1 message told to the core, and what the tree shows of it kept with the frame.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "http_tell.h"

#include "claims.h"
#include "frame_facts.h"

static void await_response(collect_connection *connection, frame_fact *request)
{
    if (connection->unanswered == NULL)
        connection->unanswered = request;
    else
        connection->unanswered_last->next_unanswered = request;
    connection->unanswered_last = request;
}

/* Links the request's fact with the frame of its response; older ones will never have one. */
static void link_response(collect_connection *connection, const ka_exchange_record *exchange)
{
    frame_fact *request = connection->unanswered;
    while (request != NULL && request->number < (int64_t)exchange->number)
        request = request->next_unanswered;
    connection->unanswered = request;
    if (request == NULL || request->number != (int64_t)exchange->number)
        return;
    request->other_frame = (uint32_t)exchange->response_end.frame;
    connection->unanswered = request->next_unanswered;
}

static void show_request(const collect_frame *frame, const ka_message *m, const ka_standing *standing)
{
    frame_fact *fact = frame_facts_add(frame->pinfo, FRAME_FACT_REQUEST, frame->connection->stream);
    fact->number = (int64_t)standing->request_number;
    fact->idle_ns = standing->idle_before_ns;
    fact->since_frame = (uint32_t)frame->connection->answer_frame;
    if (standing->idle_before_ns != KA_NONE && standing->deadline_ns != KA_NONE)
        fact->margin_ns = standing->deadline_ns - m->first.time_ns;
    await_response(frame->connection, fact);
}

static void show_response(const collect_frame *frame, const ka_standing *standing)
{
    const ka_exchange_record *exchange = &frame->all->exchange;
    frame_fact *fact = frame_facts_add(frame->pinfo, FRAME_FACT_RESPONSE, frame->connection->stream);
    if (exchange->response_end.frame == 0)
        return; /* interim, or one nobody had asked for */
    link_response(frame->connection, exchange);
    frame->connection->answer_frame = exchange->response_end.frame;
    fact->number = (int64_t)exchange->number;
    fact->other_frame = (uint32_t)exchange->request.frame;
    fact->timeout_s = standing->timeout_s;
    fact->max = standing->max;
    fact->remaining = standing->remaining;
    fact->counts = standing->counts;
    fact->deadline_ns = standing->deadline_ns;
}

/* Behind a 2xx to CONNECT anything may begin. */
static void enter_tunnel(collect_connection *connection)
{
    connection->tunnelled = true;
    connection->http = false;
    connection->asked_count = 0;
    for (unsigned direction = 0; direction < 2; direction++)
        connection->sides[direction].known = false;
}

/* After a 101, or in a tunnel: HTTP/2 goes on being told (RFC 7540 section 3.2). */
static void leave_http(collect_connection *connection, const ka_message *m)
{
    static const char name[] = "h2c";
    for (size_t i = 0; i < m->field_count && m->status == 101; i++) {
        ka_slice value = m->fields[i].value;
        if (m->fields[i].name == KA_FIELD_UPGRADE && value.len_bytes == sizeof name - 1 &&
            g_ascii_strncasecmp(value.bytes, name, value.len_bytes) == 0)
            connection->h2 = true;
    }
    connection->over = !connection->h2 && m->status == 101;
    if (connection->h2)
        ka_protocol_seen(connection->core, KA_PROTOCOL_H2C);
    if (m->status != 101)
        enter_tunnel(connection);
}

void http_tell(collect_frame *frame, const ka_message *m)
{
    collect *all = frame->all;
    collect_connection *connection = frame->connection;
    collect_side *side = &connection->sides[m->direction];
    ka_standing standing;
    claims_before(connection, m);
    all->exchange.response_end.frame = 0;
    connection->http = true;
    ka_message_seen(all->audit, connection->core, m);
    if (m->framing == KA_FRAMING_TUNNEL)
        leave_http(connection, m);
    claims_add(side, (uint32_t)(m->seq + m->len_bytes));
    ka_connection_standing(connection->core, &standing);
    if (m->is_response)
        show_response(frame, &standing);
    else
        show_request(frame, m, &standing);
}
