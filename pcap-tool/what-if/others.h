/* others.h - which other connections of a client were idle when it used or would have opened one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A pool that takes the connection used last has none that was idle for less time than the one it takes: what
 * a timeout closed must be opened again. One that takes the connection idle for longest has, and would have
 * gone on with fewer connections instead. So have several pools behind one address, which cannot help each
 * other.
 */
#ifndef WHAT_IF_OTHERS_H
#define WHAT_IF_OTHERS_H

#include "history.h"

/* Sets other_ns of all gaps of one client's connections at one server. False when memory runs out. */
bool what_if_find_others(what_if_connection *connections, size_t count, const ka_allocator *allocator);

#endif
