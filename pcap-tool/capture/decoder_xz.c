/* decoder_xz.c - xz, through liblzma.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoder.h"

#if KEPTALIVE_HAS_LZMA

#include <lzma.h>
#include <stdlib.h>

static void *open_xz(void)
{
    lzma_stream *state = malloc(sizeof *state);
    if (state == NULL)
        return NULL;
    *state = (lzma_stream)LZMA_STREAM_INIT;
    if (lzma_stream_decoder(state, DECODER_MEMORY_MAX_BYTES, 0) != LZMA_OK) {
        free(state);
        return NULL;
    }
    return state;
}

static decoder_status fail(lzma_ret result, const char **why)
{
    switch (result) {
    case LZMA_MEM_ERROR:
        *why = "out of memory";
        break;
    case LZMA_MEMLIMIT_ERROR:
        *why = "takes more than 128 MiB to decompress, do so before";
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
    lzma_stream *state = opaque;
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

static void close_xz(void *state)
{
    lzma_end(state);
    free(state);
}

const decoder_kind decoder_xz = {"xz", "unxz", open_xz, step_xz, close_xz};

#else

const decoder_kind decoder_xz = {.name = "xz", .tool = "unxz"};

#endif
