/* exit_status.c - the line on standard error.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "exit_status.h"

#include <stdio.h>

int complain(int status, const char *what, const char *why)
{
    fprintf(stderr, "keptalive: %s%s%s\n", what, why ? ": " : "", why ? why : "");
    return status;
}
