/* json.h - one JSON object on one line, through a write callback.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A line is built in a small buffer that is handed to the writer whenever it is full, so a line has no size
 * limit and needs no memory. Every member function takes a key; NULL inside an array. Bytes of texts outside
 * printable ASCII become \u00XX: a line is valid JSON and valid UTF-8 whatever they are.
 */
#ifndef KA_JSON_H
#define KA_JSON_H

#include "keptalive.h"

/* Most records fit one write. */
enum { KA_JSON_BUFFER_BYTES = 1024 };

/* The longest key; names of values and of frames are keys, too. A longer one would be cut. */
enum { KA_JSON_KEY_BYTES = 64 };

typedef struct ka_json {
    const ka_writer *writer;
    bool ok;   /* every write so far succeeded */
    char last; /* the last byte put; decides whether a comma is due */
    size_t len_bytes;
    char bytes[KA_JSON_BUFFER_BYTES];
} ka_json;

/* The line's own object is opened by begin and closed, with a newline, by end. */
void ka_json_begin(ka_json *json, const ka_writer *writer, const char *type);
/* False when a write failed; nothing was written after it. */
bool ka_json_end(ka_json *json);

void ka_json_open(ka_json *json, const char *key, char bracket); /* '{' or '[' */
void ka_json_close(ka_json *json, char bracket);                 /* '}' or ']' */

void ka_json_null(ka_json *json, const char *key);
void ka_json_text(ka_json *json, const char *key, ka_slice text);
void ka_json_name(ka_json *json, const char *key, const char *name); /* NUL-terminated */
void ka_json_count(ka_json *json, const char *key, uint64_t count);
void ka_json_integer(ka_json *json, const char *key, int64_t number); /* null for KA_NONE */
void ka_json_raw(ka_json *json, const char *key, const char *number); /* a JSON number as it stands */
/* Epoch seconds with 9 decimals; null for KA_NONE. */
void ka_json_time(ka_json *json, const char *key, int64_t time_ns);
/* Seconds with up to 9 decimals, trailing zeros trimmed: 5.0042, 3, 0.000001; null for KA_NONE. */
void ka_json_duration(ka_json *json, const char *key, int64_t duration_ns);

#endif
