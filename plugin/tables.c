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

#include "tap.h"

/* ---- Cells ---- */

static void put_text(stat_tap_table_item_type *cell, const char *text)
{
    g_free(cell->type == TABLE_ITEM_STRING ? (char *)cell->value.string_value : NULL);
    cell->type = TABLE_ITEM_STRING;
    cell->value.string_value = g_strdup(text);
}

static void put_count(stat_tap_table_item_type *cell, uint64_t count)
{
    cell->type = TABLE_ITEM_UINT;
    cell->value.uint_value = (guint)MIN(count, G_MAXUINT);
}

/* Tables sort what may be missing as text: numbers of one width stand in their own order. */
static void put_number(stat_tap_table_item_type *cell, int64_t number)
{
    char text[24] = "";
    if (number != KA_NONE)
        snprintf(text, sizeof text, "%7" PRId64, number);
    put_text(cell, text);
}

static void put_seconds(stat_tap_table_item_type *cell, int64_t duration_ns)
{
    char seconds[32], text[48] = "";
    if (duration_ns != KA_NONE) {
        ka_seconds_text(duration_ns, 3, seconds, sizeof seconds);
        snprintf(text, sizeof text, "%11s", seconds);
    }
    put_text(cell, text);
}

static void put_peer(stat_tap_table_item_type *cell, const ka_address *address)
{
    char ip[KA_IP_TEXT_BYTES], text[KA_IP_TEXT_BYTES + 8];
    ka_ip_text(address, ip);
    snprintf(text, sizeof text, address->version == 6 ? "[%s]:%u" : "%s:%u", ip, address->port);
    put_text(cell, text);
}

static void put_findings(stat_tap_table_item_type *cell, const ka_record *record)
{
    GString *text = g_string_new(NULL);
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        if (record->finding_mask[id / 64] >> id % 64 & 1)
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "",
                                   ka_catalogue((ka_finding_id)id)->id);
    }
    put_text(cell, text->str);
    g_string_free(text, TRUE);
}

/* ---- Connections ---- */

enum connection_column {
    C_STREAM,
    C_CLIENT,
    C_SERVER,
    C_PROTOCOL,
    C_REQUESTS,
    C_RESPONSES,
    C_TIMEOUT,
    C_MAX,
    C_IDLE_LONGEST,
    C_CLOSED_BY,
    C_CLOSED_WITH,
    C_CLOSE_IDLE,
    C_VERDICT,
    C_FINDINGS,
    C_COUNT
};

