/* floods.h - captures made to exhaust whoever reads them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FLOODS_H
#define FLOODS_H

#include <stdbool.h>
#include <stdint.h>

bool flood_is_known(const char *name);

/* Writes the flood to a file, its step so many times (0: as often as usual): always the same bytes. False: it
 * could not be written, which was told. */
bool flood_make(const char *name, const char *path, uint32_t times);

#endif
