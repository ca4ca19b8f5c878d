/* stream.c - the order of things: find the flow, tell the core the segment, then what its bytes complete.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/stream.h"

#include <string.h>

#include "stream/content.h"
#include "stream/facts.h"
#include "stream/flow.h"
#include "stream/h2.h"
#include "stream/http.h"
#include "stream/reassembly.h"
#include "stream/tenant.h"
#include "stream/tls.h"

struct stream_table {
    stream_context context;
    flow_table flows;
    uint32_t next_stream;
    uint32_t next_tenant_stream; /* of those that have no number of Wireshark's */
    int64_t now_ns;              /* latest capture time */
};

const stream_limits stream_limits_default = {
    .direction_bytes = 1 << 20, /* a full window of 700 segments behind a lost one */
    .direction_pieces = 1024,   /* the same in pieces of an MSS; keeps sorted insertion short */
    .total_bytes = 64 << 20,    /* small beside the connections that would need it */
    .hpack_bytes = 64 << 20,    /* 5,000 connections with full tables of 4 kB both ways */
    .head_bytes = 64 << 10,     /* servers refuse more than 8 to 64 kB */
    .connections = 4000000,     /* 2.4 GB at 600 bytes, with the core's share */
    .tombstones = 1000000,      /* 180 MB */
    /* Twice TIME-WAIT (RFC 9293: 2 MSL of 2 minutes, 60 s in practice): nothing sent before can be alive. */
    .tombstone_ns = 300 * KA_SECOND_NS,
    .hole_wait_ns = 50 * KA_MILLISECOND_NS, /* capture reorders within microseconds to a few milliseconds */
    .hole_wait_segments = 256,              /* or, where clocks are coarse, within a ring buffer's batch */
};

/* ---- Making and freeing --------------------------------------------------------------------- */

stream_table *stream_table_new_with(ka_audit *audit, const ka_allocator *allocator,
                                    const stream_limits *limits, const stream_facts *facts)
{
    stream_table *table = allocator->resize(allocator->user, NULL, sizeof *table);
    if (table == NULL)
        return NULL;
    memset(table, 0, sizeof *table);
    table->context.facts = facts;
    table->context.audit = audit;
    table->context.allocator = *allocator;
    table->context.limits = *limits;
    table->now_ns = INT64_MIN;
    table->next_tenant_stream = STREAM_TENANT_FIRST;
    flow_table_init(&table->flows, &table->context.allocator);
    return table;
}

stream_table *stream_table_new(ka_audit *audit, const ka_allocator *allocator, const stream_limits *limits)
{
    return stream_table_new_with(audit, allocator, limits, &stream_facts_core);
}

static void drop_halves(stream_table *table, stream_flow *flow)
{
    content_drop(&table->context, &flow->halves[0]);
    content_drop(&table->context, &flow->halves[1]);
}

void stream_table_free(stream_table *table)
{
    if (table == NULL)
        return;
    stream_flow *each;
    for (uint32_t i = 1; (each = flow_at(&table->flows, i)) != NULL; i++)
        drop_halves(table, each);
    flow_table_fini(&table->flows);
    http_pool_fini(&table->context);
    tls_pool_fini(&table->context);
    h2_pool_fini(&table->context);
    table->context.allocator.resize(table->context.allocator.user, table, 0);
}

const stream_counts *stream_table_counts(const stream_table *table)
{
    return &table->context.counts;
}

/* ---- Settling ------------------------------------------------------------------------------- */

static int64_t expiry(const stream_table *table)
{
    int64_t wait_ns = table->context.limits.tombstone_ns;
    return table->now_ns > INT64_MAX - wait_ns ? INT64_MAX : table->now_ns + wait_ns;
}

/* May be called from within any fact about another connection: takes nothing out of the table. */
void stream_settled(void *user, void *owner)
{
    stream_table *table = *(stream_table **)user;
    stream_flow *flow = owner;
    drop_halves(table, flow);
    flow_set_tombstone(&table->flows, flow, FLOW_SETTLED, expiry(table));
}

static void advance(stream_table *table, stream_flow *flow, reassembly_why why)
{
    for (unsigned direction = 0; direction < 2; direction++)
        reassembly_advance(&table->context, &content_receiver, flow, direction, why, table->now_ns);
    /* The second may have been what the first was held for. */
    if (flow->halves[0].pieces != NULL)
        reassembly_advance(&table->context, &content_receiver, flow, 0, why, table->now_ns);
}

