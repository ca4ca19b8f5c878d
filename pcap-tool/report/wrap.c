/* wrap.c - text broken at spaces so that no line is wider than the terminal.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "wrap.h"

#include <stdbool.h>
#include <string.h>

static size_t next_line(FILE *out, size_t indent)
{
    fprintf(out, "\n%*s", (int)indent, "");
    return indent;
}

void wrap(FILE *out, size_t column, size_t indent, const char *text)
{
    size_t line_start = column;
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t length = strcspn(text, " ");
        size_t gap = column > line_start ? 1 : 0;
        bool fits_next = indent + length <= WRAP_COLUMNS;
        if (column + gap + length > WRAP_COLUMNS && (fits_next || column + gap >= WRAP_COLUMNS)) {
            line_start = column = next_line(out, indent);
            gap = 0;
        }
        if (gap)
            fputc(' ', out);
        size_t room = WRAP_COLUMNS - column - gap;
        if (length > room)
            length = room;
        fwrite(text, 1, length, out);
        column += gap + length;
        text += length;
    }
    fputc('\n', out);
}

void wrap_two(FILE *out, size_t column, size_t indent, const char *first, const char *second)
{
    if (column + strlen(first) + 1 + strlen(second) <= WRAP_COLUMNS) {
        fprintf(out, "%s %s\n", first, second);
        return;
    }
    wrap(out, column, indent, first);
    fprintf(out, "%*s", (int)indent, "");
    wrap(out, indent, indent, second);
}

void wrap_labelled(FILE *out, const char *label, const char *text)
{
    fputs(label, out);
    wrap(out, strlen(label), strlen(label), text);
}
