/* interrupt.c - the signals the command answers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t requested;
static volatile sig_atomic_t progress_wanted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    requested = 1;
}

static void on_progress(int signal_number)
{
    (void)signal_number;
    progress_wanted = 1;
}

void interrupt_install(void)
{
    /* SA_RESTART: writing the report must not fail of a signal. What waits for packets polls, which is never
     * restarted. */
    struct sigaction stop = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    struct sigaction tell = {.sa_handler = on_progress, .sa_flags = SA_RESTART};
    sigemptyset(&stop.sa_mask);
    sigemptyset(&tell.sa_mask);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGUSR1, &tell, NULL);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an output error like any other: status 4 */
}

bool interrupted(void)
{
    return requested != 0;
}

bool interrupt_asks_progress(void)
{
    bool asked = progress_wanted != 0;
    progress_wanted = 0;
    return asked;
}
