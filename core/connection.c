/* connection.c - the ledger of one connection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "connection.h"

#include <string.h>

#include "memory.h"
#include "order.h"

ka_noted *ka_noted_find(const ka_noted *list, ka_finding_id id)
{
    while (list != NULL && list->finding.id != id)
        list = list->next;
    return (ka_noted *)list;
}

void ka_connection_init(ka_connection *c, uint32_t stream, const ka_address ends[2], void *owner)
{
    memset(c, 0, sizeof *c);
    c->stream = stream;
    c->ends = ends;
    c->owner = owner;
    ka_transport_init(&c->transport);
    ka_exchanges_init(&c->exchanges);
}

void ka_connection_fini(ka_connection *c, const ka_allocator *allocator)
{
    ka_transport_fini(&c->transport, allocator);
    ka_exchanges_fini(&c->exchanges, allocator);
    ka_tls_free(c->tls, allocator);
    ka_h2_free(c->h2, allocator);
    while (c->noted != NULL) {
        ka_noted *noted = c->noted;
        c->noted = noted->next;
        ka_memory_give(allocator, noted);
    }
}

static void prefetch(const void *memory, size_t size_bytes)
{
    enum { CACHE_LINE_BYTES = 64 };
    for (size_t at = 0; memory != NULL && at < size_bytes; at += CACHE_LINE_BYTES)
        __builtin_prefetch((const char *)memory + at, 1);
}

void ka_connection_prefetch(const ka_connection *c, unsigned step)
{
    if (step == 0) {
        prefetch(c, sizeof *c);
        return;
    }
    prefetch(c->transport.activity, sizeof *c->transport.activity);
    prefetch(c->exchanges.newest, sizeof *c->exchanges.newest);
}

const ka_tls *ka_connection_bursts(const ka_connection *c)
{
    return c->tls != NULL && !c->tls->readable ? c->tls : NULL;
}

ka_tls_carries ka_connection_carries(const ka_connection *c)
{
    uint16_t port = c->tunnelled ? 0 : c->ends[!c->client].port; /* a proxy's tells nothing */
    return c->tls != NULL ? ka_tls_what(c->tls, port) : KA_TLS_UNKNOWN;
}

/* An RST is not counted as seen, its numbers can mean nothing. */
static bool was_seen(const ka_half *half)
{
    return half->seen || half->ending != NULL;
}

static uint32_t gates_of(const ka_connection *c, const ka_exchanges *x)
{
    const ka_half *half = c->transport.half;
    uint32_t failed = c->failed_gates | c->transport.failed_gates;
    if (!half[0].syn && !half[1].syn)
        failed |= KA_GATE_MID_START;
    /* A lone SYN that was never answered is not one-sided: there was no other side. */
    bool lone_syn = half[0].syn && half[1].next == 0 && half[0].ending == NULL;
    if (was_seen(&half[0]) != was_seen(&half[1]) && !lone_syn)
        failed |= KA_GATE_ONE_SIDED;
    if (ka_transport_missed_bytes(&half[0]) > 0 || ka_transport_missed_bytes(&half[1]) > 0)
        failed |= KA_GATE_GAP;
    if (x->forgot)
        failed |= KA_GATE_LOST_STATE;
    if (x->tunnel || x->event_stream)
        failed |= KA_GATE_TUNNEL;
    if (x->completed > 0 && x->last.timeout_s >= 0 && !x->last.effective && !x->last.close)
        failed |= KA_GATE_TOKEN_MISSING;
    if (ka_connection_bursts(c) != NULL && ka_connection_carries(c) != KA_TLS_HTTP1)
        failed |= KA_GATE_TLS_INFERRED;
    return failed;
}

static int64_t or_zero(int64_t duration_ns)
{
    return duration_ns == KA_NONE ? 0 : duration_ns;
}

