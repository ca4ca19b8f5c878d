/* lookahead.c - the next few segments, so that their connections' memory is on its way when their turn comes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/lookahead.h"

#include <string.h>

enum { ENTRIES = LOOKAHEAD_SEGMENTS + 1 }; /* a power of two */

/* The entry so many segments before the next. */
static lookahead_entry *before(lookahead *self, uint32_t age)
{
    return &self->entries[(self->next - age) % ENTRIES];
}

static ka_status take_oldest(lookahead *self)
{
    lookahead_entry *oldest = before(self, self->waiting--);
    return stream_segment_at(self->streams, &oldest->packet, &oldest->place);
}

ka_status lookahead_drain(lookahead *self)
{
    ka_status status = KA_OK;
    while (status == KA_OK && self->waiting > 0)
        status = take_oldest(self);
    return status;
}

packet_tcp *lookahead_room(lookahead *self)
{
    return &before(self, 0)->packet;
}

ka_status lookahead_segment(lookahead *self)
{
    lookahead_entry *entry = before(self, 0);
    packet_tcp *packet = &entry->packet;
    if (packet->segment.captured_bytes > LOOKAHEAD_PAYLOAD_BYTES) {
        ka_status status = lookahead_drain(self);
        return status == KA_OK ? stream_segment(self->streams, packet) : status;
    }
    if (packet->segment.captured_bytes > 0)
        packet->payload = memcpy(entry->payload, packet->payload, packet->segment.captured_bytes);
    stream_place_init(self->streams, packet, &entry->place);
    self->next++;
    self->waiting++;
    for (uint32_t age = 3; age <= self->waiting; age += 2)
        stream_prefetch(self->streams, &before(self, age)->place);
    return self->waiting == LOOKAHEAD_SEGMENTS ? take_oldest(self) : KA_OK;
}
