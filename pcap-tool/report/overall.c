/* overall.c - many reports in one: adding them up.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "overall.h"

#include "overall_parts.h"

#include <stdlib.h>
#include <string.h>

void overall_init(overall *self, const ka_allocator *allocator)
{
    memset(self, 0, sizeof *self);
    self->allocator = *allocator;
    self->first_ns = self->last_ns = KA_NONE;
}

void overall_fini(overall *self)
{
    self->allocator.resize(self->allocator.user, self->files, 0);
    self->files = NULL;
}

static overall_file *add_file(overall *self, const char *path)
{
    enum { FIRST_ROOM = 64 };
    if (self->file_count == self->file_room) {
        size_t room = self->file_room > 0 ? 2 * self->file_room : FIRST_ROOM;
        void *grown = self->allocator.resize(self->allocator.user, self->files, room * sizeof *self->files);
        if (!grown)
            return NULL;
        self->files = grown;
        self->file_room = room;
    }
    overall_file *file = &self->files[self->file_count];
    *file = (overall_file){.path = path, .number = self->file_count++};
    return file;
}

/* What several files lost alike is one row; a sentence about one of them stays its own. */
static void add_row(overall *self, const outcome_row *row)
{
    for (uint32_t i = 0; !row->sentence && i < self->row_count; i++) {
        if (strcmp(self->rows[i].what, row->what) == 0 && !self->rows[i].sentence) {
            self->rows[i].count += row->count;
            self->incomplete.rows[i].count += row->count;
            return;
        }
    }
    const outcome_row *kept = row; /* beyond the limit its texts are not kept */
    if (self->row_count < INCOMPLETE_MAX - 1) {
        self->rows[self->row_count] = *row;
        kept = &self->rows[self->row_count++];
    }
    incomplete_add(&self->incomplete,
                   (incomplete_row){kept->what, kept->detail, row->count, row->unread, row->sentence});
}

static void add_times(overall *self, const outcome *result)
{
    if (result->first_ns == KA_NONE)
        return;
    if (self->first_ns == KA_NONE || result->first_ns < self->first_ns)
        self->first_ns = result->first_ns;
    if (self->last_ns == KA_NONE || result->last_ns > self->last_ns)
        self->last_ns = result->last_ns;
}

static void count_file(overall_file *file, const tally *counts)
{
    file->connections = counts->connections;
    memcpy(file->by_severity, counts->by_severity, sizeof file->by_severity);
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++)
        file->by_id[id] = counts->by_id[id] < UINT32_MAX ? (uint32_t)counts->by_id[id] : UINT32_MAX;
}

bool overall_add(overall *self, const char *path, const outcome *result)
{
    overall_file *file = add_file(self, path);
    if (!file)
        return false;
    count_file(file, &result->counts);
    tally_add(&self->counts, &result->counts);
    self->packets += result->packets;
    self->bytes += result->bytes;
    add_times(self, result);
    for (uint32_t i = 0; i < result->row_count; i++) {
        add_row(self, &result->rows[i]);
        file->incomplete |= result->rows[i].unread;
    }
    self->incomplete_files += file->incomplete;
    return true;
}

bool overall_add_failed(overall *self, const char *path, const char *why)
{
    overall_file *file = add_file(self, path);
    if (!file)
        return false;
    file->incomplete = true;
    self->incomplete_files++;
    overall_lost(self, &(incomplete_row){"input", why, 1, true, true});
    return true;
}

void overall_lost(overall *self, const incomplete_row *lost)
{
    outcome_row row = {.count = lost->count, .unread = lost->unread, .sentence = lost->sentence};
    if (lost->count == 0)
        return;
    snprintf(row.what, sizeof row.what, "%s", lost->what);
    snprintf(row.detail, sizeof row.detail, "%s", lost->detail);
    add_row(self, &row);
}

/* The worst first: more errors, more warnings, more notes; then what was not read whole; then as given. */
static int compare(const void *left, const void *right)
{
    const overall_file *a = left, *b = right;
    for (unsigned i = TALLY_SEVERITIES; i-- > KA_NOTE;) {
        if (a->by_severity[i] != b->by_severity[i])
            return a->by_severity[i] > b->by_severity[i] ? -1 : 1;
    }
    if (a->incomplete != b->incomplete)
        return a->incomplete ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

void overall_write(overall *self, const report_options *options)
{
    if (self->file_count > 0)
        qsort(self->files, self->file_count, sizeof *self->files, compare);
    if (options->format == REPORT_NDJSON)
        overall_write_ndjson(self, options);
    else
        overall_write_text(self, options);
}
