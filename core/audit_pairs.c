/* audit_pairs.c - feeding the links between requests on both sides of a proxy, in capture order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "audit.h"
#include "login.h"
#include "rules.h"

static void fill_closed(ka_leg *leg, const ka_close *close)
{
    leg->closed = close->at;
    leg->closed_by = (uint8_t)close->by;
    leg->closed_how = (uint8_t)close->how;
}

ka_status ka_audit_pairs_request(ka_audit *a, ka_connection *c, const ka_view *v, ka_request *request)
{
    const ka_message *m = v->message;
    ka_links *links = &a->links;
    bool watched;
    if (ka_links_watch(links, &a->endpoints, &c->ends[c->client], m, &watched) != KA_OK)
        return KA_NO_MEMORY;
    if (!watched)
        return KA_OK;
    ka_leg *leg =
        ka_legs_add(&links->legs, &a->config.allocator, a->now.time_ns, links->proxied, links->several);
    if (leg == NULL)
        return KA_NO_MEMORY;
    request->leg = leg->serial;
    leg->stream = c->stream;
    leg->number = (uint32_t)request->number;
    leg->interface = a->interface;
    leg->version = m->version;
    leg->origin_form = m->origin_form;
    leg->client = c->ends[c->client];
    leg->server = c->ends[!c->client];
    leg->request = m->first;
    leg->request_end = m->last;
    leg->rtt_ns = v->rtt_ns;
    leg->keep = request->asked_to_keep;
    leg->login = v->header->login_step;
    leg->authorizes = v->header->authenticates;
    ka_likeness_of(m, &leg->like);
    if (v->header->keep_alive.present || v->header->has_proxy_connection)
        leg->asked = ka_hop_fields_of(m);
    if (v->server->ending != NULL) { /* it closed before the request came by */
        ka_view closed = *v;
        ka_view_close(&closed);
        fill_closed(leg, &closed.close);
    }
    ka_links_request(links, leg);
    return KA_OK;
}

ka_status ka_audit_pairs_response(ka_audit *a, const ka_request *request, const ka_header *header,
                                  const ka_message *m)
{
    ka_leg *leg = ka_legs_find(&a->links.legs, request->leg);
    if (leg == NULL)
        return KA_OK;
    leg->status = m->status;
    leg->answer_version = m->version;
    leg->response = m->first;
    leg->response_end = m->last;
    const ka_leg *down = ka_legs_find(&a->links.legs, leg->downstream);
    leg->late = leg->closed.frame != 0 || (down != NULL && down->closed.frame != 0 && down->status == 0);
    leg->kept = header->connection.keep_alive && !header->connection.close;
    leg->challenges = header->login_step == KA_LOGIN_CHALLENGE;
    bool counts = a->links.proxied || a->links.several || leg->downstream != 0 || leg->attempts > 0;
    if (counts && (header->keep_alive.present || header->has_proxy_connection))
        leg->answered = ka_hop_fields_of(m);
    return ka_links_answered(&a->links, leg);
}

ka_status ka_audit_pairs_closed(ka_audit *a, const ka_view *v)
{
    ka_status status = KA_OK;
    const ka_request *newest = v->exchanges->newest, *r = newest;
    do {
        ka_leg *leg = r != NULL ? ka_legs_find(&a->links.legs, r->leg) : NULL;
        if (leg != NULL && leg->closed.frame == 0) {
            fill_closed(leg, &v->close);
            status = ka_links_closed(&a->links, leg);
        }
        r = r != NULL ? r->next : NULL;
    } while (r != newest && status == KA_OK);
    return status;
}

/* ---- A connection was judged ---- */

static const ka_finding *lost_among(const ka_noted *list)
{
    static const ka_finding_id lost[] = {KA_REQUEST_AFTER_CLOSE,   KA_REUSE_AFTER_FIN,
                                         KA_KEEPALIVE_RACE,        KA_SILENT_DROP,
                                         KA_RESET_ON_FIRST_PACKET, KA_SERVER_CLOSED_IN_FLIGHT};
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        const ka_noted *noted = ka_noted_find(list, lost[i]);
        if (noted != NULL)
            return &noted->finding;
    }
    return NULL;
}

/* One side ended its sending, and the other not: for how long. */
static void fill_half(const ka_view *v, ka_pair_life *life)
{
    const ka_ending *client = v->client->ending, *server = v->server->ending;
    bool by_client = client != NULL && client->fin.frame != 0;
    bool by_server = server != NULL && server->fin.frame != 0;
    if (by_client && by_server)
        by_client = client->fin.frame < server->fin.frame;
    if (!by_client && !by_server)
        return;
    const ka_ending *ended = by_client ? client : server, *other = by_client ? server : client;
    int64_t until_ns = v->now.time_ns;
    if (other != NULL && other->fin.frame != 0)
        until_ns = other->fin.time_ns;
    if (other != NULL && other->rst.frame != 0 && other->rst.time_ns < until_ns)
        until_ns = other->rst.time_ns;
    if (ended->rst.frame != 0 && ended->rst.time_ns < until_ns)
        until_ns = ended->rst.time_ns;
    life->half = ended->fin;
    life->half_by = by_client ? KA_SIDE_CLIENT : KA_SIDE_SERVER;
    life->half_ns = until_ns - ended->fin.time_ns;
}

