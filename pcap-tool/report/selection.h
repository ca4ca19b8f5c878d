/* selection.h - which findings a report shows and counts. What is left out is left out everywhere: in the
 * text, the NDJSON lines, a connection's list, the summary and --fail-on. Nothing else changes: verdicts,
 * gates and the causes a finding names stay as they are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SELECTION_H
#define SELECTION_H

#include "keptalive.h"

#include <stdio.h>

enum { SELECTION_WORDS = (KA_FINDING_COUNT + 63) / 64 };

/* All zero selects everything. */
typedef struct selection {
    uint64_t only[SELECTION_WORDS]; /* all zero: every finding */
    uint64_t ignored[SELECTION_WORDS];
    ka_severity least; /* as the finding is reported, after the gates */
} selection;

void selection_only(selection *self, ka_finding_id id);
void selection_ignore(selection *self, ka_finding_id id);

bool selection_is_all(const selection *self);
bool selection_takes(const selection *self, ka_finding_id id, ka_severity severity);

/* Takes from a connection's list what is not selected. */
void selection_trim(const selection *self, ka_record *record);

/* {"only":["closed-early"],"ignore":[],"min_severity":"warn"} */
void selection_json(const selection *self, FILE *out);

/* "only closed-early; without kept-late; from warn on", cut to size. */
void selection_text(const selection *self, char *out, size_t size);

#endif
