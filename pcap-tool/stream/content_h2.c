/* content_h2.c - a direction's bytes in HTTP/2: how it begins, and its frames, told to the core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <strings.h>

#include "stream/content_parts.h"
#include "stream/h2.h"
#include "stream/http.h"

/* The direction goes on in HTTP/2; so much of the preface has gone by. One of which no byte was seen may
 * still be started anew, so that it must hold nothing. */
static void become_h2(const content_place *place, unsigned direction, size_t preface_bytes)
{
    stream_half *half = &place->flow->halves[direction];
    content_drop_parsers(place->context, half);
    if (half->moved || direction == place->direction) {
        half->content = HALF_H2;
        half->h2 = h2_walker_new(place->context, preface_bytes, half->h2_begun);
    }
    if (half->content != HALF_H2 || half->h2 == NULL)
        content_ignore(place->context, half);
}

/* The client says it speaks HTTP/2; the server may have said so before, or will when it starts. Behind HTTP/1
 * it had asked for it: the 101 was not captured. */
void content_h2_preface(const content_place *place)
{
    bool switches = place->flow->protocol == KA_PROTOCOL_HTTP;
    stream_half *server = &place->flow->halves[!place->direction];
    size_t preface_bytes = (size_t)place->half->http->message.len_bytes;
    content_tell_protocol(place, KA_PROTOCOL_H2C);
    become_h2(place, place->direction, preface_bytes);
    if (server->content == HALF_HTTP) {
        content_ignore(place->context, server);
        server->content = switches ? HALF_LOST : HALF_IGNORED;
    }
}

/* A 101 that is for HTTP/2 (RFC 7540 section 3.2). */
bool content_h2_is_wanted(const ka_message *m)
{
    static const char name[] = "h2c";
    for (size_t i = 0; i < m->field_count; i++) {
        ka_slice value = m->fields[i].value;
        if (m->fields[i].name == KA_FIELD_UPGRADE && value.len_bytes == sizeof name - 1 &&
            strncasecmp(value.bytes, name, value.len_bytes) == 0)
            return m->status == 101;
    }
    return false;
}

/* Behind missing bytes the server's first frames are recognised; header blocks may be among what is missing.
 */
void content_h2_way_back(const content_place *place)
{
    become_h2(place, place->direction, H2_PREFACE_BYTES);
    if (place->half->content == HALF_H2)
        h2_block_lose(place->context, &place->half->h2->block);
}

/* Behind a 101: the client's preface is still to come, as it waits for it. */
void content_h2_upgrade(const content_place *place)
{
    content_tell_protocol(place, KA_PROTOCOL_H2C);
    become_h2(place, place->direction, H2_PREFACE_BYTES);
    become_h2(place, !place->direction, 0);
}

/* A block is told in the frame that completes it, as Wireshark shows it. */
static void tell_names(const content_place *place, h2_walker *walker)
{
    stream_context *context = place->context;
    size_t count;
    const hpack_name *names = h2_block_found(context, &walker->block, &walker->frame, &count);
    for (size_t i = 0; i < count; i++) {
        ka_slice name = {names[i].bytes, names[i].len_bytes};
        context_failed(context, context->facts->h2_field_seen(context->audit, place->flow->connection,
                                                              place->direction, name, walker->frame.last));
    }
}

/* What a server says before the client's preface may be another protocol's after all, and is only SETTINGS.
 */
static void on_frame(const content_place *place)
{
    stream_context *context = place->context;
    h2_walker *walker = place->half->h2;
    walker->frame.direction = (uint8_t)place->direction;
    if (place->flow->protocol == KA_PROTOCOL_H2C)
        context_failed(
            context, context->facts->h2_frame_seen(context->audit, place->flow->connection, &walker->frame));
    tell_names(place, walker);
    place->half->h2_begun = true;
    if (h2_block_stays(&walker->block)) {
        h2_walker_next(walker);
        return;
    }
    h2_walker_free(context, walker);
    place->half->h2 = NULL;
}

bool content_h2_follow(const content_place *place, stream_run *run)
{
    if (place->half->h2 == NULL && run->len_bytes == 0)
        return false;
    if (place->half->h2 == NULL)
        become_h2(place, place->direction, H2_PREFACE_BYTES);
    if (place->half->content != HALF_H2)
        return true;
    const stream_half *other = &place->flow->halves[!place->direction];
    if (other->content == HALF_H2 && other->h2 != NULL)
        place->half->h2->allowed_table_bytes = other->h2->block.table_bytes;
    switch (h2_walk(place->context, place->half->h2, run)) {
    case H2_MORE:
        return false;
    case H2_COMPLETE:
        on_frame(place);
        break;
    case H2_NONSENSE:
        content_give_up(place, run);
        break;
    }
    return true;
}

/* Bytes of the direction are missing: within a frame's body they do not matter. */
void content_h2_miss(const content_place *place, uint32_t len_bytes, const ka_moment *at)
{
    if (place->half->h2 == NULL || !h2_skip(place->context, place->half->h2, len_bytes, at)) {
        content_fail_gate(place, KA_GATE_UNFRAMED);
        content_ignore(place->context, place->half);
    } else if (h2_is_complete(place->half->h2)) {
        on_frame(place);
    }
}