/* Closed by a timer: neither announced nor because of a limit, a restart or an error. */
static bool is_timed(const ka_view *v)
{
    bool idle = v->close.verdict == KA_VERDICT_EARLY || v->close.verdict == KA_VERDICT_PUNCTUAL ||
                v->close.verdict == KA_VERDICT_LATE || v->close.verdict == KA_VERDICT_UNADVERTISED;
    if (!idle || v->close.idle_ns == KA_NONE || v->close.idle_ns < v->limits->timer_sample_ns ||
        !v->exchanges->last.persists || v->exchanges->first_version == 10)
        return false; /* a proxy that speaks HTTP/1.0 waits for the close, it has no pool */
    return v->close.by != KA_SIDE_SERVER ||
           (!v->mass_closed && !ka_rules_max_reached(v) && ka_rules_is_own_close(v) &&
            !ka_rules_excuses_close(v->exchanges->last.status));
}

/* Where a client could have sent its next request, and did not. */
static int64_t unused_ns(const ka_view *v)
{
    if (!v->exchanges->last.persists || v->exchanges->tunnel || v->close.by == KA_SIDE_CLIENT)
        return KA_NONE;
    return v->close.by == KA_SIDE_SERVER ? v->close.idle_ns : ka_view_idle_ns(v);
}

static int64_t longest_ns(const ka_view *v)
{
    int64_t gap_ns = v->close.by == KA_SIDE_CLIENT ? v->close.idle_ns : KA_NONE;
    return gap_ns > v->exchanges->idle_longest_ns ? gap_ns : v->exchanges->idle_longest_ns;
}

static ka_pair_life life_of(const ka_view *v)
{
    const ka_connection *c = v->connection;
    const ka_request *oldest = ka_exchanges_oldest(v->exchanges);
    ka_pair_life life = {
        .opened = v->client->syn ? c->first : (ka_moment){0, 0},
        .closed = v->close.at,
        .unanswered = oldest != NULL ? oldest->leg : 0,
        .idle_ns = is_timed(v) ? v->close.idle_ns : KA_NONE,
        .rtt_ns = v->rtt_ns,
        .longest_ns = longest_ns(v),
        .unused_ns = unused_ns(v),
        .requests = v->exchanges->requests,
        .gates = v->failed_gates,
        .client_reset = v->client->ending != NULL && v->client->ending->rst.frame != 0,
        .closed_by = (uint8_t)v->close.by,
        .closed_how = (uint8_t)v->close.how,
        .site = c->site,
        .judged = true,
    };
    fill_half(v, &life);
    return life;
}

bool ka_audit_pairs_tell(const ka_links *links, const ka_view *v, ka_finding_id id)
{
    if (id != KA_AUTH_BOUND_BROKEN)
        return false;
    const ka_pair *pair = ka_pairs_of(&links->pairs, KA_UPSTREAM, v->connection->stream);
    while (pair != NULL &&
           (pair->breach == 0 || links->pairs.sessions.breaches[pair->breach - 1].kind != KA_BREACH_SPLIT))
        pair = ka_pairs_next(&links->pairs, pair, KA_UPSTREAM);
    return pair != NULL;
}

ka_status ka_audit_pairs_judged(ka_links *links, const ka_view *v, const ka_noted *list)
{
    const ka_request *oldest = ka_exchanges_oldest(v->exchanges);
    const ka_finding *lost = oldest != NULL ? lost_among(list) : NULL;
    ka_leg *leg = oldest != NULL ? ka_legs_find(&links->legs, oldest->leg) : NULL;
    if (leg != NULL) {
        leg->unhappy.lost = lost != NULL ? lost->id : KA_FINDING_COUNT;
        leg->unhappy.gates = lost != NULL ? lost->failed_gates : 0;
        leg->unhappy.since = ka_view_idle_since(v);
        leg->rtt_ns = v->rtt_ns;
        fill_closed(leg, &v->close);
    }
    if (!links->proxied && !links->several)
        return KA_OK;
    const ka_pair_life life = life_of(v);
    return ka_links_ended(links, v->connection->stream, &life);
}

uint64_t ka_audit_pairs_left_out(const ka_audit *a)
{
    return a->links.pairs.left_out + a->links.legs.left_out;
}
