/* text_servers.c - the table of servers in the text report.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "text_servers.h"

#include "color.h"
#include "escape.h"
#include "explanation.h"
#include "table.h"
#include "text_timers.h"
#include "units.h"
#include "wrap.h"

#include <string.h>

enum { INDENT = 4 };

static const table_column columns[] = {
    {{"Connec-", "tions"}, 7, true},
    {{"Requests", ""}, 8, true},
    {{"Advertised", "timeout/max"}, 13, false},
    {{"Server", "closed"}, 6, true},
    {{"after", "(median)"}, 8, true},
    {{"Client", "closed"}, 6, true},
    {{"after", "(median)"}, 8, true},
    {{"Still", "open"}, 5, true},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

void text_servers_init(text_servers *servers)
{
    memset(servers, 0, sizeof *servers);
}

/* Connections, then requests, both falling; then the address: an order that input order cannot change. */
static int compare(const ka_endpoint_record *a, const ka_endpoint_record *b)
{
    if (a->connections != b->connections)
        return a->connections > b->connections ? -1 : 1;
    if (a->requests != b->requests)
        return a->requests > b->requests ? -1 : 1;
    if (a->server.version != b->server.version)
        return a->server.version < b->server.version ? -1 : 1;
    int by_ip = memcmp(a->server.ip, b->server.ip, sizeof a->server.ip);
    return by_ip != 0 ? by_ip : (int)a->server.port - (int)b->server.port;
}

void text_servers_add(text_servers *servers, const ka_endpoint_record *endpoint)
{
    servers->count++;
    size_t at = servers->kept_count;
    while (at > 0 && compare(endpoint, &servers->kept[at - 1].record) < 0)
        at--;
    if (at == TEXT_SERVERS_KEPT)
        return;
    uint8_t sites = (uint8_t)servers->kept_count;
    if (servers->kept_count < TEXT_SERVERS_KEPT)
        servers->kept_count++;
    else
        sites = servers->kept[TEXT_SERVERS_KEPT - 1].sites; /* of the one that goes */
    size_t moved = servers->kept_count - at - 1;
    memmove(&servers->kept[at + 1], &servers->kept[at], moved * sizeof servers->kept[0]);
    text_server *server = &servers->kept[at];
    server->record = *endpoint;
    const char *name = endpoint->name ? endpoint->name : "";
    escape_text(name, strlen(name), server->name, sizeof server->name);
    server->record.name = NULL;
    server->record.sites = NULL;
    server->sites = sites;
    text_sites_take(&servers->sites[sites], endpoint);
}

static void write_title(FILE *out, bool colored, const text_server *server)
{
    char peer[UNITS_PEER_BYTES], title[UNITS_PEER_BYTES + TEXT_SERVER_NAME_BYTES + 4];
    units_peer(&server->record.server, peer);
    snprintf(title, sizeof title, server->name[0] == '\0' ? "%s" : "%s (%s)", peer, server->name);
    fprintf(out, "  %s", color(colored, COLOR_BOLD));
    wrap(out, 2, INDENT, title);
    fputs(color(colored, COLOR_PLAIN), out);
}

static void write_server(FILE *out, bool colored, const text_server *server, const text_sites *sites)
{
    const ka_endpoint_record *record = &server->record;
    write_title(out, colored, server);
    char connections[UNITS_COUNT_BYTES], requests[UNITS_COUNT_BYTES], by_server[UNITS_COUNT_BYTES],
        by_client[UNITS_COUNT_BYTES], open[UNITS_COUNT_BYTES], advertised[UNITS_DURATION_BYTES],
        server_idle[UNITS_DURATION_BYTES], client_idle[UNITS_DURATION_BYTES];
    units_count_short(record->connections, connections);
    units_count_short(record->requests, requests);
    units_advertised(record->timeout_s, record->max, advertised);
    units_count_short(record->idle_closes_by_server, by_server);
    units_duration(record->idle_median_by_server_ns, server_idle);
    units_count_short(record->idle_closes_by_client, by_client);
    units_duration(record->idle_median_by_client_ns, client_idle);
    units_count_short(record->open_at_end, open);
    const char *const cells[COLUMNS] = {connections, requests,  advertised,  by_server,
                                        server_idle, by_client, client_idle, open};
    table_row(out, INDENT, columns, COLUMNS, cells);
    text_timers_line(out, record, sites);
}

void text_servers_write(const text_servers *servers, FILE *out, bool colored)
{
    if (servers->count == 0)
        return;
    fprintf(out, "\n%sServers%s, and how their idle connections ended\n\n", color(colored, COLOR_BOLD),
            color(colored, COLOR_PLAIN));
    table_head(out, INDENT, columns, COLUMNS);
    for (size_t i = 0; i < servers->kept_count; i++)
        write_server(out, colored, &servers->kept[i], &servers->sites[servers->kept[i].sites]);
    if (servers->count > servers->kept_count) {
        char more[UNITS_COUNT_BYTES];
        units_count(servers->count - servers->kept_count, more);
        fprintf(out, "  ... and %s more with fewer connections\n", more);
    }
}

/* Where to set what was recommended, product by product. */
static void write_settings(FILE *out, bool colored)
{
    static const ka_setting_group groups[] = {KA_SET_CLIENT_IDLE_INDEX, KA_SET_SERVER_IDLE_INDEX};
    size_t count;
    const ka_setting_row *rows = ka_setting_rows(&count);
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        fprintf(out, "\n%s", color(colored, COLOR_BOLD));
        wrap(out, 0, 2, ka_setting_group_title(groups[g]));
        fputs(color(colored, COLOR_PLAIN), out);
        for (size_t i = 0; i < count; i++) {
            char label[32];
            if (rows[i].group != groups[g])
                continue;
            snprintf(label, sizeof label, "    %-18s ", rows[i].product);
            wrap_labelled(out, label, rows[i].text);
        }
    }
}

void text_servers_write_details(const text_servers *servers, FILE *out, bool colored)
{
    bool recommended = false;
    if (servers->count == 0)
        return;
    fprintf(out, "\n%sServers in detail%s\n", color(colored, COLOR_BOLD), color(colored, COLOR_PLAIN));
    for (size_t i = 0; i < servers->kept_count; i++) {
        const ka_recommended *r = &servers->kept[i].record.recommended;
        fputs("\n", out);
        write_title(out, colored, &servers->kept[i]);
        text_timers_detail(out, &servers->kept[i].record, &servers->sites[servers->kept[i].sites]);
        recommended = recommended || r->pool_idle_ns != KA_NONE || r->server_timeout_ns != KA_NONE;
    }
    if (recommended)
        write_settings(out, colored);
}
