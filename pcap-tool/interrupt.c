/* interrupt.c - the signals that end reading.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t requested;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    requested = 1;
}

void interrupt_install(void)
{
    /* No SA_RESTART: a read from a pipe that waits for packets must return. */
    struct sigaction stop = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&stop.sa_mask);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an output error like any other: status 4 */
}

bool interrupted(void)
{
    return requested != 0;
}
