/* units.h - counts, durations, times and addresses as the text report shows them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UNITS_H
#define UNITS_H

#include "keptalive.h"

enum {
    UNITS_COUNT_BYTES = 32,    /* "18,446,744,073,709,551,615" */
    UNITS_DURATION_BYTES = 24, /* at most 8 characters are used */
    UNITS_TIME_BYTES = 32,     /* "2024-05-01 12:00:00.123" */
    UNITS_PEER_BYTES = KA_IP_TEXT_BYTES + 8,
};

/* Exact, with commas: "1,234,567". */
void units_count(uint64_t count, char out[UNITS_COUNT_BYTES]);

/* "" of one, else "s". */
const char *units_plural(uint64_t count);

/* For table cells, at most 5 characters: "99999", "123k", "1.2M". */
void units_count_short(uint64_t count, char out[UNITS_COUNT_BYTES]);

/* At most 8 characters: "1.234 s", "59.99 s", "3600 s", then days; "-" for KA_NONE. */
void units_duration(int64_t duration_ns, char out[UNITS_DURATION_BYTES]);

/* Whole seconds as advertised, at most 7 characters: "5 s", "24855 d"; "-" for KA_NONE. */
void units_seconds(int64_t seconds, char out[UNITS_DURATION_BYTES]);

/* "5 s/100", "5 s", "max 100", or "-" when nothing was advertised: at most 13 characters. */
void units_advertised(int64_t timeout_s, int64_t max, char out[UNITS_DURATION_BYTES]);

/* UTC, with milliseconds. */
void units_time(int64_t time_ns, char out[UNITS_TIME_BYTES]);

/* "192.0.2.1:80" or "[2001:db8::1]:80". */
void units_peer(const ka_address *address, char out[UNITS_PEER_BYTES]);

#endif
