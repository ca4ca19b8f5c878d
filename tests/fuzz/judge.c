/* judge.c - a whole run of the command on bytes from a fuzzer, without its files, and a check of what it
 * prints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "judge.h"

#include <stdlib.h>
#include <string.h>

#include "json_check.h"
#include "heap.h"
#include "stream/facts.h"

enum { COLUMNS_MAX = 80 };

static const char *const paths[] = {"fuzz.pcap"};

static void require(bool holds, const char *what, const char *line, size_t len_bytes)
{
    if (holds)
        return;
    fprintf(stderr, "%s: %.*s\n", what, (int)len_bytes, line);
    abort();
}

void judge_init(judge *self, report_format format, const stream_limits *limits)
{
    *self = (judge){.format = format};
    self->out = open_memstream(&self->text, &self->text_bytes);
    report_options wanted = {
        .format = format,
        .out = self->out,
        .paths = paths,
        .path_count = 1,
        .connections = true,
        .exchanges = true,
    };
    self->report = report_new(&wanted, &fuzz_heap);
    ka_config config = {
        .allocator = fuzz_heap,
        .sink = *report_sink(self->report),
        .settled = stream_settled,
        .settled_user = &self->streams,
    };
    ka_thresholds_init(&config.thresholds);
    self->status = ka_audit_new(&config, &self->audit);
    self->streams = stream_table_new_with(self->audit, &fuzz_heap, limits, &stream_facts_core);
    if (self->out == NULL || self->status != KA_OK || self->streams == NULL)
        abort();
}

void judge_segment(judge *self, packet_tcp *packet)
{
    if (self->status == KA_OK)
        self->status = stream_segment(self->streams, packet);
}

void judge_quoted(judge *self, const packet_tcp *packet)
{
    if (self->status == KA_OK)
        self->status = stream_quoted(self->streams, packet);
}

static void check_line(report_format format, const char *line, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++)
        require(line[i] >= 0x20 && line[i] < 0x7f, "unprintable", line, len_bytes);
    if (format == REPORT_TEXT)
        require(len_bytes <= COLUMNS_MAX, "too wide", line, len_bytes);
    else
        require(line[0] == '{' && json_check(line, len_bytes), "no JSON", line, len_bytes);
}

static void check_output(const judge *self)
{
    const char *at = self->text;
    const char *end = at + self->text_bytes;
    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        require(lf != NULL, "no line end", at, (size_t)(end - at));
        check_line(self->format, at, (size_t)(lf - at));
        at = lf + 1;
    }
}

void judge_fini(judge *self)
{
    incomplete nothing = {0};
    report_end end = {.files = 1, .first_ns = KA_NONE, .last_ns = KA_NONE, .incomplete = &nothing};
    if (self->status == KA_OK)
        self->status = stream_finish(self->streams);
    if (self->status == KA_OK)
        self->status = ka_audit_report(self->audit, report_sink(self->report));
    require(self->status == KA_OK, "status", "", 0);
    report_finish(self->report, &end);
    stream_table_free(self->streams);
    ka_audit_free(self->audit);
    report_free(self->report);
    fclose(self->out);
    check_output(self);
    free(self->text);
}
