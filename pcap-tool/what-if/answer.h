/* answer.h - what the settings asked for would have done at one server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WHAT_IF_ANSWER_H
#define WHAT_IF_ANSWER_H

#include "deadline.h"
#include "outcome.h"
#include "what_if.h"

typedef struct what_if_answer {
    const ka_address *server;
    const char *name; /* raw bytes; "": none */
    uint64_t clients; /* addresses */
    uint64_t requests;
    uint64_t gaps;  /* that a request ended */
    int64_t rtt_ns; /* between client and server, on average of the connections */
    what_if_deadline deadline;
    what_if_outcome now;
    what_if_outcome outcomes[WHAT_IF_STEPS_MAX];
    size_t outcome_count;
    size_t best; /* of outcomes */
} what_if_answer;

const what_if_question *what_if_asked_of(const what_if *self);
int64_t what_if_margin_ns(const what_if *self);

size_t what_if_server_count(const what_if *self);
/* False when memory runs out. */
bool what_if_answer_of(const what_if *self, size_t server, what_if_answer *out);

#endif
