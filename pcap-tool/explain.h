/* explain.h - the catalogue for people: `keptalive explain`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Explains the findings of these ids, all known, at length; without any it lists all findings. Fits 80
 * columns. The caller checks `out` for errors. */
void explain_print(FILE *out, bool color, const char *const *ids, size_t count);

#endif
