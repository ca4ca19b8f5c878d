/* packet.c - the bytes of one packet: link type and bytes in, one TCP segment out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet.h"

#include "fragments.h"
#include "ip.h"
#include "link.h"
#include "tcp.h"
#include "tunnel.h"

#include <string.h>
#include <sys/random.h>

struct packet_decoder {
    const ka_allocator *allocator;
    path_table paths;
    fragment_table fragments;
};

packet_decoder *packet_decoder_new(const ka_allocator *allocator)
{
    packet_decoder *decoder = allocator->resize(allocator->user, NULL, sizeof *decoder);
    if (decoder == NULL)
        return NULL;
    memset(decoder, 0, sizeof *decoder);
    decoder->allocator = decoder->paths.allocator = decoder->fragments.allocator = allocator;
    /* Against captures made to collide. Without it (no entropy) only that protection is lost. */
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = 0x9e3779b97f4a7c15;
    decoder->paths.seed = decoder->fragments.seed = seed;
    return decoder;
}

void packet_decoder_free(packet_decoder *decoder)
{
    if (decoder == NULL)
        return;
    path_table_fini(&decoder->paths);
    fragments_fini(&decoder->fragments);
    decoder->allocator->resize(decoder->allocator->user, decoder, 0);
}

size_t packet_path_text(const packet_decoder *decoder, uint16_t path, char *out, size_t size)
{
    return path_text(&decoder->paths, path, out, size);
}

uint64_t packet_fragments_lost(const packet_decoder *decoder)
{
    return fragments_lost(&decoder->fragments);
}

static bool may_carry_tcp(uint8_t protocol)
{
    return protocol == IP_TCP || tunnel_is_protocol(protocol) || ip_is_extension(protocol);
}

/* PACKET_TCP: *ip is a whole datagram now. */
static packet_verdict reassemble(packet_decoder *decoder, const packet_path *path, int64_t time_ns,
                                 ip_packet *ip)
{
    if (!may_carry_tcp(ip->protocol))
        return PACKET_OTHER;
    uint16_t number = path_number(&decoder->paths, path);
    packet_verdict verdict = fragments_add(&decoder->fragments, number, time_ns, ip);
    if (verdict != PACKET_TCP || (ip->version == 4 && ip->protocol != IP_AUTHENTICATION))
        return verdict;
    verdict = ip_skip_extensions(ip);
    return verdict == PACKET_TCP && ip->fragment != 0 ? PACKET_MALFORMED : verdict; /* fragments of one */
}

/* From an IP packet that is a fragment or a tunnel's down to the innermost. Every turn takes a layer of the
 * path, which is bounded, or makes a fragment whole. */
static packet_verdict find_innermost(packet_decoder *decoder, int64_t time_ns, packet_path *path,
                                     ip_packet *ip)
{
    packet_verdict verdict = PACKET_TCP;
    while (verdict == PACKET_TCP) {
        link_payload network;
        if (ip->fragment != 0)
            verdict = reassemble(decoder, path, time_ns, ip);
        if (verdict != PACKET_TCP || !tunnel_is_protocol(ip->protocol))
            return verdict;
        verdict = tunnel_parse(ip, path, &network);
        if (verdict == PACKET_TCP)
            verdict = ip_parse(network.ip_version, network.packet, ip);
    }
    return verdict;
}

packet_verdict packet_decode(packet_decoder *decoder, int link_type, packet_bytes packet, int64_t time_ns,
                             packet_tcp *out)
{
    if (packet.wire_bytes < packet.captured_bytes) /* a lying file; every step relies on this order */
        packet.wire_bytes = packet.captured_bytes;
    packet_path path;
    path.count = 0;
    link_payload network;
    packet_verdict verdict = link_parse(link_type, packet, &path, &network);
    if (verdict != PACKET_TCP)
        return verdict;
    ip_packet ip;
    verdict = ip_parse(network.ip_version, network.packet, &ip);
    if (verdict == PACKET_TCP && (ip.fragment != 0 || tunnel_is_protocol(ip.protocol)))
        verdict = find_innermost(decoder, time_ns, &path, &ip);
    if (verdict != PACKET_TCP)
        return verdict;
    if (ip.protocol == IP_TCP)
        verdict = tcp_parse(&ip, out);
    else if (ip.protocol == IP_ICMP || ip.protocol == IP_ICMPV6)
        verdict = tcp_parse_quoted(&ip, out);
    else
        return PACKET_OTHER;
    if (verdict <= PACKET_ICMP_TCP) {
        out->path = path_number(&decoder->paths, &path);
        out->tenant = path_tenant(&decoder->paths, &path, out->path);
    }
    return verdict;
}
