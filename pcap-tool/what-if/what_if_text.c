/* what_if_text.c - the answer for people: 80 columns of plain ASCII.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "answer.h"

#include "report/color.h"
#include "report/escape.h"
#include "report/line.h"
#include "report/table.h"
#include "report/units.h"
#include "report/wrap.h"

#include <inttypes.h>
#include <string.h>

/* Servers shown: those with the most connections; NDJSON has them all. */
enum { SERVERS_SHOWN = 20, INDENT = 2, TABLE_INDENT = 4, LINE_BYTES = 512, CELL_BYTES = 64 };

static const table_column columns[] = {
    {{"", ""}, 8, true},
    {{"Lost", "requests"}, 11, true},
    {{"At", "risk"}, 6, true},
    {{"Connections", "opened"}, 13, true},
    {{"Seconds", "open"}, 15, true},
    {{"Cost", ""}, 10, true},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static const char *const knob_titles[WHAT_IF_KNOBS][2] = {
    {"Client", "idle"}, {"Server", "idle"}, {"Requests", "at most"}};

/* ---- The question ---- */

/* "4 s", "100" */
static void value_text(what_if_knob knob, int64_t value, char out[CELL_BYTES])
{
    if (knob == WHAT_IF_MAX_REQUESTS)
        snprintf(out, CELL_BYTES, "%" PRId64, value);
    else
        memcpy(out + what_if_seconds_text(value, out), " s", 3);
}

static void append_knob(char line[LINE_BYTES], what_if_knob knob, int64_t from, int64_t to, bool first)
{
    static const char *const words[] = {"the client closed connections idle for ",
                                        "the server closed connections idle for ",
                                        "connections ended with their request "};
    char text[CELL_BYTES];
    line_append(line, LINE_BYTES, "%s%s", first ? "" : ", and ", words[knob]);
    value_text(knob, from, text);
    line_append(line, LINE_BYTES, "%s", text);
    if (from == to)
        return;
    value_text(knob, to, text);
    line_append(line, LINE_BYTES, " to %s", text);
}

static void write_question(const what_if *self, FILE *out, bool colored)
{
    const what_if_question *asked = what_if_asked_of(self);
    char line[LINE_BYTES] = "What if ";
    bool first = true;
    for (unsigned knob = 0; knob < WHAT_IF_KNOBS; knob++) {
        if (!asked->given[knob])
            continue;
        append_knob(line, (what_if_knob)knob, asked->from[knob], asked->to[knob], first);
        first = false;
    }
    line_append(line, LINE_BYTES, "?");
    fprintf(out, "\n%s", color(colored, COLOR_BOLD));
    wrap(out, 0, 0, line);
    fputs(color(colored, COLOR_PLAIN), out);
}

/* What follows is without them. */
static void write_left_out(const what_if *self, FILE *out)
{
    uint64_t left_out = what_if_left_out(self);
    char line[LINE_BYTES] = "", count[UNITS_COUNT_BYTES];
    if (left_out == 0)
        return;
    units_count(left_out, count);
    line_append(
        line, LINE_BYTES,
        "%s connection%s of this capture could not be kept to be replayed, and %s missing below. More "
        "--memory keeps more.",
        count, units_plural(left_out), left_out == 1 ? "is" : "are");
    wrap(out, 0, 0, line);
}

/* ---- What was captured ---- */

static void write_title(const what_if_answer *answer, FILE *out, bool colored)
{
    char peer[UNITS_PEER_BYTES], name[4 * CELL_BYTES], title[LINE_BYTES];
    units_peer(answer->server, peer);
    escape_text(answer->name, strlen(answer->name), name, sizeof name);
    snprintf(title, sizeof title, name[0] == '\0' ? "%s" : "%s (%s)", peer, name);
    fprintf(out, "\n%s", color(colored, COLOR_BOLD));
    wrap(out, 0, INDENT, title);
    fputs(color(colored, COLOR_PLAIN), out);
}

static void write_captured(const what_if_answer *answer, FILE *out)
{
    char line[LINE_BYTES] = "", count[UNITS_COUNT_BYTES], longest[UNITS_DURATION_BYTES];
    units_count(answer->now.connections.most, count);
    line_append(line, LINE_BYTES, "%s connection%s", count, units_plural(answer->now.connections.most));
    units_count(answer->clients, count);
    line_append(line, LINE_BYTES, " of %s client%s", count, units_plural(answer->clients));
    units_count(answer->requests, count);
    line_append(line, LINE_BYTES, ", %s request%s", count, units_plural(answer->requests));
    units_count(answer->gaps, count);
    line_append(line, LINE_BYTES, ", %s of them behind an idle gap", count);
    units_duration(answer->deadline.longest_used_ns, longest);
    if (answer->deadline.longest_used_ns != KA_NONE)
        line_append(line, LINE_BYTES, " (the longest that worked: %s)", longest);
    wrap_labelled(out, "  As captured   ", line);
}

static void write_deadline(const what_if_answer *answer, FILE *out)
{
    const what_if_deadline *deadline = &answer->deadline;
    char line[LINE_BYTES] = "", text[UNITS_DURATION_BYTES];
    units_duration(deadline->idle_ns, text);
    bool advertised = deadline->basis == WHAT_IF_BASIS_ADVERTISED;
    if (advertised && deadline->closes == 0)
        line_append(line, LINE_BYTES, "after %s idle, as it advertises; it closed none", text);
    else if (deadline->basis != WHAT_IF_BASIS_NONE)
        line_append(line, LINE_BYTES, "after %s idle%s (%" PRIu64 " close%s)", text,
                    advertised ? ", as it advertises" : "", deadline->closes, units_plural(deadline->closes));
    else if (deadline->closes > 0 || deadline->advertised_s != KA_NONE)
        line_append(line, LINE_BYTES, "at no fixed time: longer gaps worked");
    else
        line_append(line, LINE_BYTES, "not known: it closed no idle connection");
    units_seconds(deadline->advertised_s, text);
    if (!advertised && deadline->advertised_s != KA_NONE)
        line_append(line, LINE_BYTES, ", advertised %s", text);
    wrap_labelled(out, "  Server closes ", line);
}

/* ---- The table ---- */

static void bounds_text(what_if_bounds bounds, char out[CELL_BYTES])
{
    char least[UNITS_COUNT_BYTES], most[UNITS_COUNT_BYTES];
    units_count_short(bounds.least, least);
    units_count_short(bounds.most, most);
    snprintf(out, CELL_BYTES, bounds.least == bounds.most ? "%s" : "%s-%s", least, most);
}

static what_if_bounds seconds_of(what_if_bounds ms)
{
    return (what_if_bounds){(ms.least + 500) / 1000, (ms.most + 500) / 1000};
}

static void write_row(FILE *out, const char *label, const what_if_outcome *outcome, bool knows_risk)
{
    char lost[CELL_BYTES], risk[UNITS_COUNT_BYTES], opened[CELL_BYTES], open[CELL_BYTES], cost[CELL_BYTES];
    bounds_text(outcome->lost, lost);
    units_count_short(outcome->at_risk, risk);
    bounds_text(outcome->connections, opened);
    bounds_text(seconds_of(outcome->open_ms), open);
    snprintf(cost, sizeof cost, "%.1f", outcome->cost);
    const char *const cells[COLUMNS] = {label, lost, knows_risk ? risk : "-", opened, open, cost};
    table_row(out, TABLE_INDENT, columns, COLUMNS, cells);
}

static what_if_knob row_knob(const what_if_question *asked)
{
    what_if_knob knob = what_if_range(asked);
    for (unsigned i = 0; knob == WHAT_IF_KNOBS; i++) {
        if (asked->given[i])
            knob = (what_if_knob)i;
    }
    return knob;
}

static void write_table(const what_if *self, const what_if_answer *answer, FILE *out)
{
    what_if_knob knob = row_knob(what_if_asked_of(self));
    bool has_deadline = answer->deadline.idle_ns != KA_NONE;
    table_column titled[COLUMNS];
    memcpy(titled, columns, sizeof titled);
    titled[0].title[0] = knob_titles[knob][0];
    titled[0].title[1] = knob_titles[knob][1];
    fputc('\n', out);
    table_head(out, TABLE_INDENT, titled, COLUMNS);
    write_row(out, "as now", &answer->now, has_deadline);
    for (size_t i = 0; i < answer->outcome_count; i++) {
        const what_if_outcome *outcome = &answer->outcomes[i];
        char label[CELL_BYTES];
        value_text(knob, outcome->setting.value[knob], label);
        write_row(out, label, outcome,
                  has_deadline || outcome->setting.value[WHAT_IF_SERVER_IDLE] != KA_NONE);
    }
}

/* ---- In words ---- */

/* "12", "12 to 15" */
static void append_bounds(char line[LINE_BYTES], what_if_bounds bounds)
{
    char count[UNITS_COUNT_BYTES];
    units_count(bounds.least, count);
    line_append(line, LINE_BYTES, "%s", count);
    units_count(bounds.most, count);
    if (bounds.most != bounds.least)
        line_append(line, LINE_BYTES, " to %s", count);
}

/* "0 instead of 5: 5 fewer" */
static void compare(char line[LINE_BYTES], what_if_bounds then, uint64_t now, const char *unit,
                    const char *less, const char *more)
{
    char count[UNITS_COUNT_BYTES];
    append_bounds(line, then);
    if (then.least == now && then.most == now) {
        line_append(line, LINE_BYTES, "%s, as now", unit);
        return;
    }
    units_count(now, count);
    line_append(line, LINE_BYTES, "%s instead of %s", unit, count);
    if (then.most <= now)
        append_bounds(strcat(line, ": "), (what_if_bounds){now - then.most, now - then.least});
    else if (then.least >= now)
        append_bounds(strcat(line, ": "), (what_if_bounds){then.least - now, then.most - now});
    else
        return;
    line_append(line, LINE_BYTES, " %s", then.most <= now ? less : more);
}

static void write_words(const what_if *self, const what_if_answer *answer, FILE *out)
{
    const what_if_outcome *then = &answer->outcomes[answer->best], *now = &answer->now;
    what_if_knob knob = what_if_range(what_if_asked_of(self));
    char line[LINE_BYTES] = "", value[CELL_BYTES], count[UNITS_COUNT_BYTES];
    if (knob != WHAT_IF_KNOBS) {
        value_text(knob, then->setting.value[knob], value);
        line_append(line, LINE_BYTES, "%s%s", value,
                    now->cost <= then->cost ? "; to leave it as it is costs no more" : "");
        fputc('\n', out);
        wrap_labelled(out, "  Cheapest      ", line);
        line[0] = '\0';
    } else {
        fputc('\n', out);
    }
    compare(line, then->lost, now->lost.most, "", "fewer", "more");
    wrap_labelled(out, "  Lost requests ", line);
    line[0] = '\0';
    compare(line, then->connections, now->connections.most, "", "fewer", "more");
    if (then->shareable > 0) {
        units_count(then->shareable, count);
        line_append(
            line, LINE_BYTES,
            "; up to %s of these not, if the client has one pool and takes the connection idle longest",
            count);
    }
    wrap_labelled(out, "  Connections   ", line);
    line[0] = '\0';
    compare(line, seconds_of(then->open_ms), seconds_of(now->open_ms).most, " s", "s saved", "s more");
    wrap_labelled(out, "  Open in all   ", line);
}

static void write_legend(const what_if *self, FILE *out)
{
    const what_if_price *price = &what_if_asked_of(self)->price;
    char line[LINE_BYTES], margin[UNITS_DURATION_BYTES];
    units_duration(what_if_margin_ns(self), margin);
    fputc('\n', out);
    snprintf(
        line, sizeof line,
        "At risk: sent less than %s before the server closes, and not lost this time. Two numbers: what "
        "would have happened behind the close of a connection was not captured; they are the bounds. Cost: "
        "%g for a lost request, %g for a connection, %g for a second open, of the worse bounds. The model "
        "and its limits: docs/what-if.md.",
        margin, price->lost, price->connection, price->open_second);
    wrap(out, 0, 0, line);
}

static bool write_server(const what_if *self, size_t index, FILE *out, bool colored)
{
    static what_if_answer answer; /* large */
    if (!what_if_answer_of(self, index, &answer))
        return false;
    write_title(&answer, out, colored);
    write_captured(&answer, out);
    write_deadline(&answer, out);
    write_table(self, &answer, out);
    write_words(self, &answer, out);
    return true;
}

void what_if_text(const what_if *self, FILE *out, bool colored)
{
    size_t count = what_if_server_count(self);
    write_question(self, out, colored);
    write_left_out(self, out);
    if (count == 0 && what_if_left_out(self) > 0)
        return;
    if (count == 0) {
        wrap(out, 0, 0, "Nothing to replay: no connection carries HTTP or TLS, or none to that server.");
        return;
    }
    for (size_t i = 0; i < count && i < SERVERS_SHOWN; i++) {
        if (!write_server(self, i, out, colored))
            fputs("  not enough memory to replay this server\n", out);
    }
    if (count > SERVERS_SHOWN) {
        char more[UNITS_COUNT_BYTES];
        units_count(count - SERVERS_SHOWN, more);
        fprintf(out, "\n... and %s more servers with fewer connections\n", more);
    }
    write_legend(self, out);
}
