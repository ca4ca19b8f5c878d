/* history.c - connections and their idle gaps as captured, kept until the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "history.h"

#include <stdlib.h>
#include <string.h>

/* Less than the fourth part of the first room is not worth growing for. */
enum { FIRST_ROOM = 1024, LEAST_PART = 4 };

void what_if_history_init(what_if_history *history, const ka_allocator *allocator)
{
    *history = (what_if_history){.allocator = allocator};
}

void what_if_history_fini(what_if_history *history)
{
    const ka_allocator *allocator = history->allocator;
    if (history->connections)
        allocator->resize(allocator->user, history->connections, 0);
    if (history->gaps)
        allocator->resize(allocator->user, history->gaps, 0);
    what_if_history_init(history, allocator);
}

/* Room for one more: twice as much, or as near to that as there is memory. False when that runs out. */
static bool reserve(const ka_allocator *allocator, void **array, size_t count, size_t *room,
                    size_t each_bytes)
{
    if (count < *room)
        return true;
    void *grown = NULL;
    for (size_t more = *room > 0 ? *room : FIRST_ROOM; !grown && more >= FIRST_ROOM / LEAST_PART; more /= 2) {
        grown = allocator->resize(allocator->user, *array, (*room + more) * each_bytes);
        if (grown)
            *room += more;
    }
    if (grown)
        *array = grown;
    return grown != NULL;
}

/* Saturated, with one number left above it. */
static uint32_t number_of(uint64_t count)
{
    return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX - 1;
}

void what_if_history_gap(what_if_history *history, const ka_gap_record *gap)
{
    void *array = history->gaps;
    if (history->full)
        return;
    if (!reserve(history->allocator, &array, history->gap_count, &history->gap_room, sizeof *history->gaps)) {
        history->full = true; /* a connection without all its gaps is worth nothing */
        return;
    }
    history->gaps = array;
    history->gaps[history->gap_count++] =
        (what_if_gap){gap->stream, number_of(gap->number), gap->idle_ns, gap->end_ns, KA_NONE};
}

static int64_t or_zero(int64_t duration_ns)
{
    return duration_ns == KA_NONE ? 0 : duration_ns;
}

static what_if_end end_of(const ka_record *record)
{
    if (record->close.by == KA_SIDE_NONE)
        return WHAT_IF_END_OPEN;
    bool by_server = record->close.by == KA_SIDE_SERVER;
    if (record->close.verdict == KA_VERDICT_ANNOUNCED)
        return by_server ? WHAT_IF_END_ANNOUNCED : WHAT_IF_END_OTHER;
    bool idle = record->close.idle_ns != KA_NONE && record->close.verdict != KA_VERDICT_BUSY &&
                record->close.verdict != KA_VERDICT_UNUSED;
    if (!idle || (record->failed_gates & KA_GATE_MASS_CLOSE))
        return WHAT_IF_END_OTHER;
    return by_server ? WHAT_IF_END_BY_SERVER : WHAT_IF_END_BY_CLIENT;
}

void what_if_history_connection(what_if_history *history, const ka_record *record)
{
    void *array = history->connections;
    history->newest_stored = false;
    if (strcmp(record->protocol, "none") == 0 || strcmp(record->protocol, "other") == 0)
        return;
    if (!history->full)
        history->full = !reserve(history->allocator, &array, history->connection_count,
                                 &history->connection_room, sizeof *history->connections);
    if (history->full) {
        history->left_out++;
        return;
    }
    history->connections = array;
    history->newest_stored = true;
    what_if_end end = end_of(record);
    history->connections[history->connection_count++] = (what_if_connection){
        .client = record->client,
        .server = record->server,
        .stream = record->stream,
        .requests = number_of(record->requests),
        .opened_ns = record->first.time_ns,
        .ended_ns = end == WHAT_IF_END_OPEN ? record->last.time_ns : record->close.at.time_ns,
        .idle_ns = end == WHAT_IF_END_OPEN ? record->idle_total_ns : record->close.idle_ns,
        .lost_ns = KA_NONE,
        .rtt_client_ns = or_zero(record->rtt_client_ns),
        .rtt_server_ns = or_zero(record->rtt_server_ns),
        .timeout_s = record->timeout_s,
        .end = (uint8_t)end,
        .opened_seen = !(record->failed_gates & KA_GATE_MID_START),
    };
}

static bool on_idle_timer(const ka_finding *finding)
{
    for (unsigned i = 0; i < finding->value_count; i++) {
        if (strcmp(finding->values[i].name, "on_idle_timer") == 0)
            return finding->values[i].number == 1;
    }
    return false;
}

