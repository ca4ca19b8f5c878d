/* learn.c - what a judged connection shows of its server and its client, beside others of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "endpoint.h"
#include "rules.h"

#define TIMES                                                                                                \
    (KA_GATE_ONE_SIDED | KA_GATE_GAP | KA_GATE_SNAPLEN | KA_GATE_UNFRAMED | KA_GATE_TUNNEL | KA_GATE_CLOCK | \
     KA_GATE_PORT_REUSE | KA_GATE_MASS_CLOSE | KA_GATE_LOST_STATE)
#define COUNTS                                                                                               \
    (KA_GATE_MID_START | KA_GATE_ONE_SIDED | KA_GATE_GAP | KA_GATE_UNFRAMED | KA_GATE_TUNNEL |               \
     KA_GATE_LOST_STATE)
#define DOUBTS (KA_GATE_ONE_SIDED | KA_GATE_GAP | KA_GATE_LOST_STATE)

/* ---- The idle timer ---- */

/* HTTP/1 that both sides meant to keep; or TLS that carries it, as far as anybody can tell; or HTTP/2. */
static bool is_kept(const ka_view *v)
{
    const ka_exchanges *x = v->exchanges;
    if (v->connection->h2 != NULL)
        return true;
    if (ka_connection_bursts(v->connection) != NULL)
        return ka_connection_carries(v->connection) == KA_TLS_HTTP1;
    return x->last.persists && !x->unasked && !x->stray && !ka_rules_max_reached(v);
}

/* Somebody closed by an idle timer, as far as this connection shows: unannounced, and not because of anything
 * that just came. */
static bool shows_timer(const ka_view *v)
{
    bool idle = v->close.verdict == KA_VERDICT_EARLY || v->close.verdict == KA_VERDICT_PUNCTUAL ||
                v->close.verdict == KA_VERDICT_LATE || v->close.verdict == KA_VERDICT_UNADVERTISED;
    return idle && v->close.idle_ns >= v->limits->timer_sample_ns && is_kept(v) &&
           !(v->failed_gates & TIMES) && !ka_view_reset_by_request(v) && ka_rules_is_own_close(v);
}

/* A response that the client took slowly: the timer may have started when it was written. */
static bool is_tail_limited(const ka_view *v, int64_t timeout_ns)
{
    int64_t at_most_ns = v->close.at.time_ns - v->exchanges->last.first_ns;
    int64_t early_ns = ka_view_early_ns(v, v->client);
    return v->close.idle_ns < timeout_ns - early_ns && at_most_ns >= timeout_ns - early_ns;
}

static void held(ka_endpoint *e, ka_idling *i, int64_t idle_ns)
{
    ka_usage_held(&e->usage, idle_ns);
    ka_idling_held(i, idle_ns);
}

/* With what it advertised: advert-mismatch tells timers apart by that. */
static ka_status learn_advertised(ka_idling *i, const ka_view *v, int64_t timeout_ns)
{
    ka_timer *timer;
    if (timeout_ns == KA_NONE || !v->exchanges->last.effective)
        return KA_OK;
    if (ka_idling_timer(i, timeout_ns / KA_SECOND_NS, &timer) != KA_OK)
        return KA_NO_MEMORY;
    if (timer == NULL)
        return KA_OK;
    ka_span_add(&timer->at, v->close.at);
    timer->moments += v->connection->together_at_site ? 0 : 1;
    timer->server_moments += v->connection->together ? 0 : 1;
    return ka_histogram_add(&timer->idle, v->close.idle_ns);
}

static ka_status server_closed(ka_endpoint *e, ka_client *client, const ka_view *v)
{
    int64_t timeout_ns = ka_view_timeout_ns(v), least_ns = v->limits->timer_sample_ns;
    if (timeout_ns != KA_NONE && is_tail_limited(v, timeout_ns))
        return KA_OK;
    ka_idling *i = ka_endpoint_idling(e, v->connection->site);
    if (learn_advertised(i, v, timeout_ns) != KA_OK ||
        ka_lasting_closed(&i->by_server, v->close.idle_ns, v->connection->together) != KA_OK ||
        ka_lasting_lasted(&i->by_client, least_ns, v->close.idle_ns, true) != KA_OK)
        return KA_NO_MEMORY;
    held(e, i, v->close.idle_ns);
    return client != NULL ? ka_client_held(client, least_ns, v->close.idle_ns) : KA_OK;
}

