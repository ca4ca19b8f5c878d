/* http_head.h - the head of one HTTP/1 message: bytes in, what the audit asks for out (RFC 9112).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Pure. Wireshark's HTTP dissector has found where the message begins; its header fields have no fields of
 * their own there (Keep-Alive has none in any version), so that they are read as bytes.
 */
#ifndef PLUGIN_HTTP_HEAD_H
#define PLUGIN_HTTP_HEAD_H

#include "keptalive.h"

/* More wanted header lines than any real message has; the rest is ignored. */
enum { HTTP_HEAD_FIELDS_MAX = 64 };

typedef struct http_head {
    bool is_response;
    uint8_t version;
    uint16_t status;
    ka_slice method;
    ka_slice target;
    bool origin_form; /* the target of the request begins with a slash */
    ka_field fields[HTTP_HEAD_FIELDS_MAX];
    size_t field_count;
    size_t len_bytes; /* with the empty line */
    bool chunked;     /* the last transfer coding */
    bool coded;       /* there is a transfer coding */
    bool has_length;  /* there is a Content-Length */
    bool malformed;
    uint64_t length_bytes;
} http_head;

/* What the framing of a response depends on. */
typedef enum http_asked { HTTP_ASKED_OTHER, HTTP_ASKED_HEAD, HTTP_ASKED_CONNECT } http_asked;

typedef enum http_head_status {
    HTTP_HEAD_NONE, /* no start line of HTTP/1 */
    HTTP_HEAD_CUT,  /* a start line, but no end */
    HTTP_HEAD_BAD,  /* a start line, but how the message is framed nobody can be sure of */
    HTTP_HEAD_WHOLE,
} http_head_status;

/* *out is set when the head is whole. Folded lines are unfolded in place; the slices point into bytes. */
http_head_status http_head_read(char *bytes, size_t len_bytes, http_head *out);

http_asked http_head_asked(const http_head *head);
/* RFC 9112 section 6.3. */
ka_framing http_head_framing(const http_head *head, http_asked asked);

/* The length on the wire of a chunked body with its trailers; false: its end is not among the bytes. */
bool http_chunked_bytes(ka_slice bytes, uint64_t *wire_bytes, uint64_t *body_bytes);

/* Could these first bytes of a direction be HTTP/1 (or TLS, or the preface of HTTP/2)? */
ka_protocol http_guess(ka_slice bytes);

#endif
