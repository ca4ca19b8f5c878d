/* decoder_zstd.c - zstd, through libzstd.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoder.h"

#if KEPTALIVE_HAS_ZSTD

#include <zstd.h>

static void *open_zstd(void)
{
    ZSTD_DCtx *state = ZSTD_createDCtx();
    if (state != NULL)
        ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, DECODER_WINDOW_LOG_MAX);
    return state;
}

static decoder_status step_zstd(void *state, decoder_span *span, const char **why)
{
    ZSTD_inBuffer in = {span->in, span->in_bytes, 0};
    ZSTD_outBuffer out = {span->out, span->out_bytes, 0};
    size_t result = ZSTD_decompressStream(state, &out, &in);
    span->in += in.pos;
    span->in_bytes -= in.pos;
    span->out += out.pos;
    span->out_bytes -= out.pos;
    if (ZSTD_isError(result)) {
        *why = ZSTD_getErrorName(result);
        return DECODER_DAMAGED;
    }
    return result == 0 ? DECODER_FRAME_ENDED : DECODER_GOES_ON;
}

static void close_zstd(void *state)
{
    ZSTD_freeDCtx(state);
}

const decoder_kind decoder_zstd = {"zstd", "unzstd", open_zstd, step_zstd, close_zstd};

#else

const decoder_kind decoder_zstd = {.name = "zstd", .tool = "unzstd"};

#endif
