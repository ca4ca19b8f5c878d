/* json_check.c - is this line one JSON value? (RFC 8259)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "json_check.h"

#include <string.h>

/* Ours has four levels; a deeper one is a mistake too. */
enum { DEPTH_MAX = 8 };

typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

static bool take_value(cursor *c, unsigned depth);

static bool take(cursor *c, char byte)
{
    if (c->at == c->end || *c->at != byte)
        return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word)
{
    size_t len_bytes = strlen(word);
    if ((size_t)(c->end - c->at) < len_bytes || memcmp(c->at, word, len_bytes) != 0)
        return false;
    c->at += len_bytes;
    return true;
}

static bool take_digits(cursor *c)
{
    const char *from = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return c->at > from;
}

static bool take_number(cursor *c)
{
    take(c, '-');
    if (!take(c, '0') && !take_digits(c))
        return false;
    return !take(c, '.') || take_digits(c);
}

static bool take_escape(cursor *c)
{
    static const char hex[] = "0123456789abcdefABCDEF";
    if (c->at == c->end)
        return false;
    char kind = *c->at++;
    if (kind != 'u')
        return kind != '\0' && strchr("\"\\/bfnrt", kind) != NULL;
    for (int i = 0; i < 4; i++, c->at++) {
        if (c->at == c->end || *c->at == '\0' || strchr(hex, *c->at) == NULL)
            return false;
    }
    return true;
}

static bool take_string(cursor *c)
{
    if (!take(c, '"'))
        return false;
    while (c->at < c->end && *c->at != '"') {
        if ((unsigned char)*c->at < 0x20)
            return false;
        if (*c->at++ == '\\' && !take_escape(c))
            return false;
    }
    return take(c, '"');
}

static bool take_list(cursor *c, char close, bool named, unsigned depth)
{
    if (take(c, close))
        return true;
    do {
        if (named && (!take_string(c) || !take(c, ':')))
            return false;
        if (!take_value(c, depth))
            return false;
    } while (take(c, ','));
    return take(c, close);
}

static bool take_value(cursor *c, unsigned depth)
{
    if (c->at == c->end || depth == DEPTH_MAX)
        return false;
    switch (*c->at) {
    case '{':
        c->at++;
        return take_list(c, '}', true, depth + 1);
    case '[':
        c->at++;
        return take_list(c, ']', false, depth + 1);
    case '"':
        return take_string(c);
    case 't':
        return take_word(c, "true");
    case 'f':
        return take_word(c, "false");
    case 'n':
        return take_word(c, "null");
    default:
        return take_number(c);
    }
}

bool json_check(const char *text, size_t len_bytes)
{
    cursor c = {text, text + len_bytes};
    return take_value(&c, 0) && c.at == c.end;
}
