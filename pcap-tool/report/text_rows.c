/* text_rows.c - the tables of connections and exchanges in the text report, row by row.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "text_rows.h"

#include "color.h"
#include "escape.h"
#include "table.h"
#include "units.h"
#include "wrap.h"

#include <inttypes.h>
#include <string.h>

enum { CONNECTION_INDENT = 4, EXCHANGE_INDENT = 2 };

static const table_column connection_columns[] = {
    {{"Requests/", "answered"}, 11, false}, {{"Advertised", "timeout/max"}, 13, false},
    {{"Longest", "idle"}, 8, true},         {{"Closed", "by"}, 10, false},
    {{"Idle", "at close"}, 8, true},        {{"Verdict", ""}, 12, false},
};
enum { CONNECTION_COLUMNS = sizeof connection_columns / sizeof connection_columns[0] };

static const table_column exchange_columns[] = {
    {{"Stream", ""}, 10, true},        {{"No.", ""}, 5, true},     {{"Request", "frame"}, 11, true},
    {{"Response", "frame"}, 11, true}, {{"Method", ""}, 8, false}, {{"Status", ""}, 6, true},
    {{"Idle", "before"}, 8, true},
};
enum { EXCHANGE_COLUMNS = sizeof exchange_columns / sizeof exchange_columns[0] };

static void write_heading(FILE *out, bool colored, const char *title, const char *rest)
{
    fprintf(out, "\n%s%s%s%s\n\n", color(colored, COLOR_BOLD), title, color(colored, COLOR_PLAIN), rest);
}

void text_rows_connection_head(FILE *out, bool colored)
{
    write_heading(out, colored, "Connections", ", and how their close compares with the advertised timeout");
    table_head(out, CONNECTION_INDENT, connection_columns, CONNECTION_COLUMNS);
}

static void write_findings(FILE *out, const ka_record *record)
{
    char line[1024] = ""; /* all ids of the catalogue fit */
    unsigned count = 0;
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        if ((record->finding_mask[id / 64] >> id % 64 & 1) == 0)
            continue;
        size_t length = strlen(line);
        snprintf(line + length, sizeof line - length, "%s%s", count == 0 ? "" : ", ",
                 ka_catalogue((ka_finding_id)id)->id);
        count++;
    }
    char label[40];
    snprintf(label, sizeof label, "    %u finding%s: ", count, units_plural(count));
    if (count > 0)
        wrap_labelled(out, label, line);
}

static void closed_by(const ka_record *record, char *out, size_t size)
{
    if (record->close.by == KA_SIDE_NONE)
        snprintf(out, size, "-");
    else
        snprintf(out, size, "%s %s", ka_side_name(record->close.by),
                 record->close.how == KA_HOW_RST ? "RST" : "FIN");
}

void text_rows_connection(FILE *out, const ka_record *record)
{
    char peer[UNITS_PEER_BYTES], client[2 * UNITS_PEER_BYTES + 24], server[UNITS_PEER_BYTES + 40];
    units_peer(&record->client, peer);
    int length = snprintf(client, sizeof client, "%" PRIu32 ": %s", record->stream, peer);
    if (record->proxied_for.version != 0) {
        units_peer(&record->proxied_for, peer);
        snprintf(client + length, sizeof client - (size_t)length, " for %s", peer);
    }
    units_peer(&record->server, peer);
    static const char *const tunnels[] = {
        [KA_TUNNEL_NONE] = "", [KA_TUNNEL_CONNECT] = " (CONNECT)", [KA_TUNNEL_UPGRADE] = " (upgraded)"};
    snprintf(server, sizeof server, "to %s, %s%s", peer, record->protocol, tunnels[record->tunnel]);
    fputs("  ", out);
    wrap_two(out, 2, CONNECTION_INDENT, client, server);

    char requests[UNITS_COUNT_BYTES], answered[UNITS_COUNT_BYTES], both[2 * UNITS_COUNT_BYTES],
        advertised[UNITS_DURATION_BYTES], longest[UNITS_DURATION_BYTES], idle[UNITS_DURATION_BYTES],
        close[24];
    units_count_short(record->requests, requests);
    units_count_short(record->responses, answered);
    snprintf(both, sizeof both, "%s/%s", requests, answered);
    units_advertised(record->timeout_s, record->max, advertised);
    units_duration(record->idle_count > 0 ? record->idle_longest_ns : KA_NONE, longest);
    units_duration(record->close.idle_ns, idle);
    closed_by(record, close, sizeof close);
    const char *const cells[CONNECTION_COLUMNS] = {both,  advertised, longest,
                                                   close, idle,       ka_verdict_name(record->close.verdict)};
    table_row(out, CONNECTION_INDENT, connection_columns, CONNECTION_COLUMNS, cells);
    write_findings(out, record);
}

void text_rows_exchange_head(FILE *out, bool colored)
{
    write_heading(out, colored, "Exchanges", "");
    table_head(out, EXCHANGE_INDENT, exchange_columns, EXCHANGE_COLUMNS);
}

static void frame_text(uint64_t frame, char out[UNITS_COUNT_BYTES])
{
    if (frame == 0)
        snprintf(out, UNITS_COUNT_BYTES, "-");
    else
        snprintf(out, UNITS_COUNT_BYTES, "%" PRIu64, frame);
}

void text_rows_exchange(FILE *out, const ka_exchange_record *exchange)
{
    char stream[16], number[UNITS_COUNT_BYTES], request[UNITS_COUNT_BYTES], response[UNITS_COUNT_BYTES],
        method[4 * sizeof exchange->method + 1], status[8] = "-", idle[UNITS_DURATION_BYTES];
    snprintf(stream, sizeof stream, "%" PRIu32, exchange->stream);
    units_count_short(exchange->number, number);
    frame_text(exchange->request.frame, request);
    frame_text(exchange->response.frame, response);
    escape_text(exchange->method, strnlen(exchange->method, sizeof exchange->method), method, sizeof method);
    if (exchange->status != 0)
        snprintf(status, sizeof status, "%u", exchange->status);
    units_duration(exchange->idle_before_ns, idle);
    const char *const cells[EXCHANGE_COLUMNS] = {
        stream, number, request, response, method[0] == '\0' ? "-" : method, status, idle};
    table_row(out, EXCHANGE_INDENT, exchange_columns, EXCHANGE_COLUMNS, cells);
}
