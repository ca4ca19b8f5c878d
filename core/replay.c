/* replay.c - linking requests of captures whose clocks disagree.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "replay.h"

#include <string.h>

#include "memory.h"
#include "sort.h"

/* One of the things that happen to a leg. */
typedef enum event_kind { ASKED, ANSWERED, CLOSED } event_kind;

typedef struct event {
    int64_t at_ns;
    uint64_t frame;
    uint32_t slot;
    event_kind kind;
} event;

typedef struct replay {
    ka_links *links;
    const ka_allocator *allocator;
    uint32_t *order; /* slots of unlinked legs, by what they look like */
    uint32_t count;
    ka_clock_bounds *samples;
    uint32_t sample_count;
    uint16_t from, to; /* interfaces: whose clock is right, and whose is looked at */
} replay;

static bool is_unlinked(const ka_leg *leg)
{
    return leg->serial != 0 && leg->downstream == 0 && leg->attempts == 0;
}

/* ---- How far the clocks are apart ---- */

static uint64_t look_of(const ka_leg *leg)
{
    return leg->like.id != 0 ? leg->like.id : leg->like.key;
}

static bool looks_less(const void *user, uint32_t a, uint32_t b)
{
    const ka_leg *ring = user;
    uint64_t x = look_of(&ring[a]), y = look_of(&ring[b]);
    return x != y ? x < y : ring[a].request.frame < ring[b].request.frame;
}

static int64_t took_ns(const ka_leg *leg)
{
    return leg->response.time_ns - leg->request_end.time_ns;
}

/* The one that took longer is the client's. */
static void sample_pair(replay *r, const ka_leg *a, const ka_leg *b)
{
    bool forward = a->interface == r->from && b->interface == r->to;
    if (!forward && !(a->interface == r->to && b->interface == r->from))
        return;
    if (a->status == 0 || a->status != b->status || a->like.host == 0 || r->sample_count == KA_CLOCK_SAMPLES)
        return;
    const ka_leg *down = took_ns(a) >= took_ns(b) ? a : b, *up = down == a ? b : a;
    ka_clock_bounds bounds = {.at_ns = down->request.time_ns};
    bounds.most_ns = up->request.time_ns - down->request_end.time_ns;
    bounds.least_ns = up->response.time_ns - down->response.time_ns;
    if (down->interface == r->to) { /* the other way round */
        int64_t most_ns = -bounds.least_ns;
        bounds.least_ns = -bounds.most_ns;
        bounds.most_ns = most_ns;
        bounds.at_ns = up->request.time_ns;
    }
    r->samples[r->sample_count++] = bounds;
}

/* Those that look like one other, of the other interface, and no more. */
static void sample_all(replay *r)
{
    const ka_leg *ring = r->links->legs.ring;
    r->sample_count = 0;
    for (uint32_t i = 0, end; i < r->count; i = end) {
        uint64_t look = look_of(&ring[r->order[i]]);
        for (end = i + 1; end < r->count && look_of(&ring[r->order[end]]) == look;)
            end++;
        if (end - i == 2)
            sample_pair(r, &ring[r->order[i]], &ring[r->order[i + 1]]);
    }
}

static void shift(ka_moment *at, const ka_clock *clock)
{
    if (at->frame != 0)
        at->time_ns -= ka_clock_ahead_ns(clock, at->time_ns);
}

static void set_right(replay *r, const ka_clock *clock)
{
    for (uint32_t i = 0; i < r->links->legs.room; i++) {
        ka_leg *leg = &r->links->legs.ring[i];
        if (leg->serial == 0 || leg->interface != r->to)
            continue;
        leg->offset_ns = ka_clock_ahead_ns(clock, leg->request.time_ns);
        leg->drift_ppb = clock->drift_ppb;
        ka_moment *moments[] = {&leg->request,      &leg->request_end, &leg->response,
                                &leg->response_end, &leg->closed,      &leg->unhappy.since};
        for (size_t k = 0; k < sizeof moments / sizeof moments[0]; k++)
            shift(moments[k], clock);
    }
}

/* ---- Once more, in the right order ---- */

static bool happens_before(const void *user, uint32_t a, uint32_t b)
{
    const event *events = user;
    const event *x = &events[a], *y = &events[b];
    if (x->at_ns != y->at_ns)
        return x->at_ns < y->at_ns;
    return x->frame != y->frame ? x->frame < y->frame : x->kind < y->kind;
}

