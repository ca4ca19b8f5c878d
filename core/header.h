/* header.h - what the header fields of one message say about its connection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_HEADER_H
#define KA_HEADER_H

#include "field.h"
#include "keptalive.h"

typedef struct ka_header {
    ka_options connection;
    ka_keep_alive keep_alive;
    ka_options proxy_connection;
    ka_slice host;
    bool has_proxy_connection;
    bool expects_continue; /* Expect: 100-continue (RFC 9110 section 10.1.1) */
    bool event_stream;     /* Content-Type: text/event-stream: open until someone closes */
    uint8_t login_step;    /* of NTLM, see login.h; 0: none */
    bool authenticates;    /* has a field of any login */
} ka_header;

void ka_header_read(const ka_message *message, ka_header *header);

/* Whether any syntax rule could have something to say, beyond a timeout of so many seconds. */
bool ka_header_is_odd(const ka_header *header, int64_t usual_timeout_s);

/* RFC 9112 section 9.3: whether the connection goes on after this message, by its own word. */
bool ka_header_persists(const ka_header *header, const ka_message *message);

/* Keep-Alive counts only with the keep-alive option (RFC 2068 section 19.7.1), and close overrules it. */
bool ka_header_effective(const ka_header *header);

#endif
