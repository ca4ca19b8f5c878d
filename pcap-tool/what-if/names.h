/* names.h - what servers are called: the Host their clients asked for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WHAT_IF_NAMES_H
#define WHAT_IF_NAMES_H

#include "keptalive.h"

/* As the core keeps them. */
enum { WHAT_IF_NAME_BYTES = 64 };

typedef struct what_if_name {
    ka_address server;
    char text[WHAT_IF_NAME_BYTES]; /* raw bytes from packets */
} what_if_name;

/* As many as the audit has servers (KA_ENDPOINTS_MAX). */
typedef struct what_if_names {
    const ka_allocator *allocator;
    what_if_name *at;
    size_t count;
    size_t room;
} what_if_names;

void what_if_names_init(what_if_names *names, const ka_allocator *allocator);
void what_if_names_fini(what_if_names *names);

/* Without memory it is not kept: a name only decorates. */
void what_if_names_add(what_if_names *names, const ka_endpoint_record *endpoint);
void what_if_names_sort(what_if_names *names);
/* "" when there is none; sorted before. */
const char *what_if_names_find(const what_if_names *names, const ka_address *server);

#endif
