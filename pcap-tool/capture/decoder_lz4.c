/* decoder_lz4.c - lz4 frames, through liblz4. What `lz4 -l` writes (the Linux kernel's) is not read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoder.h"

#if KEPTALIVE_HAS_LZ4

#include <lz4frame.h>
#include <stdlib.h>

/* The frame's descriptor (lz4_Frame_format.md): magic, FLG, and BD with the largest block: 4 to 7 for 64 KiB
 * to 4 MiB. The library keeps a block as it comes and one as it goes, with 128 KiB of what went before. */
enum {
    BD_OFFSET = 5,
    BLOCK_LEAST_BYTES = 64 * 1024,
    BLOCK_MOST_BYTES = 4 * 1024 * 1024,
    BEHIND_BYTES = 192 * 1024
};

typedef struct lz4 {
    LZ4F_dctx *context;
    memory_claim claim;
    bool is_within; /* a frame */
} lz4;

static void close_lz4(void *opaque)
{
    lz4 *self = opaque;
    LZ4F_freeDecompressionContext(self->context);
    memory_claim_set(&self->claim, 0);
    free(self);
}

static void *open_lz4(memory_share *memory)
{
    lz4 *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->claim.share = memory;
    if (!LZ4F_isError(LZ4F_createDecompressionContext(&self->context, LZ4F_VERSION)))
        return self;
    close_lz4(self);
    return NULL;
}

/* Whatever cannot be told by a frame's first bytes is taken for the most there can be. Memory is used again
 * for the next frame, and more is taken only for larger blocks. */
static bool claim_frame(lz4 *self, const decoder_span *span)
{
    unsigned code = span->in_bytes > BD_OFFSET ? span->in[BD_OFFSET] >> 4 & 7 : 7;
    uint64_t block_bytes = code >= 4 ? (uint64_t)BLOCK_LEAST_BYTES << 2 * (code - 4) : BLOCK_MOST_BYTES;
    uint64_t all_bytes = 2 * block_bytes + BEHIND_BYTES;
    return all_bytes <= self->claim.bytes || memory_claim_set(&self->claim, all_bytes);
}

static decoder_status step_lz4(void *opaque, decoder_span *span, const char **why)
{
    lz4 *self = opaque;
    LZ4F_dctx *state = self->context;
    if (!self->is_within && !claim_frame(self, span)) {
        *why = DECODER_NO_MEMORY;
        return DECODER_DAMAGED;
    }
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
    self->is_within = result != 0;
    return result == 0 ? DECODER_FRAME_ENDED : DECODER_GOES_ON;
}

const decoder_kind decoder_lz4 = {"lz4", "unlz4", open_lz4, step_lz4, close_lz4};

#else

const decoder_kind decoder_lz4 = {.name = "lz4", .tool = "unlz4"};

#endif
