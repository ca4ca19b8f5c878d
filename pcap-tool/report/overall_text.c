/* overall_text.c - the summary over all files for people.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "overall_parts.h"

#include "color.h"
#include "escape.h"
#include "table.h"
#include "text_overview.h"
#include "units.h"
#include "wrap.h"

#include <stdlib.h>
#include <string.h>

/* As many lines as one looks through; NDJSON has them all. */
enum { FILES_SHOWN = 50, INDENT = 2, PATH_BYTES = 512 };

static void write_heading(const report_options *options, const char *title, const char *rest)
{
    fprintf(options->out, "\n%s%s%s%s\n\n", color(options->color, COLOR_BOLD), title,
            color(options->color, COLOR_PLAIN), rest);
}

/* ---- Findings ---- */

typedef struct ranked {
    uint64_t count;
    size_t files;
    const char *id;
    ka_severity severity;
} ranked;

static size_t files_with(const overall *self, unsigned id)
{
    size_t files = 0;
    for (size_t i = 0; i < self->file_count; i++)
        files += self->files[i].by_id[id] > 0;
    return files;
}

/* Severity, then count, both falling; then the id. */
static int compare(const void *left, const void *right)
{
    const ranked *a = left, *b = right;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return strcmp(a->id, b->id);
}

static size_t rank(const overall *self, ranked order[KA_FINDING_COUNT])
{
    size_t count = 0;
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        const ka_catalogue_row *row = ka_catalogue((ka_finding_id)id);
        if (self->counts.by_id[id] > 0)
            order[count++] = (ranked){self->counts.by_id[id], files_with(self, id), row->id, row->severity};
    }
    qsort(order, count, sizeof order[0], compare);
    return count;
}

static void write_findings(const overall *self, const report_options *options)
{
    static const table_column columns[] = {
        {{"Diagnosis", ""}, 30, false}, {{"Findings", ""}, 8, true}, {{"Files", ""}, 6, true}};
    ranked order[KA_FINDING_COUNT];
    size_t count = rank(self, order);
    if (count == 0)
        return;
    write_heading(options, "Findings", ", the gravest diagnosis first");
    table_head(options->out, INDENT, columns, 3);
    for (size_t i = 0; i < count; i++) {
        char findings[UNITS_COUNT_BYTES], files[UNITS_COUNT_BYTES];
        units_count_short(order[i].count, findings);
        units_count_short(order[i].files, files);
        table_row(options->out, INDENT, columns, 3, (const char *const[]){order[i].id, findings, files});
    }
}

/* ---- Files ---- */

static void write_file(FILE *out, const overall_file *file, const table_column *columns)
{
    char errors[UNITS_COUNT_BYTES], warnings[UNITS_COUNT_BYTES], notes[UNITS_COUNT_BYTES],
        connections[UNITS_COUNT_BYTES], path[PATH_BYTES];
    units_count_short(file->by_severity[KA_ERROR], errors);
    units_count_short(file->by_severity[KA_WARN], warnings);
    units_count_short(file->by_severity[KA_NOTE], notes);
    units_count_short(file->connections, connections);
    escape_text(file->path, strlen(file->path), path, sizeof path);
    const char *const cells[] = {errors, warnings, notes, connections, file->incomplete ? "no" : "yes"};
    table_row(out, INDENT, columns, 5, cells);
    fputs("    ", out);
    wrap(out, 4, 4, path);
}

static void write_files(const overall *self, const report_options *options)
{
    static const table_column columns[] = {{{"Errors", ""}, 6, true},
                                           {{"Warnings", ""}, 8, true},
                                           {{"Notes", ""}, 5, true},
                                           {{"Connections", ""}, 11, true},
                                           {{"Read", "whole"}, 5, false}};
    write_heading(options, "Files", ", the worst first");
    table_head(options->out, INDENT, columns, 5);
    for (size_t i = 0; i < self->file_count && i < FILES_SHOWN; i++)
        write_file(options->out, &self->files[i], columns);
    if (self->file_count > FILES_SHOWN)
        fprintf(options->out, "    ... and %zu more\n", self->file_count - FILES_SHOWN);
}

void overall_write_text(const overall *self, const report_options *options)
{
    report_end end = {.files = self->file_count,
                      .packets = self->packets,
                      .bytes = self->bytes,
                      .first_ns = self->first_ns,
                      .last_ns = self->last_ns,
                      .incomplete = &self->incomplete};
    write_heading(options, "Over all files", "");
    fprintf(options->out, "  Files        %zu", self->file_count);
    if (self->incomplete_files > 0)
        fprintf(options->out, ", %zu of them not read, or not whole", self->incomplete_files);
    fputc('\n', options->out);
    text_overview_totals(options, &end, &self->counts);
    write_findings(self, options);
    write_files(self, options);
}
