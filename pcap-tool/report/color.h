/* color.h - the few colours of the text report.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef COLOR_H
#define COLOR_H

#include "keptalive.h"

typedef enum color_ink {
    COLOR_PLAIN,
    COLOR_BOLD,
    COLOR_RED,
    COLOR_YELLOW,
    COLOR_CYAN,
    COLOR_GREEN
} color_ink;

/* The escape sequence of the ink (all but plain are bold too); "" when colours are off. */
const char *color(bool enabled, color_ink ink);

color_ink color_of_severity(ka_severity severity);

#endif
