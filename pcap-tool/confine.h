/* confine.h - a run's sandbox: what of the command line it must leave possible.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CONFINE_H
#define CONFINE_H

#include "options.h"

/* Before the first byte of a capture is looked at: of files, those and what is in the directories given can
 * be read, and the output made; interfaces and their output are open already. Where a part of the sandbox is
 * missing, one line on standard error says so, if that is a terminal. */
void confine_run(const options *settings);

/* Once all outputs are open: no others can be. */
void confine_seal(const options *settings);

#endif
