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

/* ---- upstream-orphan ---- */

/* A client that ends its sending right behind its request (RFC 9112 section 9.6) may still read. One that
 * resets what it is sent does not. */
static bool has_gone(const ka_pair_view *v)
{
    const ka_leg *down = v->down;
    const ka_pair *pair = ka_pairs_find(&v->links->pairs, down->stream, v->up->stream);
    if (down->closed_by != KA_SIDE_CLIENT || down->closed.frame == 0)
        return false;
    bool reset = down->closed_how == KA_HOW_RST || (pair != NULL && pair->life[KA_DOWNSTREAM].client_reset);
    if (down->status != 0)
        return reset && down->response.time_ns > down->closed.time_ns;
    return reset || down->closed.time_ns - down->request_end.time_ns > v->limits->half_close_ns;
}

/* How long the proxy's request went on without its client. */
static int64_t went_on_ns(const ka_pair_view *v)
{
    const ka_leg *up = v->up;
    int64_t until_ns = v->now.time_ns;
    if (up->status != 0)
        until_ns = up->response_end.time_ns;
    else if (up->closed.frame != 0)
        until_ns = up->closed.time_ns;
    return until_ns - v->down->closed.time_ns;
}

bool ka_pair_rule_upstream_orphan(const ka_pair_view *v, ka_finding *f)
{
    const ka_leg *down = v->down, *up = v->up;
    int64_t on_ns = went_on_ns(v);
    if (!has_gone(v) || on_ns <= v->limits->orphan_ns)
        return false;
    f->at = down->closed;
    ka_finding_frame(f, "downstream_request", down->request);
    ka_finding_frame(f, "upstream_request", up->request);
    ka_finding_frame(f, role_of(down->closed_how, "client_fin", "client_rst"), down->closed);
    if (up->status != 0)
        ka_finding_frame(f, "upstream_response", up->response);
    ka_finding_value(f, "went_on", on_ns, KA_NS);
    ka_finding_value(f, "still_open", up->status == 0 && up->closed.frame == 0 ? 1 : 0, KA_COUNT);
    ka_finding_value(f, "request_number", down->number, KA_COUNT);
    ka_finding_value(f, "upstream_stream", up->stream, KA_COUNT);
    return true;
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
