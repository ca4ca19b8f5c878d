/* output.h - where the report goes: --output or standard output.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "options.h"

#include <stdbool.h>
#include <stdio.h>

/* The exit status; when it is not EXIT_DONE, the reason was told and `out` is untouched. */
int output_open(const options *settings, FILE **out);

/* Closes `out`. Every way the output can fail, the buffer's last bytes included; `error` is the errno of a
 * write that failed before, or 0. EXIT_DONE, or EXIT_UNWRITTEN, told. */
int output_close(const options *settings, FILE *out, int error);

/* Colour only on a terminal, and where nothing forbids it. */
bool output_color(const options *settings, FILE *out);

#endif
