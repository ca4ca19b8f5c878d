/* text_overview.h - the head of the text report: what was read, and the verdict in one line.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEXT_OVERVIEW_H
#define TEXT_OVERVIEW_H

#include "report.h"

void text_overview_write(const report_options *options, const report_end *end, const tally *counts);

/* Only what follows the names of the files. */
void text_overview_totals(const report_options *options, const report_end *end, const tally *counts);

#endif
