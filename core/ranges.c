/* ranges.c - a small set of half-open ranges.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "ranges.h"

#include <string.h>

static void delete_at(ka_ranges *set, uint32_t index, uint32_t how_many)
{
    memmove(&set->at[index], &set->at[index + how_many], (set->count - index - how_many) * sizeof set->at[0]);
    set->count -= how_many;
}

static void insert_at(ka_ranges *set, uint32_t index, ka_range range)
{
    memmove(&set->at[index + 1], &set->at[index], (set->count - index) * sizeof set->at[0]);
    set->at[index] = range;
    set->count++;
}

/* The first range that ends at or after `from`. */
static uint32_t first_touching(const ka_ranges *set, uint64_t from)
{
    uint32_t i = 0;
    while (i < set->count && set->at[i].to < from)
        i++;
    return i;
}

ka_status ka_ranges_add(ka_ranges **set, const ka_allocator *allocator, uint64_t from, uint64_t to)
{
    if (from >= to)
        return KA_OK;
    if (*set == NULL) {
        *set = allocator->resize(allocator->user, NULL, sizeof **set);
        if (*set == NULL)
            return KA_NO_MEMORY;
        (*set)->count = 0;
    }
    ka_ranges *s = *set;
    uint32_t i = first_touching(s, from);
    uint32_t j = i;
    while (j < s->count && s->at[j].from <= to) {
        from = s->at[j].from < from ? s->at[j].from : from;
        to = s->at[j].to > to ? s->at[j].to : to;
        j++;
    }
    delete_at(s, i, j - i);
    if (s->count == KA_RANGES_MAX) { /* full: join with a neighbour */
        if (i == s->count)
            s->at[i - 1].to = to;
        else
            s->at[i].from = from;
        return KA_OK;
    }
    insert_at(s, i, (ka_range){from, to});
    return KA_OK;
}

uint64_t ka_ranges_remove(ka_ranges **set, const ka_allocator *allocator, uint64_t from, uint64_t to)
{
    ka_ranges *s = *set;
    uint64_t removed = 0;
    if (s == NULL || from >= to)
        return 0;
    for (uint32_t i = first_touching(s, from); i < s->count && s->at[i].from < to;) {
        ka_range r = s->at[i];
        uint64_t cut_from = r.from > from ? r.from : from;
        uint64_t cut_to = r.to < to ? r.to : to;
        if (cut_from >= cut_to) {
            i++;
            continue;
        }
        removed += cut_to - cut_from;
        delete_at(s, i, 1);
        if (r.from < cut_from)
            insert_at(s, i++, (ka_range){r.from, cut_from});
        if (cut_to < r.to) {
            if (s->count == KA_RANGES_MAX) /* no room to split: the rest counts as seen */
                removed += r.to - cut_to;
            else
                insert_at(s, i++, (ka_range){cut_to, r.to});
        }
    }
    if (s->count == 0)
        ka_ranges_free(set, allocator);
    return removed;
}

bool ka_ranges_overlap(const ka_ranges *set, uint64_t from, uint64_t to)
{
    if (set == NULL || from >= to)
        return false;
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->at[i].from < to && from < set->at[i].to)
            return true;
    }
    return false;
}

uint64_t ka_ranges_total(const ka_ranges *set)
{
    uint64_t total = 0;
    for (uint32_t i = 0; set != NULL && i < set->count; i++)
        total += set->at[i].to - set->at[i].from;
    return total;
}

void ka_ranges_free(ka_ranges **set, const ka_allocator *allocator)
{
    if (*set != NULL)
        allocator->resize(allocator->user, *set, 0);
    *set = NULL;
}
