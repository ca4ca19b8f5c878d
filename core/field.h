/* field.h - the values of Connection, Keep-Alive and Proxy-Connection: bytes in, options and parameters out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Pure functions: no allocation, no state but the output. The two readers are called once for every header
 * line of a message, in order, on the same output: several lines of one name are one list (RFC 9110
 * section 5.3). Any bytes are accepted, NUL and 8-bit ones included.
 */
#ifndef KA_FIELD_H
#define KA_FIELD_H

#include "keptalive.h"

/* Connection options (RFC 9110 section 7.6.1), names case-insensitive. All false before the first line. */
typedef struct ka_options {
    bool close;
    bool keep_alive;
    bool upgrade;
} ka_options;

/* Reads Connection (or Proxy-Connection, whose grammar is the same). */
void ka_field_connection(ka_slice value, ka_options *options);

/* Does a comma-separated list of tokens have this member, in any case? (Upgrade: websocket, Expect, ...) */
bool ka_field_has_token(ka_slice value, const char *token);

enum {
    KA_SYNTAX_BARE_NUMBER = 1 << 0,         /* a member of digits alone */
    KA_SYNTAX_BAD_PARAM = 1 << 1,           /* empty name or value, illegal character, unclosed quote, no "=",
                                             * a max that is not a number */
    KA_SYNTAX_TIMEOUT_NOT_INTEGER = 1 << 2, /* signed, fractional, quoted, overflowing, not a number */
    KA_SYNTAX_DUPLICATE_CONFLICT = 1 << 3,  /* two different timeouts or maxes */
    KA_SYNTAX_TIMEOUT_NOT_FIRST = 1 << 4,   /* valid, but the value does not begin with "timeout=" */
};

/* The faults of a value are few: each of the first four has one detail, at the index of its bit. */
enum { KA_SYNTAX_COUNT = 4, KA_FIELD_DETAIL_BYTES = 48 };

/* timeout and max saturate here: every client holds seconds in 31 bits, and 68 years are no timeout. */
#define KA_FIELD_NUMBER_MAX INT64_C(2147483647)

/* Keep-Alive parameters. Start with ka_keep_alive_init. */
typedef struct ka_keep_alive {
    int64_t timeout_s; /* the first valid one; KA_NONE */
    int64_t max;       /* likewise; KA_NONE */
    unsigned faults;   /* KA_SYNTAX_* bits */
    bool present;      /* some line was read, be it empty */
    /* The member that raised each fault first, raw bytes cut to size: [0] bare number, [1] bad parameter,
     * [2] timeout, [3] conflict. */
    struct {
        char bytes[KA_FIELD_DETAIL_BYTES];
        uint8_t len_bytes;
    } detail[KA_SYNTAX_COUNT];
} ka_keep_alive;

void ka_keep_alive_init(ka_keep_alive *keep_alive);

/* Reads one Keep-Alive line (RFC 2068 section 19.7.1.1: a list of name "=" token or quoted-string).
 *
 *   timeout=5, max=100     5 and 100; names in any case, white space round "=", empty members allowed
 *   timeout=0              0: valid
 *   max=100, timeout=5     100 and 5, TIMEOUT_NOT_FIRST; likewise Timeout=5, and timeout = 5
 *   timeout=4294967296     2^31-1, TIMEOUT_NOT_INTEGER
 *   timeout=4.5            4, TIMEOUT_NOT_INTEGER: a fraction is cut off
 *   timeout="60"           60, TIMEOUT_NOT_INTEGER: legal, yet most clients cannot read it
 *   timeout=-1, +5, 5s     ignored, TIMEOUT_NOT_INTEGER
 *   timeout=5, timeout=6   5, DUPLICATE_CONFLICT; the same number twice is no conflict
 *   max="7", max=99999999999   7 and 2^31-1: no fault has a name for them, and both are grammar
 *   max=-1, max=1.5        ignored, BAD_PARAM
 *   300                    ignored, BARE_NUMBER
 *   close, =5, timeout=, timeout=5;max=3, timeout="5     ignored, BAD_PARAM
 *   anything="else"        ignored: extensions are allowed
 *
 * Commas inside a quoted-string do not split. An unclosed quote runs to the end of its line. */
void ka_field_keep_alive(ka_slice value, ka_keep_alive *keep_alive);

/* W3C Trace Context section 3.2: "00-TRACE-PARENT-FLAGS"; a proxy that traces changes the parent, which is
 * its own span, and keeps the trace. False: it is none, *trace is untouched. */
bool ka_field_trace_id(ka_slice value, ka_slice *trace);

#endif
