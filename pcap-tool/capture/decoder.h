/* decoder.h - the compressions a capture may come in, each behind the same three functions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CAPTURE_DECODER_H
#define CAPTURE_DECODER_H

#include "memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What decompressing may take for its window, unless less is left for reading: enough for each tool's own
 * levels (xz -9 takes 65 MiB, zstd without --long 8 MiB), and all that a file made to exhaust memory gets. */
enum { DECODER_WINDOW_LOG_MAX = 27, DECODER_MEMORY_MAX_BYTES = 1 << DECODER_WINDOW_LOG_MAX };

typedef enum decoder_status {
    DECODER_GOES_ON,
    DECODER_FRAME_ENDED, /* a gzip member, an xz stream: another one may follow */
    DECODER_DAMAGED,
} decoder_status;

/* Both ends move as bytes are read and written. */
typedef struct decoder_span {
    const uint8_t *in;
    size_t in_bytes;
    uint8_t *out;
    size_t out_bytes;
} decoder_span;

typedef struct decoder_kind {
    const char *name;
    const char *tool; /* that decompresses it outside */
    /* NULL: built without the library. A new state, whose memory is counted there (NULL: nowhere), or NULL
     * when that runs out. */
    void *(*open)(memory_share *memory);
    /* Goes as far as either end allows, and on to the next frame when the last one has ended. When damaged,
     * *why is a static text. */
    decoder_status (*step)(void *state, decoder_span *span, const char **why);
    void (*close)(void *state);
} decoder_kind;

/* Why a frame is DECODER_DAMAGED that wants more memory than there is for it. */
#define DECODER_NO_MEMORY "takes more than 128 MiB, or than --memory leaves, to decompress: do so before"

/* A file shorter than this is not recognised, and none that is complete is. */
enum { DECODER_MAGIC_BYTES = 6 };

/* Whether a compressed file may start with this byte. */
bool decoder_may_start(uint8_t first);

/* By its first bytes; NULL: not compressed, as far as is known. */
const decoder_kind *decoder_recognise(const uint8_t *bytes, size_t len_bytes);

extern const decoder_kind decoder_gzip;
extern const decoder_kind decoder_zstd;
extern const decoder_kind decoder_lz4;
extern const decoder_kind decoder_xz;

#endif
