/* inference.c - samples of idle periods in, the idle timer out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "inference.h"

#include <string.h>

#include "order.h"

/* Two closes further apart than this are of two timers: servers that look at their connections once a second
 * close up to a second late, and leave no such hole among five closes. */
#define HOLE_NS (600 * KA_MILLISECOND_NS)
/* Long timers are coarse, by this share. */
enum { COARSE_PERCENT = 3 };
/* With fewer of all closes in one mode, the others are no accidents. */
enum { FIXED_PERCENT = 80 };
/* Of five times spread evenly, the range covers less than a third in one case of twenty only. */
enum { RANGES_ALLOWED = 3 };
/* Kaplan and Meier's estimate, as a share of this: in integers, so that every machine finds the same. */
#define SURE (UINT64_C(1) << 32)

const char *ka_timer_kind_name(ka_timer_kind kind)
{
    static const char *const names[] = {"none", "few", "fixed", "several", "varied"};
    return names[kind];
}

static int64_t coarse_ns(int64_t idle_ns, int64_t least_ns)
{
    return ka_larger(least_ns, idle_ns / 100 * COARSE_PERCENT);
}

/* ---- Modes: closes that lie together ---- */

/* Buckets from..to, without the last. */
typedef struct stretch {
    uint32_t from, to;
} stretch;

static uint64_t count_of(const ka_histogram *h, stretch s)
{
    uint64_t count = 0;
    for (uint32_t i = s.from; i < s.to; i++)
        count += h->buckets[i].count;
    return count;
}

/* As ka_histogram_quantile: the nearest rank. */
static int64_t quantile_of(const ka_histogram *h, stretch s, unsigned percent)
{
    uint64_t count = count_of(h, s), rank = (count * percent + 99) / 100, passed = 0;
    uint32_t at = s.from;
    while (at + 1 < s.to && (passed += h->buckets[at].count) < rank)
        at++;
    return ka_histogram_value(h, at);
}

/* Empty buckets are part of a hole. The last bucket never is one. */
static stretch next_stretch(const ka_histogram *h, uint32_t from)
{
    while (h->buckets[from].count == 0)
        from++;
    uint32_t last = from;
    for (uint32_t to = from + 1; to < h->bucket_count; to++) {
        int64_t value_ns = ka_histogram_value(h, to);
        if (h->buckets[to].count == 0)
            continue;
        if (value_ns - ka_histogram_value(h, last) > coarse_ns(value_ns, HOLE_NS))
            break;
        last = to;
    }
    return (stretch){from, last + 1};
}

static bool is_mode(const ka_histogram *h, stretch s, const ka_thresholds *limits, ka_timer_mode *out)
{
    ka_timer_mode mode = {count_of(h, s), quantile_of(h, s, 10), quantile_of(h, s, 50), quantile_of(h, s, 90),
                          0};
    if (mode.count < (uint64_t)limits->mismatch_count ||
        mode.p90_ns - mode.p10_ns > coarse_ns(mode.median_ns, limits->mismatch_spread_ns))
        return false;
    *out = mode;
    return true;
}

/* The modes, and in places[] where they are; all closes as one where no part of them is one. */
static void find_modes(const ka_histogram *h, const ka_thresholds *limits, ka_inferred *out,
                       stretch places[KA_TIMER_MODES_MAX])
{
    stretch all = {0, h->bucket_count};
    for (stretch s = {0, 0}; s.to < h->bucket_count && out->mode_count < KA_TIMER_MODES_MAX;) {
        s = next_stretch(h, s.to);
        if (is_mode(h, s, limits, &out->modes[out->mode_count]))
            places[out->mode_count++] = s;
    }
    if (out->mode_count == 0 && is_mode(h, all, limits, &out->modes[0]))
        places[out->mode_count++] = all;
}

/* ---- Kaplan and Meier's estimate of how long idle connections would be left open ---- */

/* What is left of `sure` when `ended` of `at_risk` end. */
static uint64_t survivors(uint64_t sure, uint64_t at_risk, uint64_t ended)
{
    while (at_risk > UINT32_MAX) { /* so that the product fits */
        at_risk = at_risk / 2 + 1;
        ended /= 2;
    }
    return sure * (at_risk - ended) / at_risk;
}

