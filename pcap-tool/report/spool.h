/* spool.h - rows that are known early and shown late: a temporary file instead of memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>
#include <stdio.h>

typedef struct spool {
    FILE *file; /* NULL: not wanted, or there is no temporary file to be had */
    bool wanted;
    int error; /* errno of the failure to make it */
} spool;

void spool_init(spool *self, bool wanted);
void spool_fini(spool *self);

/* Copies everything to `out`. Returns 0, or the errno of why rows are missing. */
int spool_copy(spool *self, FILE *out);

#endif
