/* audit.c - facts in, in order: the only file that knows the order of the stages.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "audit.h"

#include "memory.h"
#include "retry.h"
#include "rules.h"

ka_status ka_audit_new(const ka_config *config, ka_audit **out)
{
    if (config->allocator.resize == NULL)
        return KA_MISUSE;
    ka_audit *a = ka_memory_take(&config->allocator, sizeof *a);
    if (a == NULL)
        return KA_NO_MEMORY;
    a->config = *config;
    a->now.time_ns = KA_NONE;
    a->tick_ns = 1000;
    ka_dues_init(&a->dues);
    bool limited = config->ledgers.resize != NULL;
    if (!limited)
        a->config.ledgers = a->config.allocator;
    ka_endpoints_init(&a->endpoints, &a->config.ledgers, config->hash_seed);
    a->endpoints.limited = limited;
    ka_links_init(&a->links, &a->config.allocator, config->hash_seed);
    ka_peers_named(&a->links.peers, config->proxy_addresses, config->proxy_address_count);
    a->config.proxy_addresses = NULL;
    a->links.sink = &a->config.sink;
    a->links.several = config->several_clocks;
    ka_pool_init(&a->connections, &a->config.allocator, sizeof(ka_connection));
    *out = a;
    return KA_OK;
}

static void forget(ka_audit *a, ka_connection *c)
{
    *(c->older != NULL ? &c->older->newer : &a->oldest) = c->newer;
    *(c->newer != NULL ? &c->newer->older : &a->newest) = c->older;
    if (a->config.settled != NULL)
        a->config.settled(a->config.settled_user, c->owner);
    ka_connection_fini(c, &a->config.allocator);
    ka_pool_give(&a->connections, c);
}

void ka_audit_free(ka_audit *a)
{
    if (a == NULL)
        return;
    a->config.settled = NULL; /* nothing settles here: the capture was given up */
    while (a->oldest != NULL)
        forget(a, a->oldest);
    ka_dues_fini(&a->dues, &a->config.allocator);
    ka_endpoints_fini(&a->endpoints);
    ka_links_fini(&a->links);
    ka_pool_fini(&a->connections);
    const ka_allocator allocator = a->config.allocator;
    ka_memory_give(&allocator, a);
}

void ka_audit_resolution(ka_audit *a, int64_t tick_ns)
{
    if (tick_ns > a->tick_ns)
        a->tick_ns = tick_ns;
}

ka_status ka_connection_open(ka_audit *a, uint32_t stream, const ka_address ends[2], void *owner,
                             ka_connection **out)
{
    ka_connection *c = ka_pool_take(&a->connections);
    if (c == NULL)
        return KA_NO_MEMORY;
    ka_connection_init(c, stream, ends, owner);
    c->older = a->newest;
    *(a->newest != NULL ? &a->newest->newer : &a->oldest) = c;
    a->newest = c;
    *out = c;
    return KA_OK;
}

void ka_protocol_seen(ka_connection *c, ka_protocol protocol)
{
    c->protocol = (uint8_t)protocol;
}

void ka_gate_failed(ka_connection *c, ka_gate gate)
{
    c->failed_gates |= gate;
}

/* ---- Settling ---- */

static ka_status settle(ka_audit *a, ka_connection *c, uint32_t failed_gates)
{
    ka_status status = ka_audit_judge(a, c, failed_gates);
    forget(a, c);
    return status;
}

/* The next to settle have not been touched for a while: the second of them, and what hangs on the first. */
static void prefetch_due(const ka_due *first)
{
    if (first != NULL && first->connection != NULL) {
        __builtin_prefetch(first->connection->transport.half[0].ending);
        __builtin_prefetch(first->connection->transport.half[1].ending);
    }
    if (first != NULL && first->next != NULL && first->next->connection != NULL)
        ka_connection_prefetch(first->next->connection, 0);
}

/* Everything whose time has come, except the connection somebody is about to use. */
static ka_status settle_due(ka_audit *a, const ka_connection *except)
{
    ka_status status = KA_OK;
    while (status == KA_OK && a->dues.first != NULL) {
        ka_connection *c = ka_dues_take(&a->dues, &a->config.allocator, a->now.time_ns, except);
        if (c == NULL)
            break;
        prefetch_due(a->dues.first);
        status = settle(a, c, 0);
    }
    return status;
}

