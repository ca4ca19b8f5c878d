/* interrupt.h - SIGINT and SIGTERM: stop reading and report. A second one ends the process. SIGUSR1: tell how
 * far it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdbool.h>

/* Also makes a closed pipe an output error like any other, instead of SIGPIPE. */
void interrupt_install(void);

bool interrupted(void);

/* Whether SIGUSR1 came since the last time. */
bool interrupt_asks_progress(void);

#endif
