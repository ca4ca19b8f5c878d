/* escape.c - bytes from packets and file names, made harmless for a terminal or a JSON string.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "escape.h"

#include <stdbool.h>
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

/* The length of the valid UTF-8 sequence at `text` (RFC 3629: no overlong form, no surrogate); 0: none. */
static size_t utf8_length(const unsigned char *text)
{
    size_t length = text[0] < 0x80                      ? 1
                    : text[0] >= 0xc2 && text[0] < 0xe0 ? 2
                    : (text[0] & 0xf0) == 0xe0          ? 3
                    : text[0] >= 0xf0 && text[0] < 0xf5 ? 4
                                                        : 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    bool overlong = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xf0 && text[1] < 0x90);
    bool beyond = (text[0] == 0xed && text[1] > 0x9f) || (text[0] == 0xf4 && text[1] > 0x8f);
    return overlong || beyond ? 0 : length;
}

void escape_json(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        size_t length = utf8_length(at);
        if (length == 0)
            fprintf(out, "\\\\x%02x", *at);
        else if (*at == '"' || *at == '\\')
            fprintf(out, "\\%c", *at);
        else if (*at < 0x20 || *at == 0x7f)
            fprintf(out, "\\u%04x", *at);
        else
            fwrite(at, 1, length, out);
        at += length == 0 ? 1 : length;
    }
    fputc('"', out);
}
