/* pieces.h - the out-of-order bytes of one direction: copies of stretches, sorted, never overlapping.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STREAM_PIECES_H
#define STREAM_PIECES_H

#include "stream/context.h"

typedef struct stream_piece {
    struct stream_piece *next;
    stream_run run; /* its bytes lie behind the piece */
    uint32_t room_bytes;
} stream_piece;

typedef struct stream_pieces {
    stream_piece *first;
    stream_piece *last;
    size_t used_bytes; /* counted in stream_context.buffered_bytes too */
    size_t count;
    int64_t acked_ns; /* when the hole before `first` was seen acknowledged; KA_NONE: not yet */
    uint32_t waited_segments;
} stream_pieces;

/* Whether so many more bytes, in up to two stretches more, fit into the limits. */
bool pieces_fit(const stream_context *context, const stream_pieces *pieces, uint32_t captured_bytes);
/* Copies the run's bytes that are not there yet; makes *pieces when it is NULL. Without memory, drops them
 * and marks the context failed. */
void pieces_insert(stream_context *context, stream_pieces **pieces, stream_run run);
/* Drops the first stretch; frees *pieces with the last. */
void pieces_pop(stream_context *context, stream_pieces **pieces);
void pieces_free(stream_context *context, stream_pieces **pieces);

#endif
