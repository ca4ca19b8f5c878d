/* text_overview.c - the head of the text report: what was read, and the verdict in one line.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "text_overview.h"

#include "color.h"
#include "escape.h"
#include "line.h"
#include "units.h"
#include "wrap.h"

#include <string.h>

/* The most file names and problems listed; a series of captures has hundreds. */
enum { LISTED_MAX = 8, LINE_BYTES = 512 };

static const char blank_label[] = "               ";

static void write_escaped(FILE *out, const char *label, const char *text)
{
    char line[LINE_BYTES];
    escape_text(text, strlen(text), line, sizeof line);
    wrap_labelled(out, label, line);
}

static void write_interfaces(const report_options *options)
{
    const char *label = options->interface_count == 1 ? "  Interface    " : "  Interfaces   ";
    for (size_t i = 0; i < options->interface_count; i++)
        write_escaped(options->out, i == 0 ? label : blank_label, options->interfaces[i]);
}

static void write_files(const report_options *options)
{
    write_interfaces(options);
    const char *label = options->path_count == 1 ? "  File         " : "  Files        ";
    for (size_t i = 0; i < options->path_count && i < LISTED_MAX; i++) {
        const char *path = options->paths[i];
        write_escaped(options->out, i == 0 ? label : blank_label,
                      strcmp(path, "-") == 0 ? "standard input" : path);
    }
    if (options->path_count > LISTED_MAX)
        fprintf(options->out, "%s... and %zu more\n", blank_label, options->path_count - LISTED_MAX);
    if (options->filter)
        write_escaped(options->out, "  Filter       ", options->filter);
}

static void write_selection(const report_options *options, const tally *counts)
{
    char line[LINE_BYTES], count[UNITS_COUNT_BYTES];
    if (selection_is_all(&options->selection))
        return;
    selection_text(&options->selection, line,
                   sizeof line - UNITS_COUNT_BYTES - sizeof " ( findings left out)");
    units_count(counts->left_out, count);
    line_append(line, LINE_BYTES, " (%s finding%s left out)", count, units_plural(counts->left_out));
    wrap_labelled(options->out, "  Selected     ", line);
}

static void write_packets(FILE *out, const report_end *end)
{
    char packets[UNITS_COUNT_BYTES], bytes[UNITS_COUNT_BYTES];
    units_count(end->packets, packets);
    units_count(end->bytes, bytes);
    fprintf(out, "  Packets      %s (%s byte%s)\n", packets, bytes, units_plural(end->bytes));
    if (end->first_ns == KA_NONE)
        return;
    char first[UNITS_TIME_BYTES], last[UNITS_TIME_BYTES], span[UNITS_DURATION_BYTES];
    units_time(end->first_ns, first);
    units_time(end->last_ns, last);
    units_duration(end->last_ns - end->first_ns, span);
    bool same_day = strncmp(first, last, strcspn(first, " ")) == 0;
    fprintf(out, "  Time         %s to %s UTC (%s)\n", first, same_day ? strchr(last, ' ') + 1 : last, span);
}

static void write_connections(FILE *out, const tally *counts)
{
    char line[LINE_BYTES], count[UNITS_COUNT_BYTES];
    units_count(counts->connections, line);
    const char *separator = ": ";
    for (unsigned i = 0; i < TALLY_PROTOCOLS; i++) {
        if (counts->by_protocol[i] == 0)
            continue;
        units_count(counts->by_protocol[i], count);
        const char *name = tally_protocol_name(i);
        line_append(line, LINE_BYTES, "%s%s %s", separator, count,
                    strcmp(name, "none") == 0 ? "without data" : name);
        separator = ", ";
    }
    wrap_labelled(out, "  Connections  ", line);
}

static void write_requests(FILE *out, const tally *counts)
{
    char requests[UNITS_COUNT_BYTES], responses[UNITS_COUNT_BYTES];
    units_count(counts->requests, requests);
    units_count(counts->responses, responses);
    fprintf(out, "  Requests     %s, %s answered\n", requests, responses);
}

