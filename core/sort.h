/* sort.h - sorting numbers of things.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_SORT_H
#define KA_SORT_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the thing with number `a` comes before that with number `b`. */
typedef bool ka_less_fn(const void *user, uint32_t a, uint32_t b);

/* Takes no memory, as qsort may; equal ones come in any order. */
void ka_sort(uint32_t *at, uint32_t count, ka_less_fn *less, const void *user);

#endif
