/* results.h - what the audit has found, by frame and by connection, for the passes that show it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Two layers: connections that have settled, for good, and the open ones, judged as if the capture ended
 * here and judged again when more has come.
 */
#ifndef PLUGIN_RESULTS_H
#define PLUGIN_RESULTS_H

#include "compat.h"
#include "keptalive.h"

typedef enum results_layer { RESULTS_SETTLED, RESULTS_OPEN, RESULTS_LAYERS } results_layer;

typedef struct results_finding {
    const struct results_finding *next_on_frame;
    ka_finding finding;
} results_finding;

/* One record or finding, in the order in which the core told it; exactly one pointer is set. */
typedef struct results_entry {
    const struct results_entry *next;
    const ka_record *connection;
    const results_finding *finding;
    const ka_endpoint_record *endpoint;
    const ka_pair_record *pair;
} results_entry;

typedef struct results results;

/* In file scope. */
results *results_new(void);
/* Before the file scope goes. */
void results_free(results *self);

/* For ka_audit_new: what settles. */
ka_sink results_sink(results *self);

/* Judges what is open, unless that was done at the same `moment` (any number that changes with the facts). */
void results_refresh(results *self, const ka_audit *audit, uint64_t moment);

/* Of the open layer as last refreshed. NULL: none. */
const results_entry *results_first(const results *self, results_layer layer);
const results_finding *results_on_frame(const results *self, results_layer layer, uint64_t frame);
const ka_record *results_connection(const results *self, uint32_t stream);
const ka_endpoint_record *results_endpoint(const results *self, const ka_address *server);

/* The frame with the same request on the other side of a proxy, towards the server or the client; 0: none. */
uint64_t results_forwarded_in(const results *self, uint64_t frame);
uint64_t results_forwarded_from(const results *self, uint64_t frame);

/* For hash tables keyed by addresses; bytes between the fields of an address must be zero. */
guint results_hash_address(const void *address);
gboolean results_equal_addresses(const void *a, const void *b);

#endif
