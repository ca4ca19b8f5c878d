/* selection.c - which findings a report shows and counts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "selection.h"

#include "line.h"

#include <string.h>

static bool has(const uint64_t mask[SELECTION_WORDS], unsigned id)
{
    return mask[id / 64] >> id % 64 & 1;
}

static bool is_empty(const uint64_t mask[SELECTION_WORDS])
{
    for (unsigned i = 0; i < SELECTION_WORDS; i++) {
        if (mask[i] != 0)
            return false;
    }
    return true;
}

void selection_only(selection *self, ka_finding_id id)
{
    self->only[id / 64] |= UINT64_C(1) << id % 64;
}

void selection_ignore(selection *self, ka_finding_id id)
{
    self->ignored[id / 64] |= UINT64_C(1) << id % 64;
}

bool selection_is_all(const selection *self)
{
    return is_empty(self->only) && is_empty(self->ignored) && self->least == KA_CHAT;
}

bool selection_takes(const selection *self, ka_finding_id id, ka_severity severity)
{
    return severity >= self->least && !has(self->ignored, id) &&
           (is_empty(self->only) || has(self->only, id));
}

void selection_trim(const selection *self, ka_record *record)
{
    if (is_empty(record->finding_mask))
        return;
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        if (!selection_takes(self, (ka_finding_id)id, (ka_severity)record->finding_severity[id]))
            record->finding_mask[id / 64] &= ~(UINT64_C(1) << id % 64);
    }
}

static void json_list(FILE *out, const char *name, const uint64_t mask[SELECTION_WORDS])
{
    const char *comma = "";
    fprintf(out, "\"%s\":[", name);
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        if (!has(mask, id))
            continue;
        fprintf(out, "%s\"%s\"", comma, ka_catalogue((ka_finding_id)id)->id);
        comma = ",";
    }
    fputc(']', out);
}

void selection_json(const selection *self, FILE *out)
{
    fputc('{', out);
    json_list(out, "only", self->only);
    fputc(',', out);
    json_list(out, "ignore", self->ignored);
    fprintf(out, ",\"min_severity\":\"%s\"}", ka_severity_name(self->least));
}

static void append_list(char *out, size_t size, const char *word, const uint64_t mask[SELECTION_WORDS])
{
    bool first = true;
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        if (!has(mask, id))
            continue;
        if (first)
            line_append(out, size, "%s%s", out[0] == '\0' ? "" : "; ", word);
        line_append(out, size, "%s%s", first ? " " : ", ", ka_catalogue((ka_finding_id)id)->id);
        first = false;
    }
}

void selection_text(const selection *self, char *out, size_t size)
{
    out[0] = '\0';
    append_list(out, size, "only", self->only);
    append_list(out, size, "without", self->ignored);
    if (self->least > KA_CHAT)
        line_append(out, size, "%sfrom severity %s on", out[0] == '\0' ? "" : "; ",
                    ka_severity_name(self->least));
}
