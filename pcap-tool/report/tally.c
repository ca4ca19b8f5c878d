/* tally.c - what a run has found, counted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tally.h"

#include <string.h>

enum { HTTP_PROTOCOLS = 4 };

static const char *const protocols[TALLY_PROTOCOLS] = {"http/1.1", "http/1.0", "h2c", "h2",
                                                       "tls",      "other",    "none"};

static bool is_troubled(const ka_record *record)
{
    for (unsigned word = 0; word < sizeof record->finding_mask / sizeof record->finding_mask[0]; word++) {
        for (uint64_t rest = record->finding_mask[word]; rest != 0; rest &= rest - 1) {
            unsigned id = word * 64 + (unsigned)__builtin_ctzll(rest);
            if (ka_catalogue((ka_finding_id)id)->severity > KA_CHAT)
                return true;
        }
    }
    return false;
}

static unsigned protocol_index(const char *name)
{
    enum { OTHER = 5 };
    for (unsigned i = 0; i < TALLY_PROTOCOLS; i++) {
        if (strcmp(protocols[i], name) == 0)
            return i;
    }
    return OTHER;
}

void tally_connection(tally *counts, const ka_record *record)
{
    counts->connections++;
    counts->troubled += is_troubled(record);
    counts->requests += record->requests;
    counts->responses += record->responses;
    counts->by_protocol[protocol_index(record->protocol)]++;
}

void tally_finding(tally *counts, const ka_finding *finding)
{
    counts->by_id[finding->id]++;
    counts->by_severity[finding->severity]++;
    counts->server_wide += !finding->has_stream && finding->severity > KA_CHAT;
}

void tally_add(tally *counts, const tally *more)
{
    counts->connections += more->connections;
    counts->troubled += more->troubled;
    counts->requests += more->requests;
    counts->responses += more->responses;
    counts->left_out += more->left_out;
    counts->server_wide += more->server_wide;
    for (unsigned i = 0; i < TALLY_PROTOCOLS; i++)
        counts->by_protocol[i] += more->by_protocol[i];
    for (unsigned i = 0; i < TALLY_SEVERITIES; i++)
        counts->by_severity[i] += more->by_severity[i];
    for (unsigned i = 0; i < KA_FINDING_COUNT; i++)
        counts->by_id[i] += more->by_id[i];
}

const char *tally_protocol_name(unsigned index)
{
    return protocols[index];
}

uint64_t tally_http_connections(const tally *counts)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < HTTP_PROTOCOLS; i++)
        total += counts->by_protocol[i];
    return total;
}

bool tally_reaches(const tally *counts, ka_severity severity)
{
    for (unsigned i = severity; i < TALLY_SEVERITIES; i++) {
        if (counts->by_severity[i] > 0)
            return true;
    }
    return false;
}
