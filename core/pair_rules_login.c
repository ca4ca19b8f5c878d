/* pair_rules_login.c - logins that belong to one connection, through a proxy that does not know it
 * (RFC 4559 section 6).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pair_rules.h"

/* The server had closed the connection that it had challenged: the proxy could not but take another one,
 * though it should have closed its client's, too. One that asked for that close has only itself to blame. */
static bool had_closed(const ka_pair_view *v, const ka_breach *breach)
{
    const ka_pair *asked = ka_pairs_of(&v->links->pairs, KA_UPSTREAM, breach->stream);
    const ka_pair_life *life = asked != NULL ? &asked->life[KA_UPSTREAM] : NULL;
    return life != NULL && life->closed.frame != 0 && life->closed_by == KA_SIDE_SERVER &&
           life->unused_ns != KA_NONE && life->closed.time_ns <= breach->went.time_ns;
}

static void show_split(const ka_breach *breach, ka_finding *f)
{
    ka_finding_frame(f, "upstream_challenge", breach->before);
    ka_finding_value(f, "challenge_upstream_stream", breach->stream, KA_COUNT);
    ka_finding_value(f, "after", breach->went.time_ns - breach->before.time_ns, KA_NS);
}

static void show_between(const ka_breach *breach, ka_finding *f)
{
    ka_finding_frame(f, "upstream_challenge", breach->before);
    ka_finding_value(f, "between_stream", breach->stream, KA_COUNT);
    ka_finding_value(f, "since_challenge", breach->went.time_ns - breach->before.time_ns, KA_NS);
}

static void show_shared(const ka_breach *breach, ka_finding *f)
{
    ka_finding_frame(f, "upstream_login", breach->before);
    ka_finding_value(f, "login_stream", breach->stream, KA_COUNT);
    ka_finding_value(f, "since_login", breach->went.time_ns - breach->before.time_ns, KA_NS);
}

bool ka_pair_rule_auth_bound_broken(const ka_pair_view *v, ka_finding *f)
{
    static void (*const show[])(const ka_breach *, ka_finding *) = {
        [KA_BREACH_SPLIT] = show_split, [KA_BREACH_BETWEEN] = show_between, [KA_BREACH_SHARED] = show_shared};
    const ka_pair *pair = v->pair;
    if (pair->breach == 0)
        return false;
    const ka_breach *breach = &v->links->pairs.sessions.breaches[pair->breach - 1];
    bool doubtful = breach->doubtful || (breach->kind == KA_BREACH_SPLIT && had_closed(v, breach));
    f->at = breach->went;
    f->values[0].number = breach->count;
    show[breach->kind](breach, f);
    ka_finding_frame(f, "downstream_request", breach->came);
    ka_finding_frame(f, "upstream_request", breach->went);
    ka_finding_value(f, "request_number", breach->number, KA_COUNT);
    ka_finding_value(f, "upstream_stream", pair->upstream.stream, KA_COUNT);
    ka_finding_value(f, "status", breach->status != 0 ? breach->status : KA_NONE, KA_COUNT);
    f->failed_gates |= (pair->life[KA_UPSTREAM].gates | pair->life[KA_DOWNSTREAM].gates) & KA_PAIR_UNSURE;
    if (breach->ambiguous)
        f->failed_gates |= KA_GATE_LINK;
    if (doubtful && f->severity > KA_NOTE)
        f->severity = KA_NOTE;
    return true;
}
