/* http.h - where one HTTP/1 message begins and ends, and the header fields the core asks for (RFC 9112).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A parser is for one message of one direction; parsers are pooled, so that idle connections hold none.
 * llhttp reads the head, once it is whole; bodies are only counted.
 */
#ifndef STREAM_HTTP_H
#define STREAM_HTTP_H

#include <llhttp.h>

#include "stream/chunked.h"
#include "stream/flow.h"

enum {
    HTTP_FIELDS_MAX = 32, /* kept lines of one message; real ones have fewer than ten */
    HTTP_LINES_MAX = 40,  /* lines told apart by whether they matter; a few more than are kept */
    HTTP_PEEK_BYTES = 7,  /* of "HTTP/1." */
};

typedef enum http_state {
    HTTP_STATE_START,
    HTTP_STATE_STRAY, /* the CR of an empty line before the message */
    HTTP_STATE_HEAD,
    HTTP_STATE_PEEK, /* head complete; whether a body follows is told by whether it looks like a response */
    HTTP_STATE_LENGTH,
    HTTP_STATE_CHUNKED,
    HTTP_STATE_UNTIL_CLOSE,
    HTTP_STATE_COMPLETE,
} http_state;

/* One line of a head, with its line break. */
typedef struct http_line {
    uint32_t at;
    uint32_t len_bytes;
    uint8_t name_bytes;
    uint8_t field; /* KA_FIELD_COUNT: for llhttp */
} http_line;

/* Progress through a head, line by line. */
typedef struct http_scan {
    uint32_t line;        /* offset of the line's first byte */
    uint32_t at;          /* everything before it was looked at */
    bool folded;          /* some line continues another (obs-fold, RFC 9112 section 5.2) */
    bool start_checked;   /* the first line is well-formed */
    uint8_t matter_count; /* beyond HTTP_LINES_MAX: all lines do */
} http_scan;

typedef struct http_parser {
    struct http_parser *next; /* in the pool */
    llhttp_t llhttp;
    ka_message message;
    ka_field fields[HTTP_FIELDS_MAX];
    http_line matter[HTTP_LINES_MAX]; /* of the head: the first line, framing, and wanted fields */
    http_scan scan;
    char *copy; /* of a head that spans segments, or of the kept fields of a message that does */
    uint32_t copy_bytes;
    uint32_t copy_room;
    uint64_t body_left;  /* HTTP_STATE_LENGTH */
    chunked chunked;     /* HTTP_STATE_CHUNKED */
    ka_moment head_last; /* what message.last becomes again when no body follows */
    ka_moment peek_first;
    uint32_t peek_seq;
    uint32_t peek_ack;
    uint8_t peeked; /* bytes seen that look like a response's */
    uint8_t peek_need;
    uint8_t state;
    uint8_t role; /* half_role; unknown until the start line is read */
    bool field_wanted;
    bool borrowed; /* method and fields still point into the packet */
} http_parser;

typedef enum http_event {
    HTTP_MORE,       /* the run is used up, or its next byte is cut off */
    HTTP_STRAY,      /* an empty line: message.seq, len_bytes, first, last are its own */
    HTTP_HEAD_WHOLE, /* the head is whole: call http_set_method, then go on */
    HTTP_COMPLETE,   /* the message is told by http_parser.message */
    HTTP_PREFACE,    /* the first line of HTTP/2 */
    HTTP_MALFORMED,  /* not HTTP/1 (any more) */
    HTTP_TOO_LONG,   /* the head is beyond a limit */
} http_event;

/* A parser for the next message, or NULL (and the context failed). `role`: what the direction is known to
 * send. */
http_parser *http_parser_new(stream_context *context, half_role role);
void http_parser_free(stream_context *context, http_parser *parser);
/* Frees the parsers in the pool. */
void http_pool_fini(stream_context *context);

/* Takes bytes from the front of the run up to the next event. */
http_event http_parse(stream_context *context, http_parser *parser, stream_run *run);

/* After HTTP_HEAD_WHOLE: settles the framing. For a response, `method` is that of its request. */
void http_set_method(http_parser *parser, flow_method method);
flow_method http_request_method(const http_parser *parser);

/* So many bytes are missing, or cut off when `at` tells their segment. Returns false when the message's end
 * cannot be known any more. The message may be complete after it (HTTP_STATE_COMPLETE). */
bool http_skip(http_parser *parser, uint32_t len_bytes, const ka_moment *at);

/* The FIN: whether it completes the message. */
bool http_finish(http_parser *parser, ka_moment at);

/* After HTTP_COMPLETE: whether the bytes of the next message have begun already; the parser is that message's
 * then. */
bool http_next(stream_context *context, http_parser *parser);

/* Whether a segment that starts so begins a message: HALF_ROLE_UNKNOWN when not. */
half_role http_plausible_start(const uint8_t *bytes, size_t len_bytes);

#endif
