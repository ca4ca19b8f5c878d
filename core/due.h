/* due.h - connections that wait to settle: a queue by time, then by stream.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_DUE_H
#define KA_DUE_H

#include "keptalive.h"

typedef struct ka_due {
    struct ka_due *next;
    ka_connection *connection; /* NULL: it ended earlier, by port reuse */
    int64_t at_ns;
    uint32_t stream;
} ka_due;

/* Times only grow, so that what is added last is due last; only streams of one time need sorting. */
typedef struct ka_dues {
    ka_due *first;
    ka_due *last;
    int64_t sorted_ns; /* the time whose streams are in order already */
    uint32_t count;
    uint32_t dropped; /* of them, without a connection */
} ka_dues;

void ka_dues_init(ka_dues *dues);
void ka_dues_fini(ka_dues *dues, const ka_allocator *allocator);
/* at_ns must not be less than any added before. *out lives until its connection is taken or dropped. */
ka_status ka_dues_add(ka_dues *dues, const ka_allocator *allocator, ka_connection *connection,
                      uint32_t stream, int64_t at_ns, ka_due **out);
/* The connection of a due ended otherwise. */
void ka_dues_drop(ka_dues *dues, const ka_allocator *allocator, ka_due *due);
/* Takes the next connection that is due by now, but not `except`; NULL: there is none. */
ka_connection *ka_dues_take(ka_dues *dues, const ka_allocator *allocator, int64_t now_ns,
                            const ka_connection *except);

#endif
