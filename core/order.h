/* order.h - the larger and the smaller of two numbers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_ORDER_H
#define KA_ORDER_H

#include <stdint.h>

/* Of times, the later one. KA_NONE is smaller than all. */
static inline int64_t ka_larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t ka_smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
