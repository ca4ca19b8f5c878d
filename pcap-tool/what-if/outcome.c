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
    bench->uses = take(allocator, room, sizeof *bench->uses);
    bench->races = take(allocator, room, sizeof *bench->races);
    bench->opened_ns = take(allocator, room, sizeof *bench->opened_ns);
    bench->heap = take(allocator, room, sizeof *bench->heap);
    return bench->uses && bench->races && bench->opened_ns && bench->heap;
}

void what_if_bench_fini(what_if_bench *bench)
{
    give(bench->allocator, bench->uses);
    give(bench->allocator, bench->races);
    give(bench->allocator, bench->opened_ns);
    give(bench->allocator, bench->heap);
}

static void add_span(what_if_span *spans, size_t *count, what_if_span span)
{
    if (span.until_ns > span.from_ns)
        spans[(*count)++] = span;
}

static uint64_t longest_ms(const what_if_spare *spare)
{
    int64_t until_ns =
        spare->use.until_ns > spare->race.until_ns ? spare->use.until_ns : spare->race.until_ns;
    return (uint64_t)(until_ns - spare->use.from_ns) / (uint64_t)KA_MILLISECOND_NS;
}

/* One client's: only its own openings can use what it kept. */
static void replay_client(const what_if_connection *connections, size_t count, const what_if_ground *ground,
                          what_if_bench *bench, what_if_tally *tally, what_if_outcome *out)
{
    size_t uses = 0, races = 0, openings = 0;
    for (size_t i = 0; i < count; i++) {
        what_if_spare spare;
        if (connections[i].opened_seen)
            bench->opened_ns[openings++] = connections[i].opened_ns;
        if (!what_if_replay(&connections[i], &out->setting, ground, tally, &spare))
            continue;
        add_span(bench->uses, &uses, spare.use);
        add_span(bench->races, &races, spare.race);
        out->open_ms.most += longest_ms(&spare);
    }
    /* For the caller to turn round: those need not have been opened. */
    out->connections.most += what_if_match(bench->uses, uses, bench->opened_ns, openings, bench->heap);
    out->lost.most += what_if_match(bench->races, races, bench->opened_ns, openings, bench->heap);
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
    out.shareable = tally.shareable;
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
