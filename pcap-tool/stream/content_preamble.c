/* content_preamble.c - what a proxy may say before the first byte of HTTP or TLS: the PROXY protocol.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "stream/content_parts.h"

/* A preamble under way, or bytes that may become one. */
typedef struct preamble_walker {
    ka_preamble what; /* len_bytes 0: not decided yet */
    ka_bytes bytes;
    uint32_t ack;  /* of the segment with the first byte */
    uint32_t left; /* behind what was read, to be passed over */
    uint32_t kept_bytes;
    uint8_t kept[KA_PREAMBLE_BYTES_MAX];
} preamble_walker;

static ka_slice slice_of(const uint8_t *bytes, size_t len_bytes)
{
    return (ka_slice){(const char *)bytes, len_bytes};
}

bool content_preamble_may_begin(const stream_run *run)
{
    ka_preamble what;
    return (run->bytes[0] == 'P' || run->bytes[0] == '\r') &&
           ka_preamble_read(slice_of(run->bytes, run->captured_bytes), &what) != KA_PREAMBLE_NONE;
}

void content_preamble_drop(stream_context *context, stream_half *half)
{
    context_resize(context, half->preamble, 0);
    half->preamble = NULL;
}

static bool begin(const content_place *place, const stream_run *run)
{
    preamble_walker *walker = context_resize(place->context, NULL, sizeof *walker);
    if (walker == NULL) {
        context_failed(place->context, KA_NO_MEMORY);
        return false;
    }
    *walker = (preamble_walker){
        .bytes = {.direction = (uint8_t)place->direction, .seq = run->seq, .first = run->at},
        .ack = run->ack,
    };
    place->half->preamble = walker;
    return true;
}

/* The direction's next byte is its first of HTTP or TLS; or of another preamble, of a proxy behind the first
 * one. */
static void tell(const content_place *place)
{
    stream_context *context = place->context;
    preamble_walker *walker = place->half->preamble;
    context_failed(context, context->facts->preamble_seen(context->audit, place->flow->connection,
                                                          &walker->bytes, &walker->what.client));
    content_preamble_drop(context, place->half);
    place->half->content = HALF_START;
}

/* It was none: what was kept goes to the parser of HTTP, whose first bytes it can only be. */
static void hand_on(const content_place *place)
{
    preamble_walker *walker = place->half->preamble;
    stream_run kept = {.bytes = walker->kept,
                       .captured_bytes = walker->kept_bytes,
                       .len_bytes = walker->kept_bytes,
                       .seq = walker->bytes.seq,
                       .ack = walker->ack,
                       .at = walker->bytes.first};
    place->half->preamble = NULL;
    place->half->content = HALF_HTTP;
    content_replay(place, kept);
    context_resize(place->context, walker, 0);
}

static void take(preamble_walker *walker, stream_run *run, uint32_t len_bytes)
{
    walker->bytes.len_bytes += len_bytes;
    walker->bytes.last = run->at;
    run_advance(run, len_bytes);
}

/* Returns false when the next byte is not there. */
static bool read(const content_place *place, stream_run *run)
{
    preamble_walker *walker = place->half->preamble;
    uint32_t room = (uint32_t)sizeof walker->kept - walker->kept_bytes;
    uint32_t some = run->captured_bytes < room ? run->captured_bytes : room;
    if (some == 0)
        return false;
    memcpy(walker->kept + walker->kept_bytes, run->bytes, some);
    switch (ka_preamble_read(slice_of(walker->kept, walker->kept_bytes + some), &walker->what)) {
    case KA_PREAMBLE_NONE:
        hand_on(place);
        return true;
    case KA_PREAMBLE_MORE:
        walker->kept_bytes += some;
        take(walker, run, some);
        return true;
    default:
        walker->left = walker->what.len_bytes - walker->kept_bytes;
        return true;
    }
}

bool content_preamble_follow(const content_place *place, stream_run *run)
{
    if (run->len_bytes == 0)
        return false;
    if (place->half->preamble == NULL && !begin(place, run)) {
        content_ignore(place->context, place->half);
        return true;
    }
    preamble_walker *walker = place->half->preamble;
    if (walker->what.len_bytes == 0)
        return read(place, run);
    uint32_t some = run->len_bytes < walker->left ? run->len_bytes : walker->left;
    take(walker, run, some);
    walker->left -= some;
    if (walker->left == 0)
        tell(place);
    return true;
}

bool content_preamble_skip(const content_place *place, uint32_t len_bytes, const ka_moment *at)
{
    preamble_walker *walker = place->half->preamble;
    if (walker == NULL || walker->what.len_bytes == 0 || len_bytes > walker->left)
        return false;
    walker->left -= len_bytes;
    walker->bytes.len_bytes += len_bytes;
    if (at != NULL)
        walker->bytes.last = *at;
    if (walker->left == 0)
        tell(place);
    return true;
}
