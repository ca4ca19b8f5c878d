/* sort.c - a heap sort.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sort.h"

static void sift(uint32_t *at, uint32_t root, uint32_t count, ka_less_fn *less, const void *user)
{
    for (uint32_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && less(user, at[child], at[child + 1]))
            child++;
        if (!less(user, at[root], at[child]))
            return;
        uint32_t moved = at[root];
        at[root] = at[child];
        at[child] = moved;
    }
}

void ka_sort(uint32_t *at, uint32_t count, ka_less_fn *less, const void *user)
{
    for (uint32_t i = count / 2; i-- > 0;)
        sift(at, i, count, less, user);
    for (uint32_t end = count; end-- > 1;) {
        uint32_t moved = at[0];
        at[0] = at[end];
        at[end] = moved;
        sift(at, 0, end, less, user);
    }
}
