/* report_document.h - a report into memory, for the tests of both formats.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPORT_DOCUMENT_H
#define REPORT_DOCUMENT_H

#include "unit.h"

#include "memory.h"
#include "report/report.h"

#include <stdio.h>

typedef struct document {
    report_options options;
    report_end end;
    incomplete incomplete;
    report *report;
    const ka_sink *sink;
    char *text; /* set by document_finish */
    size_t length;
} document;

static const char *const document_path = "api.pcap";

/* Text of one file with one packet; change options and end as the test needs before document_open. */
static inline void document_init(document *self)
{
    memset(self, 0, sizeof *self);
    self->options.paths = &document_path;
    self->options.path_count = 1;
    self->end = (report_end){1, 1, 60, 0, 0, &self->incomplete};
}

static inline void document_open(document *self)
{
    self->options.out = open_memstream(&self->text, &self->length);
    assert_non_null(self->options.out);
    self->report = report_new(&self->options, &memory_heap);
    assert_non_null(self->report);
    self->sink = report_sink(self->report);
}

static inline void put_finding(const document *page, ka_finding finding)
{
    page->sink->finding(page->sink->user, &finding);
}

static inline void put_record(const document *page, ka_record record)
{
    page->sink->connection(page->sink->user, &record);
}

static inline void document_finish(document *self)
{
    report_finish(self->report, &self->end);
    assert_int_equal(report_error(self->report), 0);
    assert_int_equal(fclose(self->options.out), 0);
}

static inline void document_fini(document *self)
{
    report_free(self->report);
    free(self->text);
}

#endif
