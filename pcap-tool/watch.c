/* watch.c - what a run shows of itself while it reads: how far it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "watch.h"

#include "interrupt.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The run whose packets are waited for; NULL: it has not come to that. */
static watch *under_way;

static int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * KA_SECOND_NS + now.tv_nsec;
}

static bool is_terminal(void)
{
    const char *kind = getenv("TERM");
    return isatty(STDERR_FILENO) && kind && strcmp(kind, "dumb") != 0;
}

/* A bar goes on a terminal, and not among lines that are written there. */
void watch_begin(watch *self, const options *settings, FILE *out)
{
    bool is_free = settings->format == OPTIONS_TEXT || !isatty(fileno(out));
    bool is_live = settings->live.interface_count > 0;
    bool has_bar = is_free && !is_live && !settings->no_progress && is_terminal();
    progress_begin(&self->progress, stderr, has_bar, clock_ns());
    under_way = self;
}

static progress_state state_of(const watch *self)
{
    const tally *counts = report_tally(self->report);
    progress_state state = {.packets = capture_packets(self->capture),
                            .bytes = capture_bytes(self->capture),
                            .open = stream_open_count(self->streams)};
    for (unsigned i = 0; i < TALLY_SEVERITIES; i++)
        state.findings += counts->by_severity[i];
    capture_position(self->capture, &state.read_bytes, &state.all_bytes);
    return state;
}

void watch_look(watch *self)
{
    if (interrupt_asks_progress()) {
        progress_state state = state_of(self);
        progress_tell(&self->progress, &state);
    } else if (self->progress.has_bar) {
        int64_t now_ns = clock_ns();
        if (!progress_is_due(&self->progress, now_ns))
            return;
        progress_state state = state_of(self);
        progress_draw(&self->progress, now_ns, &state);
    }
}

bool watch_wait(void)
{
    if (under_way)
        watch_look(under_way);
    return interrupted();
}

void watch_end(watch *self)
{
    under_way = NULL;
    progress_end(&self->progress);
}
