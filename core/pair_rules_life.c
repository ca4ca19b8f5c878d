/* pair_rules_life.c - how the two connections of a proxy end: one may outlive the other, or wait for it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pair_rules.h"

/* The first FIN or RST of that connection, as evidence. */
static const char *role_of(uint8_t how, const char *fin, const char *rst)
{
    return how == KA_HOW_RST ? rst : fin;
}

/* ---- blind-http10-proxy ---- */

static int64_t apart_ns(ka_moment a, ka_moment b)
{
    return a.time_ns > b.time_ns ? a.time_ns - b.time_ns : b.time_ns - a.time_ns;
}

/* The client's connection ended when the server's did: the proxy had waited for that. */
static bool end_together(const ka_pair_view *v)
{
    const ka_pair_life *down = &v->pair->life[KA_DOWNSTREAM], *up = &v->pair->life[KA_UPSTREAM];
    return down->closed.frame != 0 && up->closed.frame != 0 &&
           apart_ns(down->closed, up->closed) <= v->limits->gateway_answer_ns + down->rtt_ns + up->rtt_ns;
}

/* The client's last request, which the proxy never read. */
static ka_moment unsent(const ka_pair_view *v)
{
    const ka_leg *leg = ka_legs_find(&v->links->legs, v->pair->life[KA_DOWNSTREAM].unanswered);
    return leg != NULL && !ka_links_is_proxied(v->links, leg) ? leg->request : (ka_moment){0, 0};
}

bool ka_pair_rule_blind_http10(const ka_pair_view *v, ka_finding *f)
{
    const ka_pair *pair = v->pair;
    const ka_pair_life *down = &pair->life[KA_DOWNSTREAM], *up = &pair->life[KA_UPSTREAM];
    if (!pair->wished || up->closed_by != KA_SIDE_SERVER || down->closed_by != KA_SIDE_SERVER ||
        !end_together(v))
        return false;
    int64_t waited_ns = up->closed.time_ns - pair->granted_ns;
    ka_moment unread = unsent(v);
    /* Or an answer whose end the client did not know. */
    if (waited_ns < v->limits->close_grace_ns || (unread.frame == 0 && pair->passed_ns != KA_NONE))
        return false;
    f->at = unread.frame != 0 ? unread : pair->wish;
    ka_finding_frame(f, "upstream_request", pair->wish);
    ka_finding_frame(f, "upstream_response", pair->granted);
    ka_finding_frame(f, "downstream_request", unread);
    ka_finding_frame(f, role_of(up->closed_how, "upstream_fin", "upstream_rst"), up->closed);
    ka_finding_frame(f, role_of(down->closed_how, "downstream_fin", "downstream_rst"), down->closed);
    ka_finding_value(f, "waited", waited_ns, KA_NS);
    ka_finding_value(f, "upstream_stream", pair->upstream.stream, KA_COUNT);
    return true;
}

/* ---- pair-half-closed ---- */

/* The end was handed on in one direction, and nobody ever ended the other: the proxy waits for both. */
bool ka_pair_rule_half_closed(const ka_pair_view *v, ka_finding *f)
{
    const ka_pair_life *down = &v->pair->life[KA_DOWNSTREAM], *up = &v->pair->life[KA_UPSTREAM];
    if (down->half.frame == 0 || up->half.frame == 0 || down->half_by != up->half_by)
        return false;
    int64_t held_ns = down->half_ns < up->half_ns ? down->half_ns : up->half_ns;
    if (held_ns <= v->limits->pair_half_closed_ns)
        return false;
    bool by_client = down->half_by == KA_SIDE_CLIENT;
    f->at = by_client ? up->half : down->half;
    ka_finding_frame(f, by_client ? "client_fin" : "upstream_fin", by_client ? down->half : up->half);
    ka_finding_frame(f, by_client ? "proxy_fin" : "downstream_fin", f->at);
    ka_finding_value(f, "held", held_ns, KA_NS);
    ka_finding_value(f, "upstream_stream", v->pair->upstream.stream, KA_COUNT);
    ka_finding_cause(f, by_client ? KA_SERVER_CLOSE_WAIT : KA_CLIENT_CLOSE_WAIT);
    return true;
}
