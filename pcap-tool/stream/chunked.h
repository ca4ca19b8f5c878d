/* chunked.h - where a chunked body ends (RFC 9112 section 7.1), byte by byte.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Pure. Whatever follows a size on its line is passed over: extensions, and the blanks some servers pad it
 * with.
 */
#ifndef STREAM_CHUNKED_H
#define STREAM_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero before the first byte. */
typedef struct chunked {
    uint64_t left_bytes; /* of the chunk under way */
    uint8_t state;
    bool has_digit;
} chunked;

typedef enum chunked_event { CHUNKED_MORE, CHUNKED_COMPLETE, CHUNKED_MALFORMED } chunked_event;

/* Takes bytes up to the end of the body. *taken is how many; *body_bytes grows by the content among them. */
chunked_event chunked_take(chunked *self, const char *bytes, size_t len_bytes, size_t *taken,
                           uint64_t *body_bytes);

/* So many bytes are missing. False when the end cannot be known any more: they are not all of one chunk. */
bool chunked_skip(chunked *self, uint64_t len_bytes, uint64_t *body_bytes);

#endif
