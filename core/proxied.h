/* proxied.h - both sides of a proxy, as results.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Part of the public header: front ends include keptalive.h.
 */
#ifndef KA_PROXIED_H
#define KA_PROXIED_H

#include "basics.h"

/* One connection of a pair: the proxy's to a client, where it is the server, or to a server, where it is the
 * client. */
typedef struct ka_pair_end {
    uint32_t stream;
    ka_address client;
    ka_address server;
} ka_pair_end;

typedef enum ka_link_confidence {
    KA_LINK_LOW,    /* by method, path and time, and others fitted as well */
    KA_LINK_MEDIUM, /* by those, and nothing else fitted */
    KA_LINK_HIGH,   /* by a request id or trace id */
} ka_link_confidence;

const char *ka_link_confidence_name(ka_link_confidence confidence);

/* Two connections of a proxy that carried the same requests. */
typedef struct ka_pair_record {
    ka_pair_end downstream;
    ka_pair_end upstream;
    ka_moment asked;     /* the first request that was linked, from the client */
    ka_moment forwarded; /* and as the proxy sent it on */
    uint64_t requests;   /* linked, by whatever */
    uint64_t by_id;      /* of those, by a request id or trace id */
    uint64_t again;      /* of those, sent again after an attempt on another connection */
    ka_link_confidence confidence;
    int64_t clock_offset_ns; /* of the upstream's clock against the downstream's; KA_NONE: they are one */
    int64_t clock_drift_ppb; /* likewise: nanoseconds a second; KA_NONE: not measured */
} ka_pair_record;

/* One request on both sides of a proxy: told when the answers, or the end, have shown that it was the same.
 */
typedef struct ka_link_record {
    ka_moment asked;     /* its first byte from the client */
    ka_moment forwarded; /* and from the proxy */
} ka_link_record;

#endif
