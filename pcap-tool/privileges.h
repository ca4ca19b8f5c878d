/* privileges.h - the rights that opening an interface took are given up before the first packet is read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

enum { PRIVILEGES_ERROR_BYTES = 256 };

/* Whom to become. */
typedef struct privileges_user {
    uid_t user; /* -1: nobody else, this is not root */
    gid_t group;
    bool is_named;  /* by --user: then nothing less will do */
    bool is_person; /* by --user, or who called sudo: files may be theirs */
} privileges_user;

/* Of root: --user, else who called sudo, else nobody. False, and one line in `error`, when there is no such
 * user or this is not root and a name was given. */
bool privileges_find(const char *name, privileges_user *out, char error[PRIVILEGES_ERROR_BYTES]);

/* Changes to that user, gives up every capability and every way to get one back, and checks that they are
 * gone. Where root is root of a user namespace without that user, and none was named, it stays root there,
 * without capabilities. */
bool privileges_drop(const privileges_user *to, char error[PRIVILEGES_ERROR_BYTES]);

#endif
