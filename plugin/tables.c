/* tables.c - Statistics: a row a connection, a row a server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A frame marks the row of its connection, so that a display filter chooses rows. In later passes the row is
 * filled at once. In a single pass the end is not known by then: a listener of our own, drawn before the
 * table, fills the rows last.
 */
#include "compat.h"

#include "tables.h"

#include <epan/stat_tap_ui.h>
#include <epan/tap.h>

#include "table_rows.h"
#include "tap.h"

/* ---- Tables ---- */

/* One of the two tables, in the one window or -z option that shows it. */
typedef struct statistic {
    stat_tap_table_ui ui;
    void (*fill)(const collect *all, const void *key, stat_tap_table_item_type *row);
    GHashTable *rows;    /* key -> row number; owns the keys */
    GHashTable *streams; /* marked in a single pass: whose connections count */
    bool last_fill;      /* its listener is there */
} statistic;

static statistic connections, servers;

static void forget_rows(statistic *self)
{
    g_hash_table_remove_all(self->rows);
    g_hash_table_remove_all(self->streams);
}

static void empty(statistic *self, stat_tap_table *table)
{
    forget_rows(self);
    for (guint row = 0; row < table->num_elements; row++) {
        for (guint column = 0; column < table->num_fields; column++) {
            stat_tap_table_item_type *cell = stat_tap_get_field_data(table, row, column);
            if (cell->type == TABLE_ITEM_STRING)
                g_free((char *)cell->value.string_value);
        }
        g_free(table->elements[row]);
    }
    g_free(table->elements);
    table->elements = NULL;
    table->num_elements = 0;
}

static void fill_row(statistic *self, stat_tap_table *table, guint row, const void *key, const collect *all)
{
    stat_tap_table_item_type *cells = stat_tap_get_field_data(table, row, 0);
    self->fill(all, key, cells);
}

/* Adds the row of the key when there is none. */
static guint row_of(statistic *self, stat_tap_table *table, const void *key, size_t key_bytes)
{
    void *found;
    if (g_hash_table_lookup_extended(self->rows, key, NULL, &found))
        return GPOINTER_TO_UINT(found);
    stat_tap_table_item_type cells[MAX(TABLE_CONNECTION_COLUMNS, TABLE_SERVER_COLUMNS)] = {{0}};
    guint row = table->num_elements;
    for (guint column = 0; column < table->num_fields; column++) {
        if (self->ui.fields[column].type == TABLE_ITEM_STRING)
            table_put_text(&cells[column], "");
        else
            table_put_count(&cells[column], 0);
    }
    stat_tap_init_table_row(table, row, table->num_fields, cells);
    void *kept = g_malloc(key_bytes);
    memcpy(kept, key, key_bytes);
    g_hash_table_insert(self->rows, kept, GUINT_TO_POINTER(row));
    return row;
}

/* In the order of the records. */
static void fill_marked(statistic *self, stat_tap_table *table, const collect *all)
{
    GHashTable *keys = g_hash_table_new(results_hash_address, results_equal_addresses);
    for (guint stream = 0; stream < all->connection_room; stream++) {
        const ka_record *record = results_connection(all->results, stream);
        if (record == NULL || !g_hash_table_contains(self->streams, GUINT_TO_POINTER(stream)))
            continue;
        if (self == &connections)
            row_of(self, table, &stream, sizeof stream);
        else
            g_hash_table_add(keys, (void *)&record->server);
    }
    for (const results_entry *e = results_first(all->results, RESULTS_OPEN); e != NULL; e = e->next) {
        if (e->endpoint != NULL && g_hash_table_contains(keys, &e->endpoint->server))
            row_of(self, table, &e->endpoint->server, sizeof e->endpoint->server);
    }
    g_hash_table_destroy(keys);
}

static void fill_all(void *user)
{
    statistic *self = user;
    const collect *all = tap_audit();
    stat_tap_table *table = stat_tap_find_table(&self->ui, self->ui.title);
    GHashTableIter at;
    void *key, *row;
    if (all == NULL || table == NULL)
        return;
    fill_marked(self, table, all);
    g_hash_table_iter_init(&at, self->rows);
    while (g_hash_table_iter_next(&at, &key, &row))
        fill_row(self, table, GPOINTER_TO_UINT(row), key, all);
}

static void start(statistic *self)
{
    stat_tap_table *table = stat_tap_find_table(&self->ui, self->ui.title);
    if (table != NULL) {
        empty(self, table);
        return;
    }
    forget_rows(self); /* whoever showed the table before has freed it */
    table = stat_tap_init_table(self->ui.title, (int)self->ui.nfields, 0, NULL);
    stat_tap_add_table(&self->ui, table);
}

