/* outcome.c - what one run came to, without pointers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "outcome.h"

#include <string.h>

static void set_row(outcome_row *to, const incomplete_row *from)
{
    to->count = from->count;
    to->unread = from->unread;
    to->sentence = from->sentence;
    snprintf(to->what, sizeof to->what, "%s", from->what);
    snprintf(to->detail, sizeof to->detail, "%s", from->detail);
}

void outcome_set(outcome *self, const report_end *end, const tally *counts)
{
    self->packets = end->packets;
    self->bytes = end->bytes;
    self->first_ns = end->first_ns;
    self->last_ns = end->last_ns;
    self->counts = *counts;
    self->row_count = (uint32_t)end->incomplete->count;
    for (uint32_t i = 0; i < self->row_count; i++)
        set_row(&self->rows[i], &end->incomplete->rows[i]);
    self->reported = true;
}

static void end_text(char *text, size_t size)
{
    text[size - 1] = '\0';
}

void outcome_take(const outcome *left, outcome *out)
{
    *out = *left;
    if (out->row_count > INCOMPLETE_MAX)
        out->row_count = INCOMPLETE_MAX;
    for (uint32_t i = 0; i < out->row_count; i++) {
        end_text(out->rows[i].what, sizeof out->rows[i].what);
        end_text(out->rows[i].detail, sizeof out->rows[i].detail);
    }
}
