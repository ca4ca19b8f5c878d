/* outcome.h - all connections of one server, replayed under one setting, and what that costs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WHAT_IF_OUTCOME_H
#define WHAT_IF_OUTCOME_H

#include "replay.h"

/* Where the two differ, what happened beyond the captured ends decides, which nobody knows. */
typedef struct what_if_bounds {
    uint64_t least;
    uint64_t most;
} what_if_bounds;

typedef struct what_if_outcome {
    what_if_setting setting;
    what_if_bounds lost;
    what_if_bounds connections;
    what_if_bounds open_ms;
    uint64_t shareable; /* see what_if_tally */
    uint64_t reused;
    uint64_t at_risk;
    double cost; /* of the upper bounds */
} what_if_outcome;

/* Memory for replaying, reused for every setting. */
typedef struct what_if_bench {
    const ka_allocator *allocator;
    what_if_span *uses;
    what_if_span *races;
    int64_t *opened_ns;
    uint32_t *heap;
} what_if_bench;

/* Room for that many connections of one client. False when memory runs out; fini is due in any case. */
bool what_if_bench_init(what_if_bench *bench, const ka_allocator *allocator, size_t connections);
void what_if_bench_fini(what_if_bench *bench);

/* `connections` are those of one server, as history sorts them. */
what_if_outcome what_if_outcome_of(const what_if_connection *connections, size_t count,
                                   const what_if_setting *setting, const what_if_ground *ground,
                                   what_if_bench *bench);

/* A reuse within the margin of the deadline is lost when a round trip more or less decides: in that share of
 * cases, timers and think times being what they are. */
double what_if_cost(const what_if_outcome *outcome, const what_if_price *price, int64_t rtt_ns,
                    int64_t margin_ns);

/* The index of the cheapest; of several the first. */
size_t what_if_best(const what_if_outcome *outcomes, size_t count);

#endif
