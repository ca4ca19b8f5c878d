/* budget.h - how the memory of a run is shared out, and what is done when it is short.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Everything that grows with what packets and files say is allocated or counted here: flows, connections,
 * parsers, bytes out of order, fragments, ledgers, the report, what reading files takes, and what what-if
 * keeps.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include "blocks.h"
#include "memory.h"
#include "stream/stream.h"

typedef struct budget {
    memory_share whole; /* all but what-if's */
    memory_share
        ledgers; /* of servers and clients: they stay for good, so they have a share that is theirs */
    memory_share reading; /* files: windows of decoders, packets, interfaces; what does not fit is not read */
    memory_share what_if; /* beside the whole: it stays to the end, so there is nothing to give up for it */
    memory_share history; /* of what-if: what it keeps; the rest is for sorting and replaying that */
    ka_allocator heap;
    blocks small; /* of the audit */
    stream_limits limits;
    uint64_t high_bytes; /* beyond it connections are given up, */
    uint64_t low_bytes;  /* until so little is in use */
} budget;

/* Must stay where it is until budget_fini, when all that came from it was given back. */
void budget_init(budget *self, uint64_t limit_bytes, bool asks_what_if);
void budget_fini(budget *self);

/* To be asked between two packets. */
static inline bool budget_is_short(const budget *self)
{
    return self->whole.used_bytes > self->high_bytes;
}

/* Gives up those connections that were silent for longest. */
void budget_relieve(budget *self, stream_table *streams);

#endif
