/* run.h - one run: captures in, one report out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RUN_H
#define RUN_H

#include "options.h"

/* Audits the captures of `settings` as one and writes their report. The exit status; what went wrong was
 * told. */
int run_capture(const options *settings);

#endif
