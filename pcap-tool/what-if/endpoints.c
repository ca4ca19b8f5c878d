/* endpoints.c - what the core says of servers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "endpoints.h"

#include <stdio.h>
#include <stdlib.h>

void what_if_endpoints_init(what_if_endpoints *endpoints, const ka_allocator *allocator)
{
    *endpoints = (what_if_endpoints){.allocator = allocator};
}

void what_if_endpoints_fini(what_if_endpoints *endpoints)
{
    const ka_allocator *allocator = endpoints->allocator;
    if (endpoints->at)
        allocator->resize(allocator->user, endpoints->at, 0);
    what_if_endpoints_init(endpoints, allocator);
}

static bool make_room(what_if_endpoints *endpoints)
{
    const ka_allocator *allocator = endpoints->allocator;
    size_t room = endpoints->room > 0 ? endpoints->room * 2 : 16;
    if (endpoints->count < endpoints->room)
        return true;
    void *grown = allocator->resize(allocator->user, endpoints->at, room * sizeof *endpoints->at);
    if (!grown)
        return false;
    endpoints->at = grown;
    endpoints->room = room;
    return true;
}

void what_if_endpoints_add(what_if_endpoints *endpoints, const ka_endpoint_record *record)
{
    if (!make_room(endpoints)) {
        endpoints->left_out++;
        return;
    }
    what_if_endpoint *endpoint = &endpoints->at[endpoints->count++];
    endpoint->server = record->server;
    endpoint->timer = what_if_timer_of(record);
    snprintf(endpoint->name, sizeof endpoint->name, "%s", record->name ? record->name : "");
}

static int compare(const void *left, const void *right)
{
    const what_if_endpoint *a = left, *b = right;
    return what_if_compare_addresses(&a->server, &b->server, false);
}

void what_if_endpoints_sort(what_if_endpoints *endpoints)
{
    if (endpoints->count > 0)
        qsort(endpoints->at, endpoints->count, sizeof *endpoints->at, compare);
}

const what_if_endpoint *what_if_endpoints_find(const what_if_endpoints *endpoints, const ka_address *server)
{
    static const what_if_endpoint unknown = {.timer = {KA_NONE, WHAT_IF_BASIS_NONE, 0}};
    const what_if_endpoint wanted = {.server = *server};
    const what_if_endpoint *found =
        endpoints->count > 0 ? bsearch(&wanted, endpoints->at, endpoints->count, sizeof wanted, compare)
                             : NULL;
    return found ? found : &unknown;
}
