/* problems.c - the lines that tell what could not be read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char no_memory[] = "out of memory while telling a problem with the input";

bool problems_init(problem_list *list, size_t room)
{
    char **lines = calloc(room, sizeof *lines);
    if (lines == NULL)
        return false;
    *list = (problem_list){lines, 0, room};
    return true;
}

void problems_fini(problem_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->lines[i] != no_memory)
            free(list->lines[i]);
    }
    free(list->lines);
}

void problems_add(problem_list *list, const char *format, ...)
{
    if (list->count == list->room)
        return;
    char *line;
    va_list arguments;
    va_start(arguments, format);
    int len_bytes = vasprintf(&line, format, arguments);
    va_end(arguments);
    if (len_bytes < 0)
        line = no_memory;
    for (char *at = line; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    }
    list->lines[list->count++] = line;
}
