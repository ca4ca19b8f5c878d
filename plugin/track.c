/* track.c - when the bytes of one direction were captured first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "track.h"

#include <string.h>

enum { ROOM_FIRST = 4 };

/* Claimed pieces make room before memory does. */
static void make_room(track *self, const ka_allocator *allocator)
{
    if (self->first > 0 && self->first >= self->count / 2) {
        self->count -= self->first;
        memmove(self->pieces, self->pieces + self->first, self->count * sizeof *self->pieces);
        self->first = 0;
        return;
    }
    self->room = self->room == 0 ? ROOM_FIRST : self->room * 2;
    self->pieces = allocator->resize(allocator->user, self->pieces, self->room * sizeof *self->pieces);
}

void track_add(track *self, const ka_allocator *allocator, const ka_segment *segment, uint32_t payload_seq)
{
    if (self->count == self->room)
        make_room(self, allocator);
    self->pieces[self->count++] = (track_piece){
        .at = {segment->time_ns, segment->frame},
        .seq = payload_seq,
        .len_bytes = segment->len_bytes,
        .ack = segment->ack,
    };
}

const track_piece *track_of_byte(const track *self, uint32_t seq)
{
    for (uint32_t i = self->first; i < self->count; i++) {
        const track_piece *piece = &self->pieces[i];
        if (seq - piece->seq < piece->len_bytes)
            return piece;
    }
    return NULL;
}

const track_piece *track_of_frame(const track *self, uint64_t frame)
{
    for (uint32_t i = self->first; i < self->count; i++) {
        if (self->pieces[i].at.frame == frame)
            return &self->pieces[i];
    }
    return NULL;
}

void track_forget(track *self, uint32_t seq)
{
    while (self->first < self->count) {
        const track_piece *piece = &self->pieces[self->first];
        if (seq_minus(piece->seq + piece->len_bytes, seq) > 0)
            break;
        self->first++;
    }
    if (self->first == self->count)
        self->first = self->count = 0;
}

void track_fini(track *self, const ka_allocator *allocator)
{
    if (self->pieces != NULL)
        allocator->resize(allocator->user, self->pieces, 0);
    *self = (track){0};
}
