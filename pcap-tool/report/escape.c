/* escape.c - bytes from packets and file names, made harmless for a terminal or a JSON string.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "escape.h"

#include <string.h>

/* One byte as text; returns how many characters. */
static size_t escape_byte(unsigned char byte, char out[5])
{
    static const char hex[] = "0123456789abcdef";
    if (byte == '\\') {
        memcpy(out, "\\\\", 3);
        return 2;
    }
    if (byte >= 0x20 && byte < 0x7f) {
        out[0] = (char)byte;
        return 1;
    }
    char escaped[4] = {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
    memcpy(out, escaped, sizeof escaped);
    return sizeof escaped;
}

size_t escape_text(const char *bytes, size_t len_bytes, char *out, size_t size)
{
    enum { DOTS = 3 };
    size_t length = 0;
    size_t safe = 0; /* the longest prefix that leaves room for the dots */
    for (size_t i = 0; i < len_bytes; i++) {
        char one[5];
        size_t count = escape_byte((unsigned char)bytes[i], one);
        if (length + count >= size) {
            memcpy(out + safe, "...", DOTS + 1);
            return safe + DOTS;
        }
        memcpy(out + length, one, count);
        length += count;
        if (length + DOTS < size)
            safe = length;
    }
    out[length] = '\0';
    return length;
}

void escape_json(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at == '"' || *at == '\\')
            fprintf(out, "\\%c", *at);
        else if (*at < 0x20 || *at >= 0x7f)
            fprintf(out, "\\u%04x", *at);
        else
            fputc(*at, out);
    }
    fputc('"', out);
}
