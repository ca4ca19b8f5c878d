/* decoder_gzip.c - gzip, through zlib.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoder.h"

#if KEPTALIVE_HAS_ZLIB

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP_ONLY = 16 }; /* added to the window's size: zlib.h, inflateInit2 */

static void *open_gzip(void)
{
    z_stream *state = calloc(1, sizeof *state);
    if (state != NULL && inflateInit2(state, MAX_WBITS + GZIP_ONLY) != Z_OK) {
        free(state);
        return NULL;
    }
    return state;
}

static uInt at_most(size_t bytes)
{
    return bytes > UINT_MAX ? UINT_MAX : (uInt)bytes;
}

static decoder_status step_gzip(void *opaque, decoder_span *span, const char **why)
{
    z_stream *state = opaque;
    uInt in_bytes = at_most(span->in_bytes);
    uInt out_bytes = at_most(span->out_bytes);
    state->next_in = (Bytef *)(uintptr_t)span->in; /* zlib.h has no const there without ZLIB_CONST */
    state->avail_in = in_bytes;
    state->next_out = span->out;
    state->avail_out = out_bytes;
    int result = inflate(state, Z_NO_FLUSH);
    span->in += in_bytes - state->avail_in;
    span->in_bytes -= in_bytes - state->avail_in;
    span->out += out_bytes - state->avail_out;
    span->out_bytes -= out_bytes - state->avail_out;
    if (result == Z_STREAM_END) {
        inflateReset(state);
        return DECODER_FRAME_ENDED;
    }
    if (result == Z_OK || result == Z_BUF_ERROR)
        return DECODER_GOES_ON;
    *why = state->msg != NULL ? state->msg : result == Z_MEM_ERROR ? "out of memory" : "impossible data";
    return DECODER_DAMAGED;
}

static void close_gzip(void *state)
{
    inflateEnd(state);
    free(state);
}

const decoder_kind decoder_gzip = {"gzip", "gunzip", open_gzip, step_gzip, close_gzip};

#else

const decoder_kind decoder_gzip = {.name = "gzip", .tool = "gunzip"};

#endif
