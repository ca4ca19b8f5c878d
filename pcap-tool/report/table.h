/* table.h - columns of text, never wider than they say.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct table_column {
    const char *title[2]; /* two lines; "" for none */
    unsigned width;
    bool right; /* aligned */
} table_column;

/* Two spaces are between columns, and no spaces at the end of a line. */
void table_head(FILE *out, size_t indent, const table_column *columns, size_t count);

/* A cell wider than its column is cut and ends with '~'. */
void table_row(FILE *out, size_t indent, const table_column *columns, size_t count, const char *const *cells);

#endif
