/* progress.h - how far a run is: a bar on a terminal, and a line for who asks (SIGUSR1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct progress {
    FILE *out;
    bool has_bar;    /* wanted */
    bool is_drawn;   /* there is one on the line */
    int64_t next_ns; /* when it is drawn again */
} progress;

typedef struct progress_state {
    uint64_t packets;
    uint64_t bytes; /* of the packets */
    uint64_t read_bytes;
    uint64_t all_bytes; /* of the files; 0: not known */
    uint64_t open;      /* connections */
    uint64_t findings;
} progress_state;

/* `now_ns` by any clock that only goes forward. */
void progress_begin(progress *self, FILE *out, bool has_bar, int64_t now_ns);

/* Whether the bar wants to be drawn again: not within the first second. */
bool progress_is_due(const progress *self, int64_t now_ns);
void progress_draw(progress *self, int64_t now_ns, const progress_state *state);

/* One line, beside the bar. */
void progress_tell(progress *self, const progress_state *state);

/* Takes the bar away. */
void progress_end(progress *self);

#endif
