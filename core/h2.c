/* h2.c - the streams of one HTTP/2 connection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "h2.h"

#include "memory.h"

/* RFC 9113 section 6. */
enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, GOAWAY = 7, CONTINUATION = 9 };
enum { END_STREAM = 0x01, END_HEADERS = 0x04 };

enum { ROOM_FIRST = 4 }; /* most clients have few streams open at a time */

ka_h2 *ka_h2_new(const ka_allocator *allocator)
{
    return ka_memory_take(allocator, sizeof(ka_h2));
}

void ka_h2_free(ka_h2 *h2, const ka_allocator *allocator)
{
    if (h2 == NULL)
        return;
    ka_memory_give(allocator, h2->open);
    ka_memory_give(allocator, h2->by_server);
    ka_memory_give(allocator, h2);
}

bool ka_h2_is_idle(const ka_h2 *h2)
{
    return h2->open_count == 0 && h2->uncounted == 0;
}

uint64_t ka_h2_oldest(const ka_h2 *h2)
{
    return h2->open_count > 0 ? h2->open[0].first : 0;
}

static ka_status grow(ka_h2 *h2, const ka_allocator *allocator)
{
    uint32_t room = h2->open_room == 0 ? ROOM_FIRST : h2->open_room * 2;
    void *moved = allocator->resize(allocator->user, h2->open, room * sizeof *h2->open);
    if (moved == NULL)
        return KA_NO_MEMORY;
    h2->open = moved;
    h2->open_room = room;
    return KA_OK;
}

bool ka_h2_is_accepted(const ka_h2 *h2, uint32_t id)
{
    return h2->by_server == NULL || id <= h2->by_server->last_stream;
}

static ka_status open_stream(ka_h2 *h2, const ka_allocator *allocator, ka_h2_stream stream)
{
    if (h2->open_count == KA_H2_STREAMS_MAX) {
        if (h2->uncounted++ == 0)
            h2->uncounted_from = stream.id;
    } else {
        if (h2->open_count == h2->open_room && grow(h2, allocator) != KA_OK)
            return KA_NO_MEMORY;
        h2->open[h2->open_count++] = stream;
    }
    h2->newest_id = stream.id;
    return KA_OK;
}

/* Whether it was open. */
static bool close_stream(ka_h2 *h2, uint32_t id)
{
    for (uint32_t i = 0; i < h2->open_count; i++) {
        if (h2->open[i].id != id)
            continue;
        h2->open_count--;
        memmove(h2->open + i, h2->open + i + 1, (h2->open_count - i) * sizeof *h2->open);
        return true;
    }
    if (h2->uncounted == 0 || id < h2->uncounted_from || id > h2->newest_id)
        return false;
    h2->uncounted--;
    return true;
}

ka_status ka_h2_upgraded(ka_h2 *h2, const ka_allocator *allocator)
{
    return open_stream(h2, allocator, (ka_h2_stream){.id = 1});
}

/* The frame took the last outstanding stream away. */
static void went_idle(ka_h2 *h2, const ka_h2_frame *f, bool from_client, uint64_t end, ka_h2_news *news)
{
    h2->ended = f->last;
    h2->ended_end = from_client ? 0 : end;
    *news = KA_H2_CLOSED;
}

static void reset(ka_h2 *h2, const ka_h2_frame *f, bool from_client, uint64_t end, ka_h2_news *news)
{
    if (close_stream(h2, f->stream_id) && ka_h2_is_idle(h2))
        went_idle(h2, f, from_client, end, news);
}

static void respond(ka_h2 *h2, const ka_h2_frame *f, uint64_t end, ka_h2_news *news)
{
    if (f->stream_id > h2->newest_id)
        h2->newest_id = f->stream_id; /* its request was not captured */
    else if (!close_stream(h2, f->stream_id))
        return; /* ended or reset before */
    h2->responses++;
    if (ka_h2_is_idle(h2))
        went_idle(h2, f, false, end, news);
}

static void note_answer(ka_h2 *h2, uint32_t id)
{
    for (uint32_t i = 0; i < h2->open_count; i++) {
        if (h2->open[i].id == id)
            h2->open[i].answered = true;
    }
}

/* HEADERS may say END_STREAM while CONTINUATION is still to come: the last of these ends the stream (RFC 9113
 * section 6.2). Streams of the server's own, even ones, are answers nobody waits for. */
static void server_frame(ka_h2 *h2, const ka_h2_frame *f, uint64_t end, ka_h2_news *news)
{
    bool has_flags = f->type == DATA || f->type == HEADERS;
    bool in_block = f->type == HEADERS || f->type == CONTINUATION;
    if (f->stream_id % 2 == 0)
        return;
    note_answer(h2, f->stream_id);
    if (has_flags && f->flags & END_STREAM)
        h2->ending_id = f->stream_id;
    if (!(has_flags || in_block) || h2->ending_id != f->stream_id || (in_block && !(f->flags & END_HEADERS)))
        return;
    h2->ending_id = 0;
    respond(h2, f, end, news);
}

static ka_status client_frame(ka_h2 *h2, const ka_allocator *allocator, const ka_h2_frame *f, uint64_t first,
                              uint64_t ack, ka_h2_news *news)
{
    if (f->type != HEADERS || f->stream_id % 2 == 0 || f->stream_id <= h2->newest_id)
        return KA_OK; /* trailers, among others */
    if (open_stream(h2, allocator, (ka_h2_stream){first, ack, f->first, f->stream_id, false}) != KA_OK)
        return KA_NO_MEMORY;
    h2->requests++;
    *news = KA_H2_OPENED;
    return KA_OK;
}

/* A request limit is told with the answer to the last request; later it is the idle timer's. */
#define WITH_ANSWER_NS (100 * KA_MILLISECOND_NS)

static ka_status server_goaway(ka_h2 *h2, const ka_allocator *allocator, const ka_h2_frame *f, uint64_t end)
{
    ka_h2_goaway *g = h2->by_server;
    if (g == NULL) {
        if ((g = h2->by_server = ka_memory_take(allocator, sizeof *g)) == NULL)
            return KA_NO_MEMORY;
        g->busy = !ka_h2_is_idle(h2) ||
                  (h2->ended.frame != 0 && f->first.time_ns - h2->ended.time_ns < WITH_ANSWER_NS);
    }
    g->at = f->first;
    g->end = end;
    g->last_stream = f->last_stream;
    return KA_OK;
}

ka_status ka_h2_frame_add(ka_h2 *h2, const ka_allocator *allocator, const ka_h2_frame *f, bool from_client,
                          uint64_t first, uint64_t end, uint64_t ack, ka_h2_news *news)
{
    *news = KA_H2_NOTHING;
    if (f->type == GOAWAY && !from_client && server_goaway(h2, allocator, f, end) != KA_OK)
        return KA_NO_MEMORY;
    if (f->type == GOAWAY && h2->goaway[f->direction].frame == 0) {
        h2->goaway[f->direction] = f->first;
        h2->goaway_last_stream[f->direction] = f->last_stream;
    }
    if (f->type == RST_STREAM)
        reset(h2, f, from_client, end, news);
    else if (from_client)
        return client_frame(h2, allocator, f, first, ack, news);
    else
        server_frame(h2, f, end, news);
    return KA_OK;
}
