/* decoder_lz4.c - lz4 frames, through liblz4. What `lz4 -l` writes (the Linux kernel's) is not read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoder.h"

#if KEPTALIVE_HAS_LZ4

#include <lz4frame.h>

static void *open_lz4(void)
{
    LZ4F_dctx *state;
    return LZ4F_isError(LZ4F_createDecompressionContext(&state, LZ4F_VERSION)) ? NULL : state;
}

static decoder_status step_lz4(void *state, decoder_span *span, const char **why)
{
    size_t in_bytes = span->in_bytes;
    size_t out_bytes = span->out_bytes;
    size_t result = LZ4F_decompress(state, span->out, &out_bytes, span->in, &in_bytes, NULL);
    if (LZ4F_isError(result)) {
        *why = LZ4F_getErrorName(result);
        return DECODER_DAMAGED;
    }
    span->in += in_bytes;
    span->in_bytes -= in_bytes;
    span->out += out_bytes;
    span->out_bytes -= out_bytes;
    return result == 0 ? DECODER_FRAME_ENDED : DECODER_GOES_ON;
}

static void close_lz4(void *state)
{
    LZ4F_freeDecompressionContext(state);
}

const decoder_kind decoder_lz4 = {"lz4", "unlz4", open_lz4, step_lz4, close_lz4};

#else

const decoder_kind decoder_lz4 = {.name = "lz4", .tool = "unlz4"};

#endif
