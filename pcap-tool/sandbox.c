/* sandbox.c - what a process that reads hostile bytes may still do: the parts together.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sandbox.h"

#include <sys/prctl.h>

#if defined(__SANITIZE_ADDRESS__)
enum { IS_BUILT = 0 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { IS_BUILT = 0 };
#else
enum { IS_BUILT = 1 };
#endif
#else
enum { IS_BUILT = 1 };
#endif

bool sandbox_is_built(void)
{
    return IS_BUILT;
}

unsigned sandbox_enter(const sandbox_rules *rules)
{
    /* Without it only root may limit itself: a program with more rights could be misled. */
    if (!IS_BUILT || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return 0;
    unsigned parts = 0;
    if (sandbox_limit_files(rules))
        parts |= SANDBOX_FILES;
    if (sandbox_limit_calls(rules))
        parts |= SANDBOX_CALLS;
    return parts;
}

void sandbox_seal(void)
{
    if (IS_BUILT)
        sandbox_limit_writing();
}
