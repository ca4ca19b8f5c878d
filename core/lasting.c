/* lasting.c - how long connections stayed idle until one side closed them, and how long they did without.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lasting.h"

void ka_lasting_init(ka_lasting *l, const ka_allocator *allocator)
{
    ka_histogram_init_limited(&l->closed, allocator, KA_LASTING_BUCKETS);
    ka_histogram_init_rough(&l->lasted, allocator, KA_LASTING_BUCKETS);
    l->longest_worked_ns = KA_NONE;
    l->moments = 0;
}

void ka_lasting_fini(ka_lasting *l)
{
    ka_histogram_fini(&l->closed);
    ka_histogram_fini(&l->lasted);
}

ka_status ka_lasting_merge(ka_lasting *into, const ka_lasting *from)
{
    if (ka_histogram_merge(&into->closed, &from->closed) != KA_OK ||
        ka_histogram_merge(&into->lasted, &from->lasted) != KA_OK)
        return KA_NO_MEMORY;
    into->moments += from->moments;
    if (from->longest_worked_ns > into->longest_worked_ns)
        into->longest_worked_ns = from->longest_worked_ns;
    return KA_OK;
}

ka_status ka_lasting_closed(ka_lasting *l, int64_t idle_ns, bool together)
{
    if (ka_histogram_add(&l->closed, idle_ns) != KA_OK)
        return KA_NO_MEMORY;
    l->moments += together ? 0 : 1;
    return KA_OK;
}

ka_status ka_lasting_lasted(ka_lasting *l, int64_t least_ns, int64_t idle_ns, bool worked)
{
    if (worked && idle_ns > l->longest_worked_ns)
        l->longest_worked_ns = idle_ns;
    return idle_ns >= least_ns && idle_ns >= 0 ? ka_histogram_add(&l->lasted, idle_ns) : KA_OK;
}
