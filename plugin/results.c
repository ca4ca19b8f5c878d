/* results.c - what the audit has found, by frame and by connection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "results.h"

typedef struct layer {
    wmem_allocator_t *scope;
    results_entry *first;
    results_entry *newest;
    wmem_map_t *by_frame;  /* frame -> results_finding */
    wmem_map_t *by_stream; /* stream -> ka_record */
    wmem_map_t *by_server; /* ka_address -> ka_endpoint_record */
    wmem_map_t *onwards;   /* frame of a request -> the frame with which a proxy sent it on */
    wmem_map_t *back;      /* and the other way */
} layer;

struct results {
    layer layers[RESULTS_LAYERS];
    uint64_t refreshed_at;
    bool refreshed;
};

guint results_hash_address(const void *key)
{
    return wmem_strong_hash(key, sizeof(ka_address));
}

gboolean results_equal_addresses(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(ka_address)) == 0;
}

static void layer_init(layer *self, wmem_allocator_t *scope)
{
    *self = (layer){.scope = scope};
    self->by_frame = wmem_map_new(scope, g_direct_hash, g_direct_equal);
    self->by_stream = wmem_map_new(scope, g_direct_hash, g_direct_equal);
    self->by_server = wmem_map_new(scope, results_hash_address, results_equal_addresses);
    self->onwards = wmem_map_new(scope, g_direct_hash, g_direct_equal);
    self->back = wmem_map_new(scope, g_direct_hash, g_direct_equal);
}

results *results_new(void)
{
    results *self = wmem_new0(wmem_file_scope(), results);
    layer_init(&self->layers[RESULTS_SETTLED], wmem_file_scope());
    layer_init(&self->layers[RESULTS_OPEN], wmem_allocator_new(WMEM_ALLOCATOR_BLOCK));
    return self;
}

void results_free(results *self)
{
    wmem_destroy_allocator(self->layers[RESULTS_OPEN].scope);
}

/* ---- What the core tells ---- */

static results_entry *append(layer *self)
{
    results_entry *entry = wmem_new0(self->scope, results_entry);
    if (self->newest == NULL)
        self->first = entry;
    else
        self->newest->next = entry;
    self->newest = entry;
    return entry;
}

static void on_connection(void *user, const ka_record *record)
{
    layer *self = user;
    ka_record *kept = wmem_memdup(self->scope, record, sizeof *record);
    append(self)->connection = kept;
    wmem_map_insert(self->by_stream, GUINT_TO_POINTER(record->stream), kept);
}

/* Behind the others of its frame. */
static void hang_on_frame(layer *self, results_finding *added)
{
    void *frame = GUINT_TO_POINTER((guint)added->finding.at.frame);
    results_finding *first = wmem_map_lookup(self->by_frame, frame);
    if (first == NULL) {
        wmem_map_insert(self->by_frame, frame, added);
        return;
    }
    while (first->next_on_frame != NULL)
        first = (results_finding *)first->next_on_frame;
    first->next_on_frame = added;
}

static void on_finding(void *user, const ka_finding *finding)
{
    layer *self = user;
    results_finding *kept = wmem_new(self->scope, results_finding);
    *kept = (results_finding){NULL, *finding};
    append(self)->finding = kept;
    hang_on_frame(self, kept);
}

static void on_endpoint(void *user, const ka_endpoint_record *endpoint)
{
    layer *self = user;
    ka_endpoint_record *kept = wmem_memdup(self->scope, endpoint, sizeof *endpoint);
    kept->name = wmem_strdup(self->scope, endpoint->name != NULL ? endpoint->name : "");
    ka_site_record *sites = wmem_alloc_array(self->scope, ka_site_record, endpoint->site_count);
    for (uint32_t i = 0; i < endpoint->site_count; i++) {
        sites[i] = endpoint->sites[i];
        sites[i].name = wmem_strdup(self->scope, sites[i].name);
    }
    kept->sites = sites;
    append(self)->endpoint = kept;
    wmem_map_insert(self->by_server, &kept->server, kept);
}

static void on_pair(void *user, const ka_pair_record *pair)
{
    layer *self = user;
    append(self)->pair = wmem_memdup(self->scope, pair, sizeof *pair);
}

static void on_link(void *user, const ka_link_record *link)
{
    layer *self = user;
    void *asked = GUINT_TO_POINTER((guint)link->asked.frame);
    void *forwarded = GUINT_TO_POINTER((guint)link->forwarded.frame);
    wmem_map_insert(self->onwards, asked,
                    forwarded); /* of several attempts the first, which is told last, stays */
    wmem_map_insert(self->back, forwarded, asked);
}

static ka_sink sink_of(layer *self)
{
    return (ka_sink){.user = self,
                     .connection = on_connection,
                     .finding = on_finding,
                     .endpoint = on_endpoint,
                     .pair = on_pair,
                     .link = on_link};
}

ka_sink results_sink(results *self)
{
    return sink_of(&self->layers[RESULTS_SETTLED]);
}

void results_refresh(results *self, const ka_audit *audit, uint64_t moment)
{
    layer *open = &self->layers[RESULTS_OPEN];
    if (self->refreshed && self->refreshed_at == moment)
        return;
    wmem_free_all(open->scope);
    layer_init(open, open->scope);
    ka_sink sink = sink_of(open);
    ka_audit_report(audit, &sink); /* fails for want of memory alone, and wmem never does */
    self->refreshed = true;
    self->refreshed_at = moment;
}

/* ---- What is asked ---- */

const results_entry *results_first(const results *self, results_layer which)
{
    return self->layers[which].first;
}

const results_finding *results_on_frame(const results *self, results_layer which, uint64_t frame)
{
    return wmem_map_lookup(self->layers[which].by_frame, GUINT_TO_POINTER((guint)frame));
}

const ka_record *results_connection(const results *self, uint32_t stream)
{
    for (unsigned i = 0; i < RESULTS_LAYERS; i++) {
        const ka_record *record = wmem_map_lookup(self->layers[i].by_stream, GUINT_TO_POINTER(stream));
        if (record != NULL)
            return record;
    }
    return NULL;
}

const ka_endpoint_record *results_endpoint(const results *self, const ka_address *server)
{
    return wmem_map_lookup(self->layers[RESULTS_OPEN].by_server, server);
}

static uint64_t other_side(const results *self, uint64_t frame, bool onwards)
{
    for (unsigned i = 0; i < RESULTS_LAYERS; i++) {
        wmem_map_t *links = onwards ? self->layers[i].onwards : self->layers[i].back;
        void *found = wmem_map_lookup(links, GUINT_TO_POINTER((guint)frame));
        if (found != NULL)
            return GPOINTER_TO_UINT(found);
    }
    return 0;
}

uint64_t results_forwarded_in(const results *self, uint64_t frame)
{
    return other_side(self, frame, true);
}

uint64_t results_forwarded_from(const results *self, uint64_t frame)
{
    return other_side(self, frame, false);
}