static ka_status schedule(ka_audit *a, ka_connection *c)
{
    int64_t at_ns = a->now.time_ns + a->config.thresholds.settle_ns;
    return ka_dues_add(&a->dues, &a->config.allocator, c, c->stream, at_ns, &c->due);
}

ka_status ka_time_passed(ka_audit *a, int64_t time_ns)
{
    if (time_ns > a->now.time_ns)
        a->now.time_ns = time_ns;
    return settle_due(a, NULL);
}

ka_status ka_connection_end(ka_audit *a, ka_connection *c, ka_gate why)
{
    bool ended = c->due != NULL;
    if (ended)
        ka_dues_drop(&a->dues, &a->config.allocator, c->due);
    return settle(a, c, ended ? 0 : why); /* what had ended already lost nothing */
}

/* ---- Segments ---- */

static bool has_ended(const ka_transport *t)
{
    bool acked[2];
    for (int d = 0; d < 2; d++) {
        const ka_ending *ending = t->half[d].ending;
        if (ending != NULL && ending->rst.frame != 0)
            return true;
        acked[d] = ending != NULL && ending->fin_acked.frame != 0;
    }
    return acked[0] && acked[1];
}

/* When both sides send a SYN (simultaneous open, RFC 9293 section 3.5), who asks first is the client. */
static void find_client(ka_connection *c, const ka_segment *s)
{
    if (!(s->flags & KA_SYN))
        return;
    bool is_first = !c->transport.half[s->direction].syn;
    bool crosses = c->client_known && is_first && s->direction != c->client && !(s->flags & KA_ACK);
    if (crosses && c->endpoint == NULL)
        c->client_known = false;
    if (c->client_known || crosses || !is_first)
        return;
    c->client = (s->flags & KA_ACK) ? !s->direction : s->direction;
    c->client_known = true;
}

/* The first FIN or RST of the connection: is it one of many idle ones the server closes now? */
static ka_status first_close(ka_audit *a, ka_connection *c)
{
    ka_view v;
    if (c->endpoint == NULL)
        return KA_OK;
    ka_view_init(c, &a->config.thresholds, a->now, a->tick_ns, &v);
    ka_view_close(&v);
    ka_status status = ka_audit_pairs_closed(a, &v);
    bool counts =
        v.close.by == KA_SIDE_SERVER && v.close.idle_ns != KA_NONE && !ka_view_reset_by_request(&v) &&
        (v.close.verdict == KA_VERDICT_EARLY || v.close.verdict == KA_VERDICT_UNADVERTISED) &&
        (c->exchanges.last.persists ||
         (ka_connection_bursts(c) != NULL && ka_connection_carries(c) == KA_TLS_HTTP1)) &&
        v.close.idle_ns >= a->config.thresholds.unannounced_ns && ka_rules_is_own_close(&v) && !c->tunnelled;
    if (counts && status == KA_OK)
        status = ka_endpoints_spare(&a->endpoints, ka_endpoint_idle_close(c->endpoint, &a->config.ledgers,
                                                                          &a->config.thresholds, v.close.at,
                                                                          v.close.idle_ns));
    if (status == KA_OK)
        status = ka_audit_many_closed(a, c, &v);
    ka_endpoint_closed(c->endpoint);
    return status;
}

/* Sent again, and no answer: did the server answer on another connection since it was sent again before? What
 * it answered sooner may have been on its way when an outage began. */
static void look_elsewhere(ka_connection *c, const ka_segment *s)
{
    ka_stall *stall = ka_transport_stall(&c->transport, s->direction);
    if (c->endpoint != NULL && s->direction == c->client && stall->before.frame != 0 &&
        c->endpoint->heard_ns > stall->before.time_ns)
        stall->heard_elsewhere = true;
}

