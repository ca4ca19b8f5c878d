/* inputs.h - the captures to read: the paths that were given, with the captures of directories in their
 * place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef INPUTS_H
#define INPUTS_H

#include "capture/paths.h"
#include "options.h"

/* EXIT_DONE: `found` has them, paths_fini gives it back, and the options name what it holds. Else the exit
 * status, after a complaint. */
int inputs_find(options *settings, path_list *found);

#endif
