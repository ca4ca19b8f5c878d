/* site.c - the sites of one server, and what idle periods show of timers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "site.h"

#include "hash.h"
#include "memory.h"
#include "usage.h"

/* ---- Names ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Host may have a port (RFC 9110 section 7.2), of an IPv6 address behind its bracket. */
static ka_slice without_port(ka_slice name)
{
    size_t at = name.len_bytes;
    while (at > 0 && is_digit(name.bytes[at - 1]))
        at--;
    if (at > 1 && name.bytes[at - 1] == ':' && (name.bytes[0] != '[' || name.bytes[at - 2] == ']'))
        name.len_bytes = at - 1;
    return name;
}

uint32_t ka_site_hash(ka_slice name)
{
    char lower[KA_SERVER_NAME_BYTES_MAX];
    name = without_port(name);
    if (name.len_bytes > sizeof lower)
        name.len_bytes = sizeof lower;
    for (size_t i = 0; i < name.len_bytes; i++) {
        char c = name.bytes[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return ka_hash_text((ka_slice){lower, name.len_bytes});
}

/* ---- Idle periods ---- */

void ka_idling_init(ka_idling *i, const ka_allocator *allocator)
{
    ka_lasting_init(&i->by_server, allocator);
    ka_lasting_init(&i->by_client, allocator);
    i->timers = NULL;
    i->timer_count = 0;
    i->longest_hold_ns = KA_NONE;
}

static const ka_allocator *allocator_of(const ka_idling *i)
{
    return i->by_server.closed.allocator;
}

void ka_idling_fini(ka_idling *i)
{
    for (uint32_t k = 0; k < i->timer_count; k++)
        ka_histogram_fini(&i->timers[k].idle);
    ka_memory_give(allocator_of(i), i->timers);
    i->timers = NULL;
    i->timer_count = 0;
    ka_lasting_fini(&i->by_server);
    ka_lasting_fini(&i->by_client);
}

ka_status ka_idling_timer(ka_idling *i, int64_t timeout_s, ka_timer **out)
{
    for (uint32_t k = 0; k < i->timer_count; k++) {
        if (i->timers[k].timeout_s == timeout_s) {
            *out = &i->timers[k];
            return KA_OK;
        }
    }
    if (i->timer_count == KA_TIMERS_MAX) {
        *out = NULL;
        return KA_OK;
    }
    if (i->timers == NULL &&
        (i->timers = ka_memory_take(allocator_of(i), KA_TIMERS_MAX * sizeof *i->timers)) == NULL)
        return KA_NO_MEMORY;
    *out = &i->timers[i->timer_count++];
    (*out)->timeout_s = timeout_s;
    ka_histogram_init_limited(&(*out)->idle, allocator_of(i), KA_LASTING_BUCKETS);
    return KA_OK;
}

static ka_status merge_timer(ka_idling *into, const ka_timer *from)
{
    ka_timer *timer;
    if (ka_idling_timer(into, from->timeout_s, &timer) != KA_OK)
        return KA_NO_MEMORY;
    if (timer == NULL)
        return KA_OK;
    if (ka_histogram_merge(&timer->idle, &from->idle) != KA_OK)
        return KA_NO_MEMORY;
    timer->moments += from->moments;
    timer->server_moments += from->server_moments;
    ka_span_add(&timer->at, from->at.first);
    ka_span_add(&timer->at, from->at.last);
    return KA_OK;
}

ka_status ka_idling_merge(ka_idling *into, const ka_idling *from)
{
    if (ka_lasting_merge(&into->by_server, &from->by_server) != KA_OK ||
        ka_lasting_merge(&into->by_client, &from->by_client) != KA_OK)
        return KA_NO_MEMORY;
    for (uint32_t k = 0; k < from->timer_count; k++) {
        if (merge_timer(into, &from->timers[k]) != KA_OK)
            return KA_NO_MEMORY;
    }
    ka_idling_held(into, from->longest_hold_ns);
    return KA_OK;
}

void ka_idling_held(ka_idling *i, int64_t idle_ns)
{
    if (idle_ns > i->longest_hold_ns)
        i->longest_hold_ns = idle_ns;
}

/* ---- Sites ---- */

static void site_init(ka_site *s, const ka_allocator *allocator)
{
    ka_idling_init(&s->idling, allocator);
    ka_histogram_init_rough(&s->gaps, allocator, KA_USAGE_BUCKETS);
}

ka_site *ka_site_new(const ka_allocator *allocator, uint32_t hash, ka_slice name)
{
    ka_site *s = ka_memory_take(allocator, sizeof *s);
    if (s == NULL)
        return NULL;
    s->hash = hash;
    s->name_bytes = (uint8_t)(name.len_bytes < sizeof s->name - 1 ? name.len_bytes : sizeof s->name - 1);
    memcpy(s->name, name.bytes, s->name_bytes);
    s->timeout_s = s->max = s->newest_close_ns = KA_NONE;
    site_init(s, allocator);
    return s;
}

void ka_sites_free(ka_sites *ss, const ka_allocator *allocator)
{
    for (uint32_t i = 0; ss != NULL && i < ss->count; i++) {
        ka_idling_fini(&ss->at[i]->idling);
        ka_histogram_fini(&ss->at[i]->gaps);
        ka_memory_give(allocator, ss->at[i]);
    }
    ka_memory_give(allocator, ss);
}

static ka_status copy_site(ka_sites *into, const ka_site *from, const ka_allocator *allocator)
{
    ka_site *copy = ka_memory_take(allocator, sizeof *copy);
    if (copy == NULL)
        return KA_NO_MEMORY;
    *copy = *from;
    site_init(copy, allocator);
    into->at[into->count++] = copy;
    if (ka_histogram_merge(&copy->gaps, &from->gaps) != KA_OK)
        return KA_NO_MEMORY;
    return ka_idling_merge(&copy->idling, &from->idling);
}

ka_status ka_sites_copy(const ka_sites *ss, const ka_allocator *allocator, ka_sites **out)
{
    ka_sites *copy = NULL;
    if (ss != NULL && (copy = ka_memory_take(allocator, sizeof *copy)) == NULL)
        return KA_NO_MEMORY;
    for (uint32_t i = 0; copy != NULL && i < ss->count; i++) {
        if (copy_site(copy, ss->at[i], allocator) != KA_OK) {
            ka_sites_free(copy, allocator);
            return KA_NO_MEMORY;
        }
    }
    *out = copy;
    return KA_OK;
}

unsigned ka_sites_find(const ka_sites *ss, uint32_t hash)
{
    for (uint32_t i = 0; i < ss->count; i++) {
        if (ss->at[i]->hash == hash)
            return i + 1;
    }
    return 0;
}
