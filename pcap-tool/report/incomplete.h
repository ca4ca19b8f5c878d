/* incomplete.h - what the run could not read or had to give up, for the end of the report.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef INCOMPLETE_H
#define INCOMPLETE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct incomplete_row {
    const char *what;   /* a word for programs: "input", "packet-cut" */
    const char *detail; /* for people */
    uint64_t count;
    bool unread;   /* part of the input was not read */
    bool sentence; /* the detail says it all, a count beside it would say nothing */
} incomplete_row;

/* Enough for every kind of loss, and for the problems of this many inputs; further ones are only counted. */
enum { INCOMPLETE_MAX = 64 };

typedef struct incomplete {
    incomplete_row rows[INCOMPLETE_MAX];
    size_t count;
    bool unread; /* of any row, kept or not */
} incomplete;

/* A row with count 0 is not added. The texts must outlive the list. All zero is an empty list. */
void incomplete_add(incomplete *list, incomplete_row row);

#endif
