/* text_ladder.h - a failure behind a proxy as a ladder: client, proxy and origin, and the deciding frames
 * between them, by time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEXT_LADDER_H
#define TEXT_LADDER_H

#include "report.h"

/* For a finding about a pair; writes nothing when none of its frames has a rung. */
void text_ladder_write(const report_options *options, const ka_finding *finding);

#endif
