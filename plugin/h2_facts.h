/* h2_facts.h - the HTTP/2 frames Wireshark shows in a frame, told to the core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_H2_FACTS_H
#define PLUGIN_H2_FACTS_H

#include "collect.h"

void h2_facts_tell(collect_frame *frame);

#endif
