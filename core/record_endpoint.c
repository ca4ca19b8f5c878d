/* record_endpoint.c - the output contract: endpoints, one JSON object a line.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>

#include "explanation.h"
#include "record_parts.h"

/* Numbers with decimals are made of integers, so that every machine prints the same. */

/* part / whole in four decimals, rounded; null for none of none. */
static void put_share(ka_json *json, const char *key, uint64_t part, uint64_t whole)
{
    char text[32];
    if (whole == 0) {
        ka_json_null(json, key);
        return;
    }
    while (whole > UINT64_MAX / 20000) { /* so that the product below fits */
        whole /= 2;
        part /= 2;
    }
    unsigned long long share = (part * 10000 + whole / 2) / whole;
    snprintf(text, sizeof text, "%llu.%04llu", share / 10000, share % 10000);
    ka_json_raw(json, key, text);
}

static void put_permille(ka_json *json, const char *key, uint32_t permille)
{
    char text[16];
    snprintf(text, sizeof text, "%u.%03u", permille / 1000, permille % 1000);
    ka_json_raw(json, key, text);
}

static void put_flag(ka_json *json, const char *key, bool flag)
{
    ka_json_raw(json, key, flag ? "true" : "false");
}

static void put_reuse(ka_json *json, uint64_t connections, uint64_t requests)
{
    put_share(json, "reuse", requests > connections ? requests - connections : 0, requests);
}

static void put_idle_closes(ka_json *json, const char *key, uint64_t count, int64_t median_ns)
{
    ka_json_open(json, key, '{');
    ka_json_count(json, "count", count);
    ka_json_duration(json, "median", median_ns);
    ka_json_close(json, '}');
}

/* ---- What is inferred ---- */

static void put_modes(ka_json *json, const ka_inferred *t)
{
    ka_json_open(json, "modes", '[');
    for (unsigned i = 0; i < t->mode_count; i++) {
        const ka_timer_mode *mode = &t->modes[i];
        ka_json_open(json, NULL, '{');
        ka_json_count(json, "closes", mode->count);
        put_permille(json, "share", mode->share_permille);
        ka_json_duration(json, "p10", mode->p10_ns);
        ka_json_duration(json, "median", mode->median_ns);
        ka_json_duration(json, "p90", mode->p90_ns);
        ka_json_close(json, '}');
    }
    ka_json_close(json, ']');
}

static void put_timer(ka_json *json, const char *key, const ka_inferred *t)
{
    ka_json_open(json, key, '{');
    ka_json_name(json, "kind", ka_timer_kind_name(t->kind));
    ka_json_duration(json, "p10", t->p10_ns);
    ka_json_duration(json, "median", t->median_ns);
    ka_json_count(json, "closes", t->closes);
    ka_json_count(json, "moments", t->moments);
    ka_json_count(json, "censored", t->lasted);
    ka_json_open(json, "bracket", '{');
    ka_json_duration(json, "longest_worked", t->longest_worked_ns);
    ka_json_duration(json, "shortest_closed", t->shortest_closed_ns);
    put_flag(json, "inverted", t->inverted);
    ka_json_close(json, '}');
    ka_json_open(json, "kaplan_meier", '{');
    ka_json_duration(json, "p10", t->any_p10_ns);
    ka_json_duration(json, "median", t->any_median_ns);
    ka_json_close(json, '}');
    put_modes(json, t);
    if (t->hint != NULL)
        ka_json_name(json, "hint", t->hint);
    else
        ka_json_null(json, "hint");
    if (t->by_site)
        put_flag(json, "by_site", true);
    ka_json_close(json, '}');
}

static void put_site(ka_json *json, const ka_site_record *s)
{
    ka_json_open(json, NULL, '{');
    ka_json_name(json, "name", s->name);
    ka_json_count(json, "connections", s->connections);
    ka_json_count(json, "requests", s->requests);
    ka_record_advertised(json, s->timeout_s, s->max, s->max_style);
    ka_json_open(json, "inferred", '{');
    put_timer(json, "server_timeout", &s->server_timer);
    put_timer(json, "client_timeout", &s->client_timer);
    ka_json_close(json, '}');
    ka_json_duration(json, "pool_idle", s->pool_idle_ns);
    ka_json_close(json, '}');
}

