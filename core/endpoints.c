/* endpoints.c - the table of servers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "endpoint.h"
#include "memory.h"

void ka_endpoints_init(ka_endpoints *es, const ka_allocator *allocator)
{
    memset(es, 0, sizeof *es);
    es->allocator = allocator;
}

static void endpoint_init(ka_endpoint *e, const ka_allocator *allocator)
{
    ka_histogram_init(&e->idle_by_server, allocator);
    ka_histogram_init(&e->idle_by_client, allocator);
    ka_histogram_init(&e->request_counts, allocator);
}

static void endpoint_free(ka_endpoint *e, const ka_allocator *allocator)
{
    ka_histogram_fini(&e->idle_by_server);
    ka_histogram_fini(&e->idle_by_client);
    ka_histogram_fini(&e->request_counts);
    ka_memory_give(allocator, e->watch);
    ka_memory_give(allocator, e);
}

void ka_endpoints_fini(ka_endpoints *es)
{
    for (uint32_t i = 0; i < es->count; i++)
        endpoint_free(es->at[i], es->allocator);
    ka_memory_give(es->allocator, es->at);
    ka_memory_give(es->allocator, es->slots);
    ka_endpoints_init(es, es->allocator);
}

static bool same(const ka_address *a, const ka_address *b)
{
    return a->version == b->version && a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/* FNV-1a. The table is bounded (KA_ENDPOINTS_MAX), so collisions made on purpose cost a bounded walk. */
static uint32_t hash(const ka_address *a)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < sizeof a->ip; i++)
        h = (h ^ a->ip[i]) * 16777619u;
    h = (h ^ (a->port & 0xff)) * 16777619u;
    return (h ^ (uint32_t)(a->port >> 8)) * 16777619u;
}

/* The slot that holds the server, or the free one where it belongs. */
static uint32_t *slot_of(const ka_endpoints *es, const ka_address *server)
{
    uint32_t i = hash(server) & (es->slot_count - 1);
    while (es->slots[i] != 0 && !same(&es->at[es->slots[i] - 1]->server, server))
        i = (i + 1) & (es->slot_count - 1);
    return &es->slots[i];
}

/* Twice the room, and slots twice the room. */
static ka_status grow(ka_endpoints *es)
{
    const ka_allocator *allocator = es->allocator;
    uint32_t room = es->room == 0 ? 16 : 2 * es->room;
    uint32_t *slots = ka_memory_take(allocator, 2 * room * sizeof *slots);
    if (slots == NULL)
        return KA_NO_MEMORY;
    ka_endpoint **at = allocator->resize(allocator->user, es->at, room * sizeof(ka_endpoint *));
    if (at == NULL) {
        ka_memory_give(allocator, slots);
        return KA_NO_MEMORY;
    }
    ka_memory_give(allocator, es->slots);
    es->at = at;
    es->room = room;
    es->slots = slots;
    es->slot_count = 2 * room;
    for (uint32_t i = 0; i < es->count; i++)
        *slot_of(es, &es->at[i]->server) = i + 1;
    return KA_OK;
}

ka_status ka_endpoints_find(ka_endpoints *es, const ka_address *server, bool create, ka_endpoint **out)
{
    if (es->slot_count > 0) {
        uint32_t index = *slot_of(es, server);
        if (index != 0 || !create || es->count == KA_ENDPOINTS_MAX) {
            *out = index != 0 ? es->at[index - 1] : NULL;
            return KA_OK;
        }
    } else if (!create) {
        *out = NULL;
        return KA_OK;
    }
    if (es->count == es->room && grow(es) != KA_OK)
        return KA_NO_MEMORY;
    ka_endpoint *e = ka_memory_take(es->allocator, sizeof *e);
    if (e == NULL)
        return KA_NO_MEMORY;
    endpoint_init(e, es->allocator);
    e->server = *server;
    e->index = es->count;
    e->timeout_s = KA_NONE;
    e->heard_ns = KA_NONE;
    e->max = KA_NONE;
    *slot_of(es, server) = es->count + 1;
    es->at[es->count++] = e;
    *out = e;
    return KA_OK;
}

static ka_status copy_numbers(ka_endpoint *to, const ka_endpoint *from, const ka_allocator *allocator)
{
    ka_endpoint shell = *to;
    *to = *from;
    to->idle_by_server = shell.idle_by_server;
    to->idle_by_client = shell.idle_by_client;
    to->request_counts = shell.request_counts;
    to->watch = NULL;
    if (ka_histogram_merge(&to->idle_by_server, &from->idle_by_server) != KA_OK ||
        ka_histogram_merge(&to->idle_by_client, &from->idle_by_client) != KA_OK ||
        ka_histogram_merge(&to->request_counts, &from->request_counts) != KA_OK)
        return KA_NO_MEMORY;
    if (from->watch == NULL)
        return KA_OK;
    to->watch = ka_memory_take(allocator, sizeof *to->watch);
    if (to->watch == NULL)
        return KA_NO_MEMORY;
    *to->watch = *from->watch;
    return KA_OK;
}

ka_status ka_endpoints_copy(const ka_endpoints *es, ka_endpoints *out)
{
    ka_endpoints copy;
    ka_endpoints_init(&copy, es->allocator);
    for (uint32_t i = 0; i < es->count; i++) {
        ka_endpoint *e;
        if (ka_endpoints_find(&copy, &es->at[i]->server, true, &e) != KA_OK ||
            copy_numbers(e, es->at[i], es->allocator) != KA_OK) {
            ka_endpoints_fini(&copy);
            return KA_NO_MEMORY;
        }
    }
    *out = copy;
    return KA_OK;
}
