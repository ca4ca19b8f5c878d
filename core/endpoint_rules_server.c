/* endpoint_rules_server.c - how a server ends connections: by another timer than it says, for want of room,
 * at a limit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "endpoint_rules.h"

#include <string.h>

#include "finding.h"
#include "order.h"

bool ka_endpoint_rule_mass_close(const ka_endpoint_view *v, ka_finding *f)
{
    ka_endpoint_mass_finding(v->endpoint, v->event, f);
    return true;
}

/* ---- advert-mismatch ---- */

static bool is_mismatch(const ka_endpoint_view *v, const ka_timer *t, uint32_t moments)
{
    const ka_thresholds *limits = v->limits;
    int64_t timeout_ns = t->timeout_s * KA_SECOND_NS;
    if (moments < limits->mismatch_count)
        return false;
    int64_t off_ns = ka_histogram_quantile(&t->idle, 50) - timeout_ns;
    int64_t spread_ns = ka_histogram_quantile(&t->idle, 90) - ka_histogram_quantile(&t->idle, 10);
    int64_t late_ns = ka_larger(limits->late_tolerance_ns, timeout_ns / 100 * limits->late_percent);
    /* Two buckets of a histogram are 1/500 wide: long timers cannot be told more finely. */
    int64_t allowed_ns = ka_larger(limits->mismatch_spread_ns, timeout_ns / 500);
    return (off_ns < 0 ? -off_ns : off_ns) > late_ns && spread_ns < allowed_ns;
}

/* Of several the one that shows most; NULL: all are as advertised. */
static const ka_timer *mismatch_among(const ka_endpoint_view *v, const ka_idling *i, bool of_site)
{
    const ka_timer *worst = NULL;
    for (uint32_t k = 0; k < i->timer_count; k++) {
        const ka_timer *t = &i->timers[k];
        if (is_mismatch(v, t, of_site ? t->moments : t->server_moments) &&
            (worst == NULL || ka_histogram_count(&t->idle) > ka_histogram_count(&worst->idle)))
            worst = t;
    }
    return worst;
}

/* One site may keep to what it advertises where another one does not. */
static const ka_timer *mismatch_at_site(const ka_endpoint_view *v, const ka_sites *sites, ka_finding *f)
{
    const ka_timer *worst = NULL;
    for (uint32_t i = 0; sites != NULL && i < sites->count; i++) {
        const ka_site *s = sites->at[i];
        const ka_timer *t = mismatch_among(v, &s->idling, true);
        if (t == NULL || (worst != NULL && ka_histogram_count(&t->idle) <= ka_histogram_count(&worst->idle)))
            continue;
        worst = t;
        ka_finding_detail(f, (ka_slice){s->name, strlen(s->name)});
    }
    return worst;
}

bool ka_endpoint_rule_advert_mismatch(const ka_endpoint_view *v, ka_finding *f)
{
    const ka_timer *worst = mismatch_at_site(v, v->endpoint->sites, f);
    if (worst == NULL) /* few closes at each site may be enough together */
        worst = mismatch_among(v, &v->endpoint->idling, false);
    if (worst == NULL)
        return false;
    f->at = worst->at.last;
    ka_finding_frame(f, "first_close", worst->at.first);
    ka_finding_frame(f, "last_close", worst->at.last);
    ka_finding_value(f, "closes", (int64_t)ka_histogram_count(&worst->idle), KA_COUNT);
    ka_finding_value(f, "timeout", worst->timeout_s * KA_SECOND_NS, KA_NS);
    ka_finding_value(f, "idle_median", ka_histogram_quantile(&worst->idle, 50), KA_NS);
    ka_finding_value(f, "idle_p10", ka_histogram_quantile(&worst->idle, 10), KA_NS);
    ka_finding_value(f, "idle_p90", ka_histogram_quantile(&worst->idle, 90), KA_NS);
    return true;
}

/* ---- evicted-under-pressure ---- */

typedef struct evicted {
    int64_t closes; /* with a witness */
    int64_t count;
    int64_t idle_min_ns, idle_max_ns;
    uint32_t open;
    ka_span at;
} evicted;

/* Of all whose choice some other idle connection witnessed, so many must have hit the oldest. */
enum { EVICTED_PERCENT = 80 };

