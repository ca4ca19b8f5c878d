/* endpoints.h - what the core says of servers: their name and their idle timer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WHAT_IF_ENDPOINTS_H
#define WHAT_IF_ENDPOINTS_H

#include "deadline.h"

/* As the core keeps them. */
enum { WHAT_IF_NAME_BYTES = 64 };

typedef struct what_if_endpoint {
    ka_address server;
    what_if_timer timer;
    char name[WHAT_IF_NAME_BYTES]; /* the Host its clients asked for: raw bytes from packets; "": none */
} what_if_endpoint;

/* As many as the audit has servers (KA_ENDPOINTS_MAX). */
typedef struct what_if_endpoints {
    const ka_allocator *allocator;
    what_if_endpoint *at;
    size_t count;
    size_t room;
    uint64_t left_out; /* there was no memory for */
} what_if_endpoints;

void what_if_endpoints_init(what_if_endpoints *endpoints, const ka_allocator *allocator);
void what_if_endpoints_fini(what_if_endpoints *endpoints);

/* Without memory it is not kept: its connections have to tell then. */
void what_if_endpoints_add(what_if_endpoints *endpoints, const ka_endpoint_record *record);
void what_if_endpoints_sort(what_if_endpoints *endpoints);
/* One without name and timer when it is not known; sorted before. */
const what_if_endpoint *what_if_endpoints_find(const what_if_endpoints *endpoints, const ka_address *server);

#endif