/* Only where there are several. */
static void put_sites(ka_json *json, const ka_endpoint_record *e)
{
    if (e->site_count == 0)
        return;
    ka_json_open(json, "sites", '[');
    for (uint32_t i = 0; i < e->site_count; i++)
        put_site(json, &e->sites[i]);
    ka_json_close(json, ']');
}

static void put_clients(ka_json *json, const ka_endpoint_record *e)
{
    ka_json_open(json, "clients", '[');
    for (uint32_t i = 0; i < e->client_count; i++) {
        const ka_client_habit *c = &e->clients[i];
        char ip[KA_IP_TEXT_BYTES];
        ka_ip_text(&c->client, ip);
        ka_json_open(json, NULL, '{');
        ka_json_name(json, "ip", ip);
        put_flag(json, "same_name", c->of_name);
        ka_json_count(json, "closes", c->closes);
        ka_json_duration(json, "p10", c->p10_ns);
        ka_json_duration(json, "median", c->median_ns);
        ka_json_duration(json, "longest_hold", c->longest_hold_ns);
        ka_json_close(json, '}');
    }
    ka_json_close(json, ']');
}

static void put_exposure(ka_json *json, const ka_exposure *x)
{
    ka_json_open(json, "exposure", '{');
    ka_json_duration(json, "timeout", x->timeout_ns);
    ka_json_duration(json, "danger_from", x->from_ns);
    ka_json_count(json, "reuses", x->gaps);
    ka_json_count(json, "in_danger", x->in_danger);
    put_share(json, "danger_share", x->in_danger, x->gaps);
    ka_json_count(json, "in_race", x->in_race);
    put_share(json, "race_share", x->in_race, x->gaps);
    ka_json_duration(json, "longest_hold", x->longest_hold_ns);
    put_flag(json, "inverted", x->inverted);
    ka_json_close(json, '}');
}

static void put_settings(ka_json *json, ka_setting_group group)
{
    size_t count;
    const ka_setting_row *rows = ka_setting_rows(&count);
    ka_json_open(json, "settings", '{');
    for (size_t i = 0; i < count; i++) {
        if (rows[i].group == group)
            ka_json_name(json, rows[i].product, rows[i].text);
    }
    ka_json_close(json, '}');
}

static void put_pool(ka_json *json, const ka_recommended *r)
{
    if (r->pool_idle_ns == KA_NONE) {
        ka_json_null(json, "pool_idle");
        return;
    }
    ka_json_open(json, "pool_idle", '{');
    ka_json_duration(json, "timeout", r->pool_idle_ns);
    put_flag(json, "reuse", r->pool_idle_ns > 0);
    ka_json_duration(json, "below", r->pool_base_ns);
    ka_json_name(json, "basis", r->pool_by_advert ? "advertised" : "inferred");
    ka_json_duration(json, "margin", r->margin_ns);
    ka_json_duration(json, "rtt_p99", r->rtt_p99_ns);
    put_settings(json, KA_SET_CLIENT_IDLE_INDEX);
    ka_json_close(json, '}');
}

static void put_recommended(ka_json *json, const ka_recommended *r)
{
    ka_json_open(json, "recommended", '{');
    put_pool(json, r);
    if (r->server_timeout_ns == KA_NONE) {
        ka_json_null(json, "server_timeout");
    } else {
        ka_json_open(json, "server_timeout", '{');
        ka_json_duration(json, "timeout", r->server_timeout_ns);
        ka_json_duration(json, "longest_reuse", r->longest_reuse_ns);
        put_settings(json, KA_SET_SERVER_IDLE_INDEX);
        ka_json_close(json, '}');
    }
    ka_json_close(json, '}');
}

/* ---- Distributions ---- */

static void put_quantiles(ka_json *json, const char *key, const ka_quantiles *q,
                          void (*put)(ka_json *json, const char *key, int64_t number))
{
    ka_json_open(json, key, '{');
    ka_json_count(json, "count", q->count);
    put(json, "median", q->median);
    put(json, "p95", q->p95);
    put(json, "max", q->largest);
    ka_json_close(json, '}');
}

static void put_requests(ka_json *json, const ka_endpoint_record *e)
{
    ka_json_open(json, "requests_per_connection", '{');
    ka_json_count(json, "median", e->requests_median);
    ka_json_count(json, "p95", e->requests_p95);
    ka_json_count(json, "max", e->requests_max);
    put_quantiles(json, "whole", &e->requests_whole, ka_json_integer);
    put_quantiles(json, "censored", &e->requests_cut, ka_json_integer);
    ka_json_close(json, '}');
}

