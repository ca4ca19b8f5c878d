/* tables.h - Statistics: a row a connection, a row a server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_TABLES_H
#define PLUGIN_TABLES_H

void tables_register(void);

#endif
