/* rules.c - the table of rules, and the gates.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"

/* A gap anywhere on the connection counts, not only in the bytes around the close. */
#define ANY_GAP (UINT32_C(1) << 30)

/* What every verdict about times needs (G2, G3, G4, G6, G8). */
#define TIMES                                                                                                \
    (KA_GATE_ONE_SIDED | KA_GATE_GAP | KA_GATE_SNAPLEN | KA_GATE_UNFRAMED | KA_GATE_TUNNEL | KA_GATE_CLOCK | \
     KA_GATE_RETRANSMITTED | KA_GATE_LOST_STATE | KA_GATE_TLS_INFERRED)
#define COUNTS (KA_GATE_MID_START | KA_GATE_ONE_SIDED | ANY_GAP | KA_GATE_UNFRAMED | KA_GATE_LOST_STATE)

/* With one of these failed nothing is said; any other failed gate leaves a note. */
#define SILENCING (KA_GATE_TUNNEL | KA_GATE_MASS_CLOSE | KA_GATE_PORT_REUSE)

typedef struct rule {
    ka_finding_id id;
    unsigned when;
    uint32_t gates;
    ka_rule_fn *judge;
} rule;

/* In the order in which they are asked; exclusions among them are in the functions. */
static const rule rules[] = {
    {KA_REQUEST_AFTER_CLOSE, KA_ON_REQUEST | KA_ON_SETTLE, TIMES & ~KA_GATE_CLOCK,
     ka_rule_request_after_close},
    /* Whyever the server closed: the client knew. */
    {KA_REUSE_AFTER_FIN, KA_ON_SETTLE, TIMES, ka_rule_reuse_after_fin},
    {KA_TLS_CLOSE_NOTIFY_IGNORED, KA_ON_SETTLE, TIMES, ka_rule_tls_close_notify_ignored},
    {KA_KEEPALIVE_RACE, KA_ON_SETTLE, TIMES | KA_GATE_MASS_CLOSE, ka_rule_keepalive_race},
    {KA_PIPELINE_LOST, KA_ON_SETTLE, TIMES | KA_GATE_MASS_CLOSE, ka_rule_pipeline_lost},
    {KA_SERVER_CLOSED_IN_FLIGHT, KA_ON_SETTLE, TIMES | KA_GATE_MASS_CLOSE, ka_rule_server_closed_in_flight},
    {KA_SILENT_DROP, KA_ON_SETTLE, TIMES, ka_rule_silent_drop},
    {KA_RESET_ON_FIRST_PACKET, KA_ON_SETTLE, TIMES, ka_rule_reset_on_first_packet},
    {KA_HALF_CLOSE_KILLED, KA_ON_SETTLE, TIMES, ka_rule_half_close_killed},
    {KA_RST_DATA_LOSS, KA_ON_SETTLE, TIMES, ka_rule_rst_data_loss},
    {KA_CLOSED_EARLY, KA_ON_SETTLE, TIMES | KA_GATE_MASS_CLOSE | KA_GATE_TOKEN_MISSING, ka_rule_closed_early},
    {KA_CLOSE_UNANNOUNCED, KA_ON_SETTLE, TIMES | KA_GATE_MASS_CLOSE, ka_rule_close_unannounced},
    {KA_KEPT_LATE, KA_ON_SETTLE, TIMES | KA_GATE_TOKEN_MISSING | KA_GATE_PORT_REUSE, ka_rule_kept_late},
    {KA_REUSE_AFTER_EXPIRY, KA_ON_REQUEST, TIMES | KA_GATE_TOKEN_MISSING, ka_rule_reuse_after_expiry},
    {KA_RACE_EXPOSURE, KA_ON_RESPONSE, TIMES | KA_GATE_TOKEN_MISSING, ka_rule_race_exposure},
    {KA_MAX_EXCEEDED, KA_ON_REQUEST, COUNTS | KA_GATE_TOKEN_MISSING, ka_rule_max_exceeded},
    {KA_CLOSE_NOT_HONOURED, KA_ON_SETTLE, TIMES | KA_GATE_PORT_REUSE, ka_rule_close_not_honoured},
    {KA_CLIENT_TIMEOUT_FROM_HINT, KA_ON_RESPONSE | KA_ON_SETTLE, TIMES, ka_rule_client_timeout_from_hint},
    {KA_UNSOLICITED_408, KA_ON_RESPONSE, COUNTS, ka_rule_unsolicited_408},
    {KA_MISATTRIBUTED_408, KA_ON_SETTLE, COUNTS, ka_rule_misattributed_408},
    {KA_MAX_CLOSED_EARLY, KA_ON_SETTLE, COUNTS | TIMES | KA_GATE_MASS_CLOSE, ka_rule_max_closed_early},
    {KA_MAX_NOT_DECREASING, KA_ON_RESPONSE, KA_GATE_UNFRAMED, ka_rule_max_not_decreasing},
    {KA_MAX_JUMP, KA_ON_RESPONSE, KA_GATE_UNFRAMED | KA_GATE_ONE_SIDED, ka_rule_max_jump},
    {KA_EXPECT_STALL, KA_ON_REQUEST | KA_ON_RESPONSE | KA_ON_SETTLE, TIMES, ka_rule_expect_stall},
    {KA_HTTP10_TOKEN_NOT_ECHOED, KA_ON_SETTLE, TIMES | KA_GATE_PORT_REUSE, ka_rule_http10_token_not_echoed},
    {KA_HTTP10_UNASKED_KEEPALIVE, KA_ON_SETTLE, TIMES | KA_GATE_PORT_REUSE, ka_rule_http10_unasked_keepalive},
    {KA_HTTP10_UNDELIMITED, KA_ON_SETTLE, TIMES | KA_GATE_PORT_REUSE, ka_rule_http10_undelimited},
    {KA_UNIT_SUSPECT, KA_ON_SETTLE, TIMES | KA_GATE_MID_START, ka_rule_unit_suspect},
    {KA_CLIENT_CLOSE_WAIT, KA_ON_SETTLE,
     KA_GATE_TUNNEL | KA_GATE_CLOCK | KA_GATE_PORT_REUSE | KA_GATE_LOST_STATE, ka_rule_client_close_wait},
    {KA_SERVER_CLOSE_WAIT, KA_ON_SETTLE,
     KA_GATE_TUNNEL | KA_GATE_CLOCK | KA_GATE_PORT_REUSE | KA_GATE_LOST_STATE, ka_rule_server_close_wait},
    {KA_IDLE_FOREVER, KA_ON_SETTLE, TIMES | KA_GATE_PORT_REUSE, ka_rule_idle_forever},
    {KA_PRECONNECT_UNUSED, KA_ON_SETTLE, COUNTS | KA_GATE_PORT_REUSE, ka_rule_preconnect_unused},
    {KA_IDLE_CLOSE_BY_RST, KA_ON_SETTLE, TIMES | KA_GATE_MASS_CLOSE, ka_rule_idle_close_by_rst},
    {KA_TCP_KEEPALIVE_ONLY, KA_ON_SETTLE, TIMES | KA_GATE_MASS_CLOSE, ka_rule_tcp_keepalive_only},
    {KA_DEAD_PEER, KA_ON_SETTLE, KA_GATE_TUNNEL | KA_GATE_CLOCK | KA_GATE_PORT_REUSE | KA_GATE_LOST_STATE,
     ka_rule_dead_peer},
    {KA_UNSAFE_REPLAY, KA_ON_REQUEST, KA_GATE_LOST_STATE, ka_rule_unsafe_replay},
    {KA_AUTH_BOUND_BROKEN, KA_ON_REQUEST, COUNTS, ka_rule_auth_bound_broken},
    {KA_BARE_NUMBER, KA_ON_FIELDS, 0, ka_rule_bare_number},
    {KA_BAD_PARAM, KA_ON_FIELDS, KA_GATE_SNAPLEN, ka_rule_bad_param},
    {KA_TIMEOUT_NOT_INTEGER, KA_ON_FIELDS, 0, ka_rule_timeout_not_integer},
    {KA_TIMEOUT_ZERO, KA_ON_SETTLE, 0, ka_rule_timeout_zero},
    {KA_DUPLICATE_CONFLICT, KA_ON_FIELDS, 0, ka_rule_duplicate_conflict},
    {KA_TOKEN_MISSING, KA_ON_FIELDS, KA_GATE_SNAPLEN, ka_rule_token_missing},
    {KA_CLOSE_CONTRADICTION, KA_ON_FIELDS, 0, ka_rule_close_contradiction},
    {KA_TIMEOUT_HUGE, KA_ON_FIELDS, 0, ka_rule_timeout_huge},
    {KA_TIMEOUT_NOT_FIRST, KA_ON_FIELDS, 0, ka_rule_timeout_not_first},
    {KA_PROXY_CONNECTION_SEEN, KA_ON_FIELDS, 0, ka_rule_proxy_connection_seen},
    {KA_H2_CONNECTION_FIELD, KA_ON_H2_FIELD, 0, ka_rule_h2_connection_field},
    {KA_H2_CLOSE_WITHOUT_GOAWAY, KA_ON_SETTLE, TIMES | KA_GATE_MASS_CLOSE, ka_rule_h2_close_without_goaway},
    {KA_H2_STREAM_LOST, KA_ON_SETTLE, TIMES | KA_GATE_MASS_CLOSE, ka_rule_h2_stream_lost},
    {KA_TLS_NO_CLOSE_NOTIFY, KA_ON_SETTLE, KA_GATE_TUNNEL | KA_GATE_MASS_CLOSE | KA_GATE_PORT_REUSE,
     ka_rule_tls_no_close_notify},
};

