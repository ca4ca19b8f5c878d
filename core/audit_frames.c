/* audit_frames.c - facts of protocols whose bytes are framed: TLS records and HTTP/2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "audit.h"

#include "memory.h"
#include "rules.h"

void ka_audit_forget_bursts(ka_audit *a, ka_connection *c)
{
    if (c->bursts == NULL)
        return;
    ka_memory_give(&a->config.allocator, c->bursts);
    c->bursts = NULL;
    c->exchanges.idle_count = 0;
    c->exchanges.idle_longest_ns = c->exchanges.idle_total_ns = 0;
}

/* ---- TLS ---- */

enum { TLS_HANDSHAKE = 22, TLS_APPLICATION_DATA = 23 };
/* Header of 5, alert of 2, content type of 1, tag of 16 (RFC 8446 section 5.2): an alert inside application
 * data. */
enum { TLS13_ALERT_BYTES = 24 };

static void client_burst(ka_connection *c, const ka_bytes *r, uint64_t end)
{
    ka_bursts *b = c->bursts;
    /* In TLS 1.3 the client's first application data is its Finished, behind the server's encrypted part of
     * the handshake. In 1.2, and with 1.3's early data, the client speaks first. */
    bool finished = !b->client_spoke && b->greeted && b->server_spoke;
    b->client_spoke = true;
    if (finished || b->waiting)
        return;
    if (b->answered.frame != 0 && r->first.time_ns >= b->answered.time_ns)
        ka_exchanges_idle(&c->exchanges,
                          ka_transport_open_ns(&c->transport, b->answered.time_ns, r->first.time_ns));
    b->asked = end - r->len_bytes;
    b->waiting = true;
}

static void server_burst(ka_bursts *b, const ka_bytes *r, uint64_t end)
{
    b->server_spoke = true;
    if (!b->waiting && b->answered.frame == 0)
        return; /* the handshake, session tickets */
    b->waiting = false;
    b->answered = r->last;
    b->answered_end = end;
}

ka_status ka_tls_record_seen(ka_audit *a, ka_connection *c, const ka_bytes *r)
{
    c->protocol = KA_PROTOCOL_TLS;
    if (c->bursts == NULL && (c->bursts = ka_memory_take(&a->config.allocator, sizeof *c->bursts)) == NULL)
        return KA_NO_MEMORY;
    if (ka_audit_join(a, c) != KA_OK)
        return KA_NO_MEMORY;
    if (c->endpoint != NULL && r->direction != c->client)
        ka_endpoint_heard(c->endpoint, r->last.time_ns);
    ka_bursts *b = c->bursts;
    uint64_t end = ka_transport_unwrap(&c->transport.half[r->direction], (uint32_t)(r->seq + r->len_bytes));
    ka_transport_claim(&c->transport, &a->config.allocator, r->direction, end, r->last, 0);
    if (r->tls_type == TLS_HANDSHAKE && r->direction == c->client)
        b->greeted = true;
    if (r->tls_type != TLS_APPLICATION_DATA || r->len_bytes == TLS13_ALERT_BYTES)
        return KA_OK;
    if (r->direction == c->client)
        client_burst(c, r, end);
    else
        server_burst(b, r, end);
    return KA_OK;
}

/* ---- HTTP/2 ---- */

/* After a 101 (RFC 7540 section 3.2): HTTP/1 is over, and its promises with it; the answer to the request
 * that asked for the upgrade comes on stream 1. */
static ka_status upgraded(ka_audit *a, ka_connection *c)
{
    uint32_t requests = c->exchanges.requests, responses = c->exchanges.responses;
    ka_exchanges before = c->exchanges;
    ka_exchanges_fini(&c->exchanges, &a->config.allocator);
    ka_exchanges_init(&c->exchanges);
    c->exchanges.idle_count = before.idle_count;
    c->exchanges.idle_longest_ns = before.idle_longest_ns;
    c->exchanges.idle_total_ns = before.idle_total_ns;
    c->exchanges.requests = requests;
    c->exchanges.responses = responses - 1; /* the 101 was not the final one */
    return ka_h2_upgraded(c->h2, &a->config.allocator);
}

static ka_status h2_begins(ka_audit *a, ka_connection *c)
{
    if (c->h2 != NULL)
        return KA_OK;
    if ((c->h2 = ka_h2_new(&a->config.allocator)) == NULL)
        return KA_NO_MEMORY;
    ka_audit_forget_bursts(a, c);
    if (c->exchanges.tunnel && c->exchanges.last.status == 101)
        return upgraded(a, c);
    return KA_OK;
}

ka_status ka_h2_frame_seen(ka_audit *a, ka_connection *c, const ka_h2_frame *f)
{
    enum { HEADERS = 1 };
    ka_h2_news news;
    if (h2_begins(a, c) != KA_OK || ka_audit_join(a, c) != KA_OK)
        return KA_NO_MEMORY;
    if (!c->client_known && f->type == HEADERS) { /* whose are the first: answers come later */
        c->client = f->direction;
        c->client_known = true;
    }
    if (c->endpoint != NULL && f->direction != c->client)
        ka_endpoint_heard(c->endpoint, f->last.time_ns);
    ka_moment ended = c->h2->ended;
    bool was_idle = ka_h2_is_idle(c->h2);
    uint64_t end = ka_transport_unwrap(&c->transport.half[f->direction], (uint32_t)(f->seq + f->len_bytes));
    ka_transport_claim(&c->transport, &a->config.allocator, f->direction, end, f->last, 0);
    if (ka_h2_frame_add(c->h2, &a->config.allocator, f, f->direction == c->client, end - f->len_bytes, end,
                        &news) != KA_OK)
        return KA_NO_MEMORY;
    if (news == KA_H2_OPENED && was_idle && ended.frame != 0 && f->first.time_ns >= ended.time_ns)
        ka_exchanges_idle(&c->exchanges,
                          ka_transport_open_ns(&c->transport, ended.time_ns, f->first.time_ns));
    return KA_OK;
}

ka_status ka_h2_field_seen(ka_audit *a, ka_connection *c, unsigned direction, ka_slice name, ka_moment at)
{
    ka_h2_field field = {(uint8_t)direction, name, at};
    ka_view v;
    ka_view_init(c, &a->config.thresholds, a->now, a->tick_ns, &v);
    v.h2_field = &field;
    return ka_audit_ask(a, c, &v, KA_ON_H2_FIELD);
}