static void put_closes(ka_json *json, const char *key, const ka_close_counts *counts)
{
    ka_json_open(json, key, '{');
    for (unsigned i = KA_VERDICT_BUSY; i <= KA_VERDICT_LATE; i++)
        ka_json_count(json, ka_verdict_name((ka_verdict)i), counts->by_verdict[i]);
    ka_json_count(json, "by_rst", counts->resets);
    ka_json_close(json, '}');
}

static void put_new_connections(ka_json *json, const ka_endpoint_record *e)
{
    ka_json_open(json, "new_connections", '{');
    ka_json_count(json, "count", e->opened);
    put_share(json, "per_second", e->opened * 1000, e->span_ns > 0 ? (uint64_t)e->span_ns / 1000000 : 0);
    ka_json_close(json, '}');
}

static void put_concurrency(ka_json *json, const ka_endpoint_record *e)
{
    static const char *const names[] = {"open", "opened", "closed", "requests"};
    const ka_load *load = &e->load;
    ka_json_open(json, "concurrency", '{');
    ka_json_count(json, "max", e->concurrency_max);
    ka_json_time(json, "start", load->bin_count > 0 ? load->start_ns : KA_NONE);
    ka_json_duration(json, "width", load->bin_count > 0 ? load->width_ns : KA_NONE);
    for (unsigned n = 0; n < sizeof names / sizeof names[0]; n++) {
        ka_json_open(json, names[n], '[');
        for (uint32_t i = 0; i < load->bin_count; i++) {
            const ka_load_bin *bin = &load->bins[i];
            const uint32_t of_bin[] = {bin->open, bin->opened, bin->closed, bin->requests};
            ka_json_count(json, NULL, of_bin[n]);
        }
        ka_json_close(json, ']');
    }
    ka_json_open(json, "active", '[');
    for (uint32_t i = 0; i < load->bin_count; i++)
        put_permille(json, NULL, load->bins[i].active_permille);
    ka_json_close(json, ']');
    ka_json_close(json, '}');
}

static void put_use(ka_json *json, const ka_endpoint_record *e)
{
    put_quantiles(json, "idle_gaps", &e->idle_gaps, ka_json_duration);
    put_quantiles(json, "connection_age", &e->ages, ka_json_duration);
    put_quantiles(json, "first_request", &e->first_request, ka_json_duration);
    put_new_connections(json, e);
    ka_json_open(json, "unused", '{');
    ka_json_count(json, "count", e->unused);
    put_share(json, "share", e->unused, e->connections);
    ka_json_close(json, '}');
    ka_json_open(json, "closed", '{');
    put_closes(json, "by_server", &e->closed_by_server);
    put_closes(json, "by_client", &e->closed_by_client);
    ka_json_close(json, '}');
}

/* ---- The record ---- */

bool ka_write_endpoint(const ka_writer *writer, const ka_endpoint_record *e)
{
    ka_json json;
    ka_json_begin(&json, writer, "endpoint");
    ka_record_open_address(&json, "server", &e->server);
    if (e->name == NULL || e->name[0] == '\0')
        ka_json_null(&json, "name");
    else
        ka_json_name(&json, "name", e->name);
    ka_json_close(&json, '}');
    ka_json_count(&json, "connections", e->connections);
    ka_json_count(&json, "requests", e->requests);
    ka_json_count(&json, "responses", e->responses);
    put_reuse(&json, e->connections, e->requests);
    ka_record_advertised(&json, e->timeout_s, e->max, e->max_style);

    ka_json_open(&json, "idle_closes", '{');
    put_idle_closes(&json, "by_server", e->idle_closes_by_server, e->idle_median_by_server_ns);
    put_idle_closes(&json, "by_client", e->idle_closes_by_client, e->idle_median_by_client_ns);
    ka_json_close(&json, '}');

    ka_json_open(&json, "inferred", '{');
    put_timer(&json, "server_timeout", &e->server_timer);
    put_timer(&json, "client_timeout", &e->client_timer);
    put_clients(&json, e);
    ka_json_close(&json, '}');
    put_sites(&json, e);
    put_exposure(&json, &e->exposure);
    put_recommended(&json, &e->recommended);
    put_use(&json, e);

    ka_json_count(&json, "open_at_end", e->open_at_end);
    put_requests(&json, e);
    put_concurrency(&json, e);
    return ka_json_end(&json);
}
