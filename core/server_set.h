/* server_set.h - servers that stand for one another: of the same name, used by the same client at the same
 * time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_SERVER_SET_H
#define KA_SERVER_SET_H

#include "endpoint.h"

typedef struct ka_server_set {
    uint32_t servers; /* with the busiest */
    uint64_t requests_median;
} ka_server_set;

/* For each server, by index: the set of which it is the busiest, with servers 0 where it is of none. *out is
 * the caller's to free; NULL without servers. */
ka_status ka_server_sets(ka_endpoints *endpoints, ka_server_set **out);

#endif
