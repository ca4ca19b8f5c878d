/* endpoint.c - the ledgers of one server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "endpoint.h"

#include <string.h>

#include "finding.h"
#include "memory.h"

void ka_endpoint_opened(ka_endpoint *e)
{
    e->open++;
    if (e->open > e->concurrency_max)
        e->concurrency_max = e->open;
}

void ka_endpoint_closed(ka_endpoint *e)
{
    if (e->open > 0)
        e->open--;
}

void ka_endpoint_named(ka_endpoint *e, ka_slice name)
{
    size_t len_bytes = name.len_bytes < sizeof e->name - 1 ? name.len_bytes : sizeof e->name - 1;
    if (e->name[0] != '\0' || len_bytes == 0) /* a stable name */
        return;
    memcpy(e->name, name.bytes, len_bytes);
    e->name[len_bytes] = '\0';
    e->name_bytes = (uint8_t)len_bytes;
    e->name_hash = ka_site_hash(name);
}

void ka_endpoint_asked(ka_endpoint *e, ka_slice host, uint32_t site)
{
    if (e->site == 0 && host.len_bytes > 0)
        e->site = site;
    ka_endpoint_named(e, host);
}

void ka_endpoint_heard(ka_endpoint *e, int64_t now_ns)
{
    if (now_ns > e->heard_ns)
        e->heard_ns = now_ns;
}

static void note_advertised(const ka_keep_alive *k, int64_t *timeout_s, int64_t *max)
{
    if (k->timeout_s != KA_NONE)
        *timeout_s = k->timeout_s;
    if (k->max != KA_NONE && k->max > *max)
        *max = k->max;
}

void ka_endpoint_advertised(ka_endpoint *e, unsigned site, const ka_header *header)
{
    note_advertised(&header->keep_alive, &e->timeout_s, &e->max);
    if (site != 0 && e->sites != NULL)
        note_advertised(&header->keep_alive, &e->sites->at[site - 1]->timeout_s,
                        &e->sites->at[site - 1]->max);
}

/* ---- Many closes at one moment ---- */

typedef struct burst {
    uint32_t count;
    ka_moment from;
    int64_t idle_min_ns;
    int64_t idle_max_ns;
} burst;

/* Of the closes since then, those behind that frame. */
static burst recent_burst(const ka_mass_watch *w, int64_t since_ns, uint64_t behind_frame)
{
    burst b = {0, {0, 0}, INT64_MAX, INT64_MIN};
    for (uint32_t i = 0; i < KA_RECENT_CLOSES && i < w->next; i++) {
        const ka_recent_close *close = &w->recent[i];
        if (close->at.time_ns < since_ns || close->at.frame <= behind_frame)
            continue;
        b.count++;
        if (b.from.frame == 0 || close->at.frame < b.from.frame)
            b.from = close->at;
        if (close->idle_ns < b.idle_min_ns)
            b.idle_min_ns = close->idle_ns;
        if (close->idle_ns > b.idle_max_ns)
            b.idle_max_ns = close->idle_ns;
    }
    return b;
}

static bool is_event(const burst *b, uint64_t open, const ka_thresholds *limits)
{
    int64_t count = b->count;
    if (b->idle_max_ns - b->idle_min_ns <= limits->mass_close_spread_ns)
        return false; /* of one age: a burst timing out together */
    if (count >= limits->mass_close_count)
        return true;
    return count >= limits->mass_close_few && count * 100 >= (int64_t)open * limits->mass_close_percent;
}

static void remember(ka_mass_watch *w, ka_moment at, int64_t idle_ns)
{
    w->recent[w->next % KA_RECENT_CLOSES] = (ka_recent_close){at, idle_ns};
    w->next = w->next < 2 * KA_RECENT_CLOSES - 1 ? w->next + 1 : KA_RECENT_CLOSES;
}

static void extend(ka_mass_event *event, ka_moment at, const burst *more)
{
    event->to = at;
    event->count += more->count;
    if (more->idle_min_ns < event->idle_min_ns)
        event->idle_min_ns = more->idle_min_ns;
    if (more->idle_max_ns > event->idle_max_ns)
        event->idle_max_ns = more->idle_max_ns;
}

static void begin_event(ka_mass_watch *w, ka_moment at, const burst *b, uint64_t open)
{
    if (w->event_count == KA_MASS_EVENTS_MAX) {
        memmove(&w->events[0], &w->events[1], (KA_MASS_EVENTS_MAX - 1) * sizeof w->events[0]);
        w->event_count--;
    }
    w->events[w->event_count++] =
        (ka_mass_event){b->from, at, at, b->idle_min_ns, b->idle_max_ns, b->count, (uint32_t)open};
}

