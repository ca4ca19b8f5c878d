/* line.c - a line of text that is put together bit by bit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void line_append(char *line, size_t size_bytes, const char *format, ...)
{
    size_t length = strlen(line);
    va_list values;
    va_start(values, format);
    vsnprintf(line + length, size_bytes - length, format, values);
    va_end(values);
}
