/* text.h - text cut to the size of its buffer: always NUL-terminated, never past the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_TEXT_H
#define KA_TEXT_H

#include "keptalive.h"

/* With size_bytes 0 nothing is stored, not even the NUL. */
typedef struct ka_text {
    char *out;
    size_t size_bytes;
    size_t len_bytes; /* without the NUL */
} ka_text;

/* Decimal digits of a number, at least min_digits of them (at most 20), without NUL; returns how many. By
 * hand: the output has some twenty numbers a line, and printf's take most of the time. */
enum { KA_DIGITS_BYTES = 20 };
size_t ka_text_digits(uint64_t number, unsigned min_digits, char out[KA_DIGITS_BYTES]);

ka_text ka_text_init(char *out, size_t size_bytes);
void ka_text_add(ka_text *text, const char *bytes, size_t len_bytes);
void ka_text_add_name(ka_text *text, const char *name); /* NUL-terminated */
void ka_text_add_integer(ka_text *text, int64_t number);
/* Bytes from a packet in double quotes: printable ASCII as it stands, quotes and backslashes with a
 * backslash, the rest as \xHH. */
void ka_text_add_quoted(ka_text *text, ka_slice bytes);

#endif
