/* escape.h - bytes from packets and file names, made harmless for a terminal or a JSON string.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stddef.h>
#include <stdio.h>

/* Printable ASCII stays, every other byte becomes \xHH, a backslash \\. Cut to size (never inside an escape),
 * with "..." at the end then; NUL-terminated. Returns the length. size is at least 8. */
size_t escape_text(const char *bytes, size_t len_bytes, char *out, size_t size);

/* A JSON string with its quotes. Valid UTF-8 stays; any other byte becomes the four characters \xHH, since
 * JSON has no way to hold it. */
void escape_json(FILE *out, const char *text);

#endif
