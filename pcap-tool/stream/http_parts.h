/* http_parts.h - what the three files of the HTTP/1 parser share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STREAM_HTTP_PARTS_H
#define STREAM_HTTP_PARTS_H

#include "stream/http.h"

/* http_parser.c: all but the role and the copy's room begins anew. */
void http_reset(http_parser *parser);
/* Adds bytes to the copy; false when a limit or memory forbids. */
bool http_append(stream_context *context, http_parser *parser, const void *bytes, size_t len_bytes);
/* The message outlives the packet: what the core will be told of it is copied. */
bool http_keep_fields(stream_context *context, http_parser *parser);

/* http_head.c: HTTP_HEAD_WHOLE once llhttp has read the head and waits before the body. */
http_event http_parse_head(stream_context *context, http_parser *parser, stream_run *run);

/* The run's first bytes belong to the message. */
static inline void http_take(http_parser *parser, stream_run *run, size_t len_bytes)
{
    parser->message.len_bytes += len_bytes;
    parser->message.last = run->at;
    run_advance(run, (uint32_t)len_bytes);
}

#endif