ka_status ka_segment_seen(ka_audit *a, ka_connection *c, const ka_segment *s)
{
    ka_segment_news news;
    if (s->time_ns > a->now.time_ns)
        a->now.time_ns = s->time_ns;
    a->now.frame = s->frame;
    a->interface = s->interface;
    a->links.several |= s->interface != 0;
    if (settle_due(a, c) != KA_OK)
        return KA_NO_MEMORY;
    if (c->first.frame == 0)
        c->first = (ka_moment){s->time_ns, s->frame};
    find_client(c, s);
    bool was_open = c->transport.half[0].ending == NULL && c->transport.half[1].ending == NULL;
    if (ka_transport_segment(&c->transport, &a->config.allocator, s, &news) != KA_OK)
        return KA_NO_MEMORY;
    if (news.stalled)
        look_elsewhere(c, s);
    if (news.paused_ns > a->config.thresholds.undelimited_wait_ns && s->direction != c->client)
        c->pauses = true;
    if (was_open && (news.fin || news.rst) && first_close(a, c) != KA_OK)
        return KA_NO_MEMORY;
    if (c->due == NULL && !was_open && has_ended(&c->transport))
        return schedule(a, c);
    return c->due == NULL && news.rst ? schedule(a, c) : KA_OK;
}

/* ---- Messages ---- */

static ka_status note(void *user, const ka_finding *f)
{
    void **pair = user;
    ka_audit *a = pair[0];
    ka_connection *c = pair[1];
    for (ka_noted *noted = c->noted; noted != NULL; noted = noted->next) {
        if (noted->finding.id != f->id)
            continue;
        ka_finding_again(&noted->finding);
        if (f->severity > noted->finding.severity) { /* a surer or graver case of it */
            int64_t count = noted->finding.values[0].number;
            noted->finding = *f;
            noted->finding.values[0].number = count;
        }
        return KA_OK;
    }
    ka_noted *noted = ka_memory_take(&a->config.allocator, sizeof *noted);
    if (noted == NULL)
        return KA_NO_MEMORY;
    noted->finding = *f;
    noted->next = c->noted;
    c->noted = noted;
    if (a->config.noted != NULL)
        a->config.noted(a->config.settled_user, f);
    return KA_OK;
}

ka_status ka_audit_ask(ka_audit *a, ka_connection *c, const ka_view *v, unsigned when)
{
    void *pair[2] = {a, c};
    return ka_rules_run(v, when, &(ka_rules_out){pair, note});
}

static ka_status ask_of_message(ka_audit *a, ka_connection *c, const ka_view *v, unsigned when)
{
    int64_t usual_timeout_s = a->config.thresholds.middlebox_limit_ns / KA_SECOND_NS;
    if (a->config.thresholds.timeout_huge_ns / KA_SECOND_NS < usual_timeout_s)
        usual_timeout_s = a->config.thresholds.timeout_huge_ns / KA_SECOND_NS;
    if (ka_header_is_odd(v->header, usual_timeout_s) && ka_audit_ask(a, c, v, KA_ON_FIELDS) != KA_OK)
        return KA_NO_MEMORY;
    return ka_audit_ask(a, c, v, when);
}

ka_status ka_audit_join(ka_audit *a, ka_connection *c)
{
    if (c->endpoint != NULL || c->left_out)
        return KA_OK;
    ka_status status = ka_endpoints_find(&a->endpoints, &c->ends[!c->client], true, &c->endpoint);
    if (status != KA_OK && !a->endpoints.limited)
        return status;
    if (c->endpoint == NULL) {
        c->left_out = true;
        a->endpoints.left_out++;
    }
    bool open = c->transport.half[0].ending == NULL && c->transport.half[1].ending == NULL;
    if (c->endpoint != NULL && open) {
        ka_endpoint_opened(c->endpoint);
        ka_growth_count(&c->endpoint->growth, c->first.time_ns, KA_GROWTH_JOINED);
    }
    return KA_OK;
}

static int64_t or_none(int32_t value)
{
    return value < 0 ? KA_NONE : value;
}

static void tell_exchange(const ka_audit *a, const ka_connection *c, const ka_request *request,
                          const ka_message *m, const ka_response *response)
{
    ka_exchange_record record = {0};
    if (a->config.sink.exchange == NULL)
        return;
    record.stream = c->stream;
    record.number = request != NULL ? request->number : response->number;
    record.idle_before_ns = KA_NONE;
    if (request != NULL) {
        record.request = request->first_at;
        record.request_end = request->end_at;
        record.idle_before_ns = request->idle_before_ns;
        memcpy(record.method, request->method, sizeof record.method);
    }
    record.response = m->first;
    record.response_end = m->last;
    record.status = m->status;
    record.timeout_s = or_none(response->timeout_s);
    record.max = or_none(response->max);
    a->config.sink.exchange(a->config.sink.user, &record);
}

