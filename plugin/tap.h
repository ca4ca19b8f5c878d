/* tap.h - what a frame tells the plugin's own statistics.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_TAP_H
#define PLUGIN_TAP_H

#include "compat.h"
#include "collect.h"
#include "frame_facts.h"

#define TAP_NAME "keptalive"

typedef struct tap_frame {
    const collect *all;
    uint32_t stream; /* when has_stream */
    bool has_stream;
    bool visited;                                    /* the whole capture is known */
    const results_finding *findings[RESULTS_LAYERS]; /* of this frame, when visited */
} tap_frame;

/* The audit of the file that is open, judged as of now; NULL: none, or switched off. */
const collect *tap_audit(void);

#endif
