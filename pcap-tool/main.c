/* main.c - the keptalive command.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>

int main(void)
{
    puts("keptalive " KEPTALIVE_VERSION);
    return 0;
}
