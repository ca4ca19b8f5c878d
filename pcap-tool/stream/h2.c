/* h2.c - where one HTTP/2 frame begins and ends (RFC 9113 section 4.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/h2.h"

#include <string.h>

enum {
    POOL_MAX = 1024, /* idle walkers kept: 130 kB */
};

/* RFC 9113 section 6. */
enum {
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION
};

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"; /* RFC 9113 section 3.4 */
_Static_assert(sizeof preface - 1 == H2_PREFACE_BYTES, "the client's connection preface");

h2_walker *h2_walker_new(stream_context *context, size_t preface_bytes, bool begun)
{
    h2_walker *walker = context->idle_h2_walkers;
    if (walker != NULL) {
        context->idle_h2_walkers = walker->next;
        context->idle_h2_walker_count--;
    } else {
        walker = context_resize(context, NULL, sizeof *walker);
        if (walker == NULL) {
            context_failed(context, KA_NO_MEMORY);
            return NULL;
        }
    }
    memset(walker, 0, sizeof *walker);
    walker->head_need = H2_HEADER_BYTES;
    walker->preface_bytes = (uint8_t)preface_bytes;
    walker->begun = begun;
    return walker;
}

void h2_walker_free(stream_context *context, h2_walker *walker)
{
    hpack_free(context, walker->block.decoder);
    if (context->idle_h2_walker_count >= POOL_MAX) {
        context_resize(context, walker, 0);
        return;
    }
    walker->next = context->idle_h2_walkers;
    context->idle_h2_walkers = walker;
    context->idle_h2_walker_count++;
}

void h2_walker_next(h2_walker *walker)
{
    h2_block block = walker->block;
    memset(walker, 0, sizeof *walker);
    walker->head_need = H2_HEADER_BYTES;
    walker->preface_bytes = H2_PREFACE_BYTES;
    walker->begun = true;
    walker->block = block;
}

void h2_pool_fini(stream_context *context)
{
    for (h2_walker *at = context->idle_h2_walkers, *next; at != NULL; at = next) {
        next = at->next;
        context_resize(context, at, 0);
    }
    context->idle_h2_walkers = NULL;
    context->idle_h2_walker_count = 0;
}

/* Both start with SETTINGS (RFC 9113 section 3.4); afterwards only what section 6 fixes can tell garbage:
 * frames of unknown types must be let by. */
static bool is_plausible(const h2_walker *walker, uint32_t body_bytes)
{
    const ka_h2_frame *f = &walker->frame;
    bool of_connection = f->stream_id == 0;
    if (!walker->begun && f->type != SETTINGS)
        return false;
    switch (f->type) {
    case DATA:
    case HEADERS:
    case CONTINUATION:
        return !of_connection;
    case PUSH_PROMISE:
        return !of_connection && body_bytes >= 4;
    case PRIORITY:
        return !of_connection && body_bytes == 5;
    case RST_STREAM:
        return !of_connection && body_bytes == 4;
    case SETTINGS:
        return of_connection && body_bytes % 6 == 0;
    case PING:
        return of_connection && body_bytes == 8;
    case GOAWAY:
        return of_connection && body_bytes >= 8;
    case WINDOW_UPDATE:
        return body_bytes == 4;
    default:
        return true;
    }
}

static uint32_t read_id(const uint8_t *bytes)
{
    return ((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3]) &
           0x7fffffff; /* the first bit is reserved */
}

static void take(h2_walker *walker, stream_run *run, uint32_t len_bytes)
{
    walker->frame.len_bytes += len_bytes;
    walker->frame.last = run->at;
    run_advance(run, len_bytes);
}

static bool read_header(stream_context *context, h2_walker *walker)
{
    const uint8_t *head = walker->head;
    uint32_t body_bytes = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
    walker->frame.type = head[3];
    walker->frame.flags = head[4];
    walker->frame.stream_id = read_id(head + 5);
    walker->body_left = body_bytes;
    if (!is_plausible(walker, body_bytes))
        return false;
    if (walker->frame.type == GOAWAY)
        walker->head_need += H2_GOAWAY_BYTES;
    h2_block_frame(context, &walker->block, &walker->frame, body_bytes, walker->allowed_table_bytes);
    return true;
}

static h2_event walk_head(stream_context *context, h2_walker *walker, stream_run *run)
{
    if (walker->head_bytes == 0) {
        walker->frame.seq = run->seq;
        walker->frame.first = run->at;
    }
    while (run->captured_bytes > 0 && walker->head_bytes < walker->head_need) {
        walker->head[walker->head_bytes++] = run->bytes[0];
        take(walker, run, 1);
        if (walker->head_bytes == H2_HEADER_BYTES && !read_header(context, walker))
            return H2_NONSENSE;
    }
    if (walker->head_bytes < walker->head_need)
        return H2_MORE;
    if (walker->frame.type == GOAWAY) {
        walker->frame.last_stream = read_id(walker->head + H2_HEADER_BYTES);
        walker->body_left -= H2_GOAWAY_BYTES;
    }
    return walker->body_left == 0 ? H2_COMPLETE : H2_MORE;
}

static bool walk_preface(h2_walker *walker, stream_run *run)
{
    while (run->captured_bytes > 0 && walker->preface_bytes < H2_PREFACE_BYTES) {
        if (run->bytes[0] != (uint8_t)preface[walker->preface_bytes])
            return false;
        walker->preface_bytes++;
        run_advance(run, 1);
    }
    return true;
}

h2_event h2_walk(stream_context *context, h2_walker *walker, stream_run *run)
{
    if (!walk_preface(walker, run))
        return H2_NONSENSE;
    if (walker->preface_bytes < H2_PREFACE_BYTES || run->len_bytes == 0)
        return H2_MORE;
    if (walker->head_bytes < walker->head_need) {
        h2_event event = walk_head(context, walker, run);
        if (event != H2_MORE || walker->head_bytes < walker->head_need)
            return event;
    }
    uint32_t len_bytes = run->len_bytes < walker->body_left ? run->len_bytes : walker->body_left;
    if (len_bytes > run->captured_bytes)
        h2_block_miss(context, &walker->block, &walker->frame);
    else
        h2_block_take(context, &walker->block, &walker->frame, walker->body_left, run->bytes, len_bytes);
    if (len_bytes > 0)
        take(walker, run, len_bytes);
    walker->body_left -= len_bytes;
    return walker->body_left == 0 ? H2_COMPLETE : H2_MORE;
}

bool h2_is_complete(const h2_walker *walker)
{
    return walker->head_bytes == walker->head_need && walker->body_left == 0;
}

bool h2_skip(stream_context *context, h2_walker *walker, uint32_t len_bytes, const ka_moment *at)
{
    if (walker->head_bytes < walker->head_need || len_bytes > walker->body_left)
        return false;
    h2_block_miss(context, &walker->block, &walker->frame);
    walker->body_left -= len_bytes;
    walker->frame.len_bytes += len_bytes;
    if (at != NULL)
        walker->frame.last = *at;
    return true;
}
