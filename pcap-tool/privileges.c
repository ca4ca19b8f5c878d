/* privileges.c - the rights that opening an interface took are given up before the first packet is read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool fail(char error[PRIVILEGES_ERROR_BYTES], const char *what, const char *why)
{
    snprintf(error, PRIVILEGES_ERROR_BYTES, "%s: %s", what, why);
    return false;
}

/* ---- Whom to become ---- */

/* A number that sudo wrote; -1 when it is none, or root's. */
static uid_t number_of(const char *variable)
{
    const char *text = getenv(variable);
    char *end;
    if (text == NULL || *text < '0' || *text > '9')
        return (uid_t)-1;
    unsigned long value = strtoul(text, &end, 10);
    return *end == '\0' && value > 0 && value < (uid_t)-1 ? (uid_t)value : (uid_t)-1;
}

static bool find_by_name(const char *name, privileges_user *out)
{
    const struct passwd *found = getpwnam(name);
    if (found == NULL)
        return false;
    out->user = found->pw_uid;
    out->group = found->pw_gid;
    return true;
}

bool privileges_find(const char *name, privileges_user *out, char error[PRIVILEGES_ERROR_BYTES])
{
    privileges_user found = {.user = (uid_t)-1, .group = (gid_t)-1};
    bool is_root = geteuid() == 0;
    if (name != NULL) {
        found.is_named = found.is_person = true;
        if (!is_root)
            return fail(error, "--user", "only root can become another user");
        if (!find_by_name(name, &found))
            return fail(error, "--user: there is no such user", name);
    } else if (is_root) {
        found.user = number_of("SUDO_UID");
        found.group = number_of("SUDO_GID");
        found.is_person = found.user != (uid_t)-1 && found.group != (gid_t)-1;
        if (!found.is_person && !find_by_name("nobody", &found))
            return fail(error, "there is no user \"nobody\" to become", "name another one with --user");
    }
    *out = found;
    return true;
}

/* ---- Becoming it ---- */

/* Root of a user namespace may know no other user: EINVAL. */
static bool change_user(const privileges_user *to, char *error)
{
    if (setresgid(to->group, to->group, to->group) != 0)
        return (errno == EINVAL && !to->is_named) || fail(error, "cannot change the group", strerror(errno));
    if (setgroups(0, NULL) != 0)
        return fail(error, "cannot give up the supplementary groups", strerror(errno));
    if (setresuid(to->user, to->user, to->user) != 0)
        return (errno == EINVAL && !to->is_named) || fail(error, "cannot change the user", strerror(errno));
    return true;
}

typedef struct capability_sets {
    struct __user_cap_data_struct half[_LINUX_CAPABILITY_U32S_3];
} capability_sets;

static bool drop_capabilities(char *error)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    capability_sets sets = {0};
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* older kernels have none */
    if (syscall(SYS_capset, &header, sets.half) != 0)
        return fail(error, "cannot give up the capabilities", strerror(errno));
    memset(&sets, 0xff, sizeof sets);
    if (syscall(SYS_capget, &header, sets.half) != 0)
        return fail(error, "cannot look at the capabilities", strerror(errno));
    const capability_sets none = {0};
    if (memcmp(&sets, &none, sizeof sets) != 0)
        return fail(error, "capabilities", "were given up and are still there");
    return true;
}

/* What must not work any more. */
static bool is_gone(const privileges_user *to)
{
    uid_t user[3];
    gid_t group[3];
    if (getresuid(&user[0], &user[1], &user[2]) != 0 || getresgid(&group[0], &group[1], &group[2]) != 0)
        return false;
    for (int i = 0; i < 3; i++) {
        if (user[i] != user[0] || group[i] != group[0])
            return false;
    }
    bool changed = user[0] == to->user && group[0] == to->group;
    if (to->is_named && !changed)
        return false;
    return user[0] == 0 || setresuid(0, 0, 0) != 0;
}

bool privileges_drop(const privileges_user *to, char error[PRIVILEGES_ERROR_BYTES])
{
    bool is_root = to->user != (uid_t)-1;
    if (is_root && !change_user(to, error))
        return false;
    if (!drop_capabilities(error))
        return false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(error, "cannot give up gaining rights", strerror(errno));
    return !is_root || is_gone(to) || fail(error, "the user", "was changed and can be changed back");
}
