/* decoder_zstd.c - zstd, through libzstd.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoder.h"

#if KEPTALIVE_HAS_ZSTD

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { WINDOW_LOG_MIN = 10 }; /* the format's */

typedef struct zstd {
    ZSTD_DCtx *context;
    memory_claim claim;
} zstd;

static void close_zstd(void *opaque)
{
    zstd *self = opaque;
    ZSTD_freeDCtx(self->context);
    memory_claim_set(&self->claim, 0);
    free(self);
}

/* The library takes its window at the beginning of a frame, and is asked only then how much: so no window may
 * be larger than all there is. */
static int largest_window_log(const memory_share *memory)
{
    int log = DECODER_WINDOW_LOG_MAX;
    while (memory != NULL && log > WINDOW_LOG_MIN && UINT64_C(1) << log > memory->limit_bytes)
        log--;
    return log;
}

static void *open_zstd(memory_share *memory)
{
    zstd *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->claim.share = memory;
    self->context = ZSTD_createDCtx();
    if (self->context != NULL && memory_claim_set(&self->claim, ZSTD_sizeof_DCtx(self->context))) {
        ZSTD_DCtx_setParameter(self->context, ZSTD_d_windowLogMax, largest_window_log(memory));
        return self;
    }
    close_zstd(self);
    return NULL;
}

static decoder_status step_zstd(void *opaque, decoder_span *span, const char **why)
{
    zstd *self = opaque;
    ZSTD_DCtx *state = self->context;
    ZSTD_inBuffer in = {span->in, span->in_bytes, 0};
    ZSTD_outBuffer out = {span->out, span->out_bytes, 0};
    size_t result = ZSTD_decompressStream(state, &out, &in);
    span->in += in.pos;
    span->in_bytes -= in.pos;
    span->out += out.pos;
    span->out_bytes -= out.pos;
    if (ZSTD_isError(result)) {
        *why = ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge
                   ? DECODER_NO_MEMORY
                   : ZSTD_getErrorName(result);
        return DECODER_DAMAGED;
    }
    uint64_t taken = ZSTD_sizeof_DCtx(state);
    if (taken != self->claim.bytes && !memory_claim_set(&self->claim, taken)) {
        *why = DECODER_NO_MEMORY;
        return DECODER_DAMAGED;
    }
    return result == 0 ? DECODER_FRAME_ENDED : DECODER_GOES_ON;
}

const decoder_kind decoder_zstd = {"zstd", "unzstd", open_zstd, step_zstd, close_zstd};

#else

const decoder_kind decoder_zstd = {.name = "zstd", .tool = "unzstd"};

#endif