void ka_view_init(const ka_connection *c, const ka_thresholds *limits, ka_moment now, int64_t tick_ns,
                  ka_view *view)
{
    memset(view, 0, sizeof *view);
    view->connection = c;
    view->exchanges = &c->exchanges;
    view->client = &c->transport.half[c->client];
    view->server = &c->transport.half[!c->client];
    view->limits = limits;
    view->now = now;
    view->tick_ns = tick_ns;
    /* What the client sends is acknowledged by the server: the round trip from here to the server and back.
     */
    view->rtt_server_ns = or_zero(ka_transport_rtt_ns(view->client));
    view->rtt_client_ns = or_zero(ka_transport_rtt_ns(view->server));
    view->rtt_ns = view->rtt_server_ns + view->rtt_client_ns;
    view->failed_gates = gates_of(c, &c->exchanges);
    if (c->protocol != KA_PROTOCOL_HTTP || c->exchanges.tunnel)
        return;
    ka_unclaimed begun = ka_transport_unclaimed(&c->transport, c->client);
    if (begun.seq != 0 && !c->exchanges.early &&
        !ka_transport_unseen(view->client, view->client->claimed, begun.seq))
        view->begun = begun;
    view->answer_begun = ka_transport_unclaimed(&c->transport, !c->client).seq != 0;
}

int64_t ka_view_early_ns(const ka_view *view, const ka_half *path)
{
    int64_t early_ns = view->limits->early_tolerance_ns;
    int64_t jitter_ns = 3 * ka_transport_jitter_ns(path);
    if (jitter_ns > early_ns)
        early_ns = jitter_ns;
    return ka_larger(2 * view->tick_ns, early_ns);
}

int64_t ka_view_late_ns(const ka_view *view, int64_t timeout_ns)
{
    int64_t share_ns = timeout_ns / 100 * view->limits->late_percent;
    return ka_larger(share_ns, view->limits->late_tolerance_ns);
}

int64_t ka_view_expect_ns(const ka_view *view)
{
    return ka_larger(2 * view->rtt_ns, view->limits->expect_wait_ns);
}

int64_t ka_view_timeout_ns(const ka_view *view)
{
    int32_t timeout_s = view->exchanges->last.timeout_s;
    return timeout_s < 0 || view->exchanges->unasked ? KA_NONE : timeout_s * KA_SECOND_NS;
}

/* ---- Who closed ---- */

static uint64_t ending_ack(const ka_half *half, ka_how how)
{
    return how == KA_HOW_FIN ? half->ending->fin_ack : half->ending->rst_ack;
}

/* The later one had seen the earlier one's FIN: they did not cross. */
static bool answers(const ka_half *later, ka_how later_how, const ka_half *earlier, ka_how earlier_how)
{
    if (earlier_how == KA_HOW_RST)
        return true; /* nothing acknowledges an RST: as captured */
    return ending_ack(later, later_how) > earlier->ending->fin_seq;
}

static bool client_closed_first(const ka_view *v, ka_moment cf, ka_how client_how, ka_moment sf,
                                ka_how server_how)
{
    if (client_how == KA_HOW_NONE || server_how == KA_HOW_NONE)
        return client_how != KA_HOW_NONE;
    bool captured_first = cf.frame < sf.frame;
    if (captured_first ? answers(v->server, server_how, v->client, client_how)
                       : answers(v->client, client_how, v->server, server_how))
        return captured_first;
    /* They crossed: compare the times at which they were sent. */
    return cf.time_ns - v->rtt_client_ns / 2 < sf.time_ns - v->rtt_server_ns / 2;
}

bool ka_view_reset_by_request(const ka_view *v)
{
    return v->close.how == KA_HOW_RST && v->exchanges->newest != NULL;
}

/* Requests outstanding as the closer knew: a server knows what it had acknowledged, a client what it had sent
 * and which responses it had acknowledged. */
