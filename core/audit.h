/* audit.h - the audit's own state. Only audit.c and settle.c know it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_AUDIT_H
#define KA_AUDIT_H

#include "connection.h"
#include "due.h"
#include "endpoint.h"
#include "keptalive.h"
#include "pool.h"

struct ka_audit {
    ka_config config;
    ka_connection *oldest; /* open connections in order of their streams */
    ka_connection *newest;
    ka_dues dues;
    ka_endpoints endpoints;
    ka_pool connections; /* the memory of open ones */
    ka_moment now;
    int64_t tick_ns;
};

/* Judges a connection whose story is over and tells the sink; does not free it. */
ka_status ka_audit_judge(ka_audit *audit, ka_connection *connection, uint32_t failed_gates);

#endif
