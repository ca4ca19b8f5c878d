/* test_packet_fragments.c - datagrams in pieces: in any order, twice, contradicting, too many, too late.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packets.h"

#include <stdio.h>

/* A segment of 20 bytes of header and 40 of payload, in pieces. */
static uint8_t datagram[60];
static packet_decoder *decoder;
static int64_t now_ns;
static packet_tcp told;

static int set_up(void **state)
{
    (void)state;
    hex_packet tcp = from_hex(TCP);
    memcpy(datagram, tcp.bytes, 20);
    for (unsigned i = 20; i < sizeof datagram; i++)
        datagram[i] = (uint8_t)('a' + i % 26);
    decoder = packet_decoder_new(&memory_heap);
    now_ns = KA_SECOND_NS;
    return decoder == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    packet_decoder_free(decoder);
    return 0;
}

static packet_verdict send_packet(const hex_packet *packet, uint32_t captured)
{
    const uint8_t *bytes = unit_at_page_end(packet->bytes, captured);
    memset(&told, 0, sizeof told);
    return packet_decode(decoder, RAW, (packet_bytes){bytes, captured, packet->len_bytes}, now_ns, &told);
}

static hex_packet piece_of(uint8_t version, uint16_t id, uint32_t offset, const uint8_t *bytes, uint32_t len,
                           bool more)
{
    char header[160];
    if (version == 4)
        snprintf(header, sizeof header, "4500%04x %04x%04x 40060000 c0000201 c6336402", 20 + len, id,
                 offset / 8 | (more ? 0x2000 : 0));
    else
        snprintf(header, sizeof header, IPV6_TO("%04x", "2c") "0600%04x0000%04x", 8 + len,
                 offset | (more ? 1 : 0), id);
    hex_packet packet = from_hex(header);
    memcpy(packet.bytes + packet.len_bytes, bytes, len);
    packet.len_bytes += len;
    return packet;
}

static packet_verdict piece(uint8_t version, uint16_t id, uint32_t offset, uint32_t len)
{
    hex_packet packet = piece_of(version, id, offset, datagram + offset, len, offset + len < sizeof datagram);
    return send_packet(&packet, packet.len_bytes);
}

static void assert_told(uint8_t version)
{
    assert_int_equal(told.source.version, version);
    assert_int_equal(told.source.ip[version == 4 ? 3 : 15], 1);
    assert_int_equal(told.target.ip[version == 4 ? 3 : 15], 2);
    assert_int_equal(told.source.port, 40000);
    assert_int_equal(told.segment.seq, 1000);
    assert_int_equal(told.segment.len_bytes, 40);
    assert_int_equal(told.segment.captured_bytes, 40);
    assert_memory_equal(told.payload, datagram + 20, 40);
}

static void test_any_order(void **state)
{
    (void)state;
    static const uint32_t orders[][3] = {{0, 24, 48}, {0, 48, 24}, {24, 0, 48},
                                         {24, 48, 0}, {48, 0, 24}, {48, 24, 0}};
    for (unsigned version = 4; version <= 6; version += 2)
        for (unsigned i = 0; i < 6; i++) {
            uint16_t id = (uint16_t)(version * 16 + i);
            for (unsigned k = 0; k < 2; k++)
                assert_int_equal(piece((uint8_t)version, id, orders[i][k], orders[i][k] == 48 ? 12 : 24),
                                 PACKET_FRAGMENT);
            assert_int_equal(piece((uint8_t)version, id, orders[i][2], orders[i][2] == 48 ? 12 : 24),
                             PACKET_TCP);
            assert_told((uint8_t)version);
        }
    assert_int_equal(packet_fragments_lost(decoder), 0);
}

static void test_smallest_pieces(void **state)
{
    (void)state;
    for (uint32_t offset = 0; offset < 56; offset += 8)
        assert_int_equal(piece(4, 1, offset, 8), PACKET_FRAGMENT);
    assert_int_equal(piece(4, 1, 56, 4), PACKET_TCP);
    assert_told(4);
}

/* Other identification, addresses, protocol: another datagram. */
static void test_datagrams_are_kept_apart(void **state)
{
    (void)state;
    assert_int_equal(piece(4, 1, 0, 24), PACKET_FRAGMENT);
    assert_int_equal(piece(4, 2, 24, 36), PACKET_FRAGMENT);
    assert_int_equal(piece(6, 1, 24, 36), PACKET_FRAGMENT);
    hex_packet other = piece_of(4, 1, 24, datagram + 24, 36, false);
    other.bytes[19] = 9;
    assert_int_equal(send_packet(&other, other.len_bytes), PACKET_FRAGMENT);
    assert_int_equal(packet_fragments_lost(decoder), 4); /* they still wait */
    assert_int_equal(piece(4, 1, 24, 36), PACKET_TCP);
    assert_told(4);
    assert_int_equal(packet_fragments_lost(decoder), 3);
}