static bool was_busy(const ka_view *v, ka_side by, uint64_t ack)
{
    const ka_exchanges *x = v->exchanges;
    const ka_request *oldest = ka_exchanges_oldest(x);
    if (by == KA_SIDE_SERVER)
        return (oldest != NULL && oldest->first < ack) || (v->begun.seq != 0 && v->begun.seq < ack);
    if (oldest != NULL || v->begun.seq != 0)
        return true;
    /* Where a response until close ends only its FIN tells. */
    return x->completed > 0 && x->last.end + (x->last.until_close ? 1 : 0) > ack;
}

static bool was_burst_busy(const ka_tls *tls, ka_side by, uint64_t ack)
{
    if (by == KA_SIDE_SERVER)
        return tls->waiting != NULL && tls->waiting->first < ack;
    return tls->waiting != NULL || tls->answered_end > ack;
}

static bool was_h2_busy(const ka_h2 *h2, ka_side by, uint64_t ack)
{
    if (by == KA_SIDE_SERVER)
        return !ka_h2_is_idle(h2) && ka_h2_oldest(h2) < ack;
    return !ka_h2_is_idle(h2) || h2->ended_end > ack;
}

static bool was_anything_busy(const ka_view *v, ka_side by, uint64_t ack)
{
    const ka_connection *c = v->connection;
    if (c->h2 != NULL)
        return was_h2_busy(c->h2, by, ack);
    const ka_tls *bursts = ka_connection_bursts(c);
    return bursts != NULL ? was_burst_busy(bursts, by, ack) : was_busy(v, by, ack);
}

/* The first GOAWAY of either side; frame 0: there was none. */
static ka_moment first_goaway(const ka_h2 *h2, unsigned *direction)
{
    const ka_moment *g = h2->goaway;
    *direction = g[0].frame == 0 || (g[1].frame != 0 && g[1].frame < g[0].frame) ? 1 : 0;
    return g[*direction];
}

/* Whoever said it before its own FIN said it before the close, though the capture may swap the two. */
static bool said_goaway(const ka_view *v)
{
    const ka_connection *c = v->connection;
    if (c->h2 == NULL)
        return false;
    unsigned closer = v->close.by == KA_SIDE_CLIENT ? c->client : !c->client;
    for (unsigned d = 0; d < 2; d++) {
        const ka_moment *goaway = &c->h2->goaway[d];
        bool precedes = v->close.how == KA_HOW_FIN && d == closer;
        if (goaway->frame != 0 && (precedes || goaway->frame <= v->close.at.frame))
            return true;
    }
    return false;
}

bool ka_view_was_used(const ka_view *v)
{
    const ka_connection *c = v->connection;
    if (c->h2 != NULL)
        return c->h2->ended.frame != 0;
    const ka_tls *bursts = ka_connection_bursts(c);
    return v->exchanges->completed > 0 || (bursts != NULL && bursts->answered.frame != 0);
}

static ka_verdict verdict_of(const ka_view *v, bool busy, int64_t idle_ns)
{
    const ka_exchanges *x = v->exchanges;
    int64_t timeout_ns = ka_view_timeout_ns(v);
    if (busy)
        return KA_VERDICT_BUSY;
    if (x->last.close || x->last.asked_close || (x->unasked && x->unasked_close) || said_goaway(v))
        return KA_VERDICT_ANNOUNCED;
    if (idle_ns == KA_NONE && !ka_view_was_used(v))
        return KA_VERDICT_UNUSED;
    if (idle_ns == KA_NONE || timeout_ns == KA_NONE)
        return KA_VERDICT_UNADVERTISED;
    if (idle_ns < timeout_ns - ka_view_early_ns(v, v->client))
        return KA_VERDICT_EARLY;
    return idle_ns > timeout_ns + ka_view_late_ns(v, timeout_ns) ? KA_VERDICT_LATE : KA_VERDICT_PUNCTUAL;
}

ka_moment ka_view_idle_since(const ka_view *v)
{
    if (v->connection->h2 != NULL)
        return v->connection->h2->ended;
    const ka_tls *bursts = ka_connection_bursts(v->connection);
    if (bursts != NULL)
        return bursts->answered;
    if (v->exchanges->tunnel)
        return (ka_moment){0, 0};
    return v->exchanges->last.end_at;
}

