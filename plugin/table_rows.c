/* table_rows.c - what stands in a row of the tables: of a connection, of a server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "compat.h"

#include "table_rows.h"

/* ---- Cells ---- */

void table_put_text(stat_tap_table_item_type *cell, const char *text)
{
    g_free(cell->type == TABLE_ITEM_STRING ? (char *)cell->value.string_value : NULL);
    cell->type = TABLE_ITEM_STRING;
    cell->value.string_value = g_strdup(text);
}

void table_put_count(stat_tap_table_item_type *cell, uint64_t count)
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
    table_put_text(cell, text);
}

static void put_seconds(stat_tap_table_item_type *cell, int64_t duration_ns)
{
    char seconds[32], text[48] = "";
    if (duration_ns != KA_NONE) {
        ka_seconds_text(duration_ns, 3, seconds, sizeof seconds);
        snprintf(text, sizeof text, "%11s", seconds);
    }
    table_put_text(cell, text);
}

static void put_peer(stat_tap_table_item_type *cell, const ka_address *address)
{
    char ip[KA_IP_TEXT_BYTES], text[KA_IP_TEXT_BYTES + 8];
    ka_ip_text(address, ip);
    snprintf(text, sizeof text, address->version == 6 ? "[%s]:%u" : "%s:%u", ip, address->port);
    table_put_text(cell, text);
}

static void put_findings(stat_tap_table_item_type *cell, const ka_record *record)
{
    GString *text = g_string_new(NULL);
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        if (record->finding_mask[id / 64] >> id % 64 & 1)
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "",
                                   ka_catalogue((ka_finding_id)id)->id);
    }
    table_put_text(cell, text->str);
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
    C_COUNT = TABLE_CONNECTION_COLUMNS
};

stat_tap_table_item table_connection_columns[C_COUNT] = {
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

void table_fill_connection(const collect *all, const void *key, stat_tap_table_item_type *row)
{
    const ka_record *record = results_connection(all->results, *(const uint32_t *)key);
    if (record == NULL)
        return;
    table_put_count(&row[C_STREAM], record->stream);
    put_peer(&row[C_CLIENT], &record->client);
    put_peer(&row[C_SERVER], &record->server);
    table_put_text(&row[C_PROTOCOL], record->protocol);
    table_put_count(&row[C_REQUESTS], record->requests);
    table_put_count(&row[C_RESPONSES], record->responses);
    put_number(&row[C_TIMEOUT], record->timeout_s);
    put_number(&row[C_MAX], record->max);
    put_seconds(&row[C_IDLE_LONGEST], record->idle_count > 0 ? record->idle_longest_ns : KA_NONE);
    table_put_text(&row[C_CLOSED_BY], ka_side_name(record->close.by));
    table_put_text(&row[C_CLOSED_WITH], ka_how_name(record->close.how));
    put_seconds(&row[C_CLOSE_IDLE], record->close.idle_ns);
    table_put_text(&row[C_VERDICT], ka_verdict_name(record->close.verdict));
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
    S_SERVER_TIMER,
    S_CLIENT_TIMER,
    S_SITES,
    S_LONGEST_WORKED,
    S_SHORTEST_CLOSED,
    S_IN_DANGER,
    S_POOL_IDLE,
    S_SERVER_IDLE,
    S_COUNT = TABLE_SERVER_COLUMNS
};

stat_tap_table_item table_server_columns[S_COUNT] = {
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
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Server's timer (s)", "%s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Clients' timer (s)", "%s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Each site's timer (s)", "%s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Longest idle that worked (s)", "%s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Shortest idle that was closed (s)", "%s"},
    {TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Reuses in danger", "%u"},
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Set at clients: at most (s)", "%s"},
    {TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, "Set at server: at least (s)", "%s"},
};

static void put_name(stat_tap_table_item_type *cell, const char *name)
{
    char *text = g_strescape(name, NULL); /* from the packets: anything */
    table_put_text(cell, text);
    g_free(text);
}

/* Where there is no fixed timer, why. */
static void put_timer(stat_tap_table_item_type *cell, const ka_inferred *timer)
{
    if (timer->kind == KA_TIMER_FIXED)
        put_seconds(cell, timer->median_ns);
    else if (timer->by_site)
        table_put_text(cell, "by site");
    else
        table_put_text(cell, timer->kind == KA_TIMER_NONE ? "" : ka_timer_kind_name(timer->kind));
}

/* "a.example 2.001, b.example several": of the servers' timers, those that are known. */
static void put_sites(stat_tap_table_item_type *cell, const ka_endpoint_record *e)
{
    GString *text = g_string_new(NULL);
    for (uint32_t i = 0; i < e->site_count; i++) {
        const ka_inferred *timer = &e->sites[i].server_timer;
        char seconds[32];
        if (timer->kind < KA_TIMER_FIXED)
            continue;
        ka_seconds_text(timer->median_ns, 3, seconds, sizeof seconds);
        char *name = g_strescape(e->sites[i].name, NULL);
        g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "", name,
                               timer->kind == KA_TIMER_FIXED ? seconds : ka_timer_kind_name(timer->kind));
        g_free(name);
    }
    table_put_text(cell, text->str);
    g_string_free(text, TRUE);
}

static void put_inferred(stat_tap_table_item_type *row, const ka_endpoint_record *e)
{
    put_timer(&row[S_SERVER_TIMER], &e->server_timer);
    put_timer(&row[S_CLIENT_TIMER], &e->client_timer);
    put_sites(&row[S_SITES], e);
    put_seconds(&row[S_LONGEST_WORKED], e->server_timer.longest_worked_ns);
    put_seconds(&row[S_SHORTEST_CLOSED], e->server_timer.shortest_closed_ns);
    table_put_count(&row[S_IN_DANGER], e->exposure.in_danger);
    put_seconds(&row[S_POOL_IDLE], e->recommended.pool_idle_ns);
    put_seconds(&row[S_SERVER_IDLE], e->recommended.server_timeout_ns);
}

void table_fill_server(const collect *all, const void *key, stat_tap_table_item_type *row)
{
    const ka_endpoint_record *e = results_endpoint(all->results, key);
    put_peer(&row[S_SERVER], key);
    if (e == NULL)
        return;
    put_name(&row[S_NAME], e->name);
    table_put_count(&row[S_CONNECTIONS], e->connections);
    table_put_count(&row[S_REQUESTS], e->requests);
    table_put_count(&row[S_RESPONSES], e->responses);
    put_number(&row[S_TIMEOUT], e->timeout_s);
    put_number(&row[S_MAX], e->max);
    table_put_count(&row[S_CLOSED_BY_SERVER], e->idle_closes_by_server);
    put_seconds(&row[S_MEDIAN_BY_SERVER], e->idle_median_by_server_ns);
    table_put_count(&row[S_CLOSED_BY_CLIENT], e->idle_closes_by_client);
    put_seconds(&row[S_MEDIAN_BY_CLIENT], e->idle_median_by_client_ns);
    table_put_count(&row[S_OPEN], e->open_at_end);
    table_put_count(&row[S_PER_CONNECTION], e->requests_median);
    table_put_count(&row[S_CONCURRENCY], e->concurrency_max);
    put_inferred(row, e);
}
