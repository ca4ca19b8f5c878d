/* rules_probe.c - what TCP keepalive probes and unanswered FINs tell.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"

/* ---- tcp-keepalive-only ---- */

bool ka_rule_tcp_keepalive_only(const ka_view *v, ka_finding *f)
{
    const ka_probing *p = v->client->rare != NULL ? &v->client->rare->probing : NULL;
    ka_verdict verdict = v->close.verdict;
    if (p == NULL || v->close.by != KA_SIDE_SERVER || v->close.idle_ns == KA_NONE)
        return false;
    if (verdict != KA_VERDICT_PUNCTUAL && verdict != KA_VERDICT_LATE && verdict != KA_VERDICT_UNADVERTISED)
        return false;
    /* All in the last gap; what was sent later cannot have been meant to prevent the close. */
    if (p->answered < v->limits->keepalive_probes || p->latest.time_ns > v->close.at.time_ns ||
        p->first.time_ns < v->close.at.time_ns - v->close.idle_ns)
        return false;
    if (ka_rules_is_foreign_reset(v) || ka_rules_is_reset_by_middle(v))
        return false;
    f->at = v->close.at;
    ka_finding_frame(f, "response_end", v->exchanges->last.end_at);
    ka_finding_frame(f, "probe", p->first);
    ka_finding_frame(f, "last_probe", p->latest);
    ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    ka_finding_value(f, "idle", v->close.idle_ns, KA_NS);
    ka_finding_value(f, "timeout", ka_view_timeout_ns(v), KA_NS);
    ka_finding_value(f, "probes", p->sent, KA_COUNT);
    ka_finding_value(f, "answered", p->answered, KA_COUNT);
    return true;
}

/* ---- dead-peer ---- */

/* What one side sent in vain, and since when. */
typedef struct vain {
    uint32_t fins;
    uint32_t probes;
    ka_moment from; /* frame 0: nothing was in vain */
} vain;

static vain sent_in_vain(const ka_view *v, const ka_half *speaker, const ka_half *peer)
{
    const ka_ending *ending = speaker->ending;
    const ka_probing *p = speaker->rare != NULL ? &speaker->rare->probing : NULL;
    vain found = {0, 0, {0, 0}};
    if (peer->ending != NULL)
        return found;
    if (p != NULL && p->unanswered >= v->limits->dead_peer_count) {
        found.probes = p->unanswered;
        found.from = p->unheard_from;
    }
    if (ending != NULL && ending->fin.frame != 0 && ending->fin_acked.frame == 0 &&
        ending->fin_resent >= v->limits->dead_peer_count) {
        found.fins = ending->fin_resent + 1;
        found.from = found.probes > 0 ? found.from : ending->unheard;
    }
    return found;
}

static int64_t unheard_ns(const ka_view *v, const ka_half *speaker, const vain *what)
{
    bool reset = speaker->ending != NULL && speaker->ending->rst.frame != 0;
    int64_t until_ns = reset ? speaker->ending->rst.time_ns : v->now.time_ns;
    return what->from.frame != 0 ? until_ns - what->from.time_ns : 0;
}

static bool is_dead(const ka_view *v, const ka_half *speaker, const ka_half *peer, vain *out)
{
    vain what = sent_in_vain(v, speaker, peer);
    if ((v->failed_gates & KA_GATE_ONE_SIDED) || !ka_rules_is_web(v))
        return false;
    if (what.from.frame == 0 || unheard_ns(v, speaker, &what) < v->limits->dead_peer_ns)
        return false;
    *out = what;
    return true;
}

bool ka_rules_is_server_dead(const ka_view *v)
{
    vain ignored;
    return is_dead(v, v->client, v->server, &ignored);
}

bool ka_rule_dead_peer(const ka_view *v, ka_finding *f)
{
    vain what;
    bool server = is_dead(v, v->client, v->server, &what);
    if ((!server && !is_dead(v, v->server, v->client, &what)) || ka_rules_is_dropped(v))
        return false;
    const ka_half *speaker = server ? v->client : v->server;
    ka_how how;
    f->at = what.from;
    ka_finding_frame(f, "response_end", v->exchanges->last.end_at);
    if (what.probes > 0)
        ka_finding_frame(f, "probe", what.from);
    ka_finding_frame(f, "end_of_speaker", ka_transport_ended(speaker, &how));
    ka_finding_value(f, "unheard_for", unheard_ns(v, speaker, &what), KA_NS);
    ka_finding_value(f, "fins", what.fins, KA_COUNT);
    ka_finding_value(f, "probes", what.probes, KA_COUNT);
    ka_finding_value(f, "peer_is_server", server ? 1 : 0, KA_COUNT);
    return true;
}
