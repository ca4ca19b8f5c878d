/* h2_block.c - the header blocks of one direction of HTTP/2, and the size of table its SETTINGS allow.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/h2_block.h"

/* RFC 9113 section 6. */
enum { HEADERS = 1, SETTINGS = 4, PUSH_PROMISE = 5, CONTINUATION = 9 };
enum { END_HEADERS = 0x4, PADDED = 0x8, PRIORITY = 0x20 };
enum { PRIORITY_BYTES = 5, PROMISED_ID_BYTES = 4, SETTINGS_HEADER_TABLE_SIZE = 1 };

static bool is_part(const ka_h2_frame *frame)
{
    return frame->type == HEADERS || frame->type == PUSH_PROMISE || frame->type == CONTINUATION;
}

bool h2_block_stays(const h2_block *block)
{
    return block->decoder != NULL || block->lost || block->table_bytes > HPACK_TABLE_BYTES;
}

void h2_block_lose(stream_context *context, h2_block *block)
{
    hpack_free(context, block->decoder);
    block->decoder = NULL;
    block->open = false;
    block->lost = HPACK_IS_THERE;
}

static bool begin(stream_context *context, h2_block *block, uint32_t allowed_bytes)
{
    if (block->decoder == NULL)
        block->decoder = hpack_new(context);
    return block->decoder != NULL && hpack_begin(block->decoder, allowed_bytes);
}

void h2_block_frame(stream_context *context, h2_block *block, const ka_h2_frame *frame, uint32_t body_bytes,
                    uint32_t allowed_bytes)
{
    bool continues = frame->type == CONTINUATION;
    block->setting_bytes = 0;
    if (block->lost || !HPACK_IS_THERE || (!is_part(frame) && !block->open))
        return;
    /* Nothing but CONTINUATION may follow an open block, and it nothing else (section 6.10). */
    if (continues != block->open || (continues && frame->stream_id != block->stream_id)) {
        h2_block_lose(context, block);
        return;
    }
    block->open = true;
    block->stream_id = frame->stream_id;
    block->pad_bytes = 0;
    block->pad_unread = !continues && (frame->flags & PADDED) != 0;
    block->skip_bytes = frame->type == PUSH_PROMISE                                ? PROMISED_ID_BYTES
                        : frame->type == HEADERS && (frame->flags & PRIORITY) != 0 ? PRIORITY_BYTES
                                                                                   : 0;
    if (block->skip_bytes + (block->pad_unread ? 1 : 0) > body_bytes ||
        (!continues && !begin(context, block, allowed_bytes)))
        h2_block_lose(context, block);
}

static void read_setting(h2_block *block)
{
    const uint8_t *s = block->setting;
    uint32_t value = (uint32_t)s[2] << 24 | (uint32_t)s[3] << 16 | (uint32_t)s[4] << 8 | s[5];
    if ((s[0] << 8 | s[1]) == SETTINGS_HEADER_TABLE_SIZE && value > block->table_bytes)
        block->table_bytes = value;
}

static void take_settings(h2_block *block, const uint8_t *bytes, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++) {
        block->setting[block->setting_bytes++] = bytes[i];
        if (block->setting_bytes < H2_SETTING_BYTES)
            continue;
        block->setting_bytes = 0;
        read_setting(block);
    }
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* False: it is no block. */
static bool take_part(h2_block *block, uint32_t body_left, const uint8_t *bytes, size_t len_bytes)
{
    if (block->pad_unread) {
        block->pad_unread = false;
        block->pad_bytes = bytes[0];
        bytes++, len_bytes--, body_left--;
    }
    if (block->skip_bytes + block->pad_bytes > body_left)
        return false;
    size_t skipped = smaller(block->skip_bytes, len_bytes);
    block->skip_bytes -= (uint32_t)skipped;
    body_left -= (uint32_t)skipped;
    size_t fragment_bytes = body_left > block->pad_bytes ? body_left - block->pad_bytes : 0;
    return hpack_add(block->decoder, bytes + skipped, smaller(len_bytes - skipped, fragment_bytes));
}

void h2_block_take(stream_context *context, h2_block *block, const ka_h2_frame *frame, uint32_t body_left,
                   const uint8_t *bytes, size_t len_bytes)
{
    if (frame->type == SETTINGS)
        take_settings(block, bytes, len_bytes);
    else if (block->open && len_bytes > 0 && !take_part(block, body_left, bytes, len_bytes))
        h2_block_lose(context, block);
}

void h2_block_miss(stream_context *context, h2_block *block, const ka_h2_frame *frame)
{
    if (is_part(frame))
        h2_block_lose(context, block);
}

const hpack_name *h2_block_found(stream_context *context, h2_block *block, const ka_h2_frame *frame,
                                 size_t *count)
{
    *count = 0;
    if (!block->open || (frame->flags & END_HEADERS) == 0)
        return NULL;
    block->open = false;
    if (hpack_end(block->decoder))
        return hpack_found(block->decoder, count);
    h2_block_lose(context, block);
    return NULL;
}
