/* batch.h - --each: many captures that have nothing to do with each other, a report for each and one over
 * all.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BATCH_H
#define BATCH_H

#include "options.h"

/* Audits every capture of `settings` for itself, several at once, and writes the reports in the order given,
 * whatever the number of jobs; then the summary over all. The exit status; what went wrong was told. */
int batch_run(const options *settings);

#endif
