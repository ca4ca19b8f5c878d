/* usage.h - what --help prints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef USAGE_H
#define USAGE_H

#include <stdio.h>

/* Fits 80 columns. The caller checks `out` for errors. */
void usage_print(FILE *out);
/* The version, and which optional libraries were not there when it was built. */
void usage_version(FILE *out);

#endif
