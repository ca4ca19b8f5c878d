/* report.c - findings and records in, one document out: the sink that counts and hands on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "report.h"

#include "ndjson.h"
#include "text.h"

struct report {
    ka_allocator allocator;
    ka_sink sink;
    tally tally;
    selection selection;
    bool only_counts; /* another room writes the body */
    bool selects;     /* else every finding is shown */
    ndjson ndjson;
    text_report *text; /* NULL: the format is NDJSON */
};

static void tell_connection(report *self, const ka_record *record)
{
    tally_connection(&self->tally, record);
    if (self->only_counts)
        return;
    if (self->text)
        text_connection(self->text, record);
    else
        ndjson_connection(&self->ndjson, record);
}

static void on_connection(void *user, const ka_record *record)
{
    report *self = user;
    if (!self->selects) {
        tell_connection(self, record);
        return;
    }
    ka_record trimmed = *record;
    selection_trim(&self->selection, &trimmed);
    tell_connection(self, &trimmed);
}

static void on_finding(void *user, const ka_finding *finding)
{
    report *self = user;
    if (!selection_takes(&self->selection, finding->id, finding->severity)) {
        self->tally.left_out++;
        return;
    }
    tally_finding(&self->tally, finding);
    if (self->only_counts)
        return;
    if (self->text)
        text_finding(self->text, finding);
    else
        ndjson_finding(&self->ndjson, finding);
}

static void on_exchange(void *user, const ka_exchange_record *exchange)
{
    report *self = user;
    if (self->text)
        text_exchange(self->text, exchange);
    else
        ndjson_exchange(&self->ndjson, exchange);
}

static void on_endpoint(void *user, const ka_endpoint_record *endpoint)
{
    report *self = user;
    if (self->only_counts)
        return;
    if (self->text)
        text_endpoint(self->text, endpoint);
    else
        ndjson_endpoint(&self->ndjson, endpoint);
}

static void on_pair(void *user, const ka_pair_record *pair)
{
    report *self = user;
    if (!self->text)
        ndjson_pair(&self->ndjson, pair);
}

report *report_new(const report_options *options, const ka_allocator *allocator)
{
    report *self = allocator->resize(allocator->user, NULL, sizeof *self);
    if (!self)
        return NULL;
    *self = (struct report){.allocator = *allocator,
                            .selection = options->selection,
                            .only_counts = options->body != NULL,
                            .selects = !selection_is_all(&options->selection)};
    self->sink = (ka_sink){self,        on_connection, on_finding, options->exchanges ? on_exchange : NULL,
                           on_endpoint, on_pair,       NULL};
    if (options->format == REPORT_NDJSON) {
        ndjson_begin(&self->ndjson, options);
        return self;
    }
    self->text = text_new(options, allocator);
    if (!self->text) {
        report_free(self);
        return NULL;
    }
    return self;
}

void report_free(report *self)
{
    if (!self)
        return;
    text_free(self->text);
    ka_allocator allocator = self->allocator;
    allocator.resize(allocator.user, self, 0);
}

const ka_sink *report_sink(const report *self)
{
    return &self->sink;
}

void report_follow(report *self, bool wanted)
{
    if (self->text)
        text_follow(self->text, wanted);
}

const tally *report_tally(const report *self)
{
    return &self->tally;
}

int report_error(const report *self)
{
    return self->text ? text_error(self->text) : self->ndjson.error;
}

void report_finish(report *self, const report_end *end)
{
    if (self->text)
        text_finish(self->text, end, &self->tally);
    else
        ndjson_finish(&self->ndjson, end, &self->tally);
}
