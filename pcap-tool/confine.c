/* confine.c - a run's sandbox: what of the command line it must leave possible.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "confine.h"

#include "sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WRITABLE_MAX = 2 };

/* What --output needs: the file, or the directory in which it will be made. NULL: nothing, or out of memory.
 */
static char *output_place(const char *output)
{
    if (output == NULL)
        return NULL;
    if (access(output, F_OK) == 0)
        return strdup(output);
    const char *slash = strrchr(output, '/');
    if (slash == NULL)
        return strdup(".");
    return strndup(output, slash == output ? 1 : (size_t)(slash - output));
}

/* For people: scripts compare standard error, and have nobody to tell. */
static void tell_missing(unsigned parts)
{
    static const char *const texts[SANDBOX_WHOLE] = {"this system has neither Landlock nor seccomp",
                                                     "system calls are not limited (no seccomp)",
                                                     "files are not limited (this kernel has no Landlock)"};
    if (parts != SANDBOX_WHOLE && sandbox_is_built() && isatty(STDERR_FILENO))
        fprintf(stderr, "keptalive: captures are read without a whole sandbox: %s\n", texts[parts]);
}

void confine_run(const options *settings)
{
    if (settings->no_sandbox)
        return;
    char *place = output_place(settings->output);
    const char *writable[WRITABLE_MAX] = {P_tmpdir, place}; /* tmpfile for long tables */
    sandbox_rules rules = {.readable = {settings->paths, settings->path_count},
                           .writable = {writable, place != NULL ? 2 : 1},
                           .opens = true};
    if (settings->live.interface_count > 0)
        rules = (sandbox_rules){.opens = false};
    tell_missing(sandbox_enter(&rules));
    free(place);
}

void confine_seal(const options *settings)
{
    if (!settings->no_sandbox)
        sandbox_seal();
}
