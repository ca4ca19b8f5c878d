/* hpack.c - the names in HTTP/2 header blocks that mean nothing there, by libnghttp2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/hpack.h"

#include <string.h>

#if KEPTALIVE_HAS_NGHTTP2
#include <nghttp2/nghttp2.h>

struct hpack {
    nghttp2_hd_inflater *inflater;
    nghttp2_mem memory;
    uint32_t table_bytes; /* the largest allowed until now */
    uint32_t found_count;
    hpack_name found[HPACK_FOUND_MAX];
};

/* ---- Memory: the table's, counted for all decoders together ---- */

/* Before each block; as large as any alignment. */
typedef union block {
    size_t size_bytes;
    max_align_t aligned;
} block;

static void *change(stream_context *context, void *old, size_t size_bytes)
{
    block *from = old != NULL ? (block *)old - 1 : NULL;
    size_t before = from != NULL ? from->size_bytes : 0;
    if (size_bytes > context->limits.hpack_bytes ||
        context->hpack_bytes - before > context->limits.hpack_bytes - size_bytes) {
        context->counts.buffer_drops++;
        return NULL;
    }
    block *to = context_resize(context, from, sizeof *to + size_bytes);
    if (to == NULL) {
        context_failed(context, KA_NO_MEMORY);
        return NULL;
    }
    to->size_bytes = size_bytes;
    context->hpack_bytes += size_bytes - before;
    return to + 1;
}

static void *on_malloc(size_t size_bytes, void *user)
{
    return change(user, NULL, size_bytes);
}

static void on_free(void *memory, void *user)
{
    stream_context *context = user;
    if (memory == NULL)
        return;
    block *from = (block *)memory - 1;
    context->hpack_bytes -= from->size_bytes;
    context_resize(context, from, 0);
}

static void *on_calloc(size_t count, size_t each_bytes, void *user)
{
    if (each_bytes > 0 && count > SIZE_MAX / each_bytes)
        return NULL;
    void *memory = change(user, NULL, count * each_bytes);
    return memory != NULL ? memset(memory, 0, count * each_bytes) : NULL;
}

static void *on_realloc(void *memory, size_t size_bytes, void *user)
{
    return change(user, memory, size_bytes);
}

hpack *hpack_new(stream_context *context)
{
    hpack *decoder = change(context, NULL, sizeof *decoder);
    if (decoder == NULL)
        return NULL;
    memset(decoder, 0, sizeof *decoder);
    decoder->memory = (nghttp2_mem){context, on_malloc, on_free, on_calloc, on_realloc};
    decoder->table_bytes = HPACK_TABLE_BYTES;
    if (nghttp2_hd_inflate_new2(&decoder->inflater, &decoder->memory) != 0) {
        on_free(decoder, context);
        return NULL;
    }
    return decoder;
}

void hpack_free(stream_context *context, hpack *decoder)
{
    if (decoder == NULL)
        return;
    nghttp2_hd_inflate_del(decoder->inflater);
    on_free(decoder, context);
}

/* ---- Blocks ---- */

/* Never less than before: a sender that was told to use less says in its block when it does (RFC 7541 section
 * 4.2), and what it sent until then needs the larger table. */
bool hpack_begin(hpack *decoder, uint32_t table_bytes)
{
    uint32_t wanted = table_bytes < HPACK_TABLE_BYTES_MAX ? table_bytes : HPACK_TABLE_BYTES_MAX;
    decoder->found_count = 0;
    if (wanted <= decoder->table_bytes)
        return true;
    decoder->table_bytes = wanted;
    return nghttp2_hd_inflate_change_table_size(decoder->inflater, wanted) == 0;
}

static void keep(hpack *decoder, const nghttp2_nv *field)
{
    ka_slice name = {(const char *)field->name, field->namelen};
    ka_field_name which = name.len_bytes <= HPACK_NAME_BYTES ? ka_field_by_name(name) : KA_FIELD_COUNT;
    if (which != KA_FIELD_CONNECTION && which != KA_FIELD_KEEP_ALIVE && which != KA_FIELD_PROXY_CONNECTION)
        return;
    if (decoder->found_count == HPACK_FOUND_MAX)
        return;
    hpack_name *kept = &decoder->found[decoder->found_count++];
    memcpy(kept->bytes, name.bytes, name.len_bytes);
    kept->len_bytes = (uint8_t)name.len_bytes;
}

static bool decode(hpack *decoder, const uint8_t *bytes, size_t len_bytes, bool last)
{
    for (;;) {
        nghttp2_nv field;
        int flags = 0;
        ssize_t taken =
            nghttp2_hd_inflate_hd2(decoder->inflater, &field, &flags, bytes, len_bytes, last ? 1 : 0);
        if (taken < 0)
            return false;
        bytes += taken;
        len_bytes -= (size_t)taken;
        if (taken == 0 && flags == 0 && len_bytes > 0)
            return false;
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            keep(decoder, &field);
        if (flags & NGHTTP2_HD_INFLATE_FINAL)
            return nghttp2_hd_inflate_end_headers(decoder->inflater) == 0;
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && len_bytes == 0)
            return !last;
    }
}

bool hpack_add(hpack *decoder, const uint8_t *bytes, size_t len_bytes)
{
    return len_bytes == 0 || decode(decoder, bytes, len_bytes, false);
}

bool hpack_end(hpack *decoder)
{
    static const uint8_t nothing[1];
    return decode(decoder, nothing, 0, true);
}

const hpack_name *hpack_found(const hpack *decoder, size_t *count)
{
    *count = decoder->found_count;
    return decoder->found;
}

#else

hpack *hpack_new(stream_context *context)
{
    (void)context;
    return NULL;
}

void hpack_free(stream_context *context, hpack *decoder)
{
    (void)context, (void)decoder;
}

bool hpack_begin(hpack *decoder, uint32_t table_bytes)
{
    (void)decoder, (void)table_bytes;
    return false;
}

bool hpack_add(hpack *decoder, const uint8_t *bytes, size_t len_bytes)
{
    (void)decoder, (void)bytes, (void)len_bytes;
    return false;
}

bool hpack_end(hpack *decoder)
{
    (void)decoder;
    return false;
}

const hpack_name *hpack_found(const hpack *decoder, size_t *count)
{
    (void)decoder;
    *count = 0;
    return NULL;
}

#endif
