/* text.h - the report for people: 80 columns of plain ASCII.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Everything is written by text_finish, but for the findings told earlier (text_follow); until then only
 * counts, a few findings of each diagnosis and the busiest servers are kept, and the rows of long tables wait
 * in a temporary file.
 */
#ifndef TEXT_H
#define TEXT_H

#include "report.h"

typedef struct text_report text_report;

/* NULL when memory runs out. */
text_report *text_new(const report_options *options, const ka_allocator *allocator);
void text_free(text_report *text);

void text_follow(text_report *text, bool wanted);
void text_connection(text_report *text, const ka_record *record);
void text_finding(text_report *text, const ka_finding *finding);
void text_exchange(text_report *text, const ka_exchange_record *exchange);
void text_endpoint(text_report *text, const ka_endpoint_record *endpoint);

void text_finish(text_report *text, const report_end *end, const tally *counts);

/* errno of the first write that failed; 0: none. */
int text_error(const text_report *text);

#endif
