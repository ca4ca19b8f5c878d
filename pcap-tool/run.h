/* run.h - one run: captures in, one report out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RUN_H
#define RUN_H

#include "options.h"
#include "report/outcome.h"

/* Audits the captures of `settings` as one and writes their report. The exit status; what went wrong was
 * told. `result`: what it came to, set when it came as far as a report; or NULL. */
int run_capture(const options *settings, outcome *result);

#endif
