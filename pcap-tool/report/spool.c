/* spool.c - rows that are known early and shown late: a temporary file instead of memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "spool.h"

#include <errno.h>

void spool_init(spool *self, bool wanted)
{
    *self = (struct spool){.wanted = wanted};
    if (!wanted)
        return;
    self->file = tmpfile();
    if (!self->file)
        self->error = errno;
}

void spool_fini(spool *self)
{
    if (self->file)
        fclose(self->file);
    self->file = NULL;
}

int spool_copy(spool *self, FILE *out)
{
    if (!self->file)
        return self->error;
    if (ferror(self->file) || fflush(self->file) != 0)
        return errno != 0 ? errno : EIO;
    rewind(self->file);
    char block[16384]; /* a few pages: large enough that the copy is no work, small enough for the stack */
    for (size_t length; (length = fread(block, 1, sizeof block, self->file)) > 0;)
        fwrite(block, 1, length, out);
    return ferror(self->file) ? errno : 0;
}
