/* origin.c - which input a merged frame came from, as runs of frames from the same one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "origin.h"

#include <stdlib.h>

enum { FIRST_ROOM = 64 };

/* The room is a power of two. */
static origin_run *run_at(const origin_map *origin, size_t index)
{
    return &origin->runs[(origin->first + index) & (origin->room - 1)];
}

/* Doubles the room; the ring has not wrapped before it is at its largest. */
static void grow(origin_map *origin)
{
    size_t room = origin->room == 0 ? FIRST_ROOM : origin->room * 2;
    if (room > ORIGIN_RUNS_MAX || origin->first != 0 ||
        !memory_claim_set(&origin->claim, room * sizeof *origin->runs))
        return;
    origin_run *runs = realloc(origin->runs, room * sizeof *runs);
    if (runs == NULL)
        return;
    origin->runs = runs;
    origin->room = room;
}

void origin_fini(origin_map *origin)
{
    memory_claim_set(&origin->claim, 0);
    free(origin->runs);
}

void origin_note(origin_map *origin, uint64_t frame, uint16_t input, uint64_t file_frame)
{
    origin->last_frame = frame;
    if (origin->count > 0 && run_at(origin, origin->count - 1)->input == input)
        return;
    if (origin->count == origin->room)
        grow(origin);
    if (origin->room == 0)
        return;
    if (origin->count == origin->room) {
        origin->first = (origin->first + 1) & (origin->room - 1);
        origin->count--;
    }
    *run_at(origin, origin->count) = (origin_run){frame, file_frame, input};
    origin->count++;
}

bool origin_find(const origin_map *origin, uint64_t frame, uint16_t *input, uint64_t *file_frame)
{
    if (origin->count == 0 || frame < run_at(origin, 0)->frame || frame > origin->last_frame)
        return false;
    size_t low = 0; /* the last run known to start at or before the frame */
    size_t high = origin->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (run_at(origin, middle)->frame <= frame)
            low = middle;
        else
            high = middle;
    }
    const origin_run *run = run_at(origin, low);
    *input = run->input;
    *file_frame = run->file_frame + (frame - run->frame);
    return true;
}
