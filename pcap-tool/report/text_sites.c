/* text_sites.c - the sites of one server in the text report.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "text_sites.h"

#include "escape.h"
#include "line.h"
#include "units.h"
#include "wrap.h"

#include <string.h>

enum { INDENT = 6, LINE_BYTES = WRAP_COLUMNS + 1 };

/* Below a row of the table; at length there are all. */
enum { LINES_MAX = 4 };

void text_sites_take(text_sites *sites, const ka_endpoint_record *server)
{
    sites->count = server->site_count;
    for (uint32_t i = 0; i < server->site_count; i++) {
        text_site *site = &sites->at[i];
        site->record = server->sites[i];
        escape_text(site->record.name, strlen(site->record.name), site->name, sizeof site->name);
        site->record.name = NULL;
    }
}

static bool is_known(const ka_inferred *t)
{
    return t->kind >= KA_TIMER_FIXED;
}

/* "2.001 s (6 closes)" */
static void add_timer(char line[LINE_BYTES], const ka_inferred *t)
{
    char duration[UNITS_DURATION_BYTES], closes[UNITS_COUNT_BYTES];
    units_duration(t->median_ns, duration);
    units_count_short(t->closes, closes);
    if (t->kind == KA_TIMER_NONE)
        line_append(line, LINE_BYTES, "no idle close");
    else
        line_append(line, LINE_BYTES, "%s (%s close%s)",
                    t->kind == KA_TIMER_FIXED     ? duration
                    : t->kind == KA_TIMER_SEVERAL ? "several"
                    : t->kind == KA_TIMER_VARIED  ? "no fixed one"
                                                  : "not known",
                    closes, units_plural(t->closes));
}

/* The name gets what is left of the line. */
static void write_site(FILE *out, const text_site *site)
{
    char timers[LINE_BYTES] = "", name[TEXT_SERVER_NAME_BYTES];
    add_timer(timers, &site->record.server_timer);
    if (is_known(&site->record.client_timer)) {
        line_append(timers, sizeof timers, "; clients ");
        add_timer(timers, &site->record.client_timer);
    }
    size_t room = WRAP_COLUMNS - INDENT - strlen(": ") - strlen(timers);
    snprintf(name, sizeof name, "%s", site->name);
    if (strlen(name) > room)
        memcpy(name + room - strlen("..."), "...", sizeof "...");
    fprintf(out, "%*s%s: %s\n", INDENT, "", name, timers);
}

void text_sites_lines(FILE *out, const ka_endpoint_record *server, const text_sites *sites)
{
    uint32_t written = 0, left = 0;
    if (server->server_timer.kind <= KA_TIMER_FIXED && server->client_timer.kind <= KA_TIMER_FIXED)
        return;
    for (uint32_t i = 0; i < sites->count; i++) {
        const ka_site_record *r = &sites->at[i].record;
        if (!is_known(&r->server_timer) && !is_known(&r->client_timer))
            continue;
        if (written == LINES_MAX) {
            left++;
            continue;
        }
        write_site(out, &sites->at[i]);
        written++;
    }
    if (left > 0)
        fprintf(out, "%*s... and %u more site%s\n", INDENT, "", (unsigned)left, units_plural(left));
}
