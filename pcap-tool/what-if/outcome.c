/* outcome.c - all connections of one server, replayed under one setting.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "outcome.h"

static void *take(const ka_allocator *allocator, size_t count, size_t each_bytes)
{
    return allocator->resize(allocator->user, NULL, count * each_bytes);
}

static void give(const ka_allocator *allocator, void *memory)
{
    if (memory)
        allocator->resize(allocator->user, memory, 0);
}

bool what_if_bench_init(what_if_bench *bench, const ka_allocator *allocator, size_t connections)
{
    size_t room = connections > 0 ? connections : 1;
    bench->allocator = allocator;
    bench->spares = take(allocator, room, sizeof *bench->spares);
    bench->opened_ns = take(allocator, room, sizeof *bench->opened_ns);
    bench->heap = take(allocator, room, sizeof *bench->heap);
    return bench->spares && bench->opened_ns && bench->heap;
}

void what_if_bench_fini(what_if_bench *bench)
{
    give(bench->allocator, bench->spares);
    give(bench->allocator, bench->opened_ns);
    give(bench->allocator, bench->heap);
}

/* One client's: only its own openings can use what it kept. */
static void replay_client(const what_if_connection *connections, size_t count, const what_if_ground *ground,
                          what_if_bench *bench, what_if_tally *tally, what_if_outcome *out)
{
    size_t spares = 0, openings = 0;
    for (size_t i = 0; i < count; i++) {
        what_if_spare *spare = &bench->spares[spares];
        if (connections[i].opened_seen)
            bench->opened_ns[openings++] = connections[i].opened_ns;
        if (!what_if_replay(&connections[i], &out->setting, ground, tally, spare))
            continue;
        out->open_ms.most += (uint64_t)(spare->until_ns - spare->from_ns) / (uint64_t)KA_MILLISECOND_NS;
        spares++;
    }
    what_if_matched matched = what_if_match(bench->spares, spares, bench->opened_ns, openings, bench->heap);
    out->connections.most += matched.reused; /* for the caller to turn round */
    out->lost.most += matched.lost;
}

static size_t end_of_client(const what_if_connection *connections, size_t count, size_t first)
{
    size_t end = first + 1;
    while (end < count &&
           what_if_compare_addresses(&connections[end].client, &connections[first].client, true) == 0)
        end++;
    return end;
}

what_if_outcome what_if_outcome_of(const what_if_connection *connections, size_t count,
                                   const what_if_setting *setting, const what_if_ground *ground,
                                   what_if_bench *bench)
{
    what_if_outcome out = {.setting = *setting};
    what_if_tally tally = {0};
    for (size_t first = 0, end; first < count; first = end) {
        end = end_of_client(connections, count, first);
        replay_client(connections + first, end - first, ground, bench, &tally, &out);
    }
    out.connections = (what_if_bounds){tally.connections - out.connections.most, tally.connections};
    out.lost.least = tally.lost;
    out.lost.most += tally.lost;
    out.open_ms.least = (uint64_t)tally.open_us / 1000;
    out.open_ms.most += out.open_ms.least;
    out.reused = tally.reused;
    out.at_risk = tally.at_risk;
    return out;
}

double what_if_cost(const what_if_outcome *outcome, const what_if_price *price, int64_t rtt_ns,
                    int64_t margin_ns)
{
    double share = margin_ns > rtt_ns ? (double)rtt_ns / (double)margin_ns : 1;
    return price->lost * ((double)outcome->lost.most + share * (double)outcome->at_risk) +
           price->connection * (double)outcome->connections.most +
           price->open_second * (double)outcome->open_ms.most / 1000;
}

size_t what_if_best(const what_if_outcome *outcomes, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        if (outcomes[i].cost < outcomes[best].cost)
            best = i;
    }
    return best;
}
