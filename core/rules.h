/* rules.h - const view of a connection in, findings out. One table, pure functions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A new diagnosis is a row in findings.def, a function here and a row in the table of rules.c.
 */
#ifndef KA_RULES_H
#define KA_RULES_H

#include "connection.h"
#include "finding.h"
#include "keptalive.h"

/* When a rule is asked. */
enum {
    KA_ON_REQUEST = 1, /* view.request and view.before are set */
    KA_ON_RESPONSE =
        2, /* view.message is a final response; request, before and response where there are some */
    KA_ON_FIELDS = 4,    /* view.header and view.message are set, and something about them is odd */
    KA_ON_SETTLE = 8,    /* the story is over, or the capture */
    KA_ON_H2_FIELD = 16, /* view.h2_field is set */
};

/* Judges; fills *out (initialised to the catalogue's row) and returns true when the diagnosis holds. */
typedef bool ka_rule_fn(const ka_view *view, ka_finding *out);

/* rules_timeout.c: the timeout contract */
ka_rule_fn ka_rule_closed_early, ka_rule_close_unannounced, ka_rule_kept_late, ka_rule_reuse_after_expiry,
    ka_rule_race_exposure, ka_rule_timeout_zero;
/* rules_lost.c: requests that got no answer */
ka_rule_fn ka_rule_request_after_close, ka_rule_reuse_after_fin, ka_rule_keepalive_race,
    ka_rule_server_closed_in_flight;
/* rules_count.c: max, close and unasked answers */
ka_rule_fn ka_rule_max_exceeded, ka_rule_close_not_honoured, ka_rule_unsolicited_408;
/* rules_leak.c: what stays open */
ka_rule_fn ka_rule_client_close_wait, ka_rule_server_close_wait, ka_rule_idle_forever;
/* rules_other.c: what began on another connection */
ka_rule_fn ka_rule_unsafe_replay, ka_rule_auth_bound_broken;
/* rules_syntax.c: header values */
ka_rule_fn ka_rule_bare_number, ka_rule_bad_param, ka_rule_timeout_not_integer, ka_rule_duplicate_conflict,
    ka_rule_token_missing, ka_rule_close_contradiction, ka_rule_h2_connection_field;

/* How many requests the server has allowed on this connection in all, as far as its max can be read; -1: not
 * told. */
int64_t ka_rules_allowed(const ka_view *view, const ka_response *response);

/* The latest response used up its max, by the reading that gives the server its reason to close. */
bool ka_rules_max_reached(const ka_view *view);

/* The latest answer ends the connection, so what was pipelined behind it is void (RFC 9112 section 9.6). */
bool ka_rules_voided(const ka_view *view);

/* Statuses with which a server has reason to close, announced or not. */
bool ka_rules_excuses_close(uint16_t status);

/* The client had waited longer than the timeout advertised by the response before this request. */
bool ka_rules_expired(const ka_view *view, const ka_response *before, const ka_request *request);

/* Findings a rule has made, in a list the caller owns. */
typedef struct ka_rules_out {
    void *user;
    ka_status (*add)(void *user, const ka_finding *finding);
} ka_rules_out;

/* Asks every rule of that moment, applies the gates, and adds what holds. */
ka_status ka_rules_run(const ka_view *view, unsigned when, const ka_rules_out *out);

/* What links findings of one settled connection: a lost request's causes, and the cap-* findings for gates
 * that lowered one. `list` is sorted by frame and id afterwards. */
ka_status ka_rules_link(const ka_view *view, ka_noted **list, const ka_rules_out *out);

#endif
