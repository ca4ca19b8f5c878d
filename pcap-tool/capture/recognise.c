/* recognise.c - whether a file is a capture, by its first bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "recognise.h"

#include "source.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>

enum { MAGIC_BYTES = 4, BUFFER_BYTES = 64 };

/* Those libpcap 1.10 reads, in both byte orders, and pcapng's. */
static bool is_magic(uint32_t magic)
{
    static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34, 0x0a0d0d0a};
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        if (magic == magics[i] || magic == __builtin_bswap32(magics[i]))
            return true;
    }
    return false;
}

static recognised recognise(FILE *file, const source *bytes)
{
    uint32_t magic;
    char fault[SOURCE_FAULT_BYTES];
    if (fread(&magic, 1, MAGIC_BYTES, file) == MAGIC_BYTES)
        return is_magic(magic) ? RECOGNISED_CAPTURE : RECOGNISED_OTHER;
    return ferror(file) || source_fault(bytes, fault) ? RECOGNISED_UNREADABLE : RECOGNISED_OTHER;
}

recognised recognise_capture(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    source *bytes;
    char buffer[BUFFER_BYTES];
    FILE *file = descriptor < 0 ? NULL : source_open(descriptor, buffer, sizeof buffer, NULL, &bytes);
    if (file == NULL)
        return RECOGNISED_UNREADABLE;
    recognised result = recognise(file, bytes);
    fclose(file);
    return result;
}