static evicted evictions_of(const ka_endpoint *e)
{
    evicted all = {0, 0, INT64_MAX, 0, 0, {{0, 0}, {0, 0}}};
    for (uint32_t i = 0; e->evictions != NULL && i < KA_EVICTIONS_KEPT && i < e->evictions->next; i++) {
        const ka_early_close *close = &e->evictions->closes[i];
        int64_t idle_ns = close->at.time_ns - close->idle_since_ns;
        if ((!close->spared_younger && !close->spared_older) || ka_endpoint_mass_closed(e, close->at))
            continue;
        all.closes++;
        if (close->spared_older || !close->pressed || !close->full)
            continue;
        all.count++;
        all.idle_min_ns = idle_ns < all.idle_min_ns ? idle_ns : all.idle_min_ns;
        all.idle_max_ns = ka_larger(idle_ns, all.idle_max_ns);
        all.open = close->open > all.open ? close->open : all.open;
        ka_span_add(&all.at, close->at);
    }
    return all;
}

bool ka_endpoint_rule_evicted(const ka_endpoint_view *v, ka_finding *f)
{
    evicted all = evictions_of(v->endpoint);
    if (all.count < v->limits->eviction_count || all.count * 100 < all.closes * EVICTED_PERCENT)
        return false;
    if (all.idle_max_ns - all.idle_min_ns <= v->limits->mismatch_spread_ns)
        return false; /* of one age: a timer */
    f->at = all.at.last;
    ka_finding_frame(f, "first_close", all.at.first);
    ka_finding_frame(f, "last_close", all.at.last);
    ka_finding_value(f, "evictions", all.count, KA_COUNT);
    ka_finding_value(f, "closes", all.closes, KA_COUNT);
    ka_finding_value(f, "idle_min", all.idle_min_ns, KA_NS);
    ka_finding_value(f, "idle_max", all.idle_max_ns, KA_NS);
    ka_finding_value(f, "open", all.open, KA_COUNT);
    return true;
}

/* ---- hidden-limit ---- */

/* An age limit is set in minutes or hours; connections of one batch are of one age, too, but sooner. */
#define SHORTEST_AGE_LIMIT_NS (60 * KA_SECOND_NS)
/* Ends this near to each other may be one reload that met connections of one age. */
#define ONE_RELOAD_NS (10 * KA_SECOND_NS)

/* A drain ends only connections that were open when it began, and steady clients may have sent the same
 * number of requests on each: one at least must have been opened behind the first end. */
static bool at_ordinal(const ka_endings_seen *s, const ka_thresholds *limits)
{
    return s->at_ordinal >= limits->hidden_limit_count && s->at_ordinal * UINT64_C(2) > s->count &&
           s->served_max <= s->ordinal && s->at_ordinal_opened_ns > s->at_ordinal_at.first.time_ns;
}

static bool at_age(const ka_endings_seen *s, const ka_thresholds *limits)
{
    int64_t spread_ns = s->age_max_ns - s->age_min_ns;
    return s->count >= limits->hidden_limit_count && s->age_min_ns >= SHORTEST_AGE_LIMIT_NS &&
           spread_ns <= ka_larger(limits->late_tolerance_ns, s->age_min_ns / 100 * limits->late_percent) &&
           s->kept_age_ns <= s->age_min_ns &&
           s->at.last.time_ns - s->at.first.time_ns > spread_ns + ONE_RELOAD_NS;
}

bool ka_endpoint_rule_hidden_limit(const ka_endpoint_view *v, ka_finding *f)
{
    static const char request_number[] = "request number", age[] = "age";
    const ka_endings_seen *s = &v->endpoint->endings;
    bool by_ordinal = at_ordinal(s, v->limits);
    if (v->endpoint->max != KA_NONE || (!by_ordinal && !at_age(s, v->limits)))
        return false;
    const ka_span *at = by_ordinal ? &s->at_ordinal_at : &s->at;
    f->at = at->last;
    ka_finding_frame(f, "first_response", at->first);
    ka_finding_frame(f, "last_response", at->last);
    ka_finding_value(f, "closes", by_ordinal ? s->at_ordinal : s->count, KA_COUNT);
    ka_finding_value(f, "limit", by_ordinal ? s->ordinal : s->age_min_ns, by_ordinal ? KA_COUNT : KA_NS);
    ka_finding_detail(f, by_ordinal ? (ka_slice){request_number, sizeof request_number - 1}
                                    : (ka_slice){age, sizeof age - 1});
    return true;
}

bool ka_endpoint_rule_h2_limit(const ka_endpoint_view *v, ka_finding *f)
{
    const ka_goaways *g = &v->endpoint->goaways;
    if (g->mixed || g->count < v->limits->h2_limit_count || g->last_stream < 3)
        return false; /* one request a connection is no reuse */
    f->at = g->at;
    f->values[0].number = g->count;
    ka_finding_frame(f, "goaway", g->at);
    ka_finding_value(f, "last_stream", g->last_stream, KA_COUNT);
    ka_finding_value(f, "limit", ((int64_t)g->last_stream + 1) / 2, KA_COUNT);
    return true;
}
