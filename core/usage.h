/* usage.h - how the connections of one server were used: distributions, each bounded and mergeable.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_USAGE_H
#define KA_USAGE_H

#include "connection.h"
#include "histogram.h"

/* Of each histogram: 2 KiB at most. Times that spread over ten octaves stand in buckets of 1/16, so that a
 * quantile is off by 3 % at most; those of most servers are closer together and finer. */
enum { KA_USAGE_BUCKETS = 256 };

typedef struct ka_usage {
    ka_histogram gaps;           /* idle time before a request, lost or not, as the server saw it */
    ka_histogram ages;           /* SYN to close */
    ka_histogram first_requests; /* SYN to the first request */
    ka_histogram rtts;           /* client to server and back */
    ka_histogram whole_counts;   /* requests on connections captured from SYN to close */
    ka_histogram cut_counts;     /* on the others */
    ka_close_counts closed_by_server, closed_by_client;
    int64_t longest_reuse_ns; /* answered or not; KA_NONE */
    int64_t longest_hold_ns;  /* by a client; KA_NONE */
    uint64_t unused;
} ka_usage;

void ka_usage_init(ka_usage *usage, const ka_allocator *allocator);
void ka_usage_fini(ka_usage *usage);
/* As if everything added to `from` had been added to `into`. */
ka_status ka_usage_merge(ka_usage *into, const ka_usage *from);

/* A request came on an idle connection: the gap as the server saw it. */
ka_status ka_usage_reused(ka_usage *usage, int64_t idle_ns);
/* A client kept a connection idle for so long. */
void ka_usage_held(ka_usage *usage, int64_t idle_ns);
/* A judged connection. */
ka_status ka_usage_add(ka_usage *usage, const ka_view *view);

/* Fills what the record has of it. */
void ka_usage_record(const ka_usage *usage, ka_endpoint_record *out);

#endif
