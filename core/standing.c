/* standing.c - where an open connection stands, for a front end that shows it on the way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"

static int64_t or_none(int32_t value)
{
    return value < 0 ? KA_NONE : value;
}

void ka_connection_standing(const ka_connection *c, ka_standing *out)
{
    const ka_exchanges *x = &c->exchanges;
    const ka_response *last = &x->last;
    ka_view v;
    ka_view_init(c, NULL, (ka_moment){0, 0}, 0, &v); /* tolerances and the time of day play no part */
    int64_t timeout_ns = ka_view_timeout_ns(&v);
    int64_t allowed = ka_rules_allowed(&v, last);
    *out = (ka_standing){
        .request_number = x->requests,
        .idle_before_ns = x->newest != NULL ? x->newest->idle_before_ns : KA_NONE,
        .timeout_s = or_none(last->timeout_s),
        .max = or_none(last->max),
        .remaining = allowed < 0 ? KA_NONE : allowed - (int64_t)last->number,
        .deadline_ns =
            timeout_ns == KA_NONE || x->completed == 0 ? KA_NONE : last->end_at.time_ns + timeout_ns,
        .counts = last->effective,
    };
}

bool ka_connection_was_reset(const ka_connection *c)
{
    for (int d = 0; d < 2; d++) {
        const ka_ending *ending = c->transport.half[d].ending;
        if (ending != NULL && ending->rst.frame != 0)
            return true;
    }
    return false;
}
