/* audit_many.c - what a connection means to others of its client and server, in capture order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "audit.h"
#include "login.h"
#include "memory.h"
#include "rules.h"

/* An answer may lie in what the capture does not hold. */
#define UNSURE                                                                                               \
    (KA_GATE_ONE_SIDED | KA_GATE_GAP | KA_GATE_SNAPLEN | KA_GATE_UNFRAMED | KA_GATE_TUNNEL | KA_GATE_CLOCK | \
     KA_GATE_LOST_STATE)

/* NULL: it has no ledger. Valid until another connection's first request. */
static ka_client *client_of(ka_audit *a, const ka_connection *c)
{
    return c->ledger != 0 ? &a->endpoints.clients.at[c->ledger - 1] : NULL;
}

/* NULL in *out where the client has no ledger. */
static ka_status retries_of(ka_audit *a, const ka_connection *c, ka_retries **out)
{
    ka_client *client = client_of(a, c);
    *out = NULL;
    if (client == NULL)
        return KA_OK;
    if (client->retries == NULL)
        client->retries = ka_memory_take(&a->config.ledgers, sizeof *client->retries);
    *out = client->retries;
    return ka_endpoints_spare(&a->endpoints, client->retries != NULL ? KA_OK : KA_NO_MEMORY);
}

/* ---- A request came ---- */

static void count_opened(ka_connection *c, ka_client *client, const ka_request *request,
                         const ka_thresholds *limits)
{
    ka_endpoint *e = c->endpoint;
    ka_growth_count(&e->growth, c->first.time_ns, KA_GROWTH_OPENED);
    ka_span_add(&e->opened_at, c->first);
    if (c->first.time_ns > e->newest_syn_ns)
        e->newest_syn_ns = c->first.time_ns;
    if (e->evictions != NULL)
        ka_evictions_opened(e->evictions, c->first.time_ns, limits->eviction_window_ns);
    if (client == NULL)
        return;
    c->soon = client->released_ns != KA_NONE &&
              request->first_at.time_ns - client->released_ns <= limits->churn_window_ns;
    ka_client_opened(client, c->first.time_ns);
}

static bool names_site(const ka_view *v)
{
    return v->message->origin_form && v->header->host.len_bytes > 0;
}

/* A request for another one than the connection began with: pools of proxies do so. Whose timer runs behind
 * it, the server decides. */
static void leave_site(ka_connection *c, const ka_view *v)
{
    if (c->site != 0 && names_site(v) && !ka_endpoint_is_site(c->endpoint, c->site, v->header->host))
        c->site = 0;
}

/* A TLS hello may have named it before. */
static ka_status find_site(ka_audit *a, ka_connection *c, const ka_view *v)
{
    if (c->site != 0 || !names_site(v))
        return KA_OK;
    return ka_endpoints_spare(&a->endpoints,
                              ka_endpoint_site(c->endpoint, &a->config.ledgers, v->header->host, &c->site));
}

static ka_status first_request(ka_audit *a, ka_connection *c, const ka_request *request, ka_slice host)
{
    uint32_t site = ka_site_hash(host);
    ka_status status = ka_endpoints_client(&a->endpoints, c->endpoint, &c->ends[c->client], site, &c->ledger);
    if (status != KA_OK && !a->endpoints.limited)
        return status;
    ka_endpoint_asked(c->endpoint, host, site);
    ka_client *client = client_of(a, c);
    a->endpoints.clients.left_out += client == NULL ? 1 : 0;
    if (c->transport.half[c->client].syn) { /* else it was open before the capture began */
        int64_t waited_ns = request->first_at.time_ns - c->first.time_ns;
        count_opened(c, client, request, &a->config.thresholds);
        if (waited_ns >= 0 &&
            ka_endpoints_spare(&a->endpoints,
                               ka_histogram_add(&c->endpoint->usage.first_requests, waited_ns)) != KA_OK)
            return KA_NO_MEMORY;
    }
    ka_span_add(&c->endpoint->active, request->first_at);
    return KA_OK;
}

/* A request that must not be repeated is without an answer, and the server has closed. */
static ka_status note_loss(ka_audit *a, ka_connection *c, const ka_view *v, const ka_request *request)
{
    ka_retries *retries;
    const ka_ending *ending = v->server->ending;
    if (request == NULL || v->close.by != KA_SIDE_SERVER || (v->failed_gates & UNSURE) ||
        !ka_retry_is_unsafe(request->method) || ka_rules_voided(v))
        return KA_OK;
    if (retries_of(a, c, &retries) != KA_OK)
        return KA_NO_MEMORY;
    uint64_t ack = v->close.how == KA_HOW_FIN ? ending->fin_ack : ending->rst_ack;
    ka_loss loss = {ka_retry_shape(request), c->stream, request->first_at, v->close.at, ack > request->first};
    if (retries != NULL)
        ka_retries_lost(retries, &loss);
    return KA_OK;
}