static ka_status client_closed(ka_endpoint *e, ka_client *client, const ka_view *v)
{
    int64_t least_ns = v->limits->timer_sample_ns;
    int64_t held_ns = v->close.idle_ns - v->rtt_client_ns; /* since the response had reached it */
    ka_idling *i = ka_endpoint_idling(e, v->connection->site);
    if (ka_lasting_lasted(&i->by_server, least_ns, v->close.idle_ns + v->rtt_server_ns, true) != KA_OK)
        return KA_NO_MEMORY;
    if (held_ns < least_ns)
        return KA_OK;
    held(e, i, held_ns);
    if (ka_lasting_closed(&i->by_client, held_ns, false) != KA_OK)
        return KA_NO_MEMORY;
    return client != NULL ? ka_client_closed_idle(client, i->by_client.closed.allocator, held_ns) : KA_OK;
}

/* Nobody had closed when the capture ended. */
static ka_status still_idle(ka_endpoint *e, ka_client *client, const ka_view *v)
{
    int64_t idle_ns = ka_view_idle_ns(v), least_ns = v->limits->timer_sample_ns;
    if (idle_ns == KA_NONE || !is_kept(v) || (v->failed_gates & TIMES) || !ka_view_was_used(v))
        return KA_OK;
    ka_idling *i = ka_endpoint_idling(e, v->connection->site);
    held(e, i, idle_ns);
    if (ka_lasting_lasted(&i->by_server, least_ns, idle_ns, false) != KA_OK ||
        ka_lasting_lasted(&i->by_client, least_ns, idle_ns, false) != KA_OK)
        return KA_NO_MEMORY;
    return client != NULL ? ka_client_held(client, least_ns, idle_ns) : KA_OK;
}

/* Of what is not read as HTTP/1 only the longest gap of each connection is known. */
static ka_status learn_longest_gap(ka_endpoint *e, const ka_view *v)
{
    int64_t idle_ns = v->exchanges->idle_longest_ns;
    bool read = v->connection->h2 == NULL && ka_connection_bursts(v->connection) == NULL;
    if (read || v->exchanges->idle_count == 0 || !is_kept(v) || (v->failed_gates & TIMES))
        return KA_OK;
    if (idle_ns > e->usage.longest_reuse_ns)
        e->usage.longest_reuse_ns = idle_ns;
    ka_idling *i = ka_endpoint_idling(e, v->connection->site);
    if (ka_lasting_lasted(&i->by_server, v->limits->timer_sample_ns, idle_ns, true) != KA_OK)
        return KA_NO_MEMORY;
    return ka_lasting_lasted(&i->by_client, v->limits->timer_sample_ns, idle_ns, true);
}

static ka_status learn_timers(ka_endpoint *e, ka_client *client, const ka_view *v)
{
    if (learn_longest_gap(e, v) != KA_OK)
        return KA_NO_MEMORY;
    if (v->close.by == KA_SIDE_NONE)
        return still_idle(e, client, v);
    if (!shows_timer(v))
        return KA_OK;
    return v->close.by == KA_SIDE_SERVER ? server_closed(e, client, v) : client_closed(e, client, v);
}

ka_status ka_endpoint_reused(ka_endpoint *e, ka_client *client, const ka_view *v, const ka_request *request)
{
    int64_t least_ns = v->limits->timer_sample_ns;
    int64_t at_server_ns = request->idle_before_ns + v->rtt_server_ns;
    int64_t at_client_ns = request->idle_before_ns - v->rtt_client_ns;
    if (v->failed_gates & TIMES)
        return KA_OK;
    ka_idling *i = ka_endpoint_idling(e, v->connection->site);
    held(e, i, at_client_ns);
    if (ka_lasting_lasted(&i->by_server, least_ns, at_server_ns, true) != KA_OK ||
        ka_lasting_lasted(&i->by_client, least_ns, at_client_ns, true) != KA_OK)
        return KA_NO_MEMORY;
    return client != NULL ? ka_client_held(client, least_ns, at_client_ns) : KA_OK;
}

/* ---- Ends that the server announced ---- */

static void learn_kept(ka_endings_seen *s, uint32_t number, int64_t age_ns)
{
    if (number > s->served_max)
        s->served_max = number;
    if (age_ns > s->kept_age_ns)
        s->kept_age_ns = age_ns;
}

static void learn_at_ordinal(ka_endings_seen *s, uint32_t number, int64_t opened_ns, ka_moment at)
{
    if (number > s->ordinal) {
        s->ordinal = number;
        s->at_ordinal = 0;
        s->at_ordinal_opened_ns = opened_ns;
        s->at_ordinal_at = (ka_span){{0, 0}, {0, 0}};
    }
    if (number != s->ordinal)
        return;
    s->at_ordinal++;
    if (opened_ns > s->at_ordinal_opened_ns)
        s->at_ordinal_opened_ns = opened_ns;
    ka_span_add(&s->at_ordinal_at, at);
}

