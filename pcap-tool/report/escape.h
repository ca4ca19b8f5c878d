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

/* A JSON string with its quotes. A byte outside printable ASCII becomes \u00XX, as the core's records have
 * it: the name of a file is the same text in every line. */
void escape_json(FILE *out, const char *text);

#endif
