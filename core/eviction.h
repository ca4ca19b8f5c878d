/* eviction.h - early closes of idle connections by one server: does it pick the one idle for longest?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Every idle gap of another connection that was under way at a close bears witness: had it begun later, a
 * younger one was spared; had it begun earlier, an older one was, and the server did not choose by age.
 */
#ifndef KA_EVICTION_H
#define KA_EVICTION_H

#include "keptalive.h"

/* The newest early closes of a server; a server under pressure makes more, and these show it as well. */
enum { KA_EVICTIONS_KEPT = 64 };

typedef struct ka_early_close {
    ka_moment at;
    int64_t idle_since_ns;
    uint32_t open; /* connections open at the server, this one included */
    bool pressed;  /* a new connection had come shortly before */
    bool full;     /* as many were open as ever, nearly */
    bool spared_younger;
    bool spared_older;
} ka_early_close;

typedef struct ka_evictions {
    ka_early_close closes[KA_EVICTIONS_KEPT]; /* a ring */
    uint32_t next;
    int64_t newest_ns; /* of those closes */
} ka_evictions;

void ka_evictions_closed(ka_evictions *evictions, const ka_early_close *close);
/* A connection came whose SYN was captured then. */
void ka_evictions_opened(ka_evictions *evictions, int64_t syn_ns, int64_t window_ns);
/* A connection was idle from one time to another. */
void ka_evictions_gap(ka_evictions *evictions, int64_t from_ns, int64_t to_ns);

#endif
