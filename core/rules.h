/* rules.h - const view of a connection in, findings out. One table, pure functions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A new diagnosis is a row in findings.def, a function here and a row in rules.def.
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

/* Judges; fills *out (blank but for the catalogue's row) and returns true when the diagnosis holds; else
 * leaves it untouched. */
typedef bool ka_rule_fn(const ka_view *view, ka_finding *out);

/* rules_timeout.c: the timeout contract */
ka_rule_fn ka_rule_closed_early, ka_rule_close_unannounced, ka_rule_kept_late, ka_rule_reuse_after_expiry,
    ka_rule_race_exposure, ka_rule_timeout_zero;
/* rules_hint.c: clients that misread the timeout */
ka_rule_fn ka_rule_unit_suspect, ka_rule_client_timeout_from_hint;
/* rules_lost.c: requests that got no answer */
ka_rule_fn ka_rule_request_after_close, ka_rule_reuse_after_fin, ka_rule_keepalive_race,
    ka_rule_pipeline_lost, ka_rule_server_closed_in_flight;
/* rules_count.c: max and close */
ka_rule_fn ka_rule_max_exceeded, ka_rule_close_not_honoured;
/* rules_max.c: how max counts, and closes before it is used up */
ka_rule_fn ka_rule_max_closed_early, ka_rule_max_not_decreasing, ka_rule_max_jump;
/* rules_unasked.c: 408 */
ka_rule_fn ka_rule_unsolicited_408, ka_rule_misattributed_408;
/* rules_http10.c: persistence asked for in HTTP/1.0 */
ka_rule_fn ka_rule_http10_token_not_echoed, ka_rule_http10_unasked_keepalive, ka_rule_http10_undelimited;
/* rules_expect.c: Expect: 100-continue */
ka_rule_fn ka_rule_expect_stall;
/* rules_leak.c: what stays open */
ka_rule_fn ka_rule_client_close_wait, ka_rule_server_close_wait, ka_rule_idle_forever,
    ka_rule_preconnect_unused;
/* rules_middle.c: what a device on the path does to idle connections */
ka_rule_fn ka_rule_silent_drop, ka_rule_reset_on_first_packet;
/* rules_reset.c: aborted where it should have been closed */
ka_rule_fn ka_rule_idle_close_by_rst, ka_rule_rst_data_loss, ka_rule_half_close_killed;
/* rules_probe.c: TCP keepalive probes, and FINs without an answer */
ka_rule_fn ka_rule_tcp_keepalive_only, ka_rule_dead_peer;
/* rules_other.c: what began on another connection */
ka_rule_fn ka_rule_unsafe_replay, ka_rule_auth_bound_broken;
/* rules_syntax.c: header values */
ka_rule_fn ka_rule_bare_number, ka_rule_bad_param, ka_rule_timeout_not_integer, ka_rule_duplicate_conflict,
    ka_rule_token_missing, ka_rule_close_contradiction, ka_rule_timeout_huge, ka_rule_timeout_not_first,
    ka_rule_proxy_connection_seen, ka_rule_h2_connection_field;

/* rules_tls.c: closure alerts, and what was told by records alone */
ka_rule_fn ka_rule_tls_close_notify_ignored, ka_rule_tls_no_close_notify;
/* rules_h2.c: HTTP/2 connections that end */
ka_rule_fn ka_rule_h2_close_without_goaway, ka_rule_h2_stream_lost;

/* The oldest request without an answer, whole or only begun; without keys, the burst that stands for it. */
typedef struct ka_unanswered {
    uint64_t first; /* sequence number; 0: there is none */
    uint64_t ack;
    uint64_t number;
    ka_moment first_at;
    ka_moment end_at; /* frame 0: its end was not seen */
} ka_unanswered;

ka_unanswered ka_rules_unanswered(const ka_view *view);

/* The client's burst that waits, when it can be a request that somebody lost; NULL. */
const ka_burst *ka_rules_burst(const ka_view *view);
/* Who acknowledged `ack` had the server's closure alert, behind which there is only its FIN. */
bool ka_rules_was_notified(const ka_view *view, uint64_t ack);
/* A finding of the list was told by TLS records alone: *out says so, and how sure that is. */
bool ka_rules_inferred(const ka_view *view, const ka_noted *list, ka_finding *out);

/* How many requests the server has allowed on this connection in all, as far as its max can be read; -1: not
 * told. */
int64_t ka_rules_allowed(const ka_view *view, const ka_response *response);

/* The latest response used up its max, by the reading that gives the server its reason to close. */
bool ka_rules_max_reached(const ka_view *view);

/* The latest answer ends the connection, so what was pipelined behind it is void (RFC 9112 section 9.6). */
bool ka_rules_voided(const ka_view *view);

/* Statuses with which a server has reason to close, announced or not. */
bool ka_rules_excuses_close(uint16_t status);

/* The server closed right behind a response that promised to go on. */
bool ka_rules_unannounced(const ka_view *view);

/* Does the client take the advertised seconds for milliseconds? */
typedef enum ka_unit_sign {
    KA_UNIT_SILENT,  /* this connection cannot tell */
    KA_UNIT_MISREAD, /* it closed after as many milliseconds */
    KA_UNIT_READ,    /* it kept the connection idle for longer, or closed sooner */
} ka_unit_sign;

ka_unit_sign ka_rules_unit_sign(const ka_view *view);

/* For how long, by that time, the server has had the request under way. */
int64_t ka_rules_expect_waited(const ka_view *view, int64_t until_ns);

/* The client gave up waiting for an answer though no timeout had been advertised to it: after so long; else
 * KA_NONE. */
int64_t ka_rules_given_up_untold(const ka_view *view);

/* The client had waited longer than the timeout advertised by the response before this request. */
bool ka_rules_expired(const ka_view *view, const ka_response *before, const ka_request *request);

/* HTTP in any form, TLS, or nothing yet to a server that speaks one of them. */
bool ka_rules_is_web(const ka_view *view);

/* The server's RST came from another distance than all that the server sent. */
bool ka_rules_is_foreign_reset(const ka_view *view);

/* silent-drop and reset-on-first-packet hold. */
bool ka_rules_is_dropped(const ka_view *view);
bool ka_rules_is_reset_by_middle(const ka_view *view);

/* A request after a long silence was sent again and again, and no FIN of the server was seen: whatever ended
 * the connection, it did not cross the request. */
bool ka_rules_is_ignored(const ka_view *view);

/* rst-data-loss holds. */
bool ka_rules_is_lost_by_reset(const ka_view *view);

/* The client's probes or FINs got no answer. */
bool ka_rules_is_server_dead(const ka_view *view);

/* Findings a rule has made, in a list the caller owns. */
typedef struct ka_rules_out {
    void *user;
    ka_status (*add)(void *user, const ka_finding *finding);
} ka_rules_out;

/* Asks every rule of that moment, applies the gates, and adds what holds. */
ka_status ka_rules_run(const ka_view *view, unsigned when, const ka_rules_out *out);

/* A finding of the list says more about the same event than one with this id does. */
bool ka_rules_is_replaced(const ka_noted *list, ka_finding_id id);

/* What links findings of one settled connection: a lost request's causes, and the cap-* findings for gates
 * that lowered one. `list` is sorted by frame and id afterwards. */
ka_status ka_rules_link(const ka_view *view, ka_noted **list, const ka_rules_out *out);

#endif
