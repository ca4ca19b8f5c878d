/* ring.h - the newest packets of a live capture, in a ring of pcapng files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * All files are made when the ring is opened and stay open: later there may be no right to make any.
 */
#ifndef CAPTURE_RING_H
#define CAPTURE_RING_H

#include "capture.h"
#include "problems.h"

/* One file, and the frames in it. */
typedef struct ring_file {
    char *path;
    int descriptor;
    uint64_t first_frame;
    uint64_t frame_count;
} ring_file;

/* All zero: no packets are kept. */
typedef struct ring {
    ring_file *files;
    unsigned count;
    unsigned at;       /* the one that is written */
    int64_t max_bytes; /* of each */
    int64_t bytes;     /* of the one that is written, with what waits */
    uint8_t *head;     /* of every file: its section header and the interfaces */
    size_t head_bytes;
    uint8_t *waiting; /* not yet written */
    size_t waiting_bytes;
    bool has_failed; /* nothing is kept any more */
} ring;

typedef struct ring_interface {
    const char *name;
    int link_type; /* as in a file, LINKTYPE_ */
} ring_interface;

/* Makes the files and their heads. False, and one line in `error`, when that fails. Give it to ring_fini in
 * any case. */
bool ring_init(ring *self, const capture_ring_options *options, const ring_interface *interfaces,
               size_t count, char error[CAPTURE_ERROR_BYTES]);
void ring_fini(ring *self);

/* Frames ascend by one. A failure is told once. */
void ring_keep(ring *self, const capture_packet *packet, problem_list *problems);
/* What was kept can be read by others from then on. */
void ring_flush(ring *self, problem_list *problems);

/* False when the frame was never kept, or was overwritten. */
bool ring_find(const ring *self, uint64_t frame, const char **file, uint64_t *file_frame);

#endif
