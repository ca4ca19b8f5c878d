/* decoder_xz.c - xz, through liblzma.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoder.h"

#if KEPTALIVE_HAS_LZMA

#include <lzma.h>
#include <stdlib.h>

typedef struct xz {
    lzma_stream stream;
    lzma_allocator allocator;
    ka_allocator memory;
} xz;

static void *take(void *opaque, size_t count, size_t each_bytes)
{
    const ka_allocator *memory = opaque; /* the library never asks for more than fits size_t */
    return memory->resize(memory->user, NULL, count * each_bytes);
}

static void give(void *opaque, void *old)
{
    const ka_allocator *memory = opaque;
    if (old != NULL)
        memory->resize(memory->user, old, 0);
}

static void close_xz(void *opaque)
{
    xz *self = opaque;
    lzma_end(&self->stream);
    free(self);
}

static void *open_xz(memory_share *memory)
{
    xz *self = malloc(sizeof *self);
    if (self == NULL)
        return NULL;
    *self = (xz){.stream = LZMA_STREAM_INIT, .memory = memory_allocator(memory)};
    self->allocator = (lzma_allocator){take, give, &self->memory};
    self->stream.allocator = &self->allocator;
    if (lzma_stream_decoder(&self->stream, DECODER_MEMORY_MAX_BYTES, 0) == LZMA_OK)
        return self;
    close_xz(self);
    return NULL;
}

static decoder_status fail(lzma_ret result, const char **why)
{
    switch (result) {
    case LZMA_MEM_ERROR:
    case LZMA_MEMLIMIT_ERROR:
        *why = DECODER_NO_MEMORY;
        break;
    case LZMA_FORMAT_ERROR:
        *why = "no xz header";
        break;
    case LZMA_OPTIONS_ERROR:
        *why = "options that are not known";
        break;
    default:
        *why = "impossible data";
    }
    return DECODER_DAMAGED;
}

static decoder_status step_xz(void *opaque, decoder_span *span, const char **why)
{
    lzma_stream *state = &((xz *)opaque)->stream;
    state->next_in = span->in;
    state->avail_in = span->in_bytes;
    state->next_out = span->out;
    state->avail_out = span->out_bytes;
    lzma_ret result = lzma_code(state, LZMA_RUN);
    *span = (decoder_span){state->next_in, state->avail_in, state->next_out, state->avail_out};
    if (result == LZMA_STREAM_END) {
        result =
            lzma_stream_decoder(state, DECODER_MEMORY_MAX_BYTES, 0); /* takes over the old one's memory */
        return result == LZMA_OK ? DECODER_FRAME_ENDED : fail(result, why);
    }
    /* LZMA_BUF_ERROR: no progress was possible. */
    return result == LZMA_OK || result == LZMA_BUF_ERROR ? DECODER_GOES_ON : fail(result, why);
}

const decoder_kind decoder_xz = {"xz", "unxz", open_xz, step_xz, close_xz};

#else

const decoder_kind decoder_xz = {.name = "xz", .tool = "unxz"};

#endif
