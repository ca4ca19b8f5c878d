/* endpoints.c - the table of servers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "endpoint.h"
#include "hash.h"
#include "memory.h"

void ka_endpoints_init(ka_endpoints *es, const ka_allocator *allocator, uint64_t seed)
{
    memset(es, 0, sizeof *es);
    es->allocator = allocator;
    es->seed = seed;
    es->clients.seed = seed;
}

static void endpoint_init(ka_endpoint *e, const ka_allocator *allocator)
{
    ka_histogram_init_limited(&e->idle_by_server, allocator, KA_LASTING_BUCKETS);
    ka_histogram_init_limited(&e->idle_by_client, allocator, KA_LASTING_BUCKETS);
    ka_histogram_init_limited(&e->request_counts, allocator, KA_USAGE_BUCKETS);
    ka_idling_init(&e->idling, allocator);
    ka_usage_init(&e->usage, allocator);
}

static void endpoint_free(ka_endpoint *e, const ka_allocator *allocator)
{
    ka_histogram_fini(&e->idle_by_server);
    ka_histogram_fini(&e->idle_by_client);
    ka_histogram_fini(&e->request_counts);
    ka_idling_fini(&e->idling);
    ka_usage_fini(&e->usage);
    ka_sites_free(e->sites, allocator);
    ka_memory_give(allocator, e->watch);
    ka_memory_give(allocator, e->evictions);
    ka_memory_give(allocator, e);
}

void ka_endpoints_fini(ka_endpoints *es)
{
    for (uint32_t i = 0; i < es->count; i++)
        endpoint_free(es->at[i], es->allocator);
    ka_memory_give(es->allocator, es->at);
    ka_memory_give(es->allocator, es->slots);
    ka_clients_fini(&es->clients, es->allocator);
    ka_endpoints_init(es, es->allocator, es->seed);
}

static bool same(const ka_address *a, const ka_address *b)
{
    return a->version == b->version && a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/* The slot that holds the server, or the free one where it belongs. */
static uint32_t *slot_of(const ka_endpoints *es, const ka_address *server)
{
    uint32_t i = ka_hash_address(server->ip, server->port, es->seed) & (es->slot_count - 1);
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
    e->newest_syn_ns = KA_NONE;
    e->newest_close_ns = KA_NONE;
    e->endings.kept_age_ns = e->endings.age_min_ns = e->endings.age_max_ns = KA_NONE;
    *slot_of(es, server) = es->count + 1;
    es->at[es->count++] = e;
    *out = e;
    return KA_OK;
}

ka_status ka_endpoints_client(ka_endpoints *es, ka_endpoint *e, const ka_address *address, uint32_t site,
                              uint32_t *number)
{
    ka_client_key key = {.version = address->version, .endpoint = e->index, .site = site};
    memcpy(key.ip, address->ip, sizeof key.ip);
    ka_client *c = ka_clients_find(&es->clients, &key);
    if (c != NULL) {
        *number = (uint32_t)(c - es->clients.at) + 1;
        return KA_OK;
    }
    if (ka_clients_add(&es->clients, es->allocator, &key, &c) != KA_OK)
        return KA_NO_MEMORY;
    *number = c != NULL ? es->clients.count : 0;
    if (c == NULL)
        return KA_OK;
    *(e->first_client == 0 ? &e->first_client : &es->clients.at[e->last_client - 1].next) = *number;
    e->last_client = *number;
    return KA_OK;
}

/* A block of its own with the same contents; NULL stays NULL. */
static ka_status copy_block(const ka_allocator *allocator, const void *from, size_t size_bytes, void **out)
{
    void *copy = NULL;
    if (from != NULL && (copy = ka_memory_take(allocator, size_bytes)) == NULL)
        return KA_NO_MEMORY;
    if (copy != NULL)
        memcpy(copy, from, size_bytes);
    *out = copy;
    return KA_OK;
}

static ka_status copy_histograms(ka_endpoint *to, const ka_endpoint *from)
{
    if (ka_histogram_merge(&to->idle_by_server, &from->idle_by_server) != KA_OK ||
        ka_histogram_merge(&to->idle_by_client, &from->idle_by_client) != KA_OK ||
        ka_histogram_merge(&to->request_counts, &from->request_counts) != KA_OK)
        return KA_NO_MEMORY;
    return ka_idling_merge(&to->idling, &from->idling) == KA_OK ? ka_usage_merge(&to->usage, &from->usage)
                                                                : KA_NO_MEMORY;
}

static ka_status copy_endpoint(ka_endpoint *to, const ka_endpoint *from, const ka_allocator *allocator)
{
    void *watch = NULL, *evictions = NULL;
    *to = *from;
    to->watch = NULL;
    to->evictions = NULL;
    to->sites = NULL;
    endpoint_init(to, allocator); /* empty histograms */
    if (copy_histograms(to, from) != KA_OK || ka_sites_copy(from->sites, allocator, &to->sites) != KA_OK ||
        copy_block(allocator, from->watch, sizeof *from->watch, &watch) != KA_OK)
        return KA_NO_MEMORY;
    to->watch = watch;
    if (copy_block(allocator, from->evictions, sizeof *from->evictions, &evictions) != KA_OK)
        return KA_NO_MEMORY;
    to->evictions = evictions;
    return KA_OK;
}

ka_status ka_endpoints_spare(ka_endpoints *es, ka_status status)
{
    if (status != KA_NO_MEMORY || !es->limited)
        return status;
    es->unlearnt++;
    return KA_OK;
}

ka_status ka_endpoints_copy(const ka_endpoints *es, const ka_allocator *allocator, ka_endpoints *out)
{
    ka_endpoints copy;
    ka_endpoints_init(&copy, allocator, es->seed);
    for (uint32_t i = 0; i < es->count; i++) {
        ka_endpoint *e;
        if (ka_endpoints_find(&copy, &es->at[i]->server, true, &e) != KA_OK ||
            copy_endpoint(e, es->at[i], allocator) != KA_OK) {
            ka_endpoints_fini(&copy);
            return KA_NO_MEMORY;
        }
    }
    if (ka_clients_copy(&es->clients, allocator, &copy.clients) != KA_OK) {
        ka_endpoints_fini(&copy);
        return KA_NO_MEMORY;
    }
    *out = copy;
    return KA_OK;
}
