/* origin.h - which input a merged frame came from, as runs of frames from the same one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CAPTURE_ORIGIN_H
#define CAPTURE_ORIGIN_H

#include "memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 24 MiB of runs. Inputs that alternate with every packet are known for the last million frames, which is
 * longer than a finding usually looks back; inputs that follow each other need one run each. */
enum { ORIGIN_RUNS_MAX = 1 << 20 };

/* Frames from `frame` on, until the next run starts. */
typedef struct origin_run {
    uint64_t frame;
    uint64_t file_frame;
    uint16_t input;
} origin_run;

/* A ring: the newest runs are kept. All zero: empty; but the claim's share may be set. */
typedef struct origin_map {
    memory_claim claim;
    origin_run *runs;
    size_t room;
    size_t first;
    size_t count;
    uint64_t last_frame;
} origin_map;

void origin_fini(origin_map *origin);

/* Frames ascend by one, from 1; the file frames of each input likewise. Forgets the oldest run when the ring
 * is full and cannot grow. */
void origin_note(origin_map *origin, uint64_t frame, uint16_t input, uint64_t file_frame);

/* False when the frame was not noted or is forgotten. */
bool origin_find(const origin_map *origin, uint64_t frame, uint16_t *input, uint64_t *file_frame);

#endif
