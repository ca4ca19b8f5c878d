/* chunked.c - where a chunked body ends (RFC 9112 section 7.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/chunked.h"

enum state {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER,
    TRAILER_LF,
    LAST_LF,
    END
};

/* So that one more digit cannot overflow. */
#define SIZE_MAX_BYTES (UINT64_MAX >> 4)

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool on_size(chunked *self, char c)
{
    int digit = hex_value(c);
    if (digit >= 0) {
        bool fits = self->left_bytes <= SIZE_MAX_BYTES;
        self->left_bytes = self->left_bytes << 4 | (uint64_t)digit;
        self->has_digit = true;
        return fits;
    }
    self->state = c == '\r' ? SIZE_LF : EXTENSION;
    return self->has_digit && (c == '\r' || c == ';' || c == ' ' || c == '\t');
}

/* The byte must be this one. */
static bool on_exactly(chunked *self, char c, char wanted, enum state next)
{
    self->state = (uint8_t)next;
    return c == wanted;
}

/* Anything but a line break alone; CR leads on. */
static bool on_text(chunked *self, char c, enum state next)
{
    if (c == '\r')
        self->state = (uint8_t)next;
    return c != '\n';
}

static bool on_size_end(chunked *self, char c)
{
    self->has_digit = false;
    return on_exactly(self, c, '\n', self->left_bytes > 0 ? DATA : TRAILER_START);
}

/* False: this byte cannot stand here. */
static bool take_byte(chunked *self, char c)
{
    switch (self->state) {
    case SIZE:
        return on_size(self, c);
    case EXTENSION:
        return on_text(self, c, SIZE_LF);
    case SIZE_LF:
        return on_size_end(self, c);
    case DATA_CR:
        return on_exactly(self, c, '\r', DATA_LF);
    case DATA_LF:
        return on_exactly(self, c, '\n', SIZE);
    case TRAILER_START:
        self->state = TRAILER;
        return on_text(self, c, LAST_LF);
    case TRAILER:
        return on_text(self, c, TRAILER_LF);
    case TRAILER_LF:
        return on_exactly(self, c, '\n', TRAILER_START);
    case LAST_LF:
        return on_exactly(self, c, '\n', END);
    default:
        return false;
    }
}

static void take_data(chunked *self, uint64_t len_bytes, uint64_t *body_bytes)
{
    self->left_bytes -= len_bytes;
    *body_bytes += len_bytes;
    if (self->left_bytes == 0)
        self->state = DATA_CR;
}

chunked_event chunked_take(chunked *self, const char *bytes, size_t len_bytes, size_t *taken,
                           uint64_t *body_bytes)
{
    size_t at = 0;
    while (at < len_bytes && self->state != END) {
        if (self->state == DATA) {
            size_t part_bytes = len_bytes - at;
            if (part_bytes > self->left_bytes)
                part_bytes = (size_t)self->left_bytes;
            take_data(self, part_bytes, body_bytes);
            at += part_bytes;
        } else if (!take_byte(self, bytes[at++])) {
            *taken = at;
            return CHUNKED_MALFORMED;
        }
    }
    *taken = at;
    return self->state == END ? CHUNKED_COMPLETE : CHUNKED_MORE;
}

bool chunked_skip(chunked *self, uint64_t len_bytes, uint64_t *body_bytes)
{
    if (self->state != DATA || len_bytes > self->left_bytes)
        return len_bytes == 0;
    take_data(self, len_bytes, body_bytes);
    return true;
}