/* Tells the core all there is to tell of a connection, and that it is over. */
static void end_connection(stream_table *table, stream_flow *flow, ka_gate why)
{
    if (flow->state != FLOW_OPEN)
        return;
    advance(table, flow, REASSEMBLY_END);
    context_failed(&table->context,
                   table->context.facts->connection_end(table->context.audit, flow->connection, why));
}

static bool evict(stream_table *table)
{
    uint32_t before = table->flows.open_count;
    if (before == 0)
        return false;
    end_connection(table, flow_stalest(&table->flows), KA_GATE_LOST_STATE);
    table->context.counts.evicted++;
    return table->flows.open_count < before; /* else the listener did not settle it */
}

static void make_room(stream_table *table)
{
    while (table->flows.open_count >= table->context.limits.connections && evict(table))
        ;
}

/* ---- Which connection ------------------------------------------------------------------------ */

/* Wireshark's rule for tcp.stream (dissect_tcp): a SYN without ACK whose number differs from the first one
 * known for its direction starts a new connection; nothing else does. */
static bool starts_anew(const stream_flow *flow, const packet_tcp *packet)
{
    const stream_half *half = &flow->halves[flow_address_equal(&flow->ends[0], &packet->source) ? 0 : 1];
    return (packet->segment.flags & (KA_SYN | KA_ACK)) == KA_SYN && half->base_known &&
           half->base_seq != packet->segment.seq;
}

/* Likewise Wireshark's: the first segment of a direction tells its base, else the first ACK of the other. */
static void note_bases(stream_flow *flow, const ka_segment *segment)
{
    stream_half *own = &flow->halves[segment->direction];
    stream_half *other = &flow->halves[!segment->direction];
    if (!own->base_known)
        own->base_seq = segment->flags & KA_SYN ? segment->seq : segment->seq - 1;
    own->base_known = true;
    if (!other->base_known && segment->flags & KA_ACK) {
        other->base_seq = segment->ack - 1;
        other->base_known = true;
    }
}

static stream_flow *add_flow(stream_table *table, const packet_tcp *packet, uint32_t hash,
                             uint32_t *next_stream)
{
    stream_flow *added = flow_add(&table->flows, hash, &packet->source, &packet->target);
    if (added == NULL) {
        context_failed(&table->context, KA_NO_MEMORY);
        return NULL;
    }
    added->stream = (*next_stream)++;
    tenant_begin(added, packet);
    return added;
}

/* Found by its addresses, but perhaps another tenant's. Wireshark knows one connection there, the newest. */
static stream_flow *flow_of_tenant(stream_table *table, const packet_tcp *packet, stream_flow *found)
{
    stream_flow *own = tenant_find(&table->flows, found, packet);
    if (own != NULL)
        return own;
    bool is_new = true; /* for Wireshark, too */
    for (stream_flow *each = found; each != NULL; each = flow_find_next(&table->flows, each))
        is_new = is_new && starts_anew(each, packet);
    return add_flow(table, packet, found->hash, is_new ? &table->next_stream : &table->next_tenant_stream);
}

/* The first real segment of a flow: now the core hears of it. */
static bool open_connection(stream_table *table, stream_flow *flow, const packet_tcp *packet)
{
    stream_context *context = &table->context;
    flow->ends[0] = packet->source;
    flow->ends[1] = packet->target;
    tenant_begin(flow, packet);
    ka_connection *connection = NULL;
    ka_status status =
        context->facts->connection_open(context->audit, flow->stream, flow->ends, flow, &connection);
    context_failed(context, status);
    if (status != KA_OK)
        return false;
    flow->began_with_syn = (packet->segment.flags & KA_SYN) != 0;
    flow->methods_unsure = !flow->began_with_syn;
    flow_set_open(&table->flows, flow);
    flow->connection = connection;
    context->counts.connections++;
    return true;
}

