/* preamble_facts.h - what a proxy may say before the first byte of HTTP or TLS (PROXY protocol), told to the
 * core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_PREAMBLE_FACTS_H
#define PLUGIN_PREAMBLE_FACTS_H

#include "collect.h"

/* Returns what of the frame's payload comes first in the direction, behind a preamble if there is one;
 * nothing as long as it may still become one, or when it comes too late to tell. */
ka_slice preamble_facts_tell(collect_frame *frame);

#endif