static void estimate(const ka_lasting *l, ka_inferred *out, const stretch *places)
{
    const ka_histogram *h = &l->closed;
    uint64_t sure = SURE, left = ka_histogram_count(h), lost[KA_TIMER_MODES_MAX] = {0};
    uint64_t censored = ka_histogram_count(&l->lasted);
    uint32_t at = 0;
    for (uint32_t i = 0; i < h->bucket_count; i++) {
        int64_t idle_ns = ka_histogram_value(h, i);
        uint64_t before = sure;
        censored -= ka_histogram_pass(&l->lasted, idle_ns, &at);
        sure = survivors(sure, left + censored, h->buckets[i].count);
        left -= h->buckets[i].count;
        for (unsigned m = 0; m < out->mode_count; m++)
            lost[m] += i >= places[m].from && i < places[m].to ? before - sure : 0;
        if (out->any_p10_ns == KA_NONE && sure <= SURE / 10 * 9)
            out->any_p10_ns = idle_ns;
        if (out->any_median_ns == KA_NONE && sure <= SURE / 2)
            out->any_median_ns = idle_ns;
    }
    for (unsigned m = 0; m < out->mode_count; m++)
        out->modes[m].share_permille = (uint32_t)((lost[m] * 1000 + SURE / 2) / SURE);
}

/* ---- */

/* A longer idle time worked than the shortest that was closed, and by more than the timer is coarse. */
static bool is_inverted(const ka_lasting *l, const ka_inferred *t, const stretch *places,
                        const ka_thresholds *limits)
{
    if (t->longest_worked_ns == KA_NONE)
        return false;
    int64_t range_ns = 0;
    if (t->mode_count > 0)
        range_ns =
            ka_histogram_value(&l->closed, places[0].to - 1) - ka_histogram_value(&l->closed, places[0].from);
    int64_t allowed_ns = ka_smaller(ka_larger(limits->early_tolerance_ns, range_ns * RANGES_ALLOWED),
                                    coarse_ns(t->shortest_closed_ns, limits->mismatch_spread_ns));
    return t->longest_worked_ns - t->shortest_closed_ns > allowed_ns;
}

static ka_timer_kind kind_of(const ka_inferred *t)
{
    if (t->mode_count > 1)
        return KA_TIMER_SEVERAL;
    bool one = t->mode_count == 1 && !t->inverted && t->modes[0].count * 100 >= t->closes * FIXED_PERCENT;
    return one ? KA_TIMER_FIXED : KA_TIMER_VARIED;
}

/* The first product whose default the closes do not precede, and exceed by its slack at most. */
static const char *hint_for(ka_side side, const ka_timer_mode *mode)
{
    static const struct {
        ka_side side;
        int64_t closes_s;
        int64_t slack_ms;
        const char *products;
    } hints[] = {
#define KA_TIMER_HINT(side, closes_s, slack_ms, products) {side, closes_s, slack_ms, products},
#include "timer_hints.def"
    };
    int64_t early_ns = 50 * KA_MILLISECOND_NS;
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        int64_t closes_ns = hints[i].closes_s * KA_SECOND_NS;
        if (hints[i].side == side && mode->p10_ns >= closes_ns - early_ns &&
            mode->p90_ns <= closes_ns + hints[i].slack_ms * KA_MILLISECOND_NS)
            return hints[i].products;
    }
    return NULL;
}

void ka_infer(const ka_lasting *l, ka_side side, const ka_thresholds *limits, ka_inferred *out)
{
    stretch places[KA_TIMER_MODES_MAX];
    ka_inferred t = {.kind = KA_TIMER_NONE,
                     .closes = ka_histogram_count(&l->closed),
                     .moments = l->moments,
                     .lasted = ka_histogram_count(&l->lasted),
                     .longest_worked_ns = l->longest_worked_ns,
                     .shortest_closed_ns = l->closed.smallest,
                     .p10_ns = KA_NONE,
                     .median_ns = KA_NONE,
                     .any_p10_ns = KA_NONE,
                     .any_median_ns = KA_NONE};
    if (t.closes > 0)
        t.kind = KA_TIMER_FEW;
    if (t.closes > 0 && t.closes >= (uint64_t)limits->mismatch_count) {
        find_modes(&l->closed, limits, &t, places);
        estimate(l, &t, places);
        t.inverted = is_inverted(l, &t, places, limits);
        t.kind = kind_of(&t);
    }
    if (t.kind == KA_TIMER_FIXED) {
        t.p10_ns = t.modes[0].p10_ns;
        t.median_ns = t.modes[0].median_ns;
        t.hint = hint_for(side, &t.modes[0]);
    }
    *out = t;
}

int64_t ka_inferred_contract_ns(const ka_inferred *t)
{
    return t->kind == KA_TIMER_FIXED || t->kind == KA_TIMER_SEVERAL ? t->modes[0].p10_ns : KA_NONE;
}
