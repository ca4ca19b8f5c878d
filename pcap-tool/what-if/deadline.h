/* deadline.h - after how long idle a server closes, as far as the capture shows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WHAT_IF_DEADLINE_H
#define WHAT_IF_DEADLINE_H

#include "history.h"

typedef enum what_if_basis {
    WHAT_IF_BASIS_NONE,       /* nothing tells, or what does contradicts itself */
    WHAT_IF_BASIS_CLOSES,     /* the idle closes by the server */
    WHAT_IF_BASIS_ADVERTISED, /* the timeout it said: it keeps to that, or closed none */
} what_if_basis;

/* The core's answer. */
typedef struct what_if_timer {
    int64_t idle_ns; /* KA_NONE: it withholds one */
    what_if_basis basis;
    uint64_t closes; /* samples */
} what_if_timer;

typedef struct what_if_deadline {
    int64_t idle_ns; /* KA_NONE: not known */
    what_if_basis basis;
    uint64_t closes;         /* idle ones by the server */
    int64_t advertised_s;    /* latest; KA_NONE */
    int64_t longest_used_ns; /* the longest gap behind which a request was served; KA_NONE */
} what_if_deadline;

/* What the record has, where the closes are of one timer: what is advertised if they are at that time. */
what_if_timer what_if_timer_of(const ka_endpoint_record *record);

/* Of one server's connections, for which the core's timer is taken; where it withholds one, what they show
 * themselves. False when memory runs out. */
bool what_if_deadline_of(const what_if_connection *connections, size_t count, const what_if_timer *timer,
                         const ka_allocator *allocator, what_if_deadline *out);

/* "closes", "advertised"; NULL: none. */
const char *what_if_basis_name(what_if_basis basis);

#endif