static ka_status request_seen(ka_audit *a, ka_connection *c, const ka_message *m, const ka_header *header)
{
    ka_request *request;
    const ka_allocator *allocator = &a->config.allocator;
    if (ka_exchanges_request(&c->exchanges, allocator, &c->transport, c->client, m, header, &request) !=
        KA_OK)
        return KA_NO_MEMORY;
    if (request == NULL)
        return KA_OK;
    request->asks = ka_retry_asks(request->method, m);
    if (request->idle_before_ns != KA_NONE)
        ka_audit_tell_gap(a, c, request->number, request->idle_before_ns, request->first_at.time_ns);
    ka_view v;
    ka_view_init(c, &a->config.thresholds, a->now, a->tick_ns, &v);
    v.request = request;
    v.header = header;
    v.message = m;
    v.before = c->exchanges.last.end_at.frame != 0 ? &c->exchanges.last : NULL;
    ka_elsewhere elsewhere;
    if (c->endpoint != NULL && ka_audit_many_request(a, c, &v, &elsewhere) != KA_OK)
        return KA_NO_MEMORY;
    if (ka_audit_pairs_request(a, c, &v, request) != KA_OK)
        return KA_NO_MEMORY;
    ka_status status = ask_of_message(a, c, &v, KA_ON_REQUEST);
    c->exchanges.continued = false;
    return status;
}

/* 100 Continue in time ends the wait of a request under way; a later one found it stalled. */
static void interim_seen(const ka_audit *a, ka_connection *c, const ka_message *m)
{
    ka_view v;
    ka_view_init(c, &a->config.thresholds, a->now, a->tick_ns, &v);
    int64_t waited_ns = ka_rules_expect_waited(&v, m->first.time_ns);
    if (v.begun.seq != 0 && m->status == 100 && waited_ns <= ka_view_expect_ns(&v))
        c->exchanges.continued = true;
}

static ka_status response_seen(ka_audit *a, ka_connection *c, const ka_message *m, const ka_header *header)
{
    ka_request *request;
    const ka_allocator *allocator = &a->config.allocator;
    ka_response before = c->exchanges.last;
    bool strayed = c->exchanges.stray;
    int32_t max_before = c->exchanges.max.latest;
    ka_answer answer =
        ka_exchanges_response(&c->exchanges, allocator, &c->transport, c->client, m, header, &request);
    if (answer == KA_ANSWER_INTERIM)
        interim_seen(a, c, m);
    if (answer == KA_ANSWER_OLD || answer == KA_ANSWER_INTERIM)
        return KA_OK;
    if (c->endpoint != NULL) {
        ka_endpoint_heard(c->endpoint, m->last.time_ns);
        if (!c->tunnelled)
            ka_endpoint_advertised(c->endpoint, c->site, header);
    }
    bool unusual = header->login_step != 0 || c->transport.half[!c->client].ending != NULL;
    bool slow = request != NULL && m->first.time_ns - request->end_at.time_ns >= KA_SECOND_NS;
    if (unusual && c->endpoint != NULL && ka_audit_many_response(a, c, request, header, m) != KA_OK) {
        ka_memory_give(allocator, request);
        return KA_NO_MEMORY;
    }
    if (slow)
        ka_audit_many_waited(a, c, request, &before, m);
    if (answer != KA_ANSWER_UNASKED)
        tell_exchange(a, c, request, m, &c->exchanges.last);
    ka_view v;
    ka_view_init(c, &a->config.thresholds, a->now, a->tick_ns, &v);
    v.request = request;
    v.given_up_ns = c->endpoint != NULL ? c->endpoint->given_up_ns : 0;
    v.header = header;
    v.message = m;
    v.before = before.end_at.frame != 0 ? &before : NULL;
    v.max_before = max_before;
    v.response = answer != KA_ANSWER_UNASKED ? &c->exchanges.last : NULL;
    if (c->transport.half[c->client].ending != NULL)
        ka_audit_many_gave_up(a, c, &v);
    ka_status status = KA_OK;
    if (request != NULL && c->endpoint != NULL)
        status = ka_audit_many_answered(a, c, &v, request, strayed, m);
    if (status == KA_OK)
        status = ask_of_message(a, c, &v, KA_ON_RESPONSE);
    if (status == KA_OK && request != NULL)
        status = ka_audit_pairs_response(a, request, header, m);
    ka_memory_give(allocator, request);
    return status;
}

