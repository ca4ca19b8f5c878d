/* text_timers.c - what is inferred of one server: in a line, and at length.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "text_timers.h"

#include "line.h"
#include "units.h"
#include "wrap.h"

#include <inttypes.h>
#include <string.h>

enum { LINE_BYTES = 512 };

/* A paragraph under way. */
typedef struct line {
    char text[LINE_BYTES];
} line;

#define add(self, ...) line_append((self)->text, sizeof(self)->text, __VA_ARGS__)

static void add_duration(line *self, const char *before, int64_t duration_ns, const char *after)
{
    char text[UNITS_DURATION_BYTES];
    units_duration(duration_ns, text);
    add(self, "%s%s%s", before, text, after);
}

static void add_count(line *self, uint64_t count, const char *one, const char *many)
{
    char text[UNITS_COUNT_BYTES];
    units_count(count, text);
    add(self, "%s %s", text, count == 1 ? one : many);
}

/* In tenths, rounded. */
static void add_percent(line *self, uint64_t part, uint64_t whole)
{
    while (whole > UINT64_MAX / 2000) { /* so that the product below fits */
        whole /= 2;
        part /= 2;
    }
    uint64_t tenths = whole > 0 ? (part * 1000 + whole / 2) / whole : 0;
    add(self, "%" PRIu64 ".%" PRIu64 " %%", tenths / 10, tenths % 10);
}

static void write_line(FILE *out, const char *label, const line *text)
{
    char padded[24];
    snprintf(padded, sizeof padded, "    %-16s ", label);
    wrap_labelled(out, padded, text->text);
}

/* ---- The timers ---- */

static void add_modes(line *self, const ka_inferred *t)
{
    for (unsigned i = 0; i < t->mode_count; i++) {
        const ka_timer_mode *mode = &t->modes[i];
        add_duration(self, i > 0 ? ", " : "", mode->median_ns, " (");
        add_count(self, mode->count, "close, ", "closes, ");
        add(self, "%u %%)", (mode->share_permille + 5) / 10);
    }
}

static void add_bracket(line *self, const ka_inferred *t)
{
    if (t->by_site)
        return; /* one site's end beside another's beginning */
    if (t->longest_worked_ns != KA_NONE)
        add_duration(self, "; worked after ", t->longest_worked_ns, " at most");
    if (t->closes > 0)
        add_duration(self, t->longest_worked_ns != KA_NONE ? ", closed from " : "; closed from ",
                     t->shortest_closed_ns, " on");
    if (t->inverted && t->kind != KA_TIMER_VARIED)
        add(self, ": no fixed timer");
}

static void add_timer(line *self, const ka_inferred *t)
{
    switch (t->kind) {
    case KA_TIMER_NONE:
        add(self, "closed no idle connection");
        break;
    case KA_TIMER_FEW:
        add(self, "not known: ");
        add_count(self, t->closes, "idle close is too few", "idle closes are too few");
        break;
    case KA_TIMER_FIXED:
        add_duration(self, "", t->median_ns, " (");
        add_count(self, t->closes, "close", "closes");
        add_duration(self, ", p10 ", t->p10_ns, ")");
        break;
    case KA_TIMER_SEVERAL:
        add(self, t->by_site ? "by site: " : "several: ");
        add_modes(self, t);
        break;
    case KA_TIMER_VARIED:
        if (t->by_site) {
            add(self, "by site");
            break;
        }
        add(self, "no fixed one by ");
        add_count(self, t->closes, "close", "closes");
        if (t->any_p10_ns != KA_NONE)
            add_duration(self, "; one idle time in ten is closed by ", t->any_p10_ns, "");
        if (t->any_median_ns != KA_NONE)
            add_duration(self, ", half by ", t->any_median_ns, "");
        break;
    }
    add_bracket(self, t);
}

static void add_moments(line *self, const ka_inferred *t)
{
    if (t->closes > 1 && t->moments == 1)
        add(self, "; all at one moment, as a restart would");
}

static void add_hint(line *self, const ka_inferred *t)
{
    if (t->hint != NULL)
        add(self, ". With such a default: %s", t->hint);
}

static void add_pool(line *self, const ka_recommended *r)
{
    if (r->pool_idle_ns == 0) {
        add_duration(self, "do not reuse connections: the server closes after ", r->pool_base_ns, "");
        return;
    }
    add_duration(self, "idle timeout at most ", r->pool_idle_ns, "");
    add_duration(self, ": ", r->pool_base_ns, r->pool_by_advert ? " as advertised" : " as inferred");
    add_duration(self, ", less ", r->margin_ns, "");
}

/* "3 of 4 reuses (75.0 %)" */
static void add_share_in_danger(line *self, const ka_exposure *x)
{
    add_count(self, x->in_danger, "of ", "of ");
    add_count(self, x->gaps, "reuse (", "reuses (");
    add_percent(self, x->in_danger, x->gaps);
    add(self, ")");
}

