/* budget.h - how the memory of a run is shared out, and what is done when it is short.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Everything that grows with what packets say is allocated here: flows, connections, parsers, bytes out of
 * order, fragments, ledgers, the report. What reads files is not: it grows with none of that, and has limits
 * of its own.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include "blocks.h"
#include "memory.h"
#include "stream/stream.h"

typedef struct budget {
    memory_share whole;
    memory_share
        ledgers; /* of servers and clients: they stay for good, so they have a share that is theirs */
    ka_allocator heap;
    blocks small; /* of the audit */
    stream_limits limits;
    uint64_t high_bytes; /* beyond it connections are given up, */
    uint64_t low_bytes;  /* until so little is in use */
} budget;

/* Must stay where it is until budget_fini, when all that came from it was given back. */
void budget_init(budget *self, uint64_t limit_bytes);
void budget_fini(budget *self);

/* To be asked between two packets. */
static inline bool budget_is_short(const budget *self)
{
    return self->whole.used_bytes > self->high_bytes;
}

/* Gives up those connections that were silent for longest. */
void budget_relieve(budget *self, stream_table *streams);

#endif
