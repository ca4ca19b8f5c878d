/* sandbox.h - what a process that reads hostile bytes may still do, where the kernel lets it be limited.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Files: Landlock (Linux 5.13). System calls: seccomp, through libseccomp. Neither can be undone, and
 * children inherit both. What is open stays usable as it was opened.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

typedef struct sandbox_paths {
    const char *const *paths;
    size_t count;
} sandbox_paths;

/* Files or directories; those that do not exist are left out. */
typedef struct sandbox_rules {
    sandbox_paths readable; /* of a directory all that is in it */
    sandbox_paths writable; /* likewise, and files may be made and removed there */
    bool opens;             /* false: no file is opened any more, whatever its path */
} sandbox_rules;

/* Parts of it that hold. */
enum { SANDBOX_FILES = 1, SANDBOX_CALLS = 2, SANDBOX_WHOLE = SANDBOX_FILES | SANDBOX_CALLS };

/* Whether there is one in this build: not with sanitizers, which trace, fork and look at /proc. */
bool sandbox_is_built(void);

/* Which parts hold from now on. */
unsigned sandbox_enter(const sandbox_rules *rules);

/* Within it: from now on no file can be made, removed or opened to be written. */
void sandbox_seal(void);

/* ---- Its two parts: false where the kernel or this build lacks it. ---- */

bool sandbox_limit_files(const sandbox_rules *rules);
bool sandbox_limit_writing(void);
bool sandbox_limit_calls(const sandbox_rules *rules);

#endif
