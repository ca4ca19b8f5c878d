/* rules_middle.c - what a device on the path does to an idle connection: drops it in silence, or resets it
 * when it is used again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"

bool ka_rules_is_web(const ka_view *v)
{
    uint8_t protocol = v->connection->protocol;
    return protocol == KA_PROTOCOL_NONE ? v->server_known : protocol != KA_PROTOCOL_OTHER;
}

/* How far its sender is, if it began with one of the three values that systems begin with. */
static int hops(uint8_t ttl)
{
    return (ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255) - ttl;
}

bool ka_rules_is_foreign_reset(const ka_view *v)
{
    const ka_half *server = v->server;
    if (server->ending == NULL || server->ending->rst.frame == 0)
        return false;
    if (server->ttl == 0 || server->ttl_varied || server->ending->rst_ttl == 0)
        return false;
    int further = hops(server->ending->rst_ttl) - hops(server->ttl);
    return further >= v->limits->reset_hops || -further >= v->limits->reset_hops;
}

/* The client's data after a long silence, when nothing was heard of the server since. */
static const ka_stall *stall_of(const ka_view *v)
{
    const ka_connection *c = v->connection;
    const ka_stall *stall = ka_transport_stall(&c->transport, c->client);
    const ka_ending *server = v->server->ending;
    if (stall == NULL || stall->silence_ns < v->limits->drop_idle_ns || !ka_rules_is_web(v))
        return NULL;
    if (server != NULL && server->fin.frame != 0)
        return NULL;
    /* request-after-close */
    return v->exchanges->completed > 0 && v->exchanges->last.close ? NULL : stall;
}

static bool is_resent(const ka_view *v, const ka_stall *stall)
{
    return stall->resent >= v->limits->drop_resends;
}

bool ka_rules_is_ignored(const ka_view *v)
{
    const ka_stall *stall = stall_of(v);
    return stall != NULL && is_resent(v, stall);
}

/* ---- reset-on-first-packet ---- */

/* An RST that a segment provoked has no ACK (RFC 9293 section 3.10.7.1), or acknowledges that segment; one
 * that was sent for itself acknowledges what its sender had, and may have crossed the request. */
static bool is_reply(const ka_ending *server, const ka_stall *stall)
{
    return server->rst.frame > stall->first.frame && (server->rst_bare || server->rst_ack > stall->seq);
}

static int64_t answered_in_ns(const ka_ending *server, const ka_stall *stall)
{
    return server->rst.time_ns - stall->first.time_ns;
}

static bool came_from_nearer(const ka_view *v, const ka_stall *stall)
{
    int64_t path_ns = v->rtt_server_ns;
    return path_ns >= v->limits->reset_path_ns &&
           answered_in_ns(v->server->ending, stall) < path_ns / 100 * v->limits->reset_path_percent;
}

static const ka_stall *reset_stall(const ka_view *v)
{
    const ka_stall *stall = stall_of(v);
    if (stall == NULL || is_resent(v, stall))
        return NULL;
    if (v->close.by != KA_SIDE_SERVER || v->close.how != KA_HOW_RST || !is_reply(v->server->ending, stall))
        return NULL;
    return ka_rules_is_foreign_reset(v) || came_from_nearer(v, stall) ? stall : NULL;
}

bool ka_rules_is_reset_by_middle(const ka_view *v)
{
    return reset_stall(v) != NULL;
}

static void show_stall(const ka_view *v, const ka_stall *stall, ka_finding *f)
{
    const ka_request *oldest = ka_exchanges_oldest(v->exchanges);
    f->at = stall->first;
    ka_finding_frame(f, "response_end", v->exchanges->last.end_at);
    ka_finding_frame(f, "request", stall->first);
    ka_finding_frame(f, "retransmission", stall->again);
    ka_finding_value(f, "silence", stall->silence_ns, KA_NS);
    if (oldest != NULL)
        ka_finding_value(f, "request_number", (int64_t)oldest->number, KA_COUNT);
    ka_finding_value(f, "timeout", ka_view_timeout_ns(v), KA_NS);
    ka_finding_value(f, "rtt_server", v->rtt_server_ns, KA_NS);
}

bool ka_rule_reset_on_first_packet(const ka_view *v, ka_finding *f)
{
    const ka_stall *stall = reset_stall(v);
    if (stall == NULL)
        return false;
    const ka_half *server = v->server;
    show_stall(v, stall, f);
    ka_finding_frame(f, "rst", server->ending->rst);
    ka_finding_value(f, "answered_in", answered_in_ns(server->ending, stall), KA_NS);
    ka_finding_value(f, "rst_ttl", server->ending->rst_ttl, KA_COUNT);
    ka_finding_value(f, "server_ttl", server->ttl, KA_COUNT);
    return true;
}

/* ---- silent-drop ---- */

/* Another connection got an answer while this one got none: the server was there. */
static bool was_heard_elsewhere(const ka_view *v, const ka_stall *stall)
{
    const ka_ending *client = v->client->ending;
    if (stall->heard_elsewhere)
        return true;
    /* Given up, then tried again on a new connection: it settles soon after the reset. */
    return client != NULL && client->rst.frame != 0 && v->server_heard_ns > stall->first.time_ns;
}

/* A longer gap that this connection survived; KA_NONE: there was none. */
static int64_t survived_ns(const ka_view *v)
{
    const ka_request *oldest = ka_exchanges_oldest(v->exchanges);
    int64_t longest_ns = v->exchanges->idle_longest_ns;
    return oldest != NULL && oldest->idle_before_ns != KA_NONE && longest_ns > oldest->idle_before_ns
               ? longest_ns
               : KA_NONE;
}

/* Signs that the network loses packets, or that no idle timer was at work. */
static bool is_doubtful(const ka_view *v, const ka_stall *stall)
{
    return v->client->retransmissions > stall->resent || v->server->retransmissions > 0 ||
           survived_ns(v) != KA_NONE;
}

static int64_t unanswered_ns(const ka_view *v, const ka_stall *stall)
{
    const ka_ending *client = v->client->ending;
    bool reset = client != NULL && client->rst.frame != 0;
    return (reset ? client->rst.time_ns : v->now.time_ns) - stall->first.time_ns;
}

bool ka_rules_is_dropped(const ka_view *v)
{
    const ka_stall *stall = stall_of(v);
    if (stall == NULL || !is_resent(v, stall))
        return false;
    if (v->server->ending != NULL && !ka_rules_is_foreign_reset(v))
        return false; /* in the end the server was heard */
    return unanswered_ns(v, stall) >= v->limits->drop_unanswered_ns &&
           (was_heard_elsewhere(v, stall) || !is_doubtful(v, stall));
}

bool ka_rule_silent_drop(const ka_view *v, ka_finding *f)
{
    if (!ka_rules_is_dropped(v))
        return false;
    const ka_stall *stall = stall_of(v);
    bool sure = was_heard_elsewhere(v, stall);
    f->severity = sure ? KA_ERROR : KA_WARN;
    show_stall(v, stall, f);
    ka_how how;
    ka_moment end = ka_transport_ended(v->client, &how);
    ka_finding_frame(f, ka_how_name(how), end);
    ka_finding_value(f, "resent", stall->resent, KA_COUNT);
    ka_finding_value(f, "unanswered_for", unanswered_ns(v, stall), KA_NS);
    ka_finding_value(f, "longest_survived", survived_ns(v), KA_NS);
    ka_finding_value(f, "server_heard_elsewhere", sure ? 1 : 0, KA_COUNT);
    return true;
}
