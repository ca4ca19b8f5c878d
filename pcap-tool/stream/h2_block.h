/* h2_block.h - the header blocks of one direction of HTTP/2, and the size of table its SETTINGS allow.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A block is a HEADERS or PUSH_PROMISE frame and the CONTINUATION frames behind it (RFC 9113 section 4.3). It
 * goes to the decoder as it comes, so that endless CONTINUATION frames cost no memory.
 */
#ifndef STREAM_H2_BLOCK_H
#define STREAM_H2_BLOCK_H

#include "stream/hpack.h"

enum { H2_SETTING_BYTES = 6 };

typedef struct h2_block {
    hpack *decoder;       /* NULL: no block went by yet, or `lost` */
    uint32_t table_bytes; /* what this direction's SETTINGS allow the other one; 0: nothing said */
    uint32_t stream_id;   /* of the block under way */
    uint32_t skip_bytes;  /* of the frame, before its fragment */
    uint8_t pad_bytes;    /* of the frame, behind it */
    uint8_t setting[H2_SETTING_BYTES];
    uint8_t setting_bytes;
    bool pad_unread : 1; /* the first byte tells pad_bytes */
    bool open : 1;       /* the block's last frame is still to come */
    bool lost : 1;       /* blocks cannot be decoded any more */
} h2_block;

/* Whether it must outlive the frame. */
bool h2_block_stays(const h2_block *block);
/* No block can be decoded any more: one was missed. */
void h2_block_lose(stream_context *context, h2_block *block);

/* A frame's header is there; `allowed_bytes` is the other direction's table_bytes. */
void h2_block_frame(stream_context *context, h2_block *block, const ka_h2_frame *frame, uint32_t body_bytes,
                    uint32_t allowed_bytes);
/* The frame's next bytes; body_left includes them. */
void h2_block_take(stream_context *context, h2_block *block, const ka_h2_frame *frame, uint32_t body_left,
                   const uint8_t *bytes, size_t len_bytes);
/* Bytes of the frame are missing. */
void h2_block_miss(stream_context *context, h2_block *block, const ka_h2_frame *frame);
/* The frame is complete. Returns the names found when a block is, too; NULL: it is not. */
const hpack_name *h2_block_found(stream_context *context, h2_block *block, const ka_h2_frame *frame,
                                 size_t *count);

#endif
