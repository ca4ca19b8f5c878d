/* tcp_facts.c - one frame's TCP segment, read from its headers as bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tcp_facts.h"

#include "wanted.h"

enum { TCP_HEADER_BYTES = 20, IPV4_HEADER_BYTES = 20, IPV6_HEADER_BYTES = 40, IPV6_ADDRESS_AT = 8 };

/* The innermost IP header before the TCP header, in the same data source when there is one there. */
typedef struct ip_place {
    const field_info *item;
    int version;
} ip_place;

static void consider(proto_tree *tree, wanted field, int version, const field_info *tcp, ip_place *best)
{
    for (unsigned i = wanted_count(tree, field); i > 0; i--) {
        const field_info *item = wanted_item(tree, field, i - 1);
        bool here = item->ds_tvb == tcp->ds_tvb && item->start < tcp->start;
        if (!here && best->item != NULL)
            continue;
        bool best_here = best->item != NULL && best->item->ds_tvb == tcp->ds_tvb;
        if (best->item == NULL || !best_here || item->start > best->item->start)
            *best = (ip_place){item, version};
    }
}

/* Reads addresses, TTL and id; returns where the packet ends in its data source, -1 when it does not say. */
static int read_ip(const ip_place *ip, tcp_facts *out)
{
    tvbuff_t *bytes = ip->item->ds_tvb;
    int at = ip->item->start;
    size_t ip_bytes = ip->version == 4 ? 4 : 16;
    int source_at = at + (ip->version == 4 ? 12 : IPV6_ADDRESS_AT);

    out->source.version = out->target.version = (uint8_t)ip->version;
    tvb_memcpy(bytes, out->source.ip, source_at, ip_bytes);
    tvb_memcpy(bytes, out->target.ip, source_at + (int)ip_bytes, ip_bytes);
    if (ip->version == 4) {
        out->segment.ip_id = tvb_get_ntohs(bytes, at + 4);
        out->segment.ttl = compat_byte(bytes, at + 8);
        int total_bytes = tvb_get_ntohs(bytes, at + 2);
        return total_bytes == 0 ? -1 : at + total_bytes; /* 0: segmentation offload */
    }
    out->segment.ttl = compat_byte(bytes, at + 7);
    int payload_bytes = tvb_get_ntohs(bytes, at + 4);
    return payload_bytes == 0 ? -1 : at + IPV6_HEADER_BYTES + payload_bytes;
}

enum { OPTION_MSS = 2, OPTION_MSS_BYTES = 4, OPTION_SCALE = 3, OPTION_SCALE_BYTES = 3 };

/* Where the first option of that kind and length begins; -1: there is none. */
static int find_option(tvbuff_t *bytes, int at, int end, uint8_t option, int option_bytes)
{
    enum { END = 0, NOTHING = 1 };
    while (at < end) {
        uint8_t kind = compat_byte(bytes, at);
        if (kind == END || (kind != NOTHING && at + 2 > end))
            return -1;
        uint8_t len_bytes = kind == NOTHING ? 1 : compat_byte(bytes, at + 1);
        if (kind == option && len_bytes == option_bytes && at + option_bytes <= end)
            return at;
        if (len_bytes == 0 || (kind != NOTHING && len_bytes < 2))
            return -1;
        at += len_bytes;
    }
    return -1;
}

static void read_syn_options(tvbuff_t *bytes, int at, int end, ka_segment *segment)
{
    int mss = find_option(bytes, at, end, OPTION_MSS, OPTION_MSS_BYTES);
    int scale = find_option(bytes, at, end, OPTION_SCALE, OPTION_SCALE_BYTES);
    segment->mss = mss >= 0 ? tvb_get_ntohs(bytes, mss + 2) : 0;
    uint8_t shift = scale >= 0 ? compat_byte(bytes, scale + 2) : UINT8_MAX;
    segment->window_scale = shift < UINT8_MAX ? shift + 1 : 0;
}