/* Where sites have timers of their own, reuses are compared with those. */
static void add_lateness(line *self, const ka_endpoint_record *s, const char *otherwise)
{
    if (s->site_count == 0 || s->server_timer.kind == KA_TIMER_FIXED)
        add(self, "%s", otherwise);
    else
        add_duration(self, " came later than ", s->recommended.margin_ns, " before their site's timeout");
}

void text_timers_line(FILE *out, const ka_endpoint_record *s, const text_sites *sites)
{
    line text = {""};
    if (s->server_timer.kind >= KA_TIMER_FIXED) {
        add(&text, "Server's idle timeout: ");
        add_timer(&text, &s->server_timer);
        add_moments(&text, &s->server_timer);
        wrap(out, (size_t)fprintf(out, "    "), 6, text.text);
    }
    if (s->client_timer.kind >= KA_TIMER_FIXED) {
        text.text[0] = '\0';
        add(&text, "Clients' idle timeout: ");
        add_timer(&text, &s->client_timer);
        add_moments(&text, &s->client_timer);
        wrap(out, (size_t)fprintf(out, "    "), 6, text.text);
    }
    text_sites_lines(out, s, sites);
    if (s->server_timer.kind >= KA_TIMER_FIXED && s->recommended.pool_idle_ns != KA_NONE) {
        text.text[0] = '\0';
        add(&text, "Set at clients: ");
        if (s->recommended.pool_idle_ns > 0)
            add_duration(&text, "idle timeout at most ", s->recommended.pool_idle_ns, "");
        else
            add(&text, "no reuse");
        if (s->exposure.in_danger > 0) {
            add(&text, "; ");
            add_share_in_danger(&text, &s->exposure);
            add_lateness(&text, s, " came later");
        }
        wrap(out, (size_t)fprintf(out, "    "), 6, text.text);
    }
}

/* ---- At length ---- */

static void write_clients(FILE *out, const ka_endpoint_record *s)
{
    for (uint32_t i = 0; i < s->client_count; i++) {
        const ka_client_habit *c = &s->clients[i];
        char ip[KA_IP_TEXT_BYTES];
        line text = {""};
        ka_ip_text(&c->client, ip);
        add(&text, "%s%s ", ip, c->of_name ? "" : " (another Host)");
        if (c->median_ns != KA_NONE)
            add_duration(&text, "closes after ", c->median_ns, "; ");
        add_count(&text, c->closes, "idle close", "idle closes");
        add_duration(&text, ", held one for ", c->longest_hold_ns, " at most");
        write_line(out, i == 0 ? "Each client" : "", &text);
    }
    if (s->clients_known > s->client_count) {
        line text = {"and "};
        add_count(&text, s->clients_known - s->client_count, "more", "more");
        write_line(out, "", &text);
    }
}

static void write_exposure(FILE *out, const ka_endpoint_record *s)
{
    const ka_exposure *x = &s->exposure;
    char from[UNITS_DURATION_BYTES];
    line text = {""};
    if (x->timeout_ns == KA_NONE)
        return;
    add_share_in_danger(&text, x);
    char later[64];
    units_duration(x->from_ns, from);
    snprintf(later, sizeof later, " came after %s idle or later", from);
    add_lateness(&text, s, later);
    if (x->in_race > 0) {
        add(&text, ", ");
        add_count(&text, x->in_race, "within a round trip of the close", "within a round trip of the close");
    }
    if (x->inverted)
        add_duration(&text, "; clients hold idle connections as long as the server does (",
                     x->longest_hold_ns, "): a race can happen");
    write_line(out, "Exposure", &text);
}

static void write_recommended(FILE *out, const ka_recommended *r)
{
    line pool = {""}, server = {""};
    if (r->pool_idle_ns != KA_NONE) {
        add_pool(&pool, r);
        write_line(out, "Set at clients", &pool);
    }
    if (r->server_timeout_ns != KA_NONE) {
        add_duration(&server, "idle timeout at least ", r->server_timeout_ns, "");
        add_duration(&server, ": longest reuse after ", r->longest_reuse_ns, ", and 5 s");
        write_line(out, "Set at server", &server);
    }
}

static void write_quantiles(FILE *out, const char *label, const ka_quantiles *q, const char *of)
{
    line text = {""};
    if (q->count == 0)
        return;
    add_duration(&text, "median ", q->median, "");
    add_duration(&text, ", p95 ", q->p95, "");
    add_duration(&text, ", longest ", q->largest, " (");
    add_count(&text, q->count, of, of);
    add(&text, ")");
    write_line(out, label, &text);
}

static void write_requests(FILE *out, const ka_endpoint_record *s)
{
    const ka_quantiles *const all[] = {&s->requests_whole, &s->requests_cut};
    static const char *const labels[] = {"Requests each", ""};
    static const char *const of[] = {"seen whole", "not seen to their end"};
    bool first = true;
    for (unsigned i = 0; i < 2; i++) {
        line text = {""};
        if (all[i]->count == 0)
            continue;
        add(&text, "median %" PRId64 ", p95 %" PRId64 ", most %" PRId64 " (", all[i]->median, all[i]->p95,
            all[i]->largest);
        add_count(&text, all[i]->count, of[i], of[i]);
        add(&text, ")");
        write_line(out, labels[first ? 0 : 1], &text);
        first = false;
    }
}

