/* exit_status.h - how the command ends: its exit status and the line on standard error.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef EXIT_STATUS_H
#define EXIT_STATUS_H

enum exit_status {
    EXIT_DONE = 0,
    EXIT_FOUND = 1,
    EXIT_USAGE = 2,
    EXIT_UNREAD = 3,
    EXIT_UNWRITTEN = 4,
};

/* Writes "keptalive: WHAT: WHY" to standard error; WHY may be NULL. Returns `status`. */
int complain(int status, const char *what, const char *why);

#endif
