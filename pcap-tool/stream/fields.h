/* fields.h - which header fields the core asks for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STREAM_FIELDS_H
#define STREAM_FIELDS_H

#include "keptalive.h"

/* KA_FIELD_COUNT when it is none of them. The name must be a token. */
ka_field_name fields_find(const char *name, size_t len_bytes);
/* What a header line is to us. */
typedef enum fields_line {
    FIELDS_LINE_NONE,    /* nothing: need not be parsed */
    FIELDS_LINE_WANTED,  /* a field the core asks for */
    FIELDS_LINE_FRAMING, /* tells where the body ends, or is malformed where that matters */
} fields_line;
/* Whether the line's first two bytes are those of a name it may be: most lines are ruled out by them. It has
 * at least two. */
extern const uint32_t fields_second_letters[32];
static inline bool fields_maybe(const char *line)
{
    return fields_second_letters[line[0] & 31] >> (line[1] & 31) & 1;
}
fields_line fields_classify(const char *line, size_t len_bytes, ka_field_name *name, size_t *name_bytes);
/* Without white space around it (OWS, RFC 9110 section 5.6.3). */
ka_slice fields_trim(const char *value, size_t len_bytes);

#endif
