/* deadline.c - after how long idle a server closes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "deadline.h"

#include <stdlib.h>

/* A gap that worked, and the closes of a server that keeps to what it advertises, may be later than the timer
 * by this: the server's clock starts a little later than the response is seen to end, and timers are coarse.
 */
#define SLACK_NS (100 * KA_MILLISECOND_NS)

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void look_at(const what_if_connection *c, what_if_deadline *out)
{
    uint32_t served = c->gap_count - (c->loss != WHAT_IF_LOSS_NONE ? 1 : 0);
    for (uint32_t i = 0; i < served; i++) {
        if (c->gaps[i].idle_ns > out->longest_used_ns)
            out->longest_used_ns = c->gaps[i].idle_ns; /* KA_NONE is less than any */
    }
    if (c->timeout_s != KA_NONE)
        out->advertised_s = c->timeout_s;
}

/* The core calls a promise kept, too, that is more than kept: clients can rely on it. Here it matters when
 * the server does close. */
what_if_timer what_if_timer_of(const ka_endpoint_record *record)
{
    const ka_inferred *inferred = &record->server_timer;
    const ka_recommended *recommended = &record->recommended;
    if (inferred->kind != KA_TIMER_FIXED)
        return (what_if_timer){KA_NONE, WHAT_IF_BASIS_NONE, 0};
    if (recommended->pool_by_advert && inferred->p10_ns <= recommended->pool_base_ns + SLACK_NS)
        return (what_if_timer){recommended->pool_base_ns, WHAT_IF_BASIS_ADVERTISED, inferred->closes};
    return (what_if_timer){inferred->p10_ns, WHAT_IF_BASIS_CLOSES, inferred->closes};
}

static void take(const what_if_timer *timer, what_if_deadline *out)
{
    out->idle_ns = timer->idle_ns;
    out->basis = timer->basis;
    out->closes = timer->closes;
}

/* Without the core's word. What is surely not later than when it closes: its shortest idle closes tell, the
 * tenth part of them being taken for something else. Below ten that is the shortest. A longer gap that worked
 * contradicts a timer. */
static void infer(int64_t *idle_ns, what_if_deadline *out)
{
    if (out->closes > 0) {
        qsort(idle_ns, out->closes, sizeof *idle_ns, compare);
        int64_t tenth_ns = idle_ns[(out->closes - 1) / 10];
        if (out->longest_used_ns <= tenth_ns + SLACK_NS) {
            out->idle_ns = tenth_ns;
            out->basis = WHAT_IF_BASIS_CLOSES;
        }
    } else if (out->advertised_s != KA_NONE &&
               out->longest_used_ns <= out->advertised_s * KA_SECOND_NS + SLACK_NS) {
        out->idle_ns = out->advertised_s * KA_SECOND_NS;
        out->basis = WHAT_IF_BASIS_ADVERTISED;
    }
}

bool what_if_deadline_of(const what_if_connection *connections, size_t count, const what_if_timer *timer,
                         const ka_allocator *allocator, what_if_deadline *out)
{
    what_if_deadline found = {KA_NONE, WHAT_IF_BASIS_NONE, 0, KA_NONE, KA_NONE};
    int64_t *idle_ns = allocator->resize(allocator->user, NULL, count * sizeof *idle_ns);
    if (!idle_ns)
        return false;
    for (size_t i = 0; i < count; i++) {
        const what_if_connection *c = &connections[i];
        look_at(c, &found);
        if (c->end == WHAT_IF_END_BY_SERVER && c->idle_ns != KA_NONE)
            idle_ns[found.closes++] = c->idle_ns;
    }
    if (timer->idle_ns != KA_NONE)
        take(timer, &found);
    else
        infer(idle_ns, &found);
    allocator->resize(allocator->user, idle_ns, 0);
    *out = found;
    return true;
}

const char *what_if_basis_name(what_if_basis basis)
{
    static const char *const names[] = {NULL, "closes", "advertised"};
    return names[basis];
}
