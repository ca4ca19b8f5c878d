/* incomplete.c - what the run could not read or had to give up, for the end of the report.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "incomplete.h"

static const incomplete_row further = {"further", "further problems", 1, false, false};

void incomplete_add(incomplete *list, incomplete_row row)
{
    if (row.count == 0)
        return;
    list->unread |= row.unread;
    if (list->count < INCOMPLETE_MAX - 1)
        list->rows[list->count++] = row;
    else if (list->count < INCOMPLETE_MAX)
        list->rows[list->count++] = further;
    else
        list->rows[INCOMPLETE_MAX - 1].count++;
}
