/* inputs.c - the captures to read: the paths that were given, with the captures of directories in their
 * place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "inputs.h"

#include "exit_status.h"

int inputs_find(options *settings, path_list *found)
{
    if (!paths_expand(settings->paths, settings->path_count, settings->recursive, found))
        return complain(EXIT_UNREAD, "not enough memory to start", NULL);
    if (found->count == 0)
        return complain(EXIT_UNREAD, found->problems.lines[0], NULL);
    settings->paths = (const char *const *)found->paths;
    settings->path_count = found->count;
    return EXIT_DONE;
}
