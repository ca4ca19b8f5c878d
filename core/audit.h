/* audit.h - the audit's own state. Only audit.c and settle.c know it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_AUDIT_H
#define KA_AUDIT_H

#include "connection.h"
#include "endpoint.h"
#include "keptalive.h"

/* A connection that will settle at its time. Times only grow, so a queue in order of arrival is in order of
 * time. */
typedef struct ka_due {
    struct ka_due *next;
    ka_connection *connection; /* NULL: ended earlier, by port reuse */
    int64_t at_ns;
} ka_due;

struct ka_audit {
    ka_config config;
    ka_connection *oldest; /* open connections in order of their streams */
    ka_connection *newest;
    ka_due *due_first;
    ka_due *due_last;
    ka_endpoints endpoints;
    ka_moment now;
    int64_t tick_ns;
};

/* Judges a connection whose story is over and tells the sink; does not free it. */
ka_status ka_audit_judge(ka_audit *audit, ka_connection *connection, uint32_t failed_gates);

#endif
