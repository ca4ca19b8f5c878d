/* field.h - the values of Connection, Keep-Alive and Proxy-Connection: bytes in, options and parameters out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Pure functions. Each is called once for every header line of a message, in order, on the same output:
 * several lines of one name are one list (RFC 9110 section 5.3).
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

enum {
    KA_SYNTAX_BARE_NUMBER = 1 << 0,         /* a member of digits alone */
    KA_SYNTAX_BAD_PARAM = 1 << 1,           /* empty name or value, illegal character, unclosed quote */
    KA_SYNTAX_TIMEOUT_NOT_INTEGER = 1 << 2, /* signed, fractional, quoted, overflowing, not a number */
    KA_SYNTAX_DUPLICATE_CONFLICT = 1 << 3,  /* two different timeouts or maxes */
};

enum { KA_FIELD_DETAIL_BYTES = 48 };

/* Keep-Alive parameters. Start with ka_keep_alive_init. */
typedef struct ka_keep_alive {
    int64_t timeout_s; /* the first valid one, saturated at 2^31-1, a fraction cut off; KA_NONE */
    int64_t max;       /* likewise; KA_NONE */
    unsigned faults;   /* KA_SYNTAX_* bits */
    bool present;      /* some line was read, be it empty */
    /* The member that raised each fault first, cut to size: [0] bare number, [1] bad parameter,
     * [2] timeout, [3] conflict. */
    struct {
        char bytes[KA_FIELD_DETAIL_BYTES];
        uint8_t len_bytes;
    } detail[4];
} ka_keep_alive;

void ka_keep_alive_init(ka_keep_alive *keep_alive);

/* Reads Keep-Alive by the rules in docs/architecture.md ("Header values"). */
void ka_field_keep_alive(ka_slice value, ka_keep_alive *keep_alive);

#endif
