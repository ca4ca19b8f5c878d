/* claims.h - which captured bytes messages have accounted for, and the gate that fails when Wireshark skipped
 * some.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_CLAIMS_H
#define PLUGIN_CLAIMS_H

#include "collect.h"

/* A message or stray of this side ends there. */
void claims_add(collect_side *side, uint32_t end_seq);

/* Before a message is told: was anything of its side, or of what it acknowledges, skipped? */
void claims_before(const collect_connection *connection, const ka_message *message);

/* The side has closed, and all it sent behind the newest message is there. */
bool claims_can_end(const collect_side *side);

/* Bytes up to until_seq that came out of order must have been claimed by now. */
void claims_check(const collect_connection *connection, const collect_side *side, uint32_t until_seq);

#endif
