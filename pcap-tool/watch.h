/* watch.h - what a run shows of itself while it reads: how far it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WATCH_H
#define WATCH_H

#include "capture/capture.h"
#include "options.h"
#include "progress.h"
#include "report/report.h"
#include "stream/stream.h"

/* Packets between two looks: each may read the clock. */
enum { WATCH_PACKETS = 4096 };

/* The three are set before watch_begin and live until watch_end. */
typedef struct watch {
    const capture *capture;
    const stream_table *streams;
    const report *report;
    progress progress;
    uint32_t turns;
} watch;

void watch_begin(watch *self, const options *settings, FILE *out);
void watch_look(watch *self);

/* For every packet. */
static inline void watch_turn(watch *self)
{
    if (++self->turns % WATCH_PACKETS == 0)
        watch_look(self);
}

/* While packets are waited for, at any time: looks, if there is a watch. Whether reading shall end. */
bool watch_wait(void);

/* Before anything is written where the bar was. */
void watch_end(watch *self);

#endif
