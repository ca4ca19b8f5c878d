/* setting.h - what is asked: other timeouts and limits than those captured, and what each outcome costs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WHAT_IF_SETTING_H
#define WHAT_IF_SETTING_H

#include "keptalive.h"

typedef enum what_if_knob {
    WHAT_IF_CLIENT_IDLE,  /* ns: the client closes what was idle for so long */
    WHAT_IF_SERVER_IDLE,  /* ns: when the server really closes, not what it advertises */
    WHAT_IF_MAX_REQUESTS, /* a connection ends with so many */
    WHAT_IF_KNOBS
} what_if_knob;

/* One value for each knob; KA_NONE: as captured. */
typedef struct what_if_setting {
    int64_t value[WHAT_IF_KNOBS];
} what_if_setting;

extern const what_if_setting what_if_as_captured;

/* Any unit, the same for all three. */
typedef struct what_if_price {
    double lost;
    double connection;
    double open_second;
} what_if_price;

/* A new connection is the unit: one to three round trips, and a handshake's work where there is TLS. A lost
 * request is an error a user may see, or a POST that nobody may repeat: worth a thousand of them. A second
 * open is a hundredth: an idle connection costs as much as a new one after 100 s, which is about where pools
 * that were tuned give up (Go 90 s, nginx's upstream 60 s). */
#define WHAT_IF_PRICE ((what_if_price){1000, 1, 0.01})

/* More are no table any more. */
enum { WHAT_IF_STEPS_MAX = 64, WHAT_IF_STEPS = 12 };

/* What was asked on the command line; a knob that is not `given` stays as captured. At most one is a range.
 */
typedef struct what_if_question {
    bool given[WHAT_IF_KNOBS];
    int64_t from[WHAT_IF_KNOBS];
    int64_t to[WHAT_IF_KNOBS]; /* the same as `from`: one value */
    unsigned steps;
    what_if_price price;
    bool has_server;
    ka_address server; /* only this one */
} what_if_question;

void what_if_question_init(what_if_question *question);
/* Whether any knob is turned. */
bool what_if_asked(const what_if_question *question);
/* The knob with a range; WHAT_IF_KNOBS: none. */
what_if_knob what_if_range(const what_if_question *question);

/* The settings to try, rising: the ends of the range and, between them, equal ratios rounded to three digits.
 * Returns how many, at least one. */
size_t what_if_settings(const what_if_question *question, what_if_setting out[WHAT_IF_STEPS_MAX]);

/* "4", "2.24": exactly, as it can be typed. Returns the length. */
enum { WHAT_IF_SECONDS_BYTES = 24 };
size_t what_if_seconds_text(int64_t duration_ns, char out[WHAT_IF_SECONDS_BYTES]);

#endif
