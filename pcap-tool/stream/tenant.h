/* tenant.h - equal addresses and ports in two VLANs or two virtual networks: which connection is meant.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A segment in another VLAN than its direction's first one is one of three things: the same connection, whose
 * two directions take different ways; a copy, captured again behind a router; or another tenant. TCP's own
 * numbers tell: two connections have them in common by chance only.
 */
#ifndef STREAM_TENANT_H
#define STREAM_TENANT_H

#include "stream/flow.h"

/* Notes what the first packet of a flow came in. */
void tenant_begin(stream_flow *flow, const packet_tcp *packet);

/* Whether anything has to be asked at all: most connections keep to one path. */
static inline bool tenant_may_differ(const stream_flow *flow, const packet_tcp *packet)
{
    return flow->halves[0].path != packet->path || flow->halves[1].path != packet->path;
}

/* The flow a packet belongs to, `first` or one behind it with the same addresses; NULL: none, it begins
 * another. */
stream_flow *tenant_find(const flow_table *table, stream_flow *first, const packet_tcp *packet);

#endif