static ka_status unsafe_request(ka_audit *a, ka_connection *c, ka_view *v, ka_elsewhere *elsewhere)
{
    ka_retries *retries;
    if (retries_of(a, c, &retries) != KA_OK)
        return KA_NO_MEMORY;
    if (retries == NULL)
        return KA_OK;
    if (ka_retries_repeats(retries, v->request, c->stream, v->limits->replay_window_ns, &elsewhere->loss))
        v->loss = &elsewhere->loss;
    ka_retries_saw(retries, v->request, c->stream);
    if (v->server->ending == NULL)
        return KA_OK;
    ka_view closed = *v;
    ka_view_close(&closed);
    return note_loss(a, c, &closed, v->request);
}

static ka_status login(ka_audit *a, ka_connection *c, ka_view *v, ka_elsewhere *elsewhere)
{
    ka_retries *retries;
    if (retries_of(a, c, &retries) != KA_OK)
        return KA_NO_MEMORY;
    if (retries != NULL &&
        ka_retries_answers(retries, c->stream, v->request->first_at, v->limits->challenge_window_ns,
                           &elsewhere->challenge) &&
        !c->challenged)
        v->challenge = &elsewhere->challenge;
    return KA_OK;
}

ka_status ka_audit_many_request(ka_audit *a, ka_connection *c, ka_view *v, ka_elsewhere *elsewhere)
{
    const ka_request *request = v->request;
    ka_endpoint *e = c->endpoint;
    if (v->exchanges->requests == 1 &&
        (first_request(a, c, request, v->header->host) != KA_OK || find_site(a, c, v) != KA_OK))
        return KA_NO_MEMORY;
    ka_growth_count(&e->growth, request->first_at.time_ns, KA_GROWTH_REQUEST);
    if (request->idle_before_ns != KA_NONE && !(v->failed_gates & UNSURE) &&
        ka_endpoints_spare(&a->endpoints,
                           ka_endpoint_gap(e, c->site, request->idle_before_ns + v->rtt_server_ns)) != KA_OK)
        return KA_NO_MEMORY;
    if (e->evictions != NULL && request->idle_before_ns != KA_NONE)
        ka_evictions_gap(e->evictions, request->first_at.time_ns - request->idle_before_ns,
                         request->first_at.time_ns);
    leave_site(c, v);
    if (v->header->login_step == KA_LOGIN_AUTHENTICATE && login(a, c, v, elsewhere) != KA_OK)
        return KA_NO_MEMORY;
    return ka_retry_is_unsafe(request->method) ? unsafe_request(a, c, v, elsewhere) : KA_OK;
}

/* ---- A response came ---- */

ka_status ka_audit_many_response(ka_audit *a, ka_connection *c, const ka_request *request,
                                 const ka_header *header, const ka_message *m)
{
    ka_retries *retries;
    bool found = request != NULL && ka_retry_is_unsafe(request->method);
    bool challenge = header->login_step == KA_LOGIN_CHALLENGE;
    if (!found && !challenge)
        return KA_OK;
    c->challenged = c->challenged || challenge;
    if (retries_of(a, c, &retries) != KA_OK)
        return KA_NO_MEMORY;
    if (retries != NULL && challenge)
        ka_retries_challenged(retries, c->stream, m->first);
    if (retries != NULL && found)
        ka_retries_found(retries, c->stream, request->first_at);
    return KA_OK;
}

ka_status ka_audit_many_answered(ka_audit *a, ka_connection *c, const ka_view *v, const ka_request *request,
                                 bool strayed, const ka_message *m)
{
    ka_growth_busy(&c->endpoint->growth, request->first_at.time_ns, m->last.time_ns);
    if (request->idle_before_ns == KA_NONE || strayed)
        return KA_OK;
    return ka_endpoints_spare(&a->endpoints, ka_endpoint_reused(c->endpoint, client_of(a, c), v, request));
}

void ka_audit_many_waited(ka_audit *a, const ka_connection *c, const ka_request *request,
                          const ka_response *before, const ka_message *m)
{
    ka_client *client = client_of(a, c);
    int64_t waited_ns = m->first.time_ns - request->end_at.time_ns;
    bool told = before->timeout_s >= 0 && request->ack >= before->end;
    if (client != NULL && !told && waited_ns > client->patience.waited_ns)
        client->patience = (ka_patience){ka_retry_shape(request), waited_ns};
}