static void test_copies(void **state)
{
    (void)state;
    assert_int_equal(piece(4, 1, 0, 24), PACKET_FRAGMENT);
    assert_int_equal(piece(4, 1, 0, 24), PACKET_OTHER);
    assert_int_equal(piece(4, 1, 24, 36), PACKET_TCP);
    assert_told(4);
    now_ns += KA_MILLISECOND_NS;
    assert_int_equal(piece(4, 1, 24, 36), PACKET_OTHER);
    assert_int_equal(packet_fragments_lost(decoder), 0);
    /* Later the identification is used again. */
    now_ns += KA_SECOND_NS;
    assert_int_equal(piece(4, 1, 24, 36), PACKET_FRAGMENT);
    assert_int_equal(piece(4, 1, 0, 24), PACKET_TCP);
    assert_told(4);
}

/* Pieces that overlap: with other bytes, or cut otherwise; a second end; bytes behind the end. */
static void test_contradictions(void **state)
{
    (void)state;
    static const uint8_t evil[64] = "evil";
    const struct {
        uint32_t offset, len;
        bool more;
    } second[] = {{0, 24, true}, {16, 16, true}, {8, 8, true}, {0, 32, true}, {40, 8, false}, {56, 8, true}};
    uint16_t id = 1;
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++, id++) {
        assert_int_equal(piece(4, id, 0, 24), PACKET_FRAGMENT);
        assert_int_equal(piece(4, id, 48, 12), PACKET_FRAGMENT);
        hex_packet packet = piece_of(4, id, second[i].offset, evil, second[i].len, second[i].more);
        assert_int_equal(send_packet(&packet, packet.len_bytes), PACKET_FRAGMENT);
        /* Nothing of it is told, whatever comes. */
        assert_int_equal(piece(4, id, 24, 24), PACKET_FRAGMENT);
        assert_int_equal(piece(4, id, 0, 24), PACKET_FRAGMENT);
        assert_int_equal(packet_fragments_lost(decoder), 5 * id);
    }
    /* Teardrop: the second piece ends within the first. An end before what is there. */
    assert_int_equal(piece(4, 100, 0, 40), PACKET_FRAGMENT);
    hex_packet packet = piece_of(4, 100, 24, evil, 4, false);
    assert_int_equal(send_packet(&packet, packet.len_bytes), PACKET_FRAGMENT);
    assert_int_equal(piece(4, 100, 40, 20), PACKET_FRAGMENT);
}

static void test_impossible_pieces(void **state)
{
    (void)state;
    uint8_t bytes[64] = {0};
    /* no whole units but the last; nothing; beyond 65535 (the ping of death) */
    hex_packet packet = piece_of(4, 1, 0, bytes, 12, true);
    assert_int_equal(send_packet(&packet, packet.len_bytes), PACKET_MALFORMED);
    packet = piece_of(4, 1, 8, bytes, 0, false);
    assert_int_equal(send_packet(&packet, packet.len_bytes), PACKET_MALFORMED);
    packet = piece_of(4, 1, 65528, bytes, 8, false);
    assert_int_equal(send_packet(&packet, packet.len_bytes), PACKET_MALFORMED);
    packet = piece_of(4, 1, 65528, bytes, 7, false);
    assert_int_equal(send_packet(&packet, packet.len_bytes), PACKET_FRAGMENT);
    packet = piece_of(6, 1, 65528, bytes, 64, false);
    assert_int_equal(send_packet(&packet, packet.len_bytes), PACKET_MALFORMED);
}

/* The snapshot length cut the second piece: the segment's length is known, its bytes up to there. */
static void test_cut_pieces(void **state)
{
    (void)state;
    assert_int_equal(piece(4, 1, 0, 24), PACKET_FRAGMENT);
    assert_int_equal(piece(4, 1, 48, 12), PACKET_FRAGMENT);
    hex_packet packet = piece_of(4, 1, 24, datagram + 24, 24, true);
    assert_int_equal(send_packet(&packet, packet.len_bytes - 14), PACKET_TCP);
    assert_int_equal(told.segment.len_bytes, 40);
    assert_int_equal(told.segment.captured_bytes, 14);
    assert_memory_equal(told.payload, datagram + 20, 14);
}

static void test_time_out(void **state)
{
    (void)state;
    assert_int_equal(piece(4, 1, 0, 24), PACKET_FRAGMENT);
    now_ns += 30 * KA_SECOND_NS;
    assert_int_equal(piece(4, 2, 0, 24), PACKET_FRAGMENT);
    assert_int_equal(piece(4, 1, 24, 36), PACKET_TCP);
    now_ns += 31 * KA_SECOND_NS;
    assert_int_equal(piece(4, 2, 24, 36), PACKET_FRAGMENT);
    assert_int_equal(packet_fragments_lost(decoder), 2);
    now_ns -= 100 * KA_SECOND_NS; /* a clock that was set back does no harm */
    assert_int_equal(piece(4, 2, 0, 24), PACKET_TCP);
}

