/* table.c - columns of text, never wider than they say.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "table.h"

#include <string.h>

enum { GAP = 2 };

/* Writes one cell after `pending` spaces; returns the spaces still owed to the next one. */
static size_t write_cell(FILE *out, size_t pending, const table_column *column, const char *text)
{
    size_t length = strlen(text);
    size_t width = column->width;
    size_t padding = length < width ? width - length : 0;
    if (length == 0)
        return pending + width + GAP;
    if (column->right)
        pending += padding;
    if (length > width)
        fprintf(out, "%*s%.*s~", (int)pending, "", (int)width - 1, text);
    else
        fprintf(out, "%*s%s", (int)pending, "", text);
    return GAP + (column->right ? 0 : padding);
}

void table_row(FILE *out, size_t indent, const table_column *columns, size_t count, const char *const *cells)
{
    size_t pending = indent;
    for (size_t i = 0; i < count; i++)
        pending = write_cell(out, pending, &columns[i], cells[i]);
    fputc('\n', out);
}

void table_head(FILE *out, size_t indent, const table_column *columns, size_t count)
{
    for (int line = 0; line < 2; line++) {
        size_t pending = indent;
        for (size_t i = 0; i < count; i++)
            pending = write_cell(out, pending, &columns[i], columns[i].title[line]);
        fputc('\n', out);
    }
}
