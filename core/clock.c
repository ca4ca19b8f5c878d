/* clock.c - how far the clocks of two captures are apart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "clock.h"

#include "order.h"

/* Two exchanges may look alike by chance; three that are, and agree, do not. */
enum { SAMPLES_LEAST = 3, AGREE_PERCENT = 60 };
/* Quartz clocks drift by less, virtual ones without correction by some hundred. */
enum { DRIFT_MAX_PPM = 1000 };
/* Exchanges on one host of which one was captured a little late. */
#define SLACK_NS (2 * KA_MILLISECOND_NS)
/* Shorter captures show no drift: the ways there and back vary more. */
#define DRIFT_SPAN_NS (10 * KA_SECOND_NS)

static int64_t middle(const ka_clock_bounds *b)
{
    return b->least_ns + (b->most_ns - b->least_ns) / 2;
}

int64_t ka_clock_ahead_ns(const ka_clock *c, int64_t shown_ns)
{
    return c->offset_ns +
           (int64_t)((double)(shown_ns - c->offset_ns - c->since_ns) * (double)c->drift_ppb / 1e9);
}

/* Whether the bounds hold the clock's offset, `more_ns` wider on both sides. */
static bool agrees(const ka_clock *c, const ka_clock_bounds *b, int64_t more_ns)
{
    int64_t ahead_ns =
        c->offset_ns + (int64_t)((double)(b->at_ns - c->since_ns) * (double)c->drift_ppb / 1e9);
    return ahead_ns >= b->least_ns - more_ns && ahead_ns <= b->most_ns + more_ns;
}

static uint32_t count_agreeing(const ka_clock *c, const ka_clock_bounds *samples, uint32_t count,
                               int64_t more_ns)
{
    uint32_t agreeing = 0;
    for (uint32_t i = 0; i < count; i++)
        agreeing += agrees(c, &samples[i], more_ns) ? 1 : 0;
    return agreeing;
}

/* The middle of that sample which most others agree with. */
static ka_clock best_middle(const ka_clock_bounds *samples, uint32_t count, int64_t more_ns)
{
    ka_clock best = {.since_ns = samples[0].at_ns};
    for (uint32_t i = 0; i < count; i++) {
        ka_clock tried = {.since_ns = samples[0].at_ns, .offset_ns = middle(&samples[i])};
        tried.samples = count_agreeing(&tried, samples, count, more_ns);
        if (tried.samples > best.samples)
            best = tried;
    }
    return best;
}

/* A line through one of the edges of the bounds, by least squares, in seconds: how steep, and how far the
 * edges lie off it. */
typedef struct line {
    double drift;
    double scatter; /* mean square */
} line;

static double edge_of(const ka_clock *c, const ka_clock_bounds *b, bool least)
{
    return (double)((least ? b->least_ns : b->most_ns) - c->offset_ns) / 1e9;
}

static line fit_edge(const ka_clock *c, const ka_clock_bounds *samples, uint32_t count, int64_t more_ns,
                     bool least)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!agrees(c, &samples[i], more_ns))
            continue;
        double t = (double)(samples[i].at_ns - c->since_ns) / 1e9, e = edge_of(c, &samples[i], least);
        n += 1, x += t, y += e, xx += t * t, xy += t * e, yy += e * e;
    }
    double spread = n * xx - x * x, common = n * xy - x * y;
    line out = {spread > 0 ? common / spread : 0, 0};
    out.scatter = n > 0 ? (n * yy - y * y - out.drift * common) / (n * n) : 0;
    return out;
}

/* One of the ways may take longer now and then, as where a connection has to be opened first: the edge that
 * lies nearer to a line tells the drift. */
static double drift_of(const ka_clock *c, const ka_clock_bounds *samples, uint32_t count, int64_t more_ns)
{
    line least = fit_edge(c, samples, count, more_ns, true),
         most = fit_edge(c, samples, count, more_ns, false);
    double drift = least.scatter <= most.scatter ? least.drift : most.drift;
    return drift > DRIFT_MAX_PPM / 1e6 || drift < -DRIFT_MAX_PPM / 1e6 ? 0 : drift;
}

/* With that drift taken off all bounds hold one number: in the middle of what is left. */
static ka_clock fit_offset(const ka_clock *before, double drift, const ka_clock_bounds *samples,
                           uint32_t count, int64_t more_ns)
{
    int64_t least_ns = INT64_MIN / 2, most_ns = INT64_MAX / 2;
    ka_clock out = *before;
    out.drift_ppb = (int64_t)(drift * 1e9);
    for (uint32_t i = 0; i < count; i++) {
        const ka_clock_bounds *b = &samples[i];
        int64_t gained_ns = (int64_t)((double)(b->at_ns - before->since_ns) * drift);
        if (!agrees(before, b, more_ns))
            continue;
        least_ns = ka_larger(b->least_ns - gained_ns, least_ns);
        most_ns = b->most_ns - gained_ns < most_ns ? b->most_ns - gained_ns : most_ns;
    }
    out.offset_ns = least_ns + (most_ns - least_ns) / 2;
    out.samples = count_agreeing(&out, samples, count, SLACK_NS);
    return out;
}

ka_clock ka_clock_fit(ka_clock_bounds *samples, uint32_t count)
{
    if (count < SAMPLES_LEAST)
        return (ka_clock){.known = false};
    int64_t first_ns = samples[0].at_ns, last_ns = samples[0].at_ns;
    for (uint32_t i = 1; i < count; i++) {
        first_ns = samples[i].at_ns < first_ns ? samples[i].at_ns : first_ns;
        last_ns = ka_larger(samples[i].at_ns, last_ns);
    }
    bool drifts = last_ns - first_ns >= DRIFT_SPAN_NS;
    int64_t more_ns = SLACK_NS + (drifts ? (last_ns - first_ns) / 1000000 * DRIFT_MAX_PPM / 2 : 0);
    ka_clock best = best_middle(samples, count, more_ns);
    if (best.samples >= SAMPLES_LEAST) {
        double drift = drifts ? drift_of(&best, samples, count, more_ns) : 0;
        best = fit_offset(&best, drift, samples, count, more_ns);
    }
    best.known = best.samples >= SAMPLES_LEAST && best.samples * 100 >= count * AGREE_PERCENT;
    return best;
}
