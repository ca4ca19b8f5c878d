/* label.c - lines of the tree: what a frame shows, in words.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "label.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

G_GNUC_PRINTF(2, 3)
static void append(label *self, const char *format, ...)
{
    size_t room = sizeof self->text - self->len_bytes;
    va_list arguments;
    va_start(arguments, format);
    int len_bytes = vsnprintf(self->text + self->len_bytes, room, format, arguments);
    va_end(arguments);
    if (len_bytes > 0)
        self->len_bytes += MIN((size_t)len_bytes, room - 1);
}

static void append_seconds(label *self, const char *before, int64_t duration_ns, const char *behind)
{
    char text[32];
    if (duration_ns == KA_NONE)
        return;
    ka_seconds_text(duration_ns, 3, text, sizeof text);
    append(self, "%s%s s%s", before, text, behind);
}

static label request_label(const frame_fact *fact, bool all_known)
{
    label out = {0};
    append(&out, "request");
    if (fact->number != KA_NONE)
        append(&out, " %" PRId64, fact->number);
    append_seconds(&out, ", ", fact->idle_ns, " idle before it");
    if (all_known && fact->other_frame == 0)
        append(&out, ", no response seen");
    return out;
}

static label response_label(const frame_fact *fact)
{
    label out = {0};
    append(&out, "response");
    if (fact->number != KA_NONE)
        append(&out, " to request %" PRId64, fact->number);
    if (fact->timeout_s != KA_NONE)
        append(&out, ", timeout=%" PRId64, fact->timeout_s);
    if (fact->max != KA_NONE)
        append(&out, ", max=%" PRId64, fact->max);
    if ((fact->timeout_s != KA_NONE || fact->max != KA_NONE) && !fact->counts)
        append(&out, " (not in force)");
    return out;
}

label label_of_fact(const frame_fact *fact, bool all_known)
{
    label out = {0};
    if (fact->kind == FRAME_FACT_REQUEST)
        return request_label(fact, all_known);
    if (fact->kind == FRAME_FACT_RESPONSE)
        return response_label(fact);
    append(&out, fact->kind == FRAME_FACT_FIN ? "FIN" : "RST");
    return out;
}

label label_of_close(const ka_record *record)
{
    label out = {0};
    if (record->close.by == KA_SIDE_NONE) {
        append(&out, "not closed in the capture so far");
        return out;
    }
    append(&out, "closed by the %s with %s in frame %" PRIu64, ka_side_name(record->close.by),
           record->close.how == KA_HOW_RST ? "RST" : "FIN", record->close.at.frame);
    append_seconds(&out, " after ", record->close.idle_ns, " idle");
    append(&out, ": %s", ka_verdict_name(record->close.verdict));
    return out;
}

label label_of_role(const char *role)
{
    static const char *const flags[] = {"FIN", "RST", "ACK", "SYN"};
    label out = {0};
    while (*role != '\0') {
        size_t length = strcspn(role, "_");
        const char *word = role;
        for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
            if (length == strlen(flags[i]) && g_ascii_strncasecmp(role, flags[i], length) == 0)
                word = flags[i];
        }
        append(&out, "%s%.*s", out.len_bytes > 0 ? " " : "", (int)length, word);
        role += length + (role[length] == '_');
    }
    return out;
}
