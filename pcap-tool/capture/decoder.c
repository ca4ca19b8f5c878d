/* decoder.c - which compression a file has, by its first bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "decoder.h"

#include <string.h>

typedef struct magic_row {
    const decoder_kind *kind;
    uint8_t bytes[DECODER_MAGIC_BYTES];
    uint8_t len_bytes;
} magic_row;

/* None of these starts a pcap or pcapng file. gzip: RFC 1952 section 2.3.1, with its only method. */
static const magic_row magics[] = {
    {&decoder_gzip, {0x1f, 0x8b, 8}, 3},
    {&decoder_zstd, {0x28, 0xb5, 0x2f, 0xfd}, 4},
    {&decoder_lz4, {0x04, 0x22, 0x4d, 0x18}, 4},
    {&decoder_xz, {0xfd, '7', 'z', 'X', 'Z', 0}, 6},
};

/* RFC 8878 section 3.1.2: may stand before a frame (pzstd writes one), and lz4 has the same. */
static bool is_skippable(const uint8_t *bytes, size_t len_bytes)
{
    return len_bytes >= 4 && (bytes[0] & 0xf0) == 0x50 && memcmp(bytes + 1, "\x2a\x4d\x18", 3) == 0;
}

bool decoder_may_start(uint8_t first)
{
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        if (magics[i].bytes[0] == first)
            return true;
    }
    return (first & 0xf0) == 0x50;
}

const decoder_kind *decoder_recognise(const uint8_t *bytes, size_t len_bytes)
{
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        if (len_bytes >= magics[i].len_bytes && memcmp(bytes, magics[i].bytes, magics[i].len_bytes) == 0)
            return magics[i].kind;
    }
    return is_skippable(bytes, len_bytes) ? &decoder_zstd : NULL;
}
