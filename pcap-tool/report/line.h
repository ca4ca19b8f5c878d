/* line.h - a line of text that is put together bit by bit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef LINE_H
#define LINE_H

#include <stddef.h>

/* Adds to the text in `line`, cut to its size. */
__attribute__((format(printf, 3, 4))) void line_append(char *line, size_t size_bytes, const char *format,
                                                       ...);

#endif
