/* worker.h - a process that audits one capture: what is wrong with its file harms no other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WORKER_H
#define WORKER_H

#include "options.h"
#include "report/outcome.h"

#include <signal.h>
#include <stdio.h>
#include <sys/types.h>

typedef enum worker_state { WORKER_NONE, WORKER_RUNS, WORKER_DONE } worker_state;

/* All zero: none. */
typedef struct worker {
    worker_state state;
    pid_t process;
    int wait_status;
    FILE *report; /* temporary; what it writes to standard output */
    FILE *errors; /* and to standard error */
    outcome *left;
} worker;

/* Audits settings->paths[0] in a process of its own. `others` (of `other_count`) and `out` are the parent's,
 * which the process must not reach; what was written to `out` must have been flushed. Signals are those of
 * `mask` there. False, with errno: it could not be begun. */
bool worker_begin(worker *self, const options *settings, const worker *others, size_t other_count, FILE *out,
                  const sigset_t *mask);
/* Whether it has ended; never waits. */
bool worker_ended(worker *self);
void worker_interrupt(const worker *self);
/* Forgets it. It must have ended. */
void worker_fini(worker *self);

/* Of one that has ended: its exit status; -1: it crashed, by wait_status. */
int worker_exit_status(const worker *self);

#endif
