/* outcome.h - what one run came to, without pointers: one process can leave it for another.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "report.h"

/* The words of incomplete_row.what are shorter; a detail names a file, and is cut where that has a long path.
 */
enum { OUTCOME_WHAT_BYTES = 24, OUTCOME_DETAIL_BYTES = 232 };

typedef struct outcome_row {
    uint64_t count;
    char what[OUTCOME_WHAT_BYTES];
    char detail[OUTCOME_DETAIL_BYTES];
    uint8_t unread; /* no bool: whoever wrote it may have left any byte */
    uint8_t sentence;
} outcome_row;

typedef struct outcome {
    uint8_t reported; /* the run came as far as the end of its report; else nothing below is set */
    uint64_t packets;
    uint64_t bytes;
    int64_t first_ns; /* KA_NONE: no packet */
    int64_t last_ns;
    tally counts;
    uint32_t row_count;
    outcome_row rows[INCOMPLETE_MAX];
} outcome;

void outcome_set(outcome *self, const report_end *end, const tally *counts);

/* A copy of what a process left that may have been made to write anything: texts end, indexes fit. */
void outcome_take(const outcome *left, outcome *out);

#endif
