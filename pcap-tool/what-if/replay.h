/* replay.h - one connection as it would have gone under another setting. Pure arithmetic.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A gap longer than the client's idle timeout becomes a close and, at the next request, another connection. A
 * gap longer than the server's timeout does, too, unless the request crosses the close: then it is lost. What
 * a connection would have done beyond its captured end nobody knows: that is a spare (spares.h).
 */
#ifndef WHAT_IF_REPLAY_H
#define WHAT_IF_REPLAY_H

#include "history.h"
#include "setting.h"
#include "spares.h"

/* What stays the same for all connections of a server and all settings. */
typedef struct what_if_ground {
    int64_t
        deadline_ns;   /* after which the server closes an idle connection, as captured; KA_NONE: not known */
    int64_t safe_ns;   /* behind gaps so long requests were served; KA_NONE: there was none */
    int64_t margin_ns; /* a reuse so near to the deadline is at risk */
    int64_t end_ns;    /* of the capture */
} what_if_ground;

/* Sums over connections, of what is sure. */
typedef struct what_if_tally {
    uint64_t connections; /* opened */
    uint64_t shareable;   /* of the opened: another one of the client was idle, and not for too long */
    uint64_t reused;      /* gaps that a request ended on the same connection */
    uint64_t lost;        /* requests */
    uint64_t at_risk;     /* of the reused: sent within the margin before the server's deadline */
    int64_t open_us;      /* microseconds: sums of nanoseconds overflow after 292 years of connections */
} what_if_tally;

/* Adds the connection to the tally. True, and *spare, when it might have been used beyond its captured end.
 */
bool what_if_replay(const what_if_connection *connection, const what_if_setting *setting,
                    const what_if_ground *ground, what_if_tally *tally, what_if_spare *spare);

#endif
