/* ndjson.c - the report for programs: one JSON object a line, by the output contract KA_SCHEMA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "ndjson.h"

#include "escape.h"

#include <errno.h>
#include <inttypes.h>

static bool write_bytes(void *user, const char *bytes, size_t len_bytes)
{
    const ndjson *self = user;
    return fwrite(bytes, 1, len_bytes, self->out) == len_bytes;
}

/* ka_writer has one user for both of its functions, the caller's locate has its own: `ndjson` stands between.
 */
static bool locate(void *user, uint64_t frame, const char **file, uint64_t *file_frame)
{
    const ndjson *self = user;
    return self->locate(self->locate_user, frame, file, file_frame);
}

static void write_file(const ndjson *self)
{
    if (!self->writer.file)
        return;
    fputs(",\"file\":", self->out);
    escape_json(self->out, self->writer.file);
}

/* Behind an empty list of files. */
static void write_interfaces(const report_options *options)
{
    fputs("],\"interfaces\":[", options->out);
    for (size_t i = 0; i < options->interface_count; i++) {
        if (i > 0)
            fputc(',', options->out);
        escape_json(options->out, options->interfaces[i]);
    }
}

void ndjson_begin(ndjson *self, const report_options *options)
{
    self->out = options->out;
    self->locate = options->locate;
    self->locate_user = options->locate_user;
    self->writer = (ka_writer){.user = self,
                               .write = write_bytes,
                               .locate = options->locate ? locate : NULL,
                               .file = options->each ? options->paths[0] : NULL};
    self->selects = !selection_is_all(&options->selection);
    self->body = options->body;
    self->body_user = options->body_user;
    self->error = 0;
    FILE *out = self->out;
    fputs("{\"type\":\"capture\"", out);
    write_file(self);
    fputs(",\"schema\":\"" KA_SCHEMA "\",\"version\":\"" KEPTALIVE_VERSION "\",\"files\":[", out);
    for (size_t i = 0; i < options->path_count; i++) {
        if (i > 0)
            fputc(',', out);
        escape_json(out, options->paths[i]);
    }
    if (options->interface_count > 0)
        write_interfaces(options);
    fputs("],\"filter\":", out);
    if (options->filter)
        escape_json(out, options->filter);
    else
        fputs("null", out);
    if (self->selects) {
        fputs(",\"selection\":", out);
        selection_json(&options->selection, out);
    }
    fputs("}\n", out);
}

/* After each line: keeps why writing it failed. */
static void note(ndjson *self, bool written)
{
    if (!written)
        self->error = errno != 0 ? errno : EIO;
}

void ndjson_connection(ndjson *self, const ka_record *record)
{
    if (self->error == 0)
        note(self, ka_write_connection(&self->writer, record));
}

void ndjson_finding(ndjson *self, const ka_finding *finding)
{
    if (self->error == 0)
        note(self, ka_write_finding(&self->writer, finding));
}

void ndjson_exchange(ndjson *self, const ka_exchange_record *exchange)
{
    if (self->error == 0)
        note(self, ka_write_exchange(&self->writer, exchange));
}

void ndjson_endpoint(ndjson *self, const ka_endpoint_record *endpoint)
{
    if (self->error == 0)
        note(self, ka_write_endpoint(&self->writer, endpoint));
}

void ndjson_pair(ndjson *self, const ka_pair_record *pair)
{
    if (self->error == 0)
        note(self, ka_write_pair(&self->writer, pair));
}

void ndjson_finding_counts(FILE *out, const tally *counts)
{
    const char *comma = "";
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        if (counts->by_id[id] == 0)
            continue;
        fprintf(out, "%s\"%s\":%" PRIu64, comma, ka_catalogue((ka_finding_id)id)->id, counts->by_id[id]);
        comma = ",";
    }
}

void ndjson_incomplete(FILE *out, const incomplete *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const incomplete_row *row = &list->rows[i];
        fprintf(out, "%s{\"what\":\"%s\",\"detail\":", i > 0 ? "," : "", row->what);
        escape_json(out, row->detail);
        fprintf(out, ",\"count\":%" PRIu64 "}", row->count);
    }
}

void ndjson_finish(ndjson *self, const report_end *end, const tally *counts)
{
    FILE *out = self->out;
    if (self->error != 0)
        return;
    if (self->body)
        self->body(self->body_user, out);
    fputs("{\"type\":\"summary\"", out);
    write_file(self);
    fprintf(out,
            ",\"files\":%zu,\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"connections\":%" PRIu64
            ",\"findings\":{",
            end->files, end->packets, end->bytes, counts->connections);
    ndjson_finding_counts(out, counts);
    fputc('}', out);
    if (self->selects)
        fprintf(out, ",\"left_out\":%" PRIu64, counts->left_out);
    fputs(",\"incomplete\":[", out);
    ndjson_incomplete(out, end->incomplete);
    fputs("]}\n", out);
    note(self, !ferror(out));
}