/* Bytes missed near the end: in or after the last response, or in what the client sent after the last
 * request. */
static bool gap_matters(const ka_view *v)
{
    return ka_transport_unseen(v->server, v->exchanges->last.first, UINT64_MAX) ||
           ka_transport_unseen(v->client, v->client->claimed, UINT64_MAX);
}

static bool deciding_byte_is_late(const ka_view *v, unsigned when)
{
    if (when == KA_ON_REQUEST)
        return ka_transport_late(v->client, v->request->first) ||
               (v->before != NULL && v->before->end > 0 && ka_transport_late(v->server, v->before->end - 1));
    if (when == KA_ON_RESPONSE)
        return v->request != NULL && ka_transport_late(v->client, v->request->first);
    if (v->server->ending != NULL && ka_transport_late(v->server, v->server->ending->fin_seq))
        return true;
    uint64_t unanswered = ka_rules_unanswered(v).first;
    if (unanswered != 0 && ka_transport_late(v->client, unanswered))
        return true;
    return v->exchanges->last.end > 0 && ka_transport_late(v->server, v->exchanges->last.end - 1);
}

static uint32_t failed_now(const ka_view *v, unsigned when)
{
    uint32_t failed = v->failed_gates;
    if (failed & KA_GATE_GAP)
        failed = gap_matters(v) ? failed | ANY_GAP : (failed & ~(uint32_t)KA_GATE_GAP) | ANY_GAP;
    if (v->mass_closed)
        failed |= KA_GATE_MASS_CLOSE;
    if (deciding_byte_is_late(v, when))
        failed |= KA_GATE_RETRANSMITTED;
    return failed;
}