/* Listeners are drawn newest first: one that comes after the table's own is drawn before it. */
static void fill_at_end(statistic *self)
{
    if (self->last_fill)
        return;
    self->last_fill = true;
    GString *error =
        register_tap_listener(TAP_NAME, self, NULL, TL_REQUIRES_NOTHING, NULL, NULL, fill_all, NULL);
    if (error != NULL)
        g_string_free(error, TRUE);
}

static tap_packet_status take(statistic *self, const tap_frame *frame)
{
    stat_tap_table *table = stat_tap_find_table(&self->ui, self->ui.title);
    if (!frame->has_stream || table == NULL)
        return TAP_PACKET_DONT_REDRAW;
    const ka_record *record = frame->visited ? results_connection(frame->all->results, frame->stream) : NULL;
    if (record == NULL) {
        fill_at_end(self);
        g_hash_table_add(self->streams, GUINT_TO_POINTER(frame->stream));
        return TAP_PACKET_DONT_REDRAW;
    }
    bool of_connection = self == &connections;
    if (!of_connection && results_endpoint(frame->all->results, &record->server) == NULL)
        return TAP_PACKET_DONT_REDRAW; /* it spoke no HTTP */
    const void *key = of_connection ? (const void *)&record->stream : &record->server;
    guint row = row_of(self, table, key, of_connection ? sizeof record->stream : sizeof record->server);
    fill_row(self, table, row, key, frame->all);
    return TAP_PACKET_REDRAW;
}

static void init_connections(stat_tap_table_ui *ui)
{
    (void)ui;
    start(&connections);
}

static void init_servers(stat_tap_table_ui *ui)
{
    (void)ui;
    start(&servers);
}

static void reset_connections(stat_tap_table *table)
{
    empty(&connections, table);
}

static void reset_servers(stat_tap_table *table)
{
    empty(&servers, table);
}

static void free_cell(stat_tap_table *table, guint row, guint column, stat_tap_table_item_type *cell)
{
    (void)table, (void)row, (void)column;
    if (cell->type == TABLE_ITEM_STRING)
        g_free((char *)cell->value.string_value);
}

static tap_packet_status take_connection(void *user, packet_info *pinfo, epan_dissect_t *edt,
                                         const void *data, tap_flags_t flags)
{
    (void)user, (void)pinfo, (void)edt, (void)flags;
    return take(&connections, data);
}

static tap_packet_status take_server(void *user, packet_info *pinfo, epan_dissect_t *edt, const void *data,
                                     tap_flags_t flags)
{
    (void)user, (void)pinfo, (void)edt, (void)flags;
    return take(&servers, data);
}

/* ---- Registration ---- */

static statistic connections = {
    .ui = {.title = "Keep-Alive connections",
           .cli_string = TAP_NAME ",connections",
           .stat_tap_init_cb = init_connections,
           .packet_func = take_connection,
           .stat_tap_reset_table_cb = reset_connections,
           .nfields = TABLE_CONNECTION_COLUMNS,
           .fields = table_connection_columns},
    .fill = table_fill_connection,
};

static statistic servers = {
    .ui = {.title = "Keep-Alive servers",
           .cli_string = TAP_NAME ",servers",
           .stat_tap_init_cb = init_servers,
           .packet_func = take_server,
           .stat_tap_reset_table_cb = reset_servers,
           .nfields = TABLE_SERVER_COLUMNS,
           .fields = table_server_columns},
    .fill = table_fill_server,
};

/* The group REGISTER_STAT_GROUP_GENERIC has no place in the menu for them. */
static void register_statistic(statistic *self, GHashFunc hash, GEqualFunc equal)
{
    self->ui.group = REGISTER_PACKET_STAT_GROUP_UNSORTED;
    self->ui.tap_name = TAP_NAME;
    self->ui.stat_tap_free_table_item_cb = free_cell;
    self->rows = g_hash_table_new_full(hash, equal, g_free, NULL);
    self->streams = g_hash_table_new(g_direct_hash, g_direct_equal);
    register_stat_tap_table_ui(&self->ui);
}

/* TShark leaves its tables as they are when it ends; windows free theirs. */
static void unregister_statistic(statistic *self)
{
    stat_tap_table *table = stat_tap_find_table(&self->ui, self->ui.title);
    if (table != NULL)
        empty(self, table);
    g_hash_table_destroy(self->rows);
    g_hash_table_destroy(self->streams);
}

static void tables_unregister(void)
{
    unregister_statistic(&connections);
    unregister_statistic(&servers);
}

void tables_register(void)
{
    register_statistic(&connections, g_int_hash, g_int_equal);
    register_statistic(&servers, results_hash_address, results_equal_addresses);
    register_shutdown_routine(tables_unregister);
}
