/* paths.h - the files that the arguments mean: a directory stands for the captures in it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CAPTURE_PATHS_H
#define CAPTURE_PATHS_H

#include "problems.h"

#include <stdbool.h>
#include <stddef.h>

/* Directories below a directory that was given; deeper ones are left out, and told. */
enum { PATHS_DEPTH_MAX = 64 };

typedef struct path_list {
    char **paths; /* in the order of the arguments; of a directory, by name, byte by byte */
    size_t count;
    size_t room;
    problem_list notes;    /* what was left out on purpose, a line each */
    problem_list problems; /* what should have been read, likewise */
} path_list;

/* Arguments that are no directories are taken as they are ("-", names of nothing). Of a directory those
 * regular files are taken that begin as a capture does; links in it are not followed. False when memory runs
 * out. Give it to paths_fini in any case. */
bool paths_expand(const char *const *arguments, size_t count, bool recursive, path_list *out);
void paths_fini(path_list *list);

#endif
