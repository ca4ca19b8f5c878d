/* budget.c - how the memory of a run is shared out, and what is done when it is short.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "budget.h"

/* What does not depend on connections: IP fragments (16 MiB), paths (13 MiB if all there can be are as long
 * as they can be), pairs of connections through proxies (30 MB), and the parts of tables that are not in use
 * yet (4 MiB of flows, as much of connections). It leaves room for all of them below LOW; but of a small
 * limit no more than five eighths, for few captures have any of it. */
#define FIXED_BYTES (INT64_C(64) << 20)

/* Measured by the benchmark: an idle connection, and one that is only known by its addresses. Memory of
 * either is used again, but not given back. */
enum { CONNECTION_BYTES = 600, TOMBSTONE_BYTES = 176 };

/* Shares of the rest, in 64ths. The default has room for a million connections. What is not shared out is for
 * what busy connections need, and for a copy of the ledgers, which the report at the end makes. */
enum { CONNECTION_SHARE = 40, TOMBSTONE_SHARE = 6, LEDGER_SHARE = 6, BUFFER_SHARE = 4, SHARES = 64 };

/* In 64ths of all. Between them: what a relief gives up at a time. Above: what one packet can add, and that
 * copy. Below there is room for all that stays, with every share used up. */
enum { HIGH = 54, LOW = 53 };

/* In 64ths of all. With what-if, what it keeps for the end, and what it takes there: of each gap kept, 32
 * bytes, another 40 and a place in a list to find what else was idle, and the copy the C library sorts in. */
enum { WHAT_IF_SHARE = 24, WHAT_IF_PARTS = 3 };

/* In 64ths of all. A window of 128 MiB with 1 GiB, and as much for others; with 64 MiB, those of xz -6 and
 * zstd -19. It is taken from what is kept free above HIGH; then connections make room again. */
enum { READING_SHARE = 16 };

static uint64_t share_of(uint64_t bytes, unsigned share)
{
    return bytes / SHARES * share;
}

static uint32_t at_most(uint32_t most, uint64_t count)
{
    return count < most ? (uint32_t)count : most;
}

static void set_limits(budget *self, uint64_t rest_bytes)
{
    stream_limits *limits = &self->limits;
    *limits = stream_limits_default;
    uint64_t buffer_bytes = share_of(rest_bytes, BUFFER_SHARE);
    if (buffer_bytes < limits->total_bytes)
        limits->total_bytes = (size_t)buffer_bytes;
    if (buffer_bytes < limits->hpack_bytes)
        limits->hpack_bytes = (size_t)buffer_bytes;
    /* The numbers of streams end there, too. */
    limits->connections = at_most(INT32_MAX / 4, share_of(rest_bytes, CONNECTION_SHARE) / CONNECTION_BYTES);
    limits->tombstones = at_most(limits->tombstones, share_of(rest_bytes, TOMBSTONE_SHARE) / TOMBSTONE_BYTES);
}

void budget_init(budget *self, uint64_t limit_bytes, bool asks_what_if)
{
    uint64_t what_if_bytes = asks_what_if ? share_of(limit_bytes, WHAT_IF_SHARE) : 0;
    self->what_if = (memory_share){.limit_bytes = what_if_bytes};
    self->history = (memory_share){.whole = &self->what_if, .limit_bytes = what_if_bytes / WHAT_IF_PARTS};
    limit_bytes -= what_if_bytes;
    uint64_t most_bytes = limit_bytes / 8 * 5;
    uint64_t rest_bytes = limit_bytes - (most_bytes < FIXED_BYTES ? most_bytes : FIXED_BYTES);
    self->whole = (memory_share){.limit_bytes = limit_bytes};
    self->ledgers = (memory_share){.whole = &self->whole, .limit_bytes = share_of(rest_bytes, LEDGER_SHARE)};
    self->reading =
        (memory_share){.whole = &self->whole, .limit_bytes = share_of(limit_bytes, READING_SHARE)};
    self->heap = memory_allocator(&self->whole);
    blocks_init(&self->small, &self->heap);
    self->high_bytes = share_of(limit_bytes, HIGH);
    self->low_bytes = share_of(limit_bytes, LOW);
    set_limits(self, rest_bytes);
}

void budget_fini(budget *self)
{
    blocks_fini(&self->small);
}

/* Blocks that were given back serve again, so they do not count. */
static uint64_t in_use(const budget *self)
{
    return self->whole.used_bytes - self->small.free_bytes;
}

static bool evict_half(stream_table *streams)
{
    uint32_t before = stream_open_count(streams);
    for (uint32_t i = 0; i < (before + 1) / 2 && stream_evict(streams); i++)
        ;
    return stream_open_count(streams) < before;
}

/* What was given up lies scattered among what was not, and a slab goes back only when all of it is free. So
 * when the first step does not help, half of all goes, and half of the rest: an end that is always reached.
 */
void budget_relieve(budget *self, stream_table *streams)
{
    while (in_use(self) > self->low_bytes && stream_evict(streams))
        ;
    blocks_reclaim(&self->small);
    while (budget_is_short(self) && evict_half(streams))
        blocks_reclaim(&self->small);
    if (budget_is_short(self)) /* no connection is to blame; looking again would only take time */
        self->high_bytes = self->whole.limit_bytes;
}
