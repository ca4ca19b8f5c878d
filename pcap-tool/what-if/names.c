/* names.c - what servers are called.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "names.h"

#include "history.h"

#include <stdio.h>
#include <stdlib.h>

void what_if_names_init(what_if_names *names, const ka_allocator *allocator)
{
    *names = (what_if_names){.allocator = allocator};
}

void what_if_names_fini(what_if_names *names)
{
    if (names->at)
        names->allocator->resize(names->allocator->user, names->at, 0);
    what_if_names_init(names, names->allocator);
}

void what_if_names_add(what_if_names *names, const ka_endpoint_record *endpoint)
{
    if (!endpoint->name || endpoint->name[0] == '\0')
        return;
    if (names->count == names->room) {
        size_t room = names->room > 0 ? names->room * 2 : 16;
        void *grown = names->allocator->resize(names->allocator->user, names->at, room * sizeof *names->at);
        if (!grown)
            return;
        names->at = grown;
        names->room = room;
    }
    what_if_name *name = &names->at[names->count++];
    name->server = endpoint->server;
    snprintf(name->text, sizeof name->text, "%s", endpoint->name);
}

static int compare(const void *left, const void *right)
{
    const what_if_name *a = left, *b = right;
    return what_if_compare_addresses(&a->server, &b->server, false);
}

void what_if_names_sort(what_if_names *names)
{
    if (names->count > 0)
        qsort(names->at, names->count, sizeof *names->at, compare);
}

const char *what_if_names_find(const what_if_names *names, const ka_address *server)
{
    const what_if_name wanted = {.server = *server};
    const what_if_name *found =
        names->count > 0 ? bsearch(&wanted, names->at, names->count, sizeof wanted, compare) : NULL;
    return found ? found->text : "";
}
