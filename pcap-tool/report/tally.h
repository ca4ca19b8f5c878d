/* tally.h - what a run has found, counted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TALLY_H
#define TALLY_H

#include "keptalive.h"

enum { TALLY_SEVERITIES = KA_ERROR + 1, TALLY_PROTOCOLS = 7 };

typedef struct tally {
    uint64_t connections;
    uint64_t troubled; /* connections with a finding above chat */
    uint64_t requests;
    uint64_t responses;
    uint64_t by_protocol[TALLY_PROTOCOLS]; /* named by tally_protocol_name */
    uint64_t by_severity[TALLY_SEVERITIES];
    uint64_t by_id[KA_FINDING_COUNT];
    uint64_t left_out;    /* findings that were not selected; they count nowhere else */
    uint64_t server_wide; /* findings above chat about a server as a whole */
} tally;

/* All zero is an empty tally. */
void tally_connection(tally *counts, const ka_record *record);
void tally_finding(tally *counts, const ka_finding *finding);

/* Adds what another run has counted. */
void tally_add(tally *counts, const tally *more);

/* "http/1.1" and so on; the HTTP ones come first. */
const char *tally_protocol_name(unsigned index);
uint64_t tally_http_connections(const tally *counts);

/* Whether there is a finding of at least this severity. */
bool tally_reaches(const tally *counts, ka_severity severity);

#endif
