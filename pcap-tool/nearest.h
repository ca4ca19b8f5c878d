/* nearest.h - which of the known names a mistyped one may have meant.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NEAREST_H
#define NEAREST_H

#include "keptalive.h"

typedef const char *nearest_name(size_t index);

/* Writes " (did you mean a, b or c?)", the nearest first, or "" when none is near. */
enum { NEAREST_BYTES = 128 };
void nearest(ka_slice typed, nearest_name *name, size_t count, char out[NEAREST_BYTES]);

/* The names people type: ids of findings, and options of thresholds. */
const char *nearest_finding(size_t index);
const char *nearest_threshold(size_t index);

#endif
