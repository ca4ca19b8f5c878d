/* track.h - when the bytes of one direction were captured first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Wireshark shows a message in the frame in which it is complete; the audit asks when its first and its last
 * byte went by. Segments are kept until a message has claimed their bytes.
 */
#ifndef PLUGIN_TRACK_H
#define PLUGIN_TRACK_H

#include "keptalive.h"

typedef struct track_piece {
    ka_moment at;
    uint32_t seq;
    uint32_t len_bytes;
    uint32_t ack;
} track_piece;

/* All zero is an empty one. */
typedef struct track {
    track_piece *pieces; /* in order of capture */
    uint32_t first;
    uint32_t count;
    uint32_t room;
} track;

/* payload_seq: of the segment's first byte of payload. */
void track_add(track *self, const ka_allocator *allocator, const ka_segment *segment, uint32_t payload_seq);
/* The segment that brought this byte first; NULL: none, or forgotten. Lives until the next call. */
const track_piece *track_of_byte(const track *self, uint32_t seq);
const track_piece *track_of_frame(const track *self, uint64_t frame);
/* Everything before seq was claimed. */
void track_forget(track *self, uint32_t seq);
void track_fini(track *self, const ka_allocator *allocator);

/* Distance from b to a in sequence space (RFC 9293 section 3.4): negative when a comes before b. */
static inline int32_t seq_minus(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

#endif
