/* text_follow.h - a finding on one line, told as soon as it is decided.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEXT_FOLLOW_H
#define TEXT_FOLLOW_H

#include "report.h"

void text_follow_write(const report_options *options, const ka_finding *finding);

#endif
