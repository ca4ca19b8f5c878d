/* audit.h - the audit's own state. Only audit.c, audit_frames.c and settle.c know it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_AUDIT_H
#define KA_AUDIT_H

#include "connection.h"
#include "due.h"
#include "endpoint.h"
#include "link.h"
#include "keptalive.h"
#include "pool.h"

struct ka_audit {
    ka_config config;
    ka_connection *oldest; /* open connections in order of their streams */
    ka_connection *newest;
    ka_dues dues;
    ka_endpoints endpoints;
    ka_links links;
    ka_pool connections; /* the memory of open ones */
    ka_moment now;
    int64_t tick_ns;
    uint16_t interface; /* of the newest segment */
};

/* Asks the rules of that moment; what holds is kept with the connection. */
ka_status ka_audit_ask(ka_audit *audit, ka_connection *connection, const ka_view *view, unsigned when);
/* The connection belongs to its server's statistics from now on. */
ka_status ka_audit_join(ka_audit *audit, ka_connection *connection);
/* TLS can be read after all: the gaps its records showed are measured again, on what is inside. */
void ka_audit_enter_tunnel(ka_audit *audit, ka_connection *connection);
void ka_audit_forget_bursts(ka_audit *audit, ka_connection *connection);
/* Request `number`, whose first byte was captured then, ended an idle gap. */
void ka_audit_tell_gap(const ka_audit *audit, const ka_connection *connection, uint64_t number,
                       int64_t idle_ns, int64_t end_ns);

/* ---- audit_many.c: what a connection means to others of its client and server ---- */

/* What began on another connection and goes on with the request of a view, which points here. */
typedef struct ka_elsewhere {
    ka_loss loss;
    ka_challenge challenge;
} ka_elsewhere;

/* A request came; sets view->loss and view->challenge. */
ka_status ka_audit_many_request(ka_audit *audit, ka_connection *connection, ka_view *view,
                                ka_elsewhere *elsewhere);
/* A response came behind the server's close, or with half of a login. `request`: NULL when not known. */
ka_status ka_audit_many_response(ka_audit *audit, ka_connection *connection, const ka_request *request,
                                 const ka_header *header, const ka_message *message);
/* A request was answered; the view is of then. `strayed`: an empty line had come before it. */
ka_status ka_audit_many_answered(ka_audit *audit, ka_connection *connection, const ka_view *view,
                                 const ka_request *request, bool strayed, const ka_message *message);
/* A request was answered after a second or more; `before` is the response before. */
void ka_audit_many_waited(ka_audit *audit, const ka_connection *connection, const ka_request *request,
                          const ka_response *before, const ka_message *message);
/* A response came to a client that had closed; sets view->patience. */
void ka_audit_many_gave_up(ka_audit *audit, const ka_connection *connection, ka_view *view);
/* The first FIN or RST, as the view shows it; the server still counts the connection as open. */
ka_status ka_audit_many_closed(ka_audit *audit, ka_connection *connection, const ka_view *view);

/* ---- audit_pairs.c: both sides of a proxy ---- */

/* A request came, on a connection whose client is known. */
ka_status ka_audit_pairs_request(ka_audit *audit, ka_connection *connection, const ka_view *view,
                                 ka_request *request);
ka_status ka_audit_pairs_response(ka_audit *audit, const ka_request *request, const ka_header *header,
                                  const ka_message *message);
/* The first FIN or RST, as the view shows it: who waits now waits in vain, or nearly so. */
ka_status ka_audit_pairs_closed(ka_audit *audit, const ka_view *view);
/* What a connection to a server shows is told of the proxy's pair. */
bool ka_audit_pairs_tell(const ka_links *links, const ka_view *view, ka_finding_id id);
/* A connection was judged, with these findings. */
ka_status ka_audit_pairs_judged(ka_links *links, const ka_view *view, const ka_noted *list);

/* Judges a connection whose story is over and tells the sink; does not free it. */
ka_status ka_audit_judge(ka_audit *audit, ka_connection *connection, uint32_t failed_gates);

#endif
