/* fields.c - which header fields the core asks for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/fields.h"

#include <string.h>

typedef struct known {
    const char *name; /* lower case */
    unsigned char len_bytes;
    unsigned char field; /* KA_FIELD_COUNT: framing, llhttp's */
    unsigned char dash;  /* where its first '-' stands; 0: none */
    unsigned char second_dash;
} known;

#define KNOWN(name, field, dash, second_dash)                                                                \
    {                                                                                                        \
        name, sizeof name - 1, field, dash, second_dash                                                      \
    }
/* By first letter, so that a line is compared with a few names at most. */
static const known names[] = {
    KNOWN("authorization", KA_FIELD_AUTHENTICATE, 0, 0),
    KNOWN("connection", KA_FIELD_CONNECTION, 0, 0),
    KNOWN("content-type", KA_FIELD_CONTENT_TYPE, 7, 0),
    KNOWN("content-length", KA_FIELD_COUNT, 7, 0),
    KNOWN("expect", KA_FIELD_EXPECT, 0, 0),
    KNOWN("host", KA_FIELD_HOST, 0, 0),
    KNOWN("keep-alive", KA_FIELD_KEEP_ALIVE, 4, 0),
    KNOWN("proxy-connection", KA_FIELD_PROXY_CONNECTION, 5, 0),
    KNOWN("proxy-authorization", KA_FIELD_AUTHENTICATE, 5, 0),
    KNOWN("proxy-authenticate", KA_FIELD_AUTHENTICATE, 5, 0),
    KNOWN("request-id", KA_FIELD_REQUEST_ID, 7, 0),
    KNOWN("server", KA_FIELD_SERVER, 0, 0),
    KNOWN("transfer-encoding", KA_FIELD_COUNT, 8, 0),
    KNOWN("traceparent", KA_FIELD_REQUEST_ID, 0, 0),
    KNOWN("upgrade", KA_FIELD_UPGRADE, 0, 0),
    KNOWN("via", KA_FIELD_VIA, 0, 0),
    KNOWN("www-authenticate", KA_FIELD_AUTHENTICATE, 3, 0),
    KNOWN("x-request-id", KA_FIELD_REQUEST_ID, 1, 9),
};
#undef KNOWN

/* Where the names of each letter, a to z, begin in the table; the next letter's begin ends them.
 * test_fields.c finds every name by it. */
/* clang-format off */
static const unsigned char begins[27] = {
    /* a b  c  d  e  f  g  h  i  j  k  l  m  n */
       0, 1, 1, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7,
    /* o p  q   r   s   t   u   v   w   x   y   z */
       7, 7, 10, 10, 11, 12, 14, 15, 16, 17, 18, 18, 18,
};
/* clang-format on */

/* The second letters of the names in the table, by their first. Five bits tell letters apart in either case.
 */
#define LETTER(letter) ((letter)&31)
#define SECOND(letter) (UINT32_C(1) << LETTER(letter))
const uint32_t fields_second_letters[32] = {
    [LETTER('a')] = SECOND('u'), [LETTER('c')] = SECOND('o'), [LETTER('e')] = SECOND('x'),
    [LETTER('h')] = SECOND('o'), [LETTER('k')] = SECOND('e'), [LETTER('p')] = SECOND('r'),
    [LETTER('r')] = SECOND('e'), [LETTER('s')] = SECOND('e'), [LETTER('t')] = SECOND('r'),
    [LETTER('u')] = SECOND('p'), [LETTER('v')] = SECOND('i'), [LETTER('w')] = SECOND('w'),
    [LETTER('x')] = SECOND('-'),
};

static uint64_t eight(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Names are case-insensitive (RFC 9110 section 5.1). Setting 0x20 maps no other byte to a letter, and to '-'
 * only CR. */
static bool equals(const char *name, const char *lower, size_t len_bytes)
{
    const uint64_t lower_case = UINT64_C(0x2020202020202020);
    size_t i = 0;
    for (; i + 8 <= len_bytes; i += 8)
        if ((eight(name + i) | lower_case) != eight(lower + i))
            return false;
    if (i > 0) /* the rest, with some bytes once more */
        return (eight(name + len_bytes - 8) | lower_case) == eight(lower + len_bytes - 8);
    for (; i < len_bytes; i++)
        if ((name[i] | 0x20) != lower[i])
            return false;
    return true;
}

/* Where the name has its first '-', and its second: no CR stands there. */
static bool has_dashes(const char *text, const known *at)
{
    return (at->dash == 0 || text[at->dash] == '-') && (at->second_dash == 0 || text[at->second_dash] == '-');
}

static bool ends_name(char c)
{
    return c == ':' || c == ' ' || c == '\t';
}

/* The known name the text begins with, as far as a colon or white space ends it there; NULL: none. */
static const known *find(const char *text, size_t len_bytes)
{
    unsigned letter = (unsigned)((text[0] | 0x20) - 'a');
    if (letter >= 26)
        return NULL;
    for (const known *at = &names[begins[letter]]; at < &names[begins[letter + 1]]; at++)
        if (at->len_bytes < len_bytes && ends_name(text[at->len_bytes]) &&
            equals(text, at->name, at->len_bytes) && has_dashes(text, at))
            return at;
    return NULL;
}

ka_field_name fields_find(const char *name, size_t len_bytes)
{
    /* llhttp hands the name out of a whole line: its colon follows. */
    const known *found = find(name, len_bytes + 1);
    return found != NULL && found->len_bytes == len_bytes ? (ka_field_name)found->field : KA_FIELD_COUNT;
}

fields_line fields_classify(const char *line, size_t len_bytes, ka_field_name *name, size_t *name_bytes)
{
    const known *found = find(line, len_bytes);
    if (found == NULL)
        return FIELDS_LINE_NONE;
    /* White space before the colon is an error (RFC 9112 section 5.1); llhttp shall see it. */
    *name = line[found->len_bytes] == ':' ? (ka_field_name)found->field : KA_FIELD_COUNT;
    *name_bytes = found->len_bytes;
    return *name == KA_FIELD_COUNT ? FIELDS_LINE_FRAMING : FIELDS_LINE_WANTED;
}

ka_slice fields_trim(const char *value, size_t len_bytes)
{
    while (len_bytes > 0 && (value[0] == ' ' || value[0] == '\t')) {
        value++;
        len_bytes--;
    }
    while (len_bytes > 0 && (value[len_bytes - 1] == ' ' || value[len_bytes - 1] == '\t'))
        len_bytes--;
    return (ka_slice){value, len_bytes};
}
