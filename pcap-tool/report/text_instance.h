/* text_instance.h - one finding in the text report: where, what, which frames prove it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEXT_INSTANCE_H
#define TEXT_INSTANCE_H

#include "report.h"

/* `severity` is what the heading said: the instance names its own where it differs, and its fault if asked
 * to. */
void text_instance_write(const report_options *options, const ka_finding *finding, ka_severity severity,
                         bool with_fault);

#endif