/* Without a SYN. */
static void client_by_message(ka_connection *c, const ka_message *m)
{
    if (c->client_known)
        return;
    c->client = m->is_response ? !m->direction : m->direction;
    c->client_known = true;
}

ka_status ka_message_seen(ka_audit *a, ka_connection *c, const ka_message *m)
{
    ka_header header;
    if (c->h2 != NULL)
        return KA_OK;
    ka_audit_enter_tunnel(a, c);
    client_by_message(c, m);
    if (m->is_response != (m->direction != c->client))
        return KA_OK; /* a request by the server: the sender of the SYN decides (no HTTP we know does this) */
    c->protocol = KA_PROTOCOL_HTTP;
    ka_audit_forget_bursts(a, c);
    if (ka_audit_join(a, c) != KA_OK)
        return KA_NO_MEMORY;
    ka_header_read(m, &header);
    if ((m->is_response ? response_seen : request_seen)(a, c, m, &header) != KA_OK)
        return KA_NO_MEMORY;
    const ka_half *half = &c->transport.half[m->direction];
    uint64_t end = ka_transport_unwrap(half, (uint32_t)(m->seq + m->len_bytes));
    uint64_t ack = ka_transport_unwrap(&c->transport.half[!m->direction], m->ack);
    ka_transport_claim(&c->transport, &a->config.allocator, m->direction, end, m->last, ack);
    return KA_OK;
}

static void request_head_seen(ka_connection *c, const ka_message *head, const ka_header *header)
{
    if (!header->expects_continue || head->framing == KA_FRAMING_NONE || c->transport.activity == NULL)
        return;
    if (c->protocol == KA_PROTOCOL_NONE)
        c->protocol = KA_PROTOCOL_HTTP;
    const ka_half *half = &c->transport.half[head->direction];
    uint32_t end = (uint32_t)(head->seq + head->len_bytes);
    c->transport.activity->half[head->direction].expect_end = ka_transport_unwrap(half, end);
}

static void response_head_seen(ka_connection *c, const ka_message *head, const ka_header *header)
{
    const ka_request *oldest = ka_exchanges_oldest(&c->exchanges);
    bool http10 = head->version == 10 || (oldest != NULL && oldest->version == 10);
    c->exchanges.event_stream = header->event_stream;
    c->exchanges.undelimited =
        http10 && head->framing == KA_FRAMING_UNTIL_CLOSE && ka_header_effective(header);
}

void ka_head_seen(ka_connection *c, const ka_message *head)
{
    ka_header header;
    client_by_message(c, head);
    if (head->is_response && head->framing == KA_FRAMING_LENGTH)
        return;
    ka_header_read(head, &header);
    (head->is_response ? response_head_seen : request_head_seen)(c, head, &header);
}

ka_status ka_stray_seen(ka_audit *a, ka_connection *c, const ka_bytes *b)
{
    const ka_half *half = &c->transport.half[b->direction];
    uint64_t end = ka_transport_unwrap(half, (uint32_t)(b->seq + b->len_bytes));
    ka_transport_claim(&c->transport, &a->config.allocator, b->direction, end, b->last, half->acked);
    if (b->direction == c->client && b->tls_type == 0)
        c->exchanges.stray = true;
    return c->tls != NULL && ka_tls_is_alert(b) ? ka_tls_alert_add(c->tls, &a->config.allocator, b, end)
                                                : KA_OK;
}

ka_status ka_preamble_seen(ka_audit *a, ka_connection *c, const ka_bytes *b, const ka_address *client)
{
    const ka_half *half = &c->transport.half[b->direction];
    uint64_t end = ka_transport_unwrap(half, (uint32_t)(b->seq + b->len_bytes));
    ka_transport_claim(&c->transport, &a->config.allocator, b->direction, end, b->last, half->acked);
    return ka_transport_preamble(&c->transport, &a->config.allocator, b->direction, end, client);
}
