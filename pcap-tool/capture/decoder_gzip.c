/* decoder_gzip.c - gzip, through zlib.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoder.h"

#if KEPTALIVE_HAS_ZLIB

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum {
    GZIP_ONLY = 16,           /* added to the window's size: zlib.h, inflateInit2 */
    INFLATE_BYTES = 48 * 1024 /* the window of 32 KiB, and tables; zconf.h: "about 7 kilobytes" and more */
};

typedef struct gzip {
    z_stream stream;
    memory_claim claim;
} gzip;

static void close_gzip(void *opaque)
{
    gzip *self = opaque;
    inflateEnd(&self->stream);
    memory_claim_set(&self->claim, 0);
    free(self);
}

static void *open_gzip(memory_share *memory)
{
    gzip *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->claim.share = memory;
    if (memory_claim_set(&self->claim, INFLATE_BYTES) &&
        inflateInit2(&self->stream, MAX_WBITS + GZIP_ONLY) == Z_OK)
        return self;
    close_gzip(self);
    return NULL;
}

static uInt at_most(size_t bytes)
{
    return bytes > UINT_MAX ? UINT_MAX : (uInt)bytes;
}

static decoder_status step_gzip(void *opaque, decoder_span *span, const char **why)
{
    z_stream *state = &((gzip *)opaque)->stream;
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

const decoder_kind decoder_gzip = {"gzip", "gunzip", open_gzip, step_gzip, close_gzip};

#else

const decoder_kind decoder_gzip = {.name = "gzip", .tool = "gunzip"};

#endif
