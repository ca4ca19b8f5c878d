/* overall_parts.h - the two forms of the summary over all files, sorted before.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef OVERALL_PARTS_H
#define OVERALL_PARTS_H

#include "overall.h"

void overall_write_text(const overall *self, const report_options *options);
void overall_write_ndjson(const overall *self, const report_options *options);

#endif
