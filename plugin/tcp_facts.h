/* tcp_facts.h - one frame's TCP segment, read from its headers as bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_TCP_FACTS_H
#define PLUGIN_TCP_FACTS_H

#include "compat.h"
#include "keptalive.h"

typedef struct tcp_facts {
    ka_segment segment; /* all but the direction */
    ka_address source;
    ka_address target;
    uint32_t stream;      /* tcp.stream */
    tvbuff_t *bytes;      /* the data source that holds the segment */
    int payload_start;    /* in it */
    uint32_t payload_seq; /* a SYN takes one sequence number before the payload */
} tcp_facts;

/* False: the frame has no TCP segment of its own, or its headers are cut. Of TCP within TCP the innermost. */
bool tcp_facts_read(packet_info *pinfo, proto_tree *tree, tcp_facts *out);

#endif
