/* finding.c - putting a finding together.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "finding.h"

#include <string.h>

void ka_finding_init(ka_finding *f, ka_finding_id id)
{
    /* Field by field: the arrays are large. */
    f->at = (ka_moment){0, 0};
    f->failed_gates = 0;
    f->has_stream = f->has_pair = false;
    f->frame_count = 0;
    f->value_count = 0;
    f->cause_count = 0;
    f->detail_bytes = 0;
    const ka_catalogue_row *row = ka_catalogue(id);
    f->id = id;
    f->severity = row->severity;
    f->fault = row->fault;
    ka_finding_value(f, "count", 1, KA_COUNT);
}

bool ka_finding_is_blank(const ka_finding *f)
{
    return f->at.frame == 0 && f->failed_gates == 0 && f->frame_count == 0 && f->value_count == 1 &&
           f->cause_count == 0 && f->detail_bytes == 0;
}

void ka_finding_value(ka_finding *f, const char *name, int64_t number, ka_unit unit)
{
    if (number != KA_NONE && f->value_count < KA_VALUES_MAX)
        f->values[f->value_count++] = (ka_value){name, number, unit};
}

void ka_finding_frame(ka_finding *f, const char *role, ka_moment at)
{
    if (at.frame != 0 && f->frame_count < KA_EVIDENCE_MAX)
        f->frames[f->frame_count++] = (ka_evidence){role, at};
}

void ka_finding_detail(ka_finding *f, ka_slice text)
{
    size_t len_bytes = text.len_bytes < sizeof f->detail ? text.len_bytes : sizeof f->detail;
    if (len_bytes > 0)
        memcpy(f->detail, text.bytes, len_bytes);
    f->detail_bytes = (uint8_t)len_bytes;
}

void ka_finding_cause(ka_finding *f, ka_finding_id cause)
{
    if (f->cause_count < KA_CAUSES_MAX)
        f->causes[f->cause_count++] = cause;
}

void ka_finding_again(ka_finding *f)
{
    f->values[0].number++; /* "count", see ka_finding_init */
}
