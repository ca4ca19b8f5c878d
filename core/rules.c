/* rules.c - asking the rules, and the gates.
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
    f->proxied_for = ka_view_proxied_for(v);
}

/* Adds a finding that holds, and blanks *f for the next rule. False when memory ran out. */
static bool add(const ka_view *v, ka_finding *f, uint32_t failed, const ka_rules_out *out)
{
    lower(f, failed);
    place(v, f);
    bool added = out->add(out->user, f) == KA_OK;
    ka_finding_init(f, f->id);
    return added;
}

/* The catalogue's columns as constants, so that naming a finding is three stores. */
enum {
#define KA_FINDING(symbol, id, severity, fault, title, sentence, remedy, reference)                          \
    SEVERITY_##symbol = (severity), FAULT_##symbol = (fault),
#include "findings.def"
#undef KA_FINDING
};

/* The whole table at one moment. Inlined with a constant, so that of the table only the rules of that moment
 * are left, and with one blank finding for all of them: this is done for every message. */
static inline __attribute__((always_inline)) ka_status ask_all(const ka_view *v, unsigned moment,
                                                               const ka_rules_out *out)
{
    uint32_t failed = failed_now(v, moment);
    ka_finding f;
    ka_finding_init(&f, 0);
#define KA_RULE(symbol, when, gates, judge)                                                                  \
    if (((when)&moment) != 0 && ((gates)&failed & SILENCING) == 0) {                                         \
        f.id = KA_##symbol;                                                                                  \
        f.severity = (ka_severity)SEVERITY_##symbol;                                                         \
        f.fault = (ka_fault)FAULT_##symbol;                                                                  \
        if (judge(v, &f) && !add(v, &f, (gates)&failed, out))                                                \
            return KA_NO_MEMORY;                                                                             \
    }
#include "rules.def"
#undef KA_RULE
    return ka_finding_is_blank(&f) ? KA_OK : KA_MISUSE; /* a rule that does not hold leaves it untouched */
}

ka_status ka_rules_run(const ka_view *v, unsigned when, const ka_rules_out *out)
{
    switch (when) {
    case KA_ON_REQUEST:
        return ask_all(v, KA_ON_REQUEST, out);
    case KA_ON_RESPONSE:
        return ask_all(v, KA_ON_RESPONSE, out);
    case KA_ON_FIELDS:
        return ask_all(v, KA_ON_FIELDS, out);
    case KA_ON_H2_FIELD:
        return ask_all(v, KA_ON_H2_FIELD, out);
    default:
        return ask_all(v, KA_ON_SETTLE, out);
    }
}

/* ---- What links findings ---- */

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
        if (replacements[i].replaced == id)
            return ka_noted_find(list, replacements[i].by) != NULL;
    }
    return false;
}

static void add_causes(const ka_view *v, ka_noted *list, ka_finding_id lost)
{
    static const ka_finding_id causes[] = {KA_CLOSED_EARLY, KA_CLOSE_UNANNOUNCED, KA_REUSE_AFTER_EXPIRY,
                                           KA_H2_CLOSE_WITHOUT_GOAWAY};
    const ka_request *oldest = ka_exchanges_oldest(v->exchanges);
    bool expired = oldest != NULL && ka_rules_expired(v, &v->exchanges->last, oldest);
    ka_noted *noted = ka_noted_find(list, lost);
    for (size_t i = 0; noted != NULL && i < sizeof causes / sizeof causes[0]; i++) {
        if (causes[i] == KA_REUSE_AFTER_EXPIRY && !expired)
            continue; /* that was an earlier request */
        if (ka_noted_find(list, causes[i]) != NULL)
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
