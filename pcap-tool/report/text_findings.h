/* text_findings.h - the findings of the text report, by diagnosis, the worst first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEXT_FINDINGS_H
#define TEXT_FINDINGS_H

#include "report.h"

/* Instances shown of a diagnosis: more would hide the next diagnosis, and NDJSON has them all. */
enum { TEXT_FINDINGS_KEPT = 5 };

typedef struct text_diagnosis {
    uint64_t count;       /* findings: one for each connection, or each event at a server */
    uint64_t occurrences; /* what happened several times on a connection counts several times */
    uint64_t server_wide; /* of count */
    unsigned faults;      /* a bit for each ka_fault */
    ka_severity severity; /* the worst */
    size_t kept_count;
    ka_finding kept[TEXT_FINDINGS_KEPT]; /* the first ones of the worst severity, worst first */
} text_diagnosis;

typedef struct text_findings {
    text_diagnosis diagnoses[KA_FINDING_COUNT];
} text_findings;

void text_findings_init(text_findings *findings);

/* Copies the finding; its names must be literals, as the core's are. */
void text_findings_add(text_findings *findings, const ka_finding *finding);

void text_findings_write(const text_findings *findings, const report_options *options);

#endif
