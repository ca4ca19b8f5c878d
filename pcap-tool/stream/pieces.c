/* pieces.c - the out-of-order bytes of one direction: copies of stretches, sorted, never overlapping.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/pieces.h"

#include <string.h>

static uint32_t end_of(const stream_piece *piece)
{
    return piece->run.seq + piece->run.len_bytes;
}

bool pieces_fit(const stream_context *context, const stream_pieces *pieces, uint32_t captured_bytes)
{
    size_t more = captured_bytes + 2 * sizeof(stream_piece);
    size_t used = pieces != NULL ? pieces->used_bytes : 0;
    size_t count = pieces != NULL ? pieces->count : 0;
    return used + more <= context->limits.direction_bytes && count + 2 <= context->limits.direction_pieces &&
           context->buffered_bytes + more <= context->limits.total_bytes;
}

static void account(stream_context *context, stream_pieces *pieces, const stream_piece *piece, int sign)
{
    size_t bytes = sizeof *piece + piece->room_bytes;
    pieces->used_bytes += sign > 0 ? bytes : -bytes;
    pieces->count += sign > 0 ? 1 : (size_t)-1;
    context->buffered_bytes += sign > 0 ? bytes : -bytes;
}

/* A copy of the run between *link and what it points to. */
static bool link_copy(stream_context *context, stream_pieces *pieces, stream_piece **link, stream_run run)
{
    stream_piece *made = context_resize(context, NULL, sizeof *made + run.captured_bytes);
    if (made == NULL) {
        context_failed(context, KA_NO_MEMORY);
        return false;
    }
    uint8_t *bytes = (uint8_t *)(made + 1);
    if (run.captured_bytes > 0)
        memcpy(bytes, run.bytes, run.captured_bytes);
    made->run = run;
    made->run.bytes = bytes;
    made->room_bytes = run.captured_bytes;
    made->next = *link;
    *link = made;
    if (made->next == NULL)
        pieces->last = made;
    account(context, pieces, made, 1);
    return true;
}

static void insert(stream_context *context, stream_pieces *pieces, stream_run run)
{
    stream_piece **link = &pieces->first;
    if (pieces->last != NULL && seq_minus(run.seq, end_of(pieces->last)) >= 0)
        link = &pieces->last->next; /* the common case: more behind the same hole */
    while (run.len_bytes > 0) {
        while (*link != NULL && seq_minus(end_of(*link), run.seq) <= 0)
            link = &(*link)->next;
        const stream_piece *next = *link;
        if (next != NULL && seq_minus(run.seq, next->run.seq) >= 0) { /* inside it: the first copy wins */
            uint32_t known = end_of(next) - run.seq;
            run_advance(&run, known < run.len_bytes ? known : run.len_bytes);
            continue;
        }
        stream_run gap = run;
        if (next != NULL && next->run.seq - run.seq < run.len_bytes)
            run_cut(&gap, next->run.seq - run.seq);
        if (!link_copy(context, pieces, link, gap))
            return;
        run_advance(&run, gap.len_bytes);
    }
}

void pieces_insert(stream_context *context, stream_pieces **pieces, stream_run run)
{
    if (*pieces == NULL) {
        *pieces = context_resize(context, NULL, sizeof **pieces);
        if (*pieces == NULL) {
            context_failed(context, KA_NO_MEMORY);
            return;
        }
        memset(*pieces, 0, sizeof **pieces);
        (*pieces)->acked_ns = KA_NONE;
    }
    insert(context, *pieces, run);
    if ((*pieces)->first == NULL)
        pieces_free(context, pieces);
}

void pieces_pop(stream_context *context, stream_pieces **pieces)
{
    stream_piece *first = (*pieces)->first;
    account(context, *pieces, first, -1);
    (*pieces)->first = first->next;
    context_resize(context, first, 0);
    if ((*pieces)->first == NULL)
        pieces_free(context, pieces);
}

void pieces_free(stream_context *context, stream_pieces **pieces)
{
    if (*pieces == NULL)
        return;
    for (stream_piece *at = (*pieces)->first, *next; at != NULL; at = next) {
        next = at->next;
        account(context, *pieces, at, -1);
        context_resize(context, at, 0);
    }
    context_resize(context, *pieces, 0);
    *pieces = NULL;
}
