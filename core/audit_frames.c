/* audit_frames.c - facts of protocols whose bytes are framed: TLS records and HTTP/2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "audit.h"

#include "memory.h"
#include "rules.h"

/* The first thing that is understood behind the answer to a CONNECT: idle times and promises are those of
 * what is inside from here on. Behind a 101 nothing is told but HTTP/2. */
void ka_audit_enter_tunnel(ka_audit *a, ka_connection *c)
{
    if (!c->exchanges.tunnel || c->exchanges.last.status == 101)
        return;
    ka_exchanges_again(&c->exchanges, &a->config.allocator);
    c->tunnelled = true;
}

void ka_audit_forget_bursts(ka_audit *a, ka_connection *c)
{
    if (ka_connection_bursts(c) == NULL)
        return;
    ka_tls_becomes_readable(c->tls, &a->config.allocator);
    c->exchanges.idle_count = 0;
    c->exchanges.idle_longest_ns = c->exchanges.idle_total_ns = 0;
}

/* What the sender of a record or frame had acknowledged at its first byte; `start` is that byte's place. */
static uint64_t begun_ack(const ka_connection *c, unsigned direction, uint64_t start)
{
    ka_unclaimed begun = ka_transport_unclaimed(&c->transport, direction);
    return begun.seq == start ? begun.ack : c->transport.half[direction].acked;
}

/* ---- TLS ---- */

enum { TLS_APPLICATION_DATA = 23 };

static ka_status tls_begins(ka_audit *a, ka_connection *c)
{
    if (c->tls == NULL)
        c->tls = ka_tls_new(&a->config.allocator);
    return c->tls != NULL ? KA_OK : KA_NO_MEMORY;
}

void ka_audit_tell_gap(const ka_audit *a, const ka_connection *c, uint64_t number, int64_t idle_ns,
                       int64_t end_ns)
{
    const ka_gap_record gap = {c->stream, c->ends[!c->client], number, idle_ns, end_ns};
    if (a->config.gap != NULL)
        a->config.gap(a->config.gap_user, &gap);
}

static ka_status application_data(ka_audit *a, ka_connection *c, const ka_bytes *r, uint64_t end,
                                  uint64_t ack)
{
    int64_t gap_ns;
    if (r->direction != c->client) {
        ka_tls_server_data(c->tls, &a->config.allocator, r, end, c->transport.half[r->direction].acked);
        return KA_OK;
    }
    if (ka_tls_client_data(c->tls, &a->config.allocator, c->client, r, end, ack, &gap_ns) != KA_OK)
        return KA_NO_MEMORY;
    if (gap_ns == KA_NONE)
        return KA_OK;
    ka_exchanges_idle(&c->exchanges,
                      ka_transport_open_ns(&c->transport, r->first.time_ns - gap_ns, r->first.time_ns));
    ka_audit_tell_gap(a, c, c->tls->burst_count, gap_ns, r->first.time_ns);
    return KA_OK;
}

ka_status ka_tls_record_seen(ka_audit *a, ka_connection *c, const ka_bytes *r)
{
    c->protocol = KA_PROTOCOL_TLS;
    ka_audit_enter_tunnel(a, c);
    if (tls_begins(a, c) != KA_OK || ka_audit_join(a, c) != KA_OK)
        return KA_NO_MEMORY;
    if (c->endpoint != NULL && r->direction != c->client)
        ka_endpoint_heard(c->endpoint, r->last.time_ns);
    uint64_t end = ka_transport_unwrap(&c->transport.half[r->direction], (uint32_t)(r->seq + r->len_bytes));
    uint64_t ack = begun_ack(c, r->direction, end - r->len_bytes);
    ka_transport_claim(&c->transport, &a->config.allocator, r->direction, end, r->last, ack);
    ka_tls_handshake(c->tls, r->direction == c->client, r);
    if (ka_tls_is_alert(r))
        return ka_tls_alert_add(c->tls, &a->config.allocator, r, end);
    return r->tls_type == TLS_APPLICATION_DATA ? application_data(a, c, r, end, ack) : KA_OK;
}

ka_status ka_tls_alpn_seen(ka_audit *a, ka_connection *c, bool by_client, unsigned alpn)
{
    if (tls_begins(a, c) != KA_OK)
        return KA_NO_MEMORY;
    *(by_client ? &c->tls->offered : &c->tls->chosen) = (uint8_t)alpn;
    c->tls->said_hello = c->tls->said_hello || by_client;
    return KA_OK;
}

/* A name is ASCII, and of an internationalized domain its A-labels (RFC 6066 section 3). */
static bool is_host_name(ka_slice name)
{
    for (size_t i = 0; i < name.len_bytes; i++) {
        if (name.bytes[i] <= ' ' || name.bytes[i] > '~')
            return false;
    }
    return name.len_bytes > 0;
}

ka_status ka_tls_name_seen(ka_audit *a, ka_connection *c, unsigned direction, ka_slice name)
{
    bool behind_proxy = c->tunnelled || c->exchanges.tunnel;
    if (name.len_bytes > KA_SERVER_NAME_BYTES_MAX)
        name.len_bytes = KA_SERVER_NAME_BYTES_MAX;
    if (c->endpoint == NULL || direction != c->client || behind_proxy || !is_host_name(name))
        return KA_OK;
    ka_endpoint_named(c->endpoint, name);
    if (c->site != 0)
        return KA_OK;
    return ka_endpoints_spare(&a->endpoints,
                              ka_endpoint_site(c->endpoint, &a->config.ledgers, name, &c->site));
}

/* ---- HTTP/2 ---- */

/* After a 101 (RFC 7540 section 3.2): HTTP/1 is over, and its promises with it; the answer to the request
 * that asked for the upgrade comes on stream 1. */
static ka_status upgraded(ka_audit *a, ka_connection *c)
{
    ka_exchanges_again(&c->exchanges, &a->config.allocator);
    c->exchanges.responses--; /* the 101 was not the final one */
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
    ka_audit_enter_tunnel(a, c);
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
    uint64_t ack = begun_ack(c, f->direction, end - f->len_bytes);
    ka_transport_claim(&c->transport, &a->config.allocator, f->direction, end, f->last, ack);
    if (ka_h2_frame_add(c->h2, &a->config.allocator, f, f->direction == c->client, end - f->len_bytes, end,
                        ack, &news) != KA_OK)
        return KA_NO_MEMORY;
    if (news != KA_H2_OPENED || !was_idle || ended.frame == 0 || f->first.time_ns < ended.time_ns)
        return KA_OK;
    ka_exchanges_idle(&c->exchanges, ka_transport_open_ns(&c->transport, ended.time_ns, f->first.time_ns));
    ka_audit_tell_gap(a, c, c->h2->requests, f->first.time_ns - ended.time_ns, f->first.time_ns);
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
