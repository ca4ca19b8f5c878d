/* wrap.h - text broken at spaces so that no line is wider than the terminal.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WRAP_H
#define WRAP_H

#include <stddef.h>
#include <stdio.h>

/* What a terminal is sure to show; the report never asks how wide it is, so that it is the same everywhere.
 */
enum { WRAP_COLUMNS = 80 };

/* Writes ASCII text from `column` (where the line already is) on, later lines from `indent` on, and a
 * newline. A word wider than a whole line is cut. */
void wrap(FILE *out, size_t column, size_t indent, const char *text);

/* Two parts: the second begins a line of its own when both do not fit on one. */
void wrap_two(FILE *out, size_t column, size_t indent, const char *first, const char *second);

/* A label, and the text beside it. */
void wrap_labelled(FILE *out, const char *label, const char *text);

#endif