void ka_view_close(ka_view *v)
{
    ka_how client_how, server_how;
    ka_moment cf = ka_transport_ended(v->client, &client_how);
    ka_moment sf = ka_transport_ended(v->server, &server_how);

    v->close = (ka_close){KA_SIDE_NONE, KA_HOW_NONE, {0, 0}, KA_NONE, KA_VERDICT_OPEN};
    if (client_how == KA_HOW_NONE && server_how == KA_HOW_NONE)
        return;
    bool by_client = client_closed_first(v, cf, client_how, sf, server_how);
    v->close.by = by_client ? KA_SIDE_CLIENT : KA_SIDE_SERVER;
    v->close.how = by_client ? client_how : server_how;
    v->close.at = by_client ? cf : sf;
    bool busy =
        was_anything_busy(v, v->close.by, ending_ack(by_client ? v->client : v->server, v->close.how));
    ka_moment since = ka_view_idle_since(v);
    if (v->exchanges->unasked && v->exchanges->unasked_end_ns > since.time_ns)
        since.time_ns = v->exchanges->unasked_end_ns; /* it was the last response, if to nobody */
    if (!busy && since.frame != 0)
        v->close.idle_ns = v->close.at.time_ns > since.time_ns ? v->close.at.time_ns - since.time_ns : 0;
    v->close.verdict = verdict_of(v, busy, v->close.idle_ns);
}

/* A request waits for its answer; one of which only the beginning was seen does not count. */
static bool is_waiting(const ka_view *v)
{
    const ka_connection *c = v->connection;
    if (c->h2 != NULL)
        return !ka_h2_is_idle(c->h2);
    const ka_tls *bursts = ka_connection_bursts(c);
    return bursts != NULL ? bursts->waiting != NULL : v->exchanges->newest != NULL;
}

int64_t ka_view_idle_ns(const ka_view *v)
{
    ka_moment since = ka_view_idle_since(v);
    if (v->close.by != KA_SIDE_NONE || since.frame == 0 || is_waiting(v) || v->begun.seq != 0)
        return KA_NONE;
    return v->now.time_ns > since.time_ns ? v->now.time_ns - since.time_ns : 0;
}

/* One side's FIN is waiting for the other's, for less than would be a finding. */
static bool awaits_fin(const ka_view *v, const ka_half *closed, const ka_half *waiting, int64_t patience_ns)
{
    bool fin = closed->ending != NULL && closed->ending->fin.frame != 0 && closed->ending->rst.frame == 0;
    return fin && waiting->ending == NULL && v->now.time_ns - closed->ending->fin.time_ns <= patience_ns;
}

bool ka_view_cut_short(const ka_view *v)
{
    const ka_exchanges *x = v->exchanges;
    if (!v->capture_ended)
        return false;
    if (v->close.by != KA_SIDE_NONE)
        return awaits_fin(v, v->server, v->client, v->limits->close_wait_ns) ||
               awaits_fin(v, v->client, v->server, v->limits->server_close_wait_ns);
    if (v->connection->h2 != NULL)
        return !ka_h2_is_idle(v->connection->h2);
    if (x->newest != NULL || v->begun.seq != 0)
        return !x->tunnel;
    return x->completed > 0 && x->last.close &&
           v->now.time_ns - x->last.end_at.time_ns <= v->limits->close_grace_ns;
}

/* ---- The record ---- */

static const char *protocol_name(const ka_connection *c)
{
    static const char *const names[] = {"none", "http/1.1", "h2c", "h2", "tls", "other"};
    if (c->protocol == KA_PROTOCOL_HTTP && c->exchanges.first_version == 10)
        return "http/1.0";
    return names[c->protocol];
}

/* The gap that nothing has ended yet as far as the counted ones go: by the close, by the beginning of a
 * request that never was complete, or by the end of the capture. */
