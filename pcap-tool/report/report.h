/* report.h - findings and records in, one document out: text for people or NDJSON for programs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Computes no verdict. Memory does not grow with the capture.
 */
#ifndef REPORT_H
#define REPORT_H

#include "incomplete.h"
#include "keptalive.h"
#include "selection.h"
#include "tally.h"

#include <stdio.h>

typedef struct report report;

typedef enum report_format { REPORT_TEXT, REPORT_NDJSON } report_format;

typedef struct report_options {
    report_format format;
    FILE *out; /* the caller opens, flushes and closes it */
    const char *const *paths;
    size_t path_count;
    const char *const *interfaces; /* instead of paths: what is told is told while capturing */
    size_t interface_count;
    const char *filter; /* or NULL */
    bool connections;   /* a table of them in the text */
    bool exchanges;
    bool servers; /* each at length */
    bool color;
    bool each; /* one of several documents in a row: every record tells its file, the only path */
    selection selection;
    /* Written in place of findings, verdict and tables, between the head and the summary; NULL: those. */
    void (*body)(void *user, FILE *out);
    void *body_user;
    /* As ka_writer.locate; NULL with one input, whose frames need no file. */
    void *locate_user;
    bool (*locate)(void *user, uint64_t frame, const char **file, uint64_t *file_frame);
} report_options;

/* What is known only at the end. */
typedef struct report_end {
    size_t files; /* opened */
    uint64_t packets;
    uint64_t bytes;
    int64_t first_ns; /* of the packets that passed the filter; KA_NONE: none */
    int64_t last_ns;
    const incomplete *incomplete;
} report_end;

/* Copies the options, not what they point to. NULL when memory runs out. */
report *report_new(const report_options *options, const ka_allocator *allocator);
void report_free(report *self);

/* From now on, or no longer, the text tells each finding in a line when it is decided, too. NDJSON always
 * does. */
void report_follow(report *self, bool wanted);

/* Lives as long as the report. */
const ka_sink *report_sink(const report *self);

/* Writes the rest of the document. What the caller's buffer still holds can fail to be written later. */
void report_finish(report *self, const report_end *end);

/* errno of the first write that failed, 0: none. There is no use in going on then. */
int report_error(const report *self);

const tally *report_tally(const report *self);

#endif
