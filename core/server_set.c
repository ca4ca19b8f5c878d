/* server_set.c - which servers stand for one another.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "server_set.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* By name, then by requests. */
static int compare(const void *left, const void *right)
{
    const ka_endpoint *a = *(const ka_endpoint *const *)left, *b = *(const ka_endpoint *const *)right;
    int order = strcmp(a->name, b->name);
    if (order != 0)
        return order;
    if (a->requests != b->requests)
        return a->requests < b->requests ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

/* For at least half of the time of the busiest one the other took part. */
static bool is_contemporary(const ka_endpoint *busiest, const ka_endpoint *other)
{
    int64_t from_ns = busiest->active.first.time_ns, to_ns = busiest->active.last.time_ns;
    int64_t span_ns = to_ns - from_ns;
    if (other->active.first.time_ns > from_ns)
        from_ns = other->active.first.time_ns;
    if (other->active.last.time_ns < to_ns)
        to_ns = other->active.last.time_ns;
    return to_ns - from_ns >= span_ns / 2;
}

/* Clients looked at to find one in common: pools are used by a few hosts. */
enum { CLIENTS_COMPARED = 16 };

/* A proxy before its origins has their name, but other clients. */
static bool shares_client(ka_endpoints *es, const ka_endpoint *busiest, const ka_endpoint *other)
{
    uint32_t next = busiest->first_client;
    for (int i = 0; next != 0 && i < CLIENTS_COMPARED; i++) {
        const ka_client *mine = &es->clients.at[next - 1];
        ka_address address = {.version = (uint8_t)mine->version};
        ka_client *found;
        memcpy(address.ip, mine->ip, sizeof address.ip);
        ka_clients_find(&es->clients, es->allocator, other->index, &address, false, &found, NULL);
        if (found != NULL)
            return true;
        next = mine->next;
    }
    return false;
}

/* `at` are all of one name, in order of requests. */
static ka_server_set set_of(ka_endpoints *es, const ka_endpoint **at, uint32_t count)
{
    const ka_endpoint *busiest = at[count - 1];
    uint32_t members = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (at[i] == busiest || (is_contemporary(busiest, at[i]) && shares_client(es, busiest, at[i])))
            at[members++] = at[i];
    }
    return (ka_server_set){members, at[members / 2]->requests};
}

ka_status ka_server_sets(ka_endpoints *es, ka_server_set **out)
{
    uint32_t named = 0;
    *out = NULL;
    if (es->count == 0)
        return KA_OK;
    ka_server_set *sets = ka_memory_take(es->allocator, es->count * sizeof *sets);
    const ka_endpoint **at = ka_memory_take(es->allocator, es->count * sizeof *at);
    if (sets == NULL || at == NULL) {
        ka_memory_give(es->allocator, sets);
        ka_memory_give(es->allocator, at);
        return KA_NO_MEMORY;
    }
    for (uint32_t i = 0; i < es->count; i++) {
        if (es->at[i]->name[0] != '\0' && es->at[i]->requests > 0)
            at[named++] = es->at[i];
    }
    qsort(at, named, sizeof *at, compare);
    for (uint32_t from = 0, to; from < named; from = to) {
        for (to = from + 1; to < named && strcmp(at[to]->name, at[from]->name) == 0;)
            to++;
        uint32_t busiest = at[to - 1]->index;
        if (to - from > 1)
            sets[busiest] = set_of(es, at + from, to - from);
    }
    ka_memory_give(es->allocator, (void *)at);
    *out = sets;
    return KA_OK;
}