ka_status ka_endpoint_idle_close(ka_endpoint *e, const ka_allocator *allocator, const ka_thresholds *limits,
                                 ka_moment at, int64_t idle_ns)
{
    if (e->watch == NULL && (e->watch = ka_memory_take(allocator, sizeof *e->watch)) == NULL)
        return KA_NO_MEMORY;
    ka_mass_watch *w = e->watch;
    remember(w, at, idle_ns);
    int64_t since_ns = at.time_ns - limits->mass_close_window_ns;
    burst b = recent_burst(w, since_ns, 0);
    uint64_t open = e->open + b.count - 1; /* this one is still counted as open */
    if (!is_event(&b, open, limits))
        return KA_OK;
    ka_mass_event *newest = w->event_count > 0 ? &w->events[w->event_count - 1] : NULL;
    if (newest == NULL || b.from.time_ns > newest->to.time_ns) {
        begin_event(w, at, &b, open);
        return KA_OK;
    }
    burst more = recent_burst(w, since_ns, newest->to.frame);
    extend(newest, at, &more);
    return KA_OK;
}

bool ka_endpoint_mass_closed(const ka_endpoint *e, ka_moment at)
{
    for (uint32_t i = 0; e->watch != NULL && i < e->watch->event_count; i++) {
        const ka_mass_event *event = &e->watch->events[i];
        if (at.time_ns >= event->from.time_ns && at.time_ns <= event->to.time_ns)
            return true;
    }
    return false;
}

void ka_endpoint_mass_finding(const ka_endpoint *e, const ka_mass_event *event, ka_finding *f)
{
    ka_finding_init(f, KA_MASS_CLOSE);
    f->server = e->server;
    f->at = event->decided;
    f->values[0].number = event->count;
    ka_finding_frame(f, "first_close", event->from);
    ka_finding_frame(f, "deciding_close", event->decided);
    ka_finding_frame(f, "last_close", event->to);
    ka_finding_value(f, "within", event->to.time_ns - event->from.time_ns, KA_NS);
    ka_finding_value(f, "idle_min", event->idle_min_ns, KA_NS);
    ka_finding_value(f, "idle_max", event->idle_max_ns, KA_NS);
    ka_finding_value(f, "open", event->open, KA_COUNT);
}

/* ---- Seconds taken for milliseconds ---- */

static bool is_watched(const ka_endpoint *e, const ka_address *client)
{
    return e->unit.count > 0 && memcmp(e->unit.ip, client->ip, sizeof client->ip) == 0;
}

const ka_unit_watch *ka_endpoint_by_unit(const ka_endpoint *e, const ka_address *client)
{
    return is_watched(e, client) ? &e->unit : NULL;
}

/* One client at a time: another one waits until it has shown otherwise. */
void ka_endpoint_unit_seen(ka_endpoint *e, const ka_address *client, bool again, bool reused)
{
    if (is_watched(e, client)) {
        e->unit.count = again ? e->unit.count + (e->unit.count < UINT32_MAX) : 0;
        e->unit.reused |= reused;
    } else if (again && e->unit.count == 0) {
        memcpy(e->unit.ip, client->ip, sizeof e->unit.ip);
        e->unit.count = 1;
        e->unit.reused = reused;
    }
}

/* ---- A limit of requests, by the GOAWAYs of HTTP/2 ---- */

/* The first step of a graceful shutdown names no stream (RFC 9113 section 6.8). */
enum { ANY_STREAM = 0x7fffffff };

void ka_endpoint_goaway(ka_endpoint *e, const ka_thresholds *limits, const ka_h2_goaway *goaway)
{
    ka_goaways *g = &e->goaways;
    if (!goaway->busy || goaway->last_stream == ANY_STREAM)
        return;
    g->mixed = g->mixed || (g->count > 0 && g->last_stream != goaway->last_stream);
    g->last_stream = goaway->last_stream;
    g->count++;
    if (g->count == limits->h2_limit_count)
        g->at = goaway->at;
}

/* ---- Statistics ---- */

/* A connection that nobody closed by its timer says nothing about timers. */
static bool is_idle_close(const ka_record *r)
{
    return r->close.idle_ns != KA_NONE && r->close.verdict != KA_VERDICT_ANNOUNCED &&
           r->close.verdict != KA_VERDICT_UNUSED && r->close.verdict != KA_VERDICT_OPEN;
}

ka_status ka_endpoint_add(ka_endpoint *e, const ka_record *r, bool open, bool own_close)
{
    e->connections++;
    e->requests += r->requests;
    e->responses += r->responses;
    e->open_at_end += open ? 1 : 0;
    if (r->max_style > e->max_style && r->tunnel == KA_TUNNEL_NONE)
        e->max_style = r->max_style;
    if (r->requests > 0 && ka_histogram_add(&e->request_counts, (int64_t)r->requests) != KA_OK)
        return KA_NO_MEMORY;
    if (!own_close || !is_idle_close(r))
        return KA_OK;
    ka_histogram *idle = r->close.by == KA_SIDE_SERVER ? &e->idle_by_server : &e->idle_by_client;
    return ka_histogram_add(idle, r->close.idle_ns);
}