static int64_t last_gap_ns(const ka_view *v)
{
    const ka_exchanges *x = v->exchanges;
    if (is_waiting(v) || x->last.until_close)
        return KA_NONE; /* counted when the request came, or there is none */
    if (v->begun.seq == 0 || x->last.end_at.frame == 0) {
        if (v->close.by == KA_SIDE_NONE || v->close.idle_ns == KA_NONE)
            return ka_view_idle_ns(v);
        int64_t gap_ns =
            v->close.at.time_ns - ka_view_idle_since(v).time_ns; /* an unasked response cuts no gap */
        return gap_ns > 0 ? gap_ns : 0;
    }
    int64_t end_ns = v->begun.at.time_ns;
    if (v->close.by != KA_SIDE_NONE && v->close.at.time_ns < end_ns)
        end_ns = v->close.at.time_ns;
    return end_ns >= x->last.end_at.time_ns ? end_ns - x->last.end_at.time_ns : KA_NONE;
}

static void fill_idle(const ka_view *v, ka_record *out)
{
    ka_exchanges sum = *v->exchanges;
    int64_t gap_ns = last_gap_ns(v);
    if (gap_ns != KA_NONE)
        ka_exchanges_idle(&sum, gap_ns);
    out->idle_count = sum.idle_count;
    out->idle_longest_ns = sum.idle_longest_ns;
    out->idle_total_ns = sum.idle_total_ns;
}

static void fill_h2(const ka_connection *c, ka_record *out)
{
    unsigned direction;
    if (c->h2 == NULL)
        return;
    out->requests += c->h2->requests;
    out->responses += c->h2->responses;
    out->goaway.at = first_goaway(c->h2, &direction);
    if (out->goaway.at.frame == 0)
        return;
    out->goaway.by = direction == c->client ? KA_SIDE_CLIENT : KA_SIDE_SERVER;
    out->goaway.last_stream = c->h2->goaway_last_stream[direction];
}

ka_address ka_view_proxied_for(const ka_view *v)
{
    return v->client->rare != NULL ? v->client->rare->proxied_for : (ka_address){.version = 0};
}

static ka_tunnel tunnel_of(const ka_connection *c)
{
    if (c->tunnelled)
        return KA_TUNNEL_CONNECT;
    if (!c->exchanges.tunnel)
        return KA_TUNNEL_NONE;
    return c->exchanges.last.status == 101 ? KA_TUNNEL_UPGRADE : KA_TUNNEL_CONNECT;
}

void ka_view_record(const ka_view *v, ka_record *out)
{
    const ka_connection *c = v->connection;
    const ka_exchanges *x = v->exchanges;
    int32_t timeout_s = x->unasked ? x->unasked_timeout_s : x->last.timeout_s;

    memset(out, 0, sizeof *out);
    out->stream = c->stream;
    out->protocol = protocol_name(c);
    out->client = c->ends[c->client];
    out->server = c->ends[!c->client];
    out->proxied_for = ka_view_proxied_for(v);
    out->tunnel = tunnel_of(c);
    out->first = c->first;
    out->last = c->transport.newest;
    out->requests = x->requests + (v->begun.seq != 0 ? 1 : 0);
    out->responses = x->responses;
    out->timeout_s = timeout_s < 0 ? KA_NONE : timeout_s;
    out->max = x->max.first < 0 ? KA_NONE : x->max.first;
    out->max_style = x->max.style;
    fill_h2(c, out);
    fill_idle(v, out);
    out->close.by = v->close.by;
    out->close.how = v->close.how;
    out->close.at = v->close.at;
    out->close.idle_ns = v->close.idle_ns;
    out->close.verdict = v->close.verdict;
    out->failed_gates = v->failed_gates;
    out->retransmissions = (uint64_t)v->client->retransmissions + v->server->retransmissions;
    out->missed_bytes = ka_transport_missed_bytes(v->client) + ka_transport_missed_bytes(v->server);
    out->rtt_client_ns = ka_transport_rtt_ns(v->server);
    out->rtt_server_ns = ka_transport_rtt_ns(v->client);
}