static void lower(ka_finding *f, uint32_t failed)
{
    failed |= f->failed_gates; /* those only the rule could see */
    if (failed & ANY_GAP)
        failed = (failed & ~ANY_GAP) | KA_GATE_GAP;
    if (failed == 0)
        return;
    f->failed_gates = failed;
    if (f->severity > KA_NOTE)
        f->severity = KA_NOTE;
}

static void place(const ka_view *v, ka_finding *f)
{
    const ka_connection *c = v->connection;
    f->has_stream = true;
    f->stream = c->stream;
    f->client = c->ends[c->client];
    f->server = c->ends[!c->client];
}

ka_status ka_rules_run(const ka_view *v, unsigned when, const ka_rules_out *out)
{
    uint32_t failed = failed_now(v, when);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const rule *r = &rules[i];
        ka_finding f;
        if (!(r->when & when) || (r->gates & failed & SILENCING))
            continue;
        ka_finding_init(&f, r->id);
        if (!r->judge(v, &f))
            continue;
        lower(&f, r->gates & failed);
        place(v, &f);
        if (out->add(out->user, &f) != KA_OK)
            return KA_NO_MEMORY;
    }
    return KA_OK;
}

/* ---- What links findings ---- */

static ka_noted *find(ka_noted *list, ka_finding_id id)
{
    while (list != NULL && list->finding.id != id)
        list = list->next;
    return list;
}

typedef struct replacement {
    ka_finding_id replaced;
    ka_finding_id by;
} replacement;

/* A rule that is asked earlier than the one that says more cannot know. */
static const replacement replacements[] = {
    {KA_UNSOLICITED_408, KA_MISATTRIBUTED_408},
};

bool ka_rules_is_replaced(const ka_noted *list, ka_finding_id id)
{
    for (size_t i = 0; i < sizeof replacements / sizeof replacements[0]; i++) {
        if (replacements[i].replaced != id)
            continue;
        while (list != NULL && list->finding.id != replacements[i].by)
            list = list->next;
        return list != NULL;
    }
    return false;
}

