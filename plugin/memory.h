/* memory.h - memory that lives as long as the capture file is open.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_MEMORY_H
#define PLUGIN_MEMORY_H

#include "keptalive.h"

/* Wireshark's file scope. It never fails: wmem ends the program when memory runs out. */
extern const ka_allocator memory_file;

#endif
