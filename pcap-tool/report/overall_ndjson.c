/* overall_ndjson.c - the summary over all files for programs: the record "overall".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "overall_parts.h"

#include "escape.h"
#include "ndjson.h"

#include <inttypes.h>

static void write_file(FILE *out, const overall_file *file)
{
    const char *comma = "";
    fputs("{\"file\":", out);
    escape_json(out, file->path);
    fprintf(out, ",\"complete\":%s,\"connections\":%" PRIu64 ",\"findings\":{",
            file->incomplete ? "false" : "true", file->connections);
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        if (file->by_id[id] == 0)
            continue;
        fprintf(out, "%s\"%s\":%" PRIu32, comma, ka_catalogue((ka_finding_id)id)->id, file->by_id[id]);
        comma = ",";
    }
    fputs("}}", out);
}

void overall_write_ndjson(const overall *self, const report_options *options)
{
    FILE *out = options->out;
    fprintf(out,
            "{\"type\":\"overall\",\"schema\":\"" KA_SCHEMA
            "\",\"files\":%zu,\"incomplete_files\":%zu,\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64
            ",\"connections\":%" PRIu64 ",\"findings\":{",
            self->file_count, self->incomplete_files, self->packets, self->bytes, self->counts.connections);
    ndjson_finding_counts(out, &self->counts);
    fputc('}', out);
    if (!selection_is_all(&options->selection))
        fprintf(out, ",\"left_out\":%" PRIu64, self->counts.left_out);
    fputs(",\"by_file\":[", out);
    for (size_t i = 0; i < self->file_count; i++) {
        if (i > 0)
            fputc(',', out);
        write_file(out, &self->files[i]);
    }
    fputs("],\"incomplete\":[", out);
    ndjson_incomplete(out, &self->incomplete);
    fputs("]}\n", out);
}
