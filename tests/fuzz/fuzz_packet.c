/* fuzz_packet.c - fuzzes the packet decoder: packets of any link type, fragments and tunnels among them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The input: packets, each with a head of six bytes: link type and captured length (little-endian, 16 bits
 * each), bytes cut off behind it, and time since the one before in steps of 100 ms.
 */
#include "judge.h"

#include "heap.h"
#include "require.h"

enum { HEAD_BYTES = 6, UNTOUCHED = 0xa5, TEXT_BYTES = 64 };
#define STEP_NS (100 * KA_MILLISECOND_NS)

typedef struct decoding {
    packet_decoder *decoder;
    int64_t now_ns;
    uint64_t packet_count;
} decoding;

static volatile uint8_t sum;

static void check_path(const packet_decoder *decoder, uint16_t path)
{
    char text[TEXT_BYTES];
    memset(text, UNTOUCHED, sizeof text);
    size_t len_bytes = packet_path_text(decoder, path, text, sizeof text);
    REQUIRE(len_bytes < sizeof text && strlen(text) == len_bytes && len_bytes > 0);
    for (size_t i = 0; i < len_bytes; i++)
        REQUIRE(text[i] >= 0x20 && text[i] < 0x7f);
}

static void check_tcp(const decoding *run, packet_verdict verdict, const packet_tcp *tcp)
{
    const ka_segment *segment = &tcp->segment;
    REQUIRE(tcp->source.version == 4 || tcp->source.version == 6);
    REQUIRE(tcp->target.version == tcp->source.version);
    for (unsigned i = 4; tcp->source.version == 4 && i < sizeof tcp->source.ip; i++)
        REQUIRE(tcp->source.ip[i] == 0 && tcp->target.ip[i] == 0);
    check_path(run->decoder, tcp->path);
    if (verdict != PACKET_TCP)
        return;
    REQUIRE(segment->captured_bytes <= segment->len_bytes);
    for (uint32_t i = 0; i < segment->captured_bytes; i++)
        sum = (uint8_t)(sum + tcp->payload[i]); /* every byte can be read */
}

static void decode(decoding *run, int link_type, packet_bytes packet)
{
    packet_tcp tcp, untouched;
    memset(&untouched, UNTOUCHED, sizeof untouched);
    tcp = untouched;
    packet_verdict verdict = packet_decode(run->decoder, link_type, packet, run->now_ns, &tcp);
    run->packet_count++;
    if (verdict <= PACKET_ICMP_TCP)
        check_tcp(run, verdict, &tcp);
    else
        REQUIRE(verdict <= PACKET_LINK_UNKNOWN && memcmp(&tcp, &untouched, sizeof tcp) == 0);
    REQUIRE(packet_link_known(link_type) || verdict == PACKET_LINK_UNKNOWN);
    REQUIRE(packet_fragments_lost(run->decoder) <= run->packet_count);
}

static size_t take_packet(decoding *run, const uint8_t *bytes, size_t len_bytes)
{
    size_t captured_bytes = (size_t)bytes[2] | (size_t)bytes[3] << 8;
    if (captured_bytes > len_bytes - HEAD_BYTES)
        captured_bytes = len_bytes - HEAD_BYTES;
    uint8_t *copy = require_copy(bytes + HEAD_BYTES, captured_bytes);
    run->now_ns += bytes[5] * STEP_NS;
    packet_bytes packet = {copy, (uint32_t)captured_bytes, (uint32_t)captured_bytes + bytes[4]};
    decode(run, bytes[0] | bytes[1] << 8, packet);
    free(copy);
    return HEAD_BYTES + captured_bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    decoding run = {.decoder = packet_decoder_new(&fuzz_heap)};
    REQUIRE(run.decoder != NULL);
    while (len_bytes >= HEAD_BYTES) {
        size_t taken = take_packet(&run, bytes, len_bytes);
        bytes += taken;
        len_bytes -= taken;
    }
    packet_decoder_free(run.decoder);
    return 0;
}