static void learn_ended(ka_endings_seen *s, int64_t age_ns, ka_moment at)
{
    s->count++;
    if (s->age_min_ns == KA_NONE || age_ns < s->age_min_ns)
        s->age_min_ns = age_ns;
    if (age_ns > s->age_max_ns)
        s->age_max_ns = age_ns;
    ka_span_add(&s->at, at);
}

/* A server that always says close has no limit, and one that does so with an error has its reasons. */
static void learn_ending(ka_endpoint *e, const ka_view *v)
{
    const ka_exchanges *x = v->exchanges;
    const ka_response *last = &x->last;
    if (x->completed == 0)
        return;
    if (last->number > e->endings.served_max)
        e->endings.served_max = last->number; /* a lower bound, whatever the capture missed */
    if (v->failed_gates & COUNTS)
        return;
    int64_t opened_ns = v->connection->first.time_ns;
    int64_t age_ns = last->first_ns - opened_ns;
    if (!last->close) {
        learn_kept(&e->endings, last->number, age_ns);
    } else if (!last->asked_close && x->first_version >= 11 && last->number >= 2 &&
               !ka_rules_excuses_close(last->status)) {
        learn_ended(&e->endings, age_ns, last->end_at);
        learn_at_ordinal(&e->endings, last->number, opened_ns, last->end_at);
    }
}

/* ---- The client ---- */

/* The client ended it, and the response would have let it go on; or it had asked for the end. ab and others
 * that load a server speak HTTP/1.0 and say nothing about the connection: they never meant to keep it. */
static bool given_up(const ka_view *v)
{
    const ka_exchanges *x = v->exchanges;
    if (x->last.asked_close)
        return true;
    return v->close.by == KA_SIDE_CLIENT && v->close.idle_ns != KA_NONE && x->last.persists;
}

static void learn_client(ka_endpoint *e, ka_client *client, const ka_view *v)
{
    const ka_connection *c = v->connection;
    const ka_exchanges *x = v->exchanges;
    if (x->completed == 0)
        return;
    client->connections++;
    client->requests += x->requests;
    if (client->key.site == e->site) {
        e->site_connections++;
        e->site_requests += x->requests;
    }
    if (c->abandoned && !v->mass_closed) {
        client->abandoned++;
        ka_span_add(&client->abandoned_at, v->close.at);
    } else if (c->abandoned || c->undecided || v->close.by == KA_SIDE_NONE) {
        client->undecided++;
    }
    if (c->soon && given_up(v)) {
        client->churned++;
        ka_span_add(&client->churned_at, v->close.by != KA_SIDE_NONE ? v->close.at : x->last.end_at);
    }
}

/* ---- */

/* Open at the end, and not used for a quarter of the server's time. */
static bool is_left_idle(const ka_endpoint *e, const ka_view *v)
{
    const ka_exchanges *x = v->exchanges;
    if (v->close.by != KA_SIDE_NONE || !v->client->syn || (v->failed_gates & KA_GATE_TUNNEL))
        return false;
    int64_t used_ns = x->newest != NULL ? x->newest->first_at.time_ns : x->last.end_at.time_ns;
    return v->now.time_ns - used_ns >= (v->now.time_ns - e->growth.start_ns) / 4;
}

/* The gap at the end of the capture, of a connection still idle. */
static void learn_gap(ka_endpoint *e, const ka_view *v)
{
    int64_t idle_ns = ka_view_idle_ns(v);
    if (e->evictions != NULL && idle_ns != KA_NONE)
        ka_evictions_gap(e->evictions, v->now.time_ns - idle_ns, v->now.time_ns);
}

ka_status ka_endpoint_learn(ka_endpoint *e, ka_client *client, const ka_view *v)
{
    if (v->failed_gates & DOUBTS) {
        e->doubtful++;
        e->doubts |= v->failed_gates & DOUBTS;
    }
    bool tunnelled = v->connection->tunnelled;
    e->tunnels += tunnelled || v->failed_gates & KA_GATE_TUNNEL ? 1 : 0;
    if (ka_usage_add(&e->usage, v) != KA_OK || (!tunnelled && learn_timers(e, client, v) != KA_OK))
        return KA_NO_MEMORY;
    if (v->exchanges->numbered == 0 || tunnelled)
        return KA_OK;
    ka_span_add(&e->active,
                v->exchanges->last.end_at.frame != 0 ? v->exchanges->last.end_at : v->connection->first);
    learn_ending(e, v);
    learn_gap(e, v);
    e->left_idle += is_left_idle(e, v) ? 1 : 0;
    if (client != NULL)
        learn_client(e, client, v);
    return KA_OK;
}
