/* overall.h - many reports in one: what all files together had, and which files had what.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Memory grows with the number of files, some hundred bytes each, and with nothing in them.
 */
#ifndef OVERALL_H
#define OVERALL_H

#include "outcome.h"

/* What is kept of one file. */
typedef struct overall_file {
    const char *path;
    uint64_t connections;
    uint64_t by_severity[TALLY_SEVERITIES];
    uint32_t by_id[KA_FINDING_COUNT]; /* stay at their largest value */
    size_t number;                    /* in the order given */
    bool incomplete;                  /* it was not read whole, or not at all */
} overall_file;

typedef struct overall {
    ka_allocator allocator;
    overall_file *files;
    size_t file_count;
    size_t file_room;
    size_t incomplete_files;
    tally counts;
    uint64_t packets;
    uint64_t bytes;
    int64_t first_ns;
    int64_t last_ns;
    incomplete incomplete;
    outcome_row rows[INCOMPLETE_MAX]; /* the texts of `incomplete` */
    uint32_t row_count;
} overall;

void overall_init(overall *self, const ka_allocator *allocator);
void overall_fini(overall *self);

/* One file's run, in the order given; `path` must outlive the summary. False when memory runs out. */
bool overall_add(overall *self, const char *path, const outcome *result);
/* A file of which there is no report, and why. */
bool overall_add_failed(overall *self, const char *path, const char *why);
/* Something that was lost, of no file alone. */
void overall_lost(overall *self, const incomplete_row *row);

/* Writes the summary, for people or as the record "overall". Of the options format, out, color and selection
 * count. Sorts the files: nothing can be added any more. */
void overall_write(overall *self, const report_options *options);

#endif
