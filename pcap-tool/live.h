/* live.h - auditing while capturing: what a run does about interfaces.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef LIVE_H
#define LIVE_H

#include "capture/capture.h"
#include "options.h"
#include "privileges.h"

typedef struct live_run {
    privileges_user becomes;
} live_run;

/* Opens the interfaces and the ring. The exit status; when it is not EXIT_DONE, the reason was told. */
int live_open(live_run *self, const options *settings, capture **out);

/* Gives up the rights that opening took, once the output is open, and tells on standard error that it
 * listens. Likewise. */
int live_begin(const live_run *self, const options *settings);

#endif