static void write_incomplete(FILE *out, const incomplete *list)
{
    for (size_t i = 0; i < list->count && i < LISTED_MAX; i++) {
        const incomplete_row *row = &list->rows[i];
        char line[LINE_BYTES], count[UNITS_COUNT_BYTES];
        escape_text(row->detail, strlen(row->detail), line, sizeof line);
        units_count(row->count, count);
        if (!row->sentence)
            line_append(line, LINE_BYTES, ": %s", count);
        wrap_labelled(out, i == 0 ? "  Not read     " : blank_label, line);
    }
    if (list->count > LISTED_MAX)
        fprintf(out, "%s... and %zu more problems\n", blank_label, list->count - LISTED_MAX);
}

/* "2 errors, 3 warnings, 1 note": chat is no trouble. */
static void append_severities(char line[LINE_BYTES], const tally *counts)
{
    static const char *const nouns[] = {"", "note", "warning", "error"};
    const char *separator = "";
    for (int i = KA_ERROR; i > KA_CHAT; i--) {
        uint64_t number = counts->by_severity[i];
        if (number == 0)
            continue;
        char count[UNITS_COUNT_BYTES];
        units_count(number, count);
        line_append(line, LINE_BYTES, "%s%s %s%s", separator, count, nouns[i], units_plural(number));
        separator = ", ";
    }
}

static void append_places(char line[LINE_BYTES], const tally *counts)
{
    char some[UNITS_COUNT_BYTES], all[UNITS_COUNT_BYTES];
    if (counts->troubled > 0) {
        units_count(counts->troubled, some);
        units_count(counts->connections, all);
        line_append(line, LINE_BYTES, " on %s of %s connection%s", some, all,
                    units_plural(counts->connections));
    }
    if (counts->server_wide > 0)
        line_append(line, LINE_BYTES, "%s on %s as a whole", counts->troubled > 0 ? " and" : "",
                    counts->server_wide == 1 ? "a server" : "servers");
    line_append(line, LINE_BYTES, ".");
}

static void no_trouble(char line[LINE_BYTES], const report_options *options, const report_end *end,
                       const tally *counts)
{
    const char *text = "No trouble found: every connection was kept and closed as promised.";
    if (counts->connections == 0)
        text = "Nothing to judge: there is no TCP connection in what was read.";
    else if (tally_http_connections(counts) == 0)
        text = "Nothing to judge: no connection carries HTTP that can be read.";
    else if (!selection_is_all(&options->selection))
        text = "No trouble found of the kinds selected.";
    else if (end->incomplete->count > 0)
        text = "No trouble found in what could be read.";
    line_append(line, LINE_BYTES, "%s", text);
}

static void write_verdict(const report_options *options, const report_end *end, const tally *counts)
{
    char line[LINE_BYTES] = "";
    bool trouble = tally_reaches(counts, KA_NOTE);
    color_ink ink = COLOR_GREEN;
    if (trouble) {
        append_severities(line, counts);
        append_places(line, counts);
        ink = color_of_severity(tally_reaches(counts, KA_ERROR)  ? KA_ERROR
                                : tally_reaches(counts, KA_WARN) ? KA_WARN
                                                                 : KA_NOTE);
    } else {
        no_trouble(line, options, end, counts);
        if (tally_http_connections(counts) == 0)
            ink = COLOR_BOLD;
    }
    fprintf(options->out, "\n%s", color(options->color, ink));
    wrap(options->out, 0, 0, line);
    fputs(color(options->color, COLOR_PLAIN), options->out);
}

void text_overview_totals(const report_options *options, const report_end *end, const tally *counts)
{
    write_packets(options->out, end);
    write_connections(options->out, counts);
    write_requests(options->out, counts);
    write_incomplete(options->out, end->incomplete);
    if (!options->body)
        write_verdict(options, end, counts);
}

void text_overview_write(const report_options *options, const report_end *end, const tally *counts)
{
    FILE *out = options->out;
    fprintf(out, "%sKeptalive " KEPTALIVE_VERSION "%s: were HTTP connections kept alive as promised?\n\n",
            color(options->color, COLOR_BOLD), color(options->color, COLOR_PLAIN));
    write_files(options);
    write_selection(options, counts);
    text_overview_totals(options, end, counts);
}