/* A flood of beginnings gives up the oldest, and counts them. */
static void test_too_many_datagrams(void **state)
{
    (void)state;
    hex_packet packet = piece_of(4, 1, 0, datagram, 24, true);
    for (uint32_t id = 0; id < 5000; id++) {
        packet.bytes[4] = (uint8_t)(id >> 8);
        packet.bytes[5] = (uint8_t)id;
        packet_bytes bytes = {packet.bytes, packet.len_bytes, packet.len_bytes};
        assert_int_equal(packet_decode(decoder, RAW, bytes, now_ns, &told), PACKET_FRAGMENT);
    }
    assert_int_equal(packet_fragments_lost(decoder), 5000);
    assert_int_equal(piece(4, 4999, 24, 36), PACKET_TCP);
    assert_int_equal(piece(4, 1, 24, 36), PACKET_FRAGMENT); /* its beginning is forgotten */
}

/* Of UDP: kept, for it may be a tunnel, but no loss when it shows to be none. */
static void test_udp(void **state)
{
    (void)state;
    hex_packet vxlan = from_hex("c000 12b5 004b 0000 08000000 00004d00 " MACS "0800 " IPV4 TCP HELLO);
    hex_packet first = piece_of(4, 1, 0, vxlan.bytes, 40, true);
    hex_packet second = piece_of(4, 1, 40, vxlan.bytes + 40, vxlan.len_bytes - 40, false);
    first.bytes[9] = second.bytes[9] = 17;
    assert_int_equal(send_packet(&second, second.len_bytes), PACKET_FRAGMENT);
    assert_int_equal(packet_fragments_lost(decoder), 0);
    assert_int_equal(send_packet(&first, first.len_bytes), PACKET_TCP);
    assert_hello(&told, 4);
    first.bytes[5] = 2;
    assert_int_equal(send_packet(&first, first.len_bytes), PACKET_FRAGMENT);
    assert_int_equal(packet_fragments_lost(decoder), 1);
    /* ICMP is none of ours. */
    first.bytes[9] = 1;
    assert_int_equal(send_packet(&first, first.len_bytes), PACKET_OTHER);
}

/* Fragments within a tunnel whose own packets come in fragments. */
static void test_fragments_of_fragments(void **state)
{
    (void)state;
    for (uint32_t part = 0; part < 2; part++) {
        hex_packet inner =
            part == 0 ? piece_of(4, 7, 0, datagram, 32, true) : piece_of(4, 7, 32, datagram + 32, 28, false);
        hex_packet first = piece_of(4, (uint16_t)(8 + part), 0, inner.bytes, 24, true);
        hex_packet second =
            piece_of(4, (uint16_t)(8 + part), 24, inner.bytes + 24, inner.len_bytes - 24, false);
        first.bytes[9] = second.bytes[9] = 4;
        assert_int_equal(send_packet(&first, first.len_bytes), PACKET_FRAGMENT);
        assert_int_equal(send_packet(&second, second.len_bytes), part == 0 ? PACKET_FRAGMENT : PACKET_TCP);
    }
    assert_told(4);
    char text[16];
    packet_path_text(decoder, told.path, text, sizeof text);
    assert_string_equal(text, "4in4");
}

/* IPv6: what is fragmented begins with destination options, or is a fragment itself. */
static void test_extensions_in_fragments(void **state)
{
    (void)state;
    uint8_t bytes[68] = {6, 0, 1, 4};
    memcpy(bytes + 8, datagram, sizeof datagram);
    for (unsigned i = 0; i < 2; i++) {
        hex_packet first = piece_of(6, (uint16_t)i, 0, bytes, 24, true);
        hex_packet second = piece_of(6, (uint16_t)i, 24, bytes + 24, 44, false);
        first.bytes[40] = second.bytes[40] = i == 0 ? 60 : 44;
        assert_int_equal(send_packet(&second, second.len_bytes), PACKET_FRAGMENT);
        assert_int_equal(send_packet(&first, first.len_bytes), i == 0 ? PACKET_TCP : PACKET_MALFORMED);
        if (i == 0)
            assert_told(6);
    }
}

#define WITH_DECODER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DECODER(test_any_order),
        WITH_DECODER(test_smallest_pieces),
        WITH_DECODER(test_datagrams_are_kept_apart),
        WITH_DECODER(test_copies),
        WITH_DECODER(test_contradictions),
        WITH_DECODER(test_impossible_pieces),
        WITH_DECODER(test_cut_pieces),
        WITH_DECODER(test_time_out),
        WITH_DECODER(test_too_many_datagrams),
        WITH_DECODER(test_udp),
        WITH_DECODER(test_fragments_of_fragments),
        WITH_DECODER(test_extensions_in_fragments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
