/* frame_facts.h - what of a frame the later passes show: its messages, its FIN or RST.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_FRAME_FACTS_H
#define PLUGIN_FRAME_FACTS_H

#include "compat.h"
#include "keptalive.h"

typedef enum frame_fact_kind {
    FRAME_FACT_OPEN, /* the connection's first frame: nothing to show, but tables count from here */
    FRAME_FACT_REQUEST,
    FRAME_FACT_RESPONSE,
    FRAME_FACT_FIN,
    FRAME_FACT_RST,
} frame_fact_kind;

/* Values are KA_NONE where they do not apply. */
typedef struct frame_fact {
    struct frame_fact *next;
    struct frame_fact *next_unanswered; /* of its connection, while it waits for its response */
    frame_fact_kind kind;
    uint32_t stream;
    uint32_t other_frame; /* of a response: its request's; of a request: its response's; 0: none */
    uint32_t since_frame; /* of a request: of the response before it; 0: none */
    bool counts;          /* the Keep-Alive of the response */
    int64_t number;       /* of the request, or of the one answered */
    int64_t idle_ns;      /* before a request */
    int64_t margin_ns;    /* from a request to the deadline before it; negative: too late */
    int64_t deadline_ns;  /* of a response: its end + timeout */
    int64_t timeout_s;    /* advertised by a response */
    int64_t max;
    int64_t remaining;
} frame_fact;

/* Tells which protocol's data of a packet these are. */
void frame_facts_register(int protocol);

/* A fact of this frame, in file scope, with no values. */
frame_fact *frame_facts_add(packet_info *pinfo, frame_fact_kind kind, uint32_t stream);
const frame_fact *frame_facts_of(packet_info *pinfo);

#endif
