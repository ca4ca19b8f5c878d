/* start_line.c - is this the first line of an HTTP message? (RFC 9112 sections 3 and 4)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/start_line.h"

#include <string.h>

/* RFC 9110 section 5.6.2: letters, digits and !#$%&'*+-.^_`|~, a bit for each of the 128 characters. */
static const uint64_t token_bytes[2] = {0x03ff6cfa00000000, 0x57ffffffc7fffffe};

static bool is_token_byte(char byte)
{
    unsigned char c = (unsigned char)byte;
    return c < 128 && (token_bytes[c / 64] >> c % 64 & 1) != 0;
}

size_t start_line_token(const char *bytes, size_t len_bytes)
{
    size_t i = 0;
    while (i < len_bytes && is_token_byte(bytes[i]))
        i++;
    return i;
}

/* What llhttp would refuse. A reason phrase may be any bytes, for nobody reads it, and so may a target from
 * 0x80 on; of the control characters it lets TAB and FF stand there. */
static bool has_bad_byte(const char *bytes, size_t len_bytes, bool response)
{
    if (response)
        return memchr(bytes, '\r', len_bytes) != NULL;
    for (size_t i = 0; i < len_bytes; i++)
        if (((unsigned char)bytes[i] < 0x20 && bytes[i] != '\t' && bytes[i] != '\f') || bytes[i] == 0x7f)
            return true;
    return false;
}

static bool begins_with(const char *bytes, size_t len_bytes, const char *prefix)
{
    size_t prefix_bytes = strlen(prefix);
    return memcmp(bytes, prefix, len_bytes < prefix_bytes ? len_bytes : prefix_bytes) == 0;
}

start_line start_line_partial(const char *bytes, size_t len_bytes, size_t checked)
{
    size_t text_bytes = len_bytes > 0 && bytes[len_bytes - 1] == '\r' ? len_bytes - 1 : len_bytes;
    if (checked > 0 && bytes[checked - 1] == '\r') /* it was taken for the line's last */
        return START_LINE_BAD;
    bool response = begins_with(bytes, len_bytes, "HTTP/1.");
    if (text_bytes > checked && has_bad_byte(bytes + checked, text_bytes - checked, response))
        return START_LINE_BAD;
    if (response)
        return START_LINE_MORE;
    size_t window = len_bytes < START_LINE_METHOD_BYTES_MAX + 1 ? len_bytes : START_LINE_METHOD_BYTES_MAX + 1;
    size_t token = start_line_token(bytes, window);
    if (token == 0 || token > START_LINE_METHOD_BYTES_MAX || (token < len_bytes && bytes[token] != ' '))
        return START_LINE_BAD;
    return START_LINE_MORE;
}

start_line start_line_kind(const char *bytes, size_t len_bytes)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n";
    static const char version[] = " HTTP/1.1\r\n";
    enum { VERSION_BYTES = sizeof version - 1, DIGIT_AT = sizeof " HTTP/1." - 1 };
    if (len_bytes == sizeof preface - 1 && memcmp(bytes, preface, len_bytes) == 0)
        return START_LINE_PREFACE;
    if (len_bytes >= sizeof "HTTP/1.1 200\r\n" - 1 && memcmp(bytes, "HTTP/1.", 7) == 0)
        return START_LINE_RESPONSE;
    if (len_bytes < 3 + VERSION_BYTES)
        return START_LINE_BAD;
    const char *tail = bytes + len_bytes - VERSION_BYTES;
    bool versioned = memcmp(tail, version, DIGIT_AT) == 0 && tail[DIGIT_AT] >= '0' && tail[DIGIT_AT] <= '9';
    return versioned ? START_LINE_REQUEST : START_LINE_BAD;
}

start_line start_line_whole(const char *bytes, size_t len_bytes)
{
    if (len_bytes < 2 || bytes[len_bytes - 2] != '\r')
        return START_LINE_BAD;
    start_line kind = start_line_kind(bytes, len_bytes);
    if (has_bad_byte(bytes, len_bytes - 2, kind == START_LINE_RESPONSE))
        return START_LINE_BAD;
    if (kind != START_LINE_REQUEST)
        return kind;
    size_t token = start_line_token(bytes, len_bytes);
    bool method = token > 0 && token <= START_LINE_METHOD_BYTES_MAX && bytes[token] == ' ';
    return method ? START_LINE_REQUEST : START_LINE_BAD;
}
