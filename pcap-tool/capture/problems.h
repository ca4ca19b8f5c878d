/* problems.h - the lines that tell what could not be read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CAPTURE_PROBLEMS_H
#define CAPTURE_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct problem_list {
    char **lines;
    size_t count;
    size_t room;
} problem_list;

/* False when memory runs out. Room is made in advance, so that no problem is lost later. */
bool problems_init(problem_list *list, size_t room);
void problems_fini(problem_list *list);

/* One more line; control characters in it (they come from file names) become '?'. */
__attribute__((format(printf, 2, 3))) void problems_add(problem_list *list, const char *format, ...);

#endif
