/* tenant.c - equal addresses and ports in two VLANs or two virtual networks: which connection is meant.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/tenant.h"

enum {
    /* Windows in use are smaller; two numbers by chance so near to two others: one in 65536. */
    NEAR_BYTES = 1 << 23,
    /* With the same addresses and ports within minutes. More are taken for the first, as Wireshark does. */
    TENANTS_MAX = 64,
    TTL_MASK = 0x7f, /* what stream_half keeps */
};

static void note(stream_half *half, const packet_tcp *packet)
{
    half->path = packet->path;
    half->tenant = packet->tenant;
    half->ttl = packet->segment.ttl & TTL_MASK;
}

void tenant_begin(stream_flow *flow, const packet_tcp *packet)
{
    note(&flow->halves[0], packet);
    note(&flow->halves[1], packet);
}

static bool is_near(const stream_half *half, uint32_t number)
{
    int32_t distance = seq_minus(number, half->started ? half->next_seq : half->base_seq);
    return distance > -NEAR_BYTES && distance < NEAR_BYTES;
}

/* Whether the segment's numbers continue those of the flow; of a flow without any they do. */
static bool numbers_fit(const stream_half *own, const stream_half *other, const ka_segment *segment)
{
    if ((segment->flags & (KA_SYN | KA_ACK)) == KA_SYN && (own->base_known || other->base_known))
        return own->base_known && own->base_seq == segment->seq;
    if (own->base_known && !is_near(own, segment->seq))
        return false;
    if (other->base_known && (segment->flags & KA_ACK))
        return is_near(other, segment->ack);
    return own->base_known || !other->base_known;
}

/* Of a direction that was seen in another tenant's network already: a copy outside of all networks; one that
 * passed a router; or, in mid-stream, a connection that was moved. With the same time to live a SYN is no
 * copy: then it is another tenant's, by whatever chance with the same number. */
static bool is_copy_or_moved(const stream_half *half, const packet_tcp *packet)
{
    return half->tenant == 0 || packet->tenant == 0 ||
           (packet->segment.flags & (KA_SYN | KA_ACK)) != KA_SYN ||
           half->ttl != (packet->segment.ttl & TTL_MASK);
}

static stream_flow *take(stream_flow *flow, stream_half *half, const packet_tcp *packet)
{
    if (!half->seen || half->path == 0)
        note(half, packet);
    return flow;
}

stream_flow *tenant_find(const flow_table *table, stream_flow *first, const packet_tcp *packet)
{
    stream_flow *fitting = NULL;
    stream_half *fitting_half = NULL;
    unsigned count = 0;
    for (stream_flow *flow = first; flow != NULL; flow = flow_find_next(table, flow)) {
        unsigned direction = flow_address_equal(&flow->ends[0], &packet->source) ? 0 : 1;
        stream_half *half = &flow->halves[direction];
        if (half->tenant == packet->tenant)
            return take(flow, half, packet);
        bool is_better = fitting == NULL || (fitting_half->seen && !half->seen);
        if (is_better && numbers_fit(half, &flow->halves[!direction], &packet->segment) &&
            (!half->seen || is_copy_or_moved(half, packet))) {
            fitting = flow;
            fitting_half = half;
        }
        if (++count == TENANTS_MAX)
            return fitting != NULL ? fitting : first;
    }
    return fitting != NULL ? take(fitting, fitting_half, packet) : NULL;
}