void ka_audit_many_gave_up(ka_audit *a, const ka_connection *c, ka_view *v)
{
    const ka_client *client = client_of(a, c);
    v->patience = client != NULL ? &client->patience : NULL;
}

/* ---- Somebody closed ---- */

static bool is_early(const ka_view *v)
{
    return v->close.by == KA_SIDE_SERVER && v->close.verdict == KA_VERDICT_EARLY &&
           v->exchanges->last.persists && !v->exchanges->stray && !(v->failed_gates & UNSURE) &&
           v->close.idle_ns >= v->limits->timer_sample_ns && !ka_rules_max_reached(v) &&
           !ka_view_reset_by_request(v) && ka_rules_is_own_close(v);
}

static ka_status early_close(ka_audit *a, ka_endpoint *e, const ka_view *v)
{
    if (e->evictions == NULL &&
        (e->evictions = ka_memory_take(&a->config.ledgers, sizeof *e->evictions)) == NULL)
        return ka_endpoints_spare(&a->endpoints, KA_NO_MEMORY);
    int64_t since_syn_ns = e->newest_syn_ns == KA_NONE ? INT64_MAX : v->close.at.time_ns - e->newest_syn_ns;
    ka_early_close close = {
        .at = v->close.at,
        .idle_since_ns = v->close.at.time_ns - v->close.idle_ns,
        .open = (uint32_t)e->open,
        .pressed = since_syn_ns >= 0 && since_syn_ns <= v->limits->eviction_window_ns,
        .full = e->open * 100 >= e->concurrency_max * (uint64_t)v->limits->eviction_plateau_percent,
    };
    ka_evictions_closed(e->evictions, &close);
    return KA_OK;
}

/* A reload closes all the connections a browser had opened for one page: of one age, but by no timer. So
 * closes at one moment show no more than one does. */
static bool is_together(int64_t *newest_close_ns, const ka_view *v)
{
    int64_t at_ns = v->close.at.time_ns;
    if (*newest_close_ns != KA_NONE && at_ns - *newest_close_ns < v->limits->mass_close_window_ns)
        return true;
    *newest_close_ns = at_ns;
    return false;
}

static void mark_together(ka_connection *c, const ka_view *v)
{
    ka_endpoint *e = c->endpoint;
    if (v->close.by != KA_SIDE_SERVER)
        return;
    c->together = is_together(&e->newest_close_ns, v);
    c->together_at_site = e->sites != NULL && c->site != 0
                              ? is_together(&e->sites->at[c->site - 1]->newest_close_ns, v)
                              : c->together;
}

static void released(ka_audit *a, ka_connection *c, const ka_view *v)
{
    ka_client *client = client_of(a, c);
    const ka_exchanges *x = v->exchanges;
    bool by_client = v->close.by == KA_SIDE_CLIENT || x->last.asked_close;
    bool left = v->close.by == KA_SIDE_SERVER && v->close.verdict != KA_VERDICT_ANNOUNCED &&
                v->close.idle_ns >= v->limits->timer_sample_ns && x->numbered <= 2 && x->last.persists &&
                !ka_rules_max_reached(v) && !ka_view_reset_by_request(v) && ka_rules_is_own_close(v);
    if (client == NULL)
        return;
    if (by_client)
        client->released_ns = v->close.at.time_ns;
    c->abandoned =
        left && ka_client_opened_instead(client, x->last.end_at.time_ns + v->limits->abandoned_after_ns);
    c->undecided = left && !c->abandoned;
}

static ka_status closed_idle(ka_audit *a, ka_connection *c, const ka_view *v)
{
    ka_endpoint *e = c->endpoint;
    if (e->evictions != NULL)
        ka_evictions_gap(e->evictions, v->close.at.time_ns - v->close.idle_ns, v->close.at.time_ns);
    mark_together(c, v);
    released(a, c, v);
    return is_early(v) ? early_close(a, e, v) : KA_OK;
}

ka_status ka_audit_many_closed(ka_audit *a, ka_connection *c, const ka_view *v)
{
    ka_growth_count(&c->endpoint->growth, v->close.at.time_ns, KA_GROWTH_CLOSED);
    if (v->close.idle_ns != KA_NONE && !c->tunnelled && closed_idle(a, c, v) != KA_OK)
        return KA_NO_MEMORY;
    return note_loss(a, c, v, ka_exchanges_oldest(v->exchanges));
}

/* ---- What was left out ---- */

uint64_t ka_audit_servers_left_out(const ka_audit *a)
{
    return a->endpoints.left_out;
}

uint64_t ka_audit_clients_left_out(const ka_audit *a)
{
    return a->endpoints.clients.left_out;
}

uint64_t ka_audit_observations_left_out(const ka_audit *a)
{
    return a->endpoints.unlearnt;
}