static void write_connections(FILE *out, const ka_endpoint_record *s)
{
    line text = {""};
    uint64_t reused = s->requests > s->connections ? s->requests - s->connections : 0;
    add_count(&text, s->opened, "opened", "opened");
    uint64_t span_ms = s->span_ns > 0 ? (uint64_t)s->span_ns / 1000000 : 0;
    if (span_ms > 0) {
        uint64_t hundredths = s->opened * 100000 / span_ms;
        add(&text, " (%" PRIu64 ".%02" PRIu64 " a second)", hundredths / 100, hundredths % 100);
    }
    add(&text, ", ");
    add_count(&text, s->unused, "never used", "never used");
    add(&text, ", at most ");
    add_count(&text, s->concurrency_max, "open at once; ", "open at once; ");
    add_percent(&text, reused, s->requests);
    add(&text, " of requests on a connection used before");
    write_line(out, "Connections", &text);
}

static void add_closes(line *self, const char *who, const ka_close_counts *counts)
{
    uint64_t all = 0;
    const char *before = ": ";
    for (unsigned i = 0; i <= KA_VERDICT_LATE; i++)
        all += counts->by_verdict[i];
    if (all == 0)
        return;
    char number[UNITS_COUNT_BYTES];
    units_count(all, number);
    add(self, "%s%s %s", self->text[0] != '\0' ? "; " : "", who, number);
    for (unsigned i = 0; i <= KA_VERDICT_LATE; i++) {
        if (counts->by_verdict[i] == 0)
            continue;
        add(self, "%s", before);
        add_count(self, counts->by_verdict[i], ka_verdict_name((ka_verdict)i),
                  ka_verdict_name((ka_verdict)i));
        before = ", ";
    }
    if (counts->resets > 0) {
        add(self, " (");
        add_count(self, counts->resets, "by RST)", "by RST)");
    }
}

/* The connections open at the end of each step, and the requests under way in it. */
static void write_load(FILE *out, const ka_load *load)
{
    line open = {""}, active = {""};
    if (load->bin_count == 0)
        return;
    for (uint32_t i = 0; i < load->bin_count; i++) {
        add(&open, "%s%" PRIu32, i > 0 ? " " : "", load->bins[i].open);
        add(&active, "%s%" PRIu32 ".%02" PRIu32, i > 0 ? " " : "", load->bins[i].active_permille / 1000,
            load->bins[i].active_permille % 1000 / 10);
    }
    add_duration(&open, " (steps of ", load->width_ns, ")");
    write_line(out, "Open over time", &open);
    write_line(out, "Active", &active);
}

static void write_site(FILE *out, const char *label, const text_site *site)
{
    const ka_site_record *s = &site->record;
    line text = {""};
    add(&text, "%s: ", site->name);
    add_timer(&text, &s->server_timer);
    if (s->server_timer.kind >= KA_TIMER_FIXED)
        add_hint(&text, &s->server_timer);
    if (s->client_timer.kind >= KA_TIMER_FIXED) {
        add(&text, ". Its clients: ");
        add_timer(&text, &s->client_timer);
    }
    if (s->pool_idle_ns == 0)
        add(&text, ". Set at clients: no reuse");
    else if (s->pool_idle_ns != KA_NONE)
        add_duration(&text, ". Set at clients: at most ", s->pool_idle_ns, "");
    write_line(out, label, &text);
}

static void write_sites(FILE *out, const text_sites *sites)
{
    for (uint32_t i = 0; i < sites->count; i++)
        write_site(out, i == 0 ? "Each site" : "", &sites->at[i]);
}

void text_timers_detail(FILE *out, const ka_endpoint_record *s, const text_sites *sites)
{
    line server = {""}, clients = {""}, closes = {""};
    add_timer(&server, &s->server_timer);
    add_moments(&server, &s->server_timer);
    add_hint(&server, &s->server_timer);
    write_line(out, "Server's timer", &server);
    add_timer(&clients, &s->client_timer);
    add_moments(&clients, &s->client_timer);
    add_hint(&clients, &s->client_timer);
    write_line(out, "Clients' timer", &clients);
    write_sites(out, sites);
    write_clients(out, s);
    write_exposure(out, s);
    write_recommended(out, &s->recommended);
    write_connections(out, s);
    write_requests(out, s);
    write_quantiles(out, "Idle gaps", &s->idle_gaps, "reuses");
    write_quantiles(out, "Connection age", &s->ages, "seen whole");
    write_quantiles(out, "First request", &s->first_request, "connections");
    add_closes(&closes, "server", &s->closed_by_server);
    add_closes(&closes, "client", &s->closed_by_client);
    if (closes.text[0] != '\0')
        write_line(out, "Closed by", &closes);
    write_load(out, &s->load);
}