static what_if_loss loss_of(const ka_finding *finding)
{
    switch (finding->id) {
    case KA_SERVER_CLOSED_IN_FLIGHT:
        return on_idle_timer(finding) ? WHAT_IF_LOSS_RACE : WHAT_IF_LOSS_NONE;
    case KA_KEEPALIVE_RACE:
        return WHAT_IF_LOSS_RACE;
    case KA_REUSE_AFTER_FIN:
    case KA_TLS_CLOSE_NOTIFY_IGNORED:
        return WHAT_IF_LOSS_STALE;
    case KA_SILENT_DROP:
    case KA_RESET_ON_FIRST_PACKET:
        return WHAT_IF_LOSS_MIDDLE;
    default:
        return WHAT_IF_LOSS_NONE;
    }
}

void what_if_history_finding(what_if_history *history, const ka_finding *finding)
{
    what_if_loss loss = loss_of(finding);
    if (!history->newest_stored || loss == WHAT_IF_LOSS_NONE || finding->severity <= KA_NOTE)
        return;
    what_if_connection *c = &history->connections[history->connection_count - 1];
    if (!finding->has_stream || finding->stream != c->stream)
        return;
    c->loss = (uint8_t)loss;
    for (unsigned i = 0; i < finding->frame_count; i++) {
        if (strcmp(finding->frames[i].role, "request") == 0)
            c->lost_ns = finding->frames[i].at.time_ns;
    }
}

/* ---- Sorting ---- */

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int what_if_compare_addresses(const ka_address *a, const ka_address *b, bool client)
{
    if (a->version != b->version)
        return a->version < b->version ? -1 : 1;
    int by_ip = memcmp(a->ip, b->ip, sizeof a->ip);
    return by_ip != 0 || client ? by_ip : (int)a->port - (int)b->port;
}

static int compare_gaps(const void *left, const void *right)
{
    const what_if_gap *a = left, *b = right;
    int by_stream = compare_numbers(a->stream, b->stream);
    return by_stream != 0 ? by_stream : compare_numbers(a->number, b->number);
}

static int compare_connections(const void *left, const void *right)
{
    const what_if_connection *a = left, *b = right;
    int order = what_if_compare_addresses(&a->server, &b->server, false);
    if (order == 0)
        order = what_if_compare_addresses(&a->client, &b->client, true);
    if (order == 0)
        order = compare_numbers(a->opened_ns, b->opened_ns);
    return order != 0 ? order : compare_numbers(a->stream, b->stream);
}

/* The first gap of that stream or a later one. */
static size_t first_gap(const what_if_history *history, uint32_t stream)
{
    size_t low = 0, high = history->gap_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (history->gaps[middle].stream < stream)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A request that was lost is the last one, behind the last gap; of one that was only begun no gap was told.
 */
static void check_loss(what_if_connection *c)
{
    if (c->gap_count == 0 || c->lost_ns == KA_NONE || c->gaps[c->gap_count - 1].number < c->requests) {
        c->loss = WHAT_IF_LOSS_NONE;
        c->lost_ns = KA_NONE;
    }
}

static void join(const what_if_history *history, what_if_connection *c, int64_t end_ns)
{
    size_t first = first_gap(history, c->stream), end = first;
    int64_t told_ns = 0;
    for (; end < history->gap_count && history->gaps[end].stream == c->stream; end++)
        told_ns += history->gaps[end].idle_ns;
    c->gaps = end > first ? history->gaps + first : NULL;
    c->gap_count = (uint32_t)(end - first);
    if (end > first && history->gaps[end - 1].number > c->requests)
        c->requests = history->gaps[end - 1].number;
    check_loss(c);
    if (c->end != WHAT_IF_END_OPEN)
        return;
    c->idle_ns = c->idle_ns > told_ns ? c->idle_ns - told_ns : KA_NONE; /* it was the sum of all gaps */
    if (c->ended_ns < end_ns)
        c->ended_ns = end_ns;
}

void what_if_history_finish(what_if_history *history, int64_t end_ns)
{
    if (history->gap_count > 0)
        qsort(history->gaps, history->gap_count, sizeof *history->gaps, compare_gaps);
    for (size_t i = 0; i < history->connection_count; i++)
        join(history, &history->connections[i], end_ns);
    if (history->connection_count > 0)
        qsort(history->connections, history->connection_count, sizeof *history->connections,
              compare_connections);
}
