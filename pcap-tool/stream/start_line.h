/* start_line.h - is this the first line of an HTTP message? (RFC 9112 sections 3 and 4)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STREAM_START_LINE_H
#define STREAM_START_LINE_H

#include "keptalive.h"

enum { START_LINE_METHOD_BYTES_MAX = 32 }; /* the longest registered one, UPDATEREDIRECTREF, has 17 */

typedef enum start_line {
    START_LINE_BAD,
    START_LINE_MORE, /* as far as it goes, it could become one */
    START_LINE_REQUEST,
    START_LINE_RESPONSE,
    START_LINE_PREFACE, /* of HTTP/2 (RFC 9113 section 3.4) */
} start_line;

/* The bytes so far, with no LF among them; those before `checked` were looked at before. */
start_line start_line_partial(const char *bytes, size_t len_bytes, size_t checked);
/* Which kind a line with its CR LF can only be, by its version; the rest of it is for the parser to judge. */
start_line start_line_kind(const char *bytes, size_t len_bytes);
/* Likewise, with the rest judged: where nothing else tells that this is HTTP. */
start_line start_line_whole(const char *bytes, size_t len_bytes);
/* Length of the token (RFC 9110 section 5.6.2) the bytes begin with. */
size_t start_line_token(const char *bytes, size_t len_bytes);

#endif
