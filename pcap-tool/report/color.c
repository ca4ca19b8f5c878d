/* color.c - the few colours of the text report.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "color.h"

const char *color(bool enabled, color_ink ink)
{
    static const char *const sequences[] = {"\033[0m",    "\033[1m",    "\033[1;31m",
                                            "\033[1;33m", "\033[1;36m", "\033[1;32m"};
    return enabled ? sequences[ink] : "";
}

color_ink color_of_severity(ka_severity severity)
{
    static const color_ink inks[] = {COLOR_BOLD, COLOR_CYAN, COLOR_YELLOW, COLOR_RED};
    return inks[severity];
}