static void add_causes(const ka_view *v, ka_noted *list, ka_finding_id lost)
{
    static const ka_finding_id causes[] = {KA_CLOSED_EARLY, KA_CLOSE_UNANNOUNCED, KA_REUSE_AFTER_EXPIRY,
                                           KA_H2_CLOSE_WITHOUT_GOAWAY};
    const ka_request *oldest = ka_exchanges_oldest(v->exchanges);
    bool expired = oldest != NULL && ka_rules_expired(v, &v->exchanges->last, oldest);
    ka_noted *noted = find(list, lost);
    for (size_t i = 0; noted != NULL && i < sizeof causes / sizeof causes[0]; i++) {
        if (causes[i] == KA_REUSE_AFTER_EXPIRY && !expired)
            continue; /* that was an earlier request */
        if (find(list, causes[i]) != NULL)
            ka_finding_cause(&noted->finding, causes[i]);
    }
}

typedef struct gate_finding {
    ka_gate gate;
    ka_finding_id id;
} gate_finding;

static const gate_finding gate_findings[] = {
    {KA_GATE_MID_START, KA_CAP_MID_START},
    {KA_GATE_ONE_SIDED, KA_CAP_ONE_SIDED},
    {KA_GATE_GAP, KA_CAP_GAP},
    {KA_GATE_SNAPLEN, KA_CAP_SNAPLEN},
    {KA_GATE_SHORT_TAIL, KA_CAP_SHORT_TAIL},
    {KA_GATE_CLOCK, KA_CAP_CLOCK},
    {KA_GATE_PORT_REUSE, KA_CAP_PORT_REUSE},
    {KA_GATE_DUPLICATE, KA_CAP_DUPLICATE},
    {KA_GATE_OFFLOAD, KA_CAP_OFFLOAD},
};

static ka_status add_gates(const ka_view *v, const ka_noted *list, const ka_rules_out *out)
{
    const ka_transport *t = &v->connection->transport;
    for (size_t i = 0; i < sizeof gate_findings / sizeof gate_findings[0]; i++) {
        const ka_noted *lowered = list;
        while (lowered != NULL && !(lowered->finding.failed_gates & gate_findings[i].gate))
            lowered = lowered->next;
        if (lowered == NULL)
            continue;
        ka_finding f;
        ka_finding_init(&f, gate_findings[i].id);
        place(v, &f);
        f.at = lowered->finding.at;
        ka_finding_value(
            &f, "missed",
            (int64_t)(ka_transport_missed_bytes(v->client) + ka_transport_missed_bytes(v->server)), KA_BYTES);
        ka_finding_value(&f, "backward", (int64_t)t->backward_us * 1000, KA_NS);
        if (out->add(out->user, &f) != KA_OK)
            return KA_NO_MEMORY;
    }
    return KA_OK;
}

static ka_status add_inference(const ka_view *v, const ka_noted *list, const ka_rules_out *out)
{
    ka_finding f;
    if (!ka_rules_inferred(v, list, &f))
        return KA_OK;
    place(v, &f);
    return out->add(out->user, &f);
}

static bool before(const ka_finding *a, const ka_finding *b)
{
    return a->at.frame != b->at.frame ? a->at.frame < b->at.frame : a->id < b->id;
}

static void sort(ka_noted **list)
{
    ka_noted *sorted = NULL;
    while (*list != NULL) {
        ka_noted *taken = *list;
        *list = taken->next;
        ka_noted **at = &sorted;
        while (*at != NULL && before(&(*at)->finding, &taken->finding))
            at = &(*at)->next;
        taken->next = *at;
        *at = taken;
    }
    *list = sorted;
}

ka_status ka_rules_link(const ka_view *v, ka_noted **list, const ka_rules_out *out)
{
    static const ka_finding_id lost[] = {KA_REQUEST_AFTER_CLOSE,     KA_TLS_CLOSE_NOTIFY_IGNORED,
                                         KA_REUSE_AFTER_FIN,         KA_KEEPALIVE_RACE,
                                         KA_SERVER_CLOSED_IN_FLIGHT, KA_SILENT_DROP,
                                         KA_RESET_ON_FIRST_PACKET,   KA_H2_STREAM_LOST};
    sort(list);
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++)
        add_causes(v, *list, lost[i]);
    ka_status status = add_gates(v, *list, out);
    if (status == KA_OK)
        status = add_inference(v, *list, out);
    sort(list);
    return status;
}