/* The segment's flow, open or a tombstone; NULL when memory ran out. */
static stream_flow *flow_of(stream_table *table, const packet_tcp *packet, const stream_place *place)
{
    uint32_t hash = place->hash;
    stream_flow *found = place->flow;
    if (found == NULL || !flow_is_between(found, hash, &packet->source, &packet->target))
        found = flow_find(&table->flows, hash, &packet->source, &packet->target);
    if (found != NULL && tenant_may_differ(found, packet))
        found = flow_of_tenant(table, packet, found);
    if (found != NULL && starts_anew(found, packet)) {
        end_connection(table, found, KA_GATE_PORT_REUSE);
        drop_halves(table, found);
        flow_remove(&table->flows, found);
        found = NULL;
    }
    if (found == NULL)
        found = add_flow(table, packet, hash, &table->next_stream);
    if (found != NULL && found->state == FLOW_QUOTED) {
        make_room(table);
        if (!open_connection(table, found, packet))
            return NULL;
    }
    return found;
}

/* ---- Segments ------------------------------------------------------------------------------- */

static ka_status take_status(stream_table *table)
{
    ka_status status = table->context.status;
    table->context.status = KA_OK;
    return status;
}

static void on_time(stream_table *table, int64_t time_ns)
{
    if (time_ns > table->now_ns)
        table->now_ns = time_ns;
    flow_expire(&table->flows, table->now_ns, table->context.limits.tombstones);
}

void stream_place_init(const stream_table *table, const packet_tcp *packet, stream_place *place)
{
    *place = (stream_place){.hash = flow_hash(&table->flows, &packet->source, &packet->target)};
    flow_prefetch_slot(&table->flows, place->hash);
}

void stream_prefetch(const stream_table *table, stream_place *place)
{
    stream_flow *flow = place->flow;
    switch (place->step++) {
    case 0:
        place->flow = flow_prefetch(&table->flows, place->hash);
        break;
    case 1:
        if (flow != NULL && flow->state == FLOW_OPEN)
            ka_connection_prefetch(flow->connection, 0);
        break;
    case 2:
        if (flow != NULL && flow->state == FLOW_OPEN)
            ka_connection_prefetch(flow->connection, 1);
        break;
    default:
        break;
    }
}

ka_status stream_segment_at(stream_table *table, packet_tcp *packet, const stream_place *place)
{
    stream_context *context = &table->context;
    ka_segment *segment = &packet->segment;
    on_time(table, segment->time_ns);
    context->counts.segments++;
    stream_flow *flow = flow_of(table, packet, place);
    if (flow == NULL)
        return take_status(table);
    segment->direction = flow_address_equal(&flow->ends[0], &packet->source) ? 0 : 1;
    note_bases(flow, segment);
    if (flow->state != FLOW_OPEN) {
        context->counts.late_segments++;
        return take_status(table);
    }
    flow->touched = true;
    context_failed(context, context->facts->segment_seen(context->audit, flow->connection, segment));
    if (segment->flags & KA_RST)
        flow->reset_seen = context->facts->was_reset(flow->connection);
    reassembly_segment(context, &content_receiver, flow, segment, packet->payload);
    advance(table, flow, REASSEMBLY_SEGMENT);
    return take_status(table);
}

ka_status stream_segment(stream_table *table, packet_tcp *packet)
{
    stream_place place;
    stream_place_init(table, packet, &place);
    return stream_segment_at(table, packet, &place);
}

ka_status stream_quoted(stream_table *table, const packet_tcp *packet)
{
    on_time(table, packet->segment.time_ns);
    uint32_t hash = flow_hash(&table->flows, &packet->source, &packet->target);
    if (flow_find(&table->flows, hash, &packet->source, &packet->target) == NULL) {
        stream_flow *added = add_flow(table, packet, hash, &table->next_stream);
        if (added != NULL)
            flow_set_tombstone(&table->flows, added, FLOW_QUOTED, expiry(table));
    }
    return take_status(table);
}

bool stream_evict(stream_table *table)
{
    return evict(table) && table->context.status == KA_OK;
}

ka_status stream_time_passed(stream_table *table, int64_t time_ns)
{
    on_time(table, time_ns);
    context_failed(&table->context, table->context.facts->time_passed(table->context.audit, time_ns));
    return take_status(table);
}

uint32_t stream_open_count(const stream_table *table)
{
    return table->flows.open_count;
}

void stream_paths(const void *owner, uint16_t paths[2])
{
    const stream_flow *flow = owner;
    paths[0] = flow->halves[0].path;
    paths[1] = flow->halves[1].path;
}

ka_status stream_finish(stream_table *table)
{
    stream_flow *each;
    for (uint32_t i = 1; (each = flow_at(&table->flows, i)) != NULL; i++)
        if (each->state == FLOW_OPEN)
            advance(table, each, REASSEMBLY_END);
    return take_status(table);
}