static uint32_t events_of(const replay *r, event *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const ka_leg *leg = &r->links->legs.ring[r->order[i]];
        const ka_moment at[] = {leg->request_end, leg->status != 0 ? leg->response_end : (ka_moment){0, 0},
                                leg->closed};
        for (unsigned kind = ASKED; kind <= CLOSED; kind++) {
            if (at[kind].frame != 0)
                out[count++] = (event){at[kind].time_ns, at[kind].frame, r->order[i], (event_kind)kind};
        }
    }
    return count;
}

static void hide_outcome(ka_leg *leg)
{
    leg->status = 0;
    leg->response = leg->response_end = leg->closed = (ka_moment){0, 0};
    leg->waits = false;
}

static ka_status happen(ka_links *ls, const event *e, const ka_leg *known)
{
    ka_leg *leg = &ls->legs.ring[e->slot];
    switch (e->kind) {
    case ASKED:
        ka_links_request(ls, leg);
        return KA_OK;
    case ANSWERED:
        leg->status = known->status;
        leg->response = known->response;
        leg->response_end = known->response_end;
        return ka_links_answered(ls, leg);
    default:
        leg->closed = known->closed;
        return leg->status == 0 ? ka_links_closed(ls, leg) : KA_OK;
    }
}

static ka_status play(replay *r, const event *events, uint32_t *order, uint32_t count, const ka_leg *known)
{
    ka_status status = KA_OK;
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    ka_sort(order, count, happens_before, events);
    for (uint32_t i = 0; i < r->count; i++)
        hide_outcome(&r->links->legs.ring[r->order[i]]);
    for (uint32_t i = 0; i < count && status == KA_OK; i++)
        status = happen(r->links, &events[order[i]], &known[events[order[i]].slot]);
    return status;
}

static ka_status link_again(replay *r)
{
    ka_legs *legs = &r->links->legs;
    event *events = ka_memory_take(r->allocator, 3 * (size_t)r->count * sizeof *events);
    uint32_t *order = ka_memory_take(r->allocator, 3 * (size_t)r->count * sizeof *order);
    ka_leg *known = ka_memory_take(r->allocator, legs->room * sizeof *known);
    ka_status status = events != NULL && order != NULL && known != NULL ? KA_OK : KA_NO_MEMORY;
    for (unsigned by = 0; by < KA_CHAINS && status == KA_OK; by++) {
        legs->chains[by] = ka_memory_take(r->allocator, legs->room * sizeof(uint32_t));
        status = legs->chains[by] != NULL ? KA_OK : KA_NO_MEMORY;
    }
    if (status == KA_OK) {
        memcpy(known, legs->ring, legs->room * sizeof *known);
        status = play(r, events, order, events_of(r, events), known);
    }
    ka_memory_give(r->allocator, events);
    ka_memory_give(r->allocator, order);
    ka_memory_give(r->allocator, known);
    return status;
}

/* Interfaces beyond the first few are not compared: captures of more hosts than that are rare. */
enum { INTERFACES_MAX = 8 };

static bool correct_clocks(replay *r)
{
    bool any = false;
    for (r->to = 1; r->to < INTERFACES_MAX; r->to++) {
        r->from = 0;
        sample_all(r);
        ka_clock clock = ka_clock_fit(r->samples, r->sample_count);
        if (!clock.known)
            continue;
        set_right(r, &clock);
        any = true;
    }
    return any;
}

ka_status ka_links_replay(ka_links *ls)
{
    replay r = {.links = ls, .allocator = ls->allocator};
    if (!ls->several || ls->legs.ring == NULL)
        return KA_OK;
    r.order = ka_memory_take(r.allocator, ls->legs.room * sizeof *r.order);
    r.samples = ka_memory_take(r.allocator, KA_CLOCK_SAMPLES * sizeof *r.samples);
    ka_status status = r.order != NULL && r.samples != NULL ? KA_OK : KA_NO_MEMORY;
    if (status == KA_OK) {
        ka_links_forget_guesses(ls);
        for (uint32_t i = 0; i < ls->legs.room; i++) {
            if (is_unlinked(&ls->legs.ring[i]))
                r.order[r.count++] = i;
        }
        ka_sort(r.order, r.count, looks_less, ls->legs.ring);
        if (r.count > 0 && correct_clocks(&r))
            status = link_again(&r);
    }
    ka_memory_give(r.allocator, r.order);
    ka_memory_give(r.allocator, r.samples);
    return status;
}
