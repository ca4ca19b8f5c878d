/* show.h - a frame's results as a subtree, and its findings as expert infos.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Computes nothing. The first pass knows the messages and what they showed, later passes also how the
 * connection ended.
 */
#ifndef PLUGIN_SHOW_H
#define PLUGIN_SHOW_H

#include "frame_facts.h"
#include "results.h"

typedef struct show_frame {
    const frame_fact *facts;
    const results_finding *findings[RESULTS_LAYERS]; /* lists by next_on_frame */
    const results *results;                          /* NULL: the ends of connections are not known yet */
} show_frame;

void show_register(int protocol);

/* tree may be NULL: expert infos are counted without one. */
void show(const show_frame *frame, tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree);

#endif
