/* hpack.h - the names in HTTP/2 header blocks that mean nothing there (RFC 7541, RFC 9113 section 8.2.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Decoded by libnghttp2, as the bytes come: nothing of a block is kept but the names that matter. Without the
 * library, or where a byte was missed, there is no decoder, and nothing is said of names.
 */
#ifndef STREAM_HPACK_H
#define STREAM_HPACK_H

#include "stream/context.h"

enum {
    HPACK_TABLE_BYTES = 4096,      /* of the dynamic table, until the receiver allows more (section 4.2) */
    HPACK_TABLE_BYTES_MAX = 65536, /* what browsers allow; a crafted capture gets no more */
    HPACK_FOUND_MAX = 16,          /* of one block; a real one has three at most */
    HPACK_NAME_BYTES = 16,         /* "proxy-connection" */
};

/* Whether the library was there when this was built. */
enum { HPACK_IS_THERE = KEPTALIVE_HAS_NGHTTP2 };

typedef struct hpack_name {
    char bytes[HPACK_NAME_BYTES];
    uint8_t len_bytes;
} hpack_name;

/* The decoder of one direction. */
typedef struct hpack hpack;

/* NULL: there is no library, or no room; the context knows. */
hpack *hpack_new(stream_context *context);
void hpack_free(stream_context *context, hpack *decoder); /* NULL: nothing */

/* A block begins, and the other side allows that much of a table. */
bool hpack_begin(hpack *decoder, uint32_t table_bytes);
/* Its next bytes, then its end. False: the decoder has lost its place, and is to be freed. */
bool hpack_add(hpack *decoder, const uint8_t *bytes, size_t len_bytes);
bool hpack_end(hpack *decoder);

/* Those found in the block. */
const hpack_name *hpack_found(const hpack *decoder, size_t *count);

#endif
