/* table_rows.h - what stands in a row of the tables: of a connection, of a server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_TABLE_ROWS_H
#define PLUGIN_TABLE_ROWS_H

#include "compat.h"

#include <epan/stat_tap_ui.h>

#include "collect.h"

enum { TABLE_CONNECTION_COLUMNS = 14, TABLE_SERVER_COLUMNS = 22 };

extern stat_tap_table_item table_connection_columns[TABLE_CONNECTION_COLUMNS];
extern stat_tap_table_item table_server_columns[TABLE_SERVER_COLUMNS];

/* The text is copied; what the cell had before is freed. */
void table_put_text(stat_tap_table_item_type *cell, const char *text);
void table_put_count(stat_tap_table_item_type *cell, uint64_t count);

/* key: the tcp.stream, a uint32_t. A row of a connection that is not known stays as it is. */
void table_fill_connection(const collect *all, const void *key, stat_tap_table_item_type *row);
/* key: the server's ka_address. */
void table_fill_server(const collect *all, const void *key, stat_tap_table_item_type *row);

#endif