static bool read_tcp(const field_info *tcp, int ip_end, tcp_facts *out)
{
    tvbuff_t *bytes = tcp->ds_tvb;
    int at = tcp->start;
    int header_bytes = (compat_byte(bytes, at + 12) >> 4) * 4;
    ka_segment *segment = &out->segment;
    int end = ip_end >= 0 ? ip_end : (int)tvb_reported_length(bytes);
    if (header_bytes < TCP_HEADER_BYTES || header_bytes > end - at)
        return false;
    out->bytes = bytes;
    out->payload_start = at + header_bytes;
    out->source.port = tvb_get_ntohs(bytes, at);
    out->target.port = tvb_get_ntohs(bytes, at + 2);
    segment->seq = tvb_get_ntohl(bytes, at + 4);
    segment->ack = tvb_get_ntohl(bytes, at + 8);
    segment->flags = compat_byte(bytes, at + 13) & 0x3f;
    out->payload_seq = segment->seq + (segment->flags & KA_SYN ? 1 : 0);
    segment->window = tvb_get_ntohs(bytes, at + 14);
    if (segment->flags & KA_SYN && tvb_bytes_exist(bytes, at, header_bytes))
        read_syn_options(bytes, at + TCP_HEADER_BYTES, out->payload_start, segment);
    int captured_end = (int)tvb_captured_length(bytes);
    if (captured_end > end)
        captured_end = end;
    segment->len_bytes = end > out->payload_start ? (uint32_t)(end - out->payload_start) : 0;
    segment->captured_bytes =
        captured_end > out->payload_start ? (uint32_t)(captured_end - out->payload_start) : 0;
    return true;
}

/* An ICMP error quotes a TCP header: its FIN or RST is none. */
static bool is_quoted(packet_info *pinfo)
{
    return proto_is_frame_protocol(pinfo->layers, "icmp") || proto_is_frame_protocol(pinfo->layers, "icmpv6");
}

static bool exists(const field_info *item, int len_bytes)
{
    return tvb_bytes_exist(item->ds_tvb, item->start, len_bytes);
}

/* Time stamps of damaged files are anything; the core adds durations to them. The same bounds as the tool's.
 */
static int64_t time_of(const packet_info *pinfo)
{
    static const int64_t max_ns = INT64_MAX / 2;
    int64_t secs = (int64_t)pinfo->abs_ts.secs;
    if (secs < 0)
        return 0;
    if (secs >= max_ns / KA_SECOND_NS)
        return max_ns;
    bool is_odd = pinfo->abs_ts.nsecs < 0 || pinfo->abs_ts.nsecs >= KA_SECOND_NS;
    return secs * KA_SECOND_NS + (is_odd ? 0 : pinfo->abs_ts.nsecs);
}

/* Captures with several may have several clocks. */
static uint16_t interface_of(const packet_info *pinfo)
{
    const wtap_rec *rec = pinfo->rec;
    bool told =
        rec != NULL && rec->rec_type == REC_TYPE_PACKET && rec->presence_flags & WTAP_HAS_INTERFACE_ID;
    return told ? (uint16_t)MIN(rec->rec_header.packet_header.interface_id, UINT16_MAX) : 0;
}

bool tcp_facts_read(packet_info *pinfo, proto_tree *tree, tcp_facts *out)
{
    unsigned tcp_count = wanted_count(tree, WANTED_TCP);
    unsigned stream_count = wanted_count(tree, WANTED_TCP_STREAM);
    if (tcp_count == 0 || stream_count == 0 || is_quoted(pinfo))
        return false;
    const field_info *tcp = wanted_item(tree, WANTED_TCP, tcp_count - 1);
    ip_place ip = {NULL, 0};
    consider(tree, WANTED_IP, 4, tcp, &ip);
    consider(tree, WANTED_IPV6, 6, tcp, &ip);
    if (ip.item == NULL || !exists(tcp, TCP_HEADER_BYTES) ||
        !exists(ip.item, ip.version == 4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES))
        return false;

    memset(out, 0, sizeof *out);
    out->segment.time_ns = time_of(pinfo);
    out->segment.frame = pinfo->num;
    out->segment.interface = interface_of(pinfo);
    out->stream = compat_uinteger(wanted_item(tree, WANTED_TCP_STREAM, stream_count - 1));
    int ip_end = read_ip(&ip, out);
    if (ip.item->ds_tvb != tcp->ds_tvb) /* fragments put together: the header tells one fragment's length */
        ip_end = -1;
    return read_tcp(tcp, ip_end, out);
}
