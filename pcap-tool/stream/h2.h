/* h2.h - where one HTTP/2 frame begins and ends (RFC 9113 section 4.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STREAM_H2_H
#define STREAM_H2_H

#include "stream/h2_block.h"

enum {
    H2_HEADER_BYTES = 9,
    H2_GOAWAY_BYTES = 4, /* of its body, for the last stream */
    H2_PREFACE_BYTES = 24,
};

/* One frame under way. Pooled, so that idle connections hold none, unless there is something to remember of
 * their header blocks. */
typedef struct h2_walker {
    struct h2_walker *next; /* in the pool */
    ka_h2_frame frame;
    uint32_t body_left;
    uint8_t head[H2_HEADER_BYTES + H2_GOAWAY_BYTES];
    uint8_t head_bytes; /* how much of it is there */
    uint8_t head_need;
    uint8_t preface_bytes;        /* how much of it was seen; H2_PREFACE_BYTES: all, or there is none */
    bool begun;                   /* SETTINGS went by, which comes first */
    h2_block block;               /* of the direction */
    uint32_t allowed_table_bytes; /* by the other direction */
} h2_walker;

typedef enum h2_event {
    H2_MORE,     /* the run is used up, or the next byte of a header is cut off */
    H2_COMPLETE, /* the frame is told by h2_walker.frame: */
    H2_NONSENSE,
} h2_event;

/* NULL (and the context failed) when memory runs out. For the first frame of a direction `begun` is false,
 * and preface_bytes tells how much of the client's preface has gone by; else H2_PREFACE_BYTES. */
h2_walker *h2_walker_new(stream_context *context, size_t preface_bytes, bool begun);
void h2_walker_free(stream_context *context, h2_walker *walker);
/* After H2_COMPLETE: the next frame of the same direction. */
void h2_walker_next(h2_walker *walker);
void h2_pool_fini(stream_context *context);

/* Takes bytes from the front of the run up to the next event. */
h2_event h2_walk(stream_context *context, h2_walker *walker, stream_run *run);

/* So many bytes are missing, or cut off when `at` tells their segment. Returns false when the walker is lost.
 * The frame may be complete after it. */
bool h2_skip(stream_context *context, h2_walker *walker, uint32_t len_bytes, const ka_moment *at);
bool h2_is_complete(const h2_walker *walker);

#endif
