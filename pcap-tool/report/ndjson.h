/* ndjson.h - the report for programs: one JSON object a line, by the output contract KA_SCHEMA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NDJSON_H
#define NDJSON_H

#include "report.h"

typedef struct ndjson {
    FILE *out;
    bool selects; /* not every finding is told: the summary says how many are not */
    ka_writer writer;
    void *locate_user;
    bool (*locate)(void *user, uint64_t frame, const char **file, uint64_t *file_frame);
    void (*body)(void *user, FILE *out);
    void *body_user;
    int error; /* errno of the first write that failed; 0: none, nothing more is written otherwise */
} ndjson;

/* Embedded; must not move afterwards. Writes the first line. */
void ndjson_begin(ndjson *self, const report_options *options);

void ndjson_connection(ndjson *self, const ka_record *record);
void ndjson_finding(ndjson *self, const ka_finding *finding);
void ndjson_exchange(ndjson *self, const ka_exchange_record *exchange);
void ndjson_endpoint(ndjson *self, const ka_endpoint_record *endpoint);
void ndjson_pair(ndjson *self, const ka_pair_record *pair);

/* Writes the summary. */
void ndjson_finish(ndjson *self, const report_end *end, const tally *counts);

/* Parts of a summary: what stands between the braces, and between the brackets. */
void ndjson_finding_counts(FILE *out, const tally *counts);
void ndjson_incomplete(FILE *out, const incomplete *list);

#endif
