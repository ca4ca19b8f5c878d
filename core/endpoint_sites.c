/* endpoint_sites.c - the sites of one server. A server has ledgers of its own; with its second site each gets
 * some.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "endpoint.h"

#include <string.h>

#include "memory.h"

/* ---- Which site ---- */

/* What is known so far is its first site's, unless connections without a site have a part in it: then that
 * site begins anew, and the server keeps it. */
static void inherit(ka_endpoint *e, ka_site *first, const ka_allocator *allocator)
{
    first->connections = e->named_connections;
    first->requests = e->named_requests;
    if (e->mixed)
        return;
    first->timeout_s = e->timeout_s;
    first->max = e->max;
    first->max_style = e->max_style;
    first->newest_close_ns = e->newest_close_ns;
    first->idling = e->idling;
    ka_idling_init(&e->idling, allocator);
    ka_histogram none = first->gaps;
    first->gaps = e->usage.gaps;
    e->usage.gaps = none;
}

static ka_status add_site(ka_sites *ss, const ka_allocator *allocator, uint32_t hash, ka_slice name)
{
    ka_site *site = ka_site_new(allocator, hash, name);
    if (site == NULL)
        return KA_NO_MEMORY;
    ss->at[ss->count++] = site;
    return KA_OK;
}

/* From one site to two: the server's name and that one. */
static ka_status divide(ka_endpoint *e, const ka_allocator *allocator, uint32_t hash, ka_slice name)
{
    ka_sites *ss = ka_memory_take(allocator, sizeof *ss);
    if (ss == NULL)
        return KA_NO_MEMORY;
    if (add_site(ss, allocator, e->name_hash, (ka_slice){e->name, e->name_bytes}) != KA_OK ||
        add_site(ss, allocator, hash, name) != KA_OK) {
        ka_sites_free(ss, allocator);
        return KA_NO_MEMORY;
    }
    inherit(e, ss->at[0], allocator);
    e->sites = ss;
    return KA_OK;
}

ka_status ka_endpoint_site(ka_endpoint *e, const ka_allocator *allocator, ka_slice name, uint8_t *number)
{
    uint32_t hash = ka_site_hash(name);
    unsigned found = hash == e->name_hash ? 1 : 0;
    ka_status status = KA_OK;
    if (name.len_bytes == 0)
        return KA_OK;
    if (found == 0 && e->sites != NULL)
        found = ka_sites_find(e->sites, hash);
    if (found == 0 && e->sites == NULL)
        status = divide(e, allocator, hash, name);
    else if (found == 0 && e->sites->count < KA_SITES_MAX)
        status = add_site(e->sites, allocator, hash, name);
    if (status != KA_OK)
        return status;
    *number = (uint8_t)(found != 0 ? found : ka_sites_find(e->sites, hash));
    return KA_OK;
}

/* NULL: what it shows goes to the server's own ledgers. */
static ka_site *site_of(const ka_endpoint *e, unsigned number)
{
    return e->sites != NULL && number != 0 ? e->sites->at[number - 1] : NULL;
}

/* Asked for every request: nearly all spell the name alike. */
bool ka_endpoint_is_site(const ka_endpoint *e, unsigned number, ka_slice host)
{
    const ka_site *site = site_of(e, number);
    const char *name = site != NULL ? site->name : e->name;
    size_t name_bytes = site != NULL ? site->name_bytes : e->name_bytes;
    if (host.len_bytes == name_bytes && memcmp(host.bytes, name, name_bytes) == 0)
        return true;
    return ka_site_hash(host) == (site != NULL ? site->hash : e->name_hash);
}

/* ---- What it shows ---- */

ka_idling *ka_endpoint_idling(ka_endpoint *e, unsigned number)
{
    ka_site *site = site_of(e, number);
    e->mixed |= number == 0;
    return site != NULL ? &site->idling : &e->idling;
}

ka_status ka_endpoint_gap(ka_endpoint *e, unsigned number, int64_t idle_ns)
{
    ka_site *site = site_of(e, number);
    e->mixed |= number == 0;
    if (site == NULL)
        return ka_usage_reused(&e->usage, idle_ns);
    if (idle_ns > e->usage.longest_reuse_ns)
        e->usage.longest_reuse_ns = idle_ns;
    return ka_histogram_add(&site->gaps, idle_ns);
}

void ka_endpoint_site_add(ka_endpoint *e, unsigned number, const ka_record *r)
{
    ka_site *site = site_of(e, number);
    if (number == 0)
        return;
    *(site != NULL ? &site->connections : &e->named_connections) += 1;
    *(site != NULL ? &site->requests : &e->named_requests) += r->requests;
    if (site != NULL && r->max_style > site->max_style && r->tunnel == KA_TUNNEL_NONE)
        site->max_style = r->max_style;
}

/* ---- All of them ---- */

ka_status ka_endpoint_join_sites(ka_endpoint *e)
{
    for (uint32_t i = 0; e->sites != NULL && i < e->sites->count; i++) {
        if (ka_idling_merge(&e->idling, &e->sites->at[i]->idling) != KA_OK ||
            ka_histogram_merge(&e->usage.gaps, &e->sites->at[i]->gaps) != KA_OK)
            return KA_NO_MEMORY;
    }
    return KA_OK;
}