static stat_tap_table_item connection_columns[C_COUNT] = {
    {TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Stream", "%u"},
    {TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Client", "%-22s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Server", "%-22s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Protocol", "%-8s"},
    {TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Requests", "%u"},
    {TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Responses", "%u"},
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Timeout (s)", "%s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Max", "%s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Longest idle (s)", "%s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Closed by", "%-6s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "How", "%-4s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Idle at close (s)", "%s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Verdict", "%-12s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Findings", "%s"},
};

static void fill_connection(const collect *all, const void *key, stat_tap_table_item_type *row)
{
    const ka_record *record = results_connection(all->results, *(const uint32_t *)key);
    if (record == NULL)
        return;
    put_count(&row[C_STREAM], record->stream);
    put_peer(&row[C_CLIENT], &record->client);
    put_peer(&row[C_SERVER], &record->server);
    put_text(&row[C_PROTOCOL], record->protocol);
    put_count(&row[C_REQUESTS], record->requests);
    put_count(&row[C_RESPONSES], record->responses);
    put_number(&row[C_TIMEOUT], record->timeout_s);
    put_number(&row[C_MAX], record->max);
    put_seconds(&row[C_IDLE_LONGEST], record->idle_count > 0 ? record->idle_longest_ns : KA_NONE);
    put_text(&row[C_CLOSED_BY], ka_side_name(record->close.by));
    put_text(&row[C_CLOSED_WITH], ka_how_name(record->close.how));
    put_seconds(&row[C_CLOSE_IDLE], record->close.idle_ns);
    put_text(&row[C_VERDICT], ka_verdict_name(record->close.verdict));
    put_findings(&row[C_FINDINGS], record);
}

/* ---- Servers ---- */

enum server_column {
    S_SERVER,
    S_NAME,
    S_CONNECTIONS,
    S_REQUESTS,
    S_RESPONSES,
    S_TIMEOUT,
    S_MAX,
    S_CLOSED_BY_SERVER,
    S_MEDIAN_BY_SERVER,
    S_CLOSED_BY_CLIENT,
    S_MEDIAN_BY_CLIENT,
    S_OPEN,
    S_PER_CONNECTION,
    S_CONCURRENCY,
    S_COUNT
};

static stat_tap_table_item server_columns[S_COUNT] = {
    {TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Server", "%-22s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Name", "%-20s"},
    {TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Connections", "%u"},
    {TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Requests", "%u"},
    {TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Responses", "%u"},
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Timeout (s)", "%s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Max", "%s"},
    {TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Idle closes by server", "%u"},
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Median idle (s)", "%s"},
    {TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Idle closes by client", "%u"},
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Median idle (s)", "%s"},
    {TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Open at end", "%u"},
    {TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Requests per connection", "%u"},
    {TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Concurrent", "%u"},
};

static void put_name(stat_tap_table_item_type *cell, const char *name)
{
    char *text = g_strescape(name, NULL); /* from the packets: anything */
    put_text(cell, text);
    g_free(text);
}

static void fill_server(const collect *all, const void *key, stat_tap_table_item_type *row)
{
    const ka_endpoint_record *e = results_endpoint(all->results, key);
    put_peer(&row[S_SERVER], key);
    if (e == NULL)
        return;
    put_name(&row[S_NAME], e->name);
    put_count(&row[S_CONNECTIONS], e->connections);
    put_count(&row[S_REQUESTS], e->requests);
    put_count(&row[S_RESPONSES], e->responses);
    put_number(&row[S_TIMEOUT], e->timeout_s);
    put_number(&row[S_MAX], e->max);
    put_count(&row[S_CLOSED_BY_SERVER], e->idle_closes_by_server);
    put_seconds(&row[S_MEDIAN_BY_SERVER], e->idle_median_by_server_ns);
    put_count(&row[S_CLOSED_BY_CLIENT], e->idle_closes_by_client);
    put_seconds(&row[S_MEDIAN_BY_CLIENT], e->idle_median_by_client_ns);
    put_count(&row[S_OPEN], e->open_at_end);
    put_count(&row[S_PER_CONNECTION], e->requests_median);
    put_count(&row[S_CONCURRENCY], e->concurrency_max);
}

/* ---- Tables ---- */

/* One of the two tables, in the one window or -z option that shows it. */
typedef struct statistic {
    stat_tap_table_ui ui;
    const char *title;
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
    stat_tap_table_item_type cells[MAX(C_COUNT, S_COUNT)] = {{0}};
    guint row = table->num_elements;
    for (guint column = 0; column < table->num_fields; column++) {
        if (self->ui.fields[column].type == TABLE_ITEM_STRING)
            put_text(&cells[column], "");
        else
            put_count(&cells[column], 0);
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
    stat_tap_table *table = stat_tap_find_table(&self->ui, self->title);
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
    stat_tap_table *table = stat_tap_find_table(&self->ui, self->title);
    if (table != NULL) {
        empty(self, table);
        return;
    }
    forget_rows(self); /* whoever showed the table before has freed it */
    table = stat_tap_init_table(self->title, (int)self->ui.nfields, 0, NULL);
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
    stat_tap_table *table = stat_tap_find_table(&self->ui, self->title);
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

/* The group REGISTER_STAT_GROUP_GENERIC has no place in the menu for them. */
void tables_register(void)
{
    connections = (statistic){
        .ui = {.group = REGISTER_PACKET_STAT_GROUP_UNSORTED,
               .title = "Keep-Alive connections",
               .tap_name = TAP_NAME,
               .cli_string = TAP_NAME ",connections",
               .stat_tap_init_cb = init_connections,
               .packet_func = take_connection,
               .stat_tap_reset_table_cb = reset_connections,
               .stat_tap_free_table_item_cb = free_cell,
               .nfields = C_COUNT,
               .fields = connection_columns},
        .title = "Keep-Alive connections",
        .fill = fill_connection,
        .rows = g_hash_table_new_full(g_int_hash, g_int_equal, g_free, NULL),
        .streams = g_hash_table_new(g_direct_hash, g_direct_equal),
    };
    servers = (statistic){
        .ui = {.group = REGISTER_PACKET_STAT_GROUP_UNSORTED,
               .title = "Keep-Alive servers",
               .tap_name = TAP_NAME,
               .cli_string = TAP_NAME ",servers",
               .stat_tap_init_cb = init_servers,
               .packet_func = take_server,
               .stat_tap_reset_table_cb = reset_servers,
               .stat_tap_free_table_item_cb = free_cell,
               .nfields = S_COUNT,
               .fields = server_columns},
        .title = "Keep-Alive servers",
        .fill = fill_server,
        .rows = g_hash_table_new_full(results_hash_address, results_equal_addresses, g_free, NULL),
        .streams = g_hash_table_new(g_direct_hash, g_direct_equal),
    };
    register_stat_tap_table_ui(&connections.ui);
    register_stat_tap_table_ui(&servers.ui);
}
