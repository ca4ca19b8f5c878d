/* test_packet.c - packets written by hand, whole, cut and lying.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "packets.h"

typedef struct link_case {
    const char *what;
    int link_type;
    uint8_t version;
    uint32_t options_bytes; /* TCP options: may be cut and the segment still be told */
    const char *hex;
} link_case;

static const link_case link_cases[] = {
    {"Ethernet, IPv4", ETHERNET, 4, 0, MACS "0800 " IPV4 TCP HELLO},
    {"Ethernet, IPv6", ETHERNET, 6, 0, MACS "86dd " IPV6 TCP HELLO},
    {"802.1Q tag, VLAN 100", ETHERNET, 4, 0, MACS "8100 0064 0800 " IPV4 TCP HELLO},
    {"802.1ad service tag around an 802.1Q tag", ETHERNET, 6, 0,
     MACS "88a8 0064 8100 0065 86dd " IPV6 TCP HELLO},
    {"two old QinQ tags around an 802.1Q tag", ETHERNET, 4, 0,
     MACS "9100 0064 9100 0065 8100 0066 0800 " IPV4 TCP HELLO},
    {"Linux cooked v1", SLL, 4, 0, "0000 0001 0006 0200000000010000 0800 " IPV4 TCP HELLO},
    {"Linux cooked v1, VLAN tag", SLL, 6, 0,
     "0000 0001 0006 0200000000010000 8100 0064 86dd " IPV6 TCP HELLO},
    {"Linux cooked v2", SLL2, 6, 0, "86dd 0000 00000002 0001 04 06 0200000000010000 " IPV6 TCP HELLO},
    {"BSD null, little-endian AF_INET", 0, 4, 0, "02000000 " IPV4 TCP HELLO},
    {"BSD null, big-endian AF_INET", 0, 4, 0, "00000002 " IPV4 TCP HELLO},
    {"BSD null, AF_INET6 of macOS", 0, 6, 0, "1e000000 " IPV6 TCP HELLO},
    {"BSD null, AF_INET6 of FreeBSD", 0, 6, 0, "1c000000 " IPV6 TCP HELLO},
    {"BSD loop, AF_INET6 of OpenBSD", 108, 6, 0, "00000018 " IPV6 TCP HELLO},
    {"raw IP, IPv4", RAW, 4, 0, IPV4 TCP HELLO},
    {"raw IP, IPv6", RAW, 6, 0, IPV6 TCP HELLO},
    {"DLT_RAW of Linux", 12, 4, 0, IPV4 TCP HELLO},
    {"DLT_RAW of OpenBSD", 14, 6, 0, IPV6 TCP HELLO},
    {"LINKTYPE_IPV4", 228, 4, 0, IPV4 TCP HELLO},
    {"LINKTYPE_IPV6", 229, 6, 0, IPV6 TCP HELLO},
    {"IPv4 options: a record route of 8 bytes", RAW, 4, 0,
     "47000035 12344000 40060000 c0000201 c6336402 0707040000000000 " TCP HELLO},
    {"IPv4, authentication header", RAW, 4, 0,
     "45000039 12344000 40330000 c0000201 c6336402 06010000 00000001 00000002 " TCP HELLO},
    {"TCP timestamps", RAW, 4, 12,
     "45000039 12344000 40060000 c0000201 c6336402 "
     "9c400050 000003e8 000007d0 801801f6 00000000 0101080a0000000100000002 " HELLO},
    {"IPv6: hop-by-hop, routing, destination, authentication", RAW, 6, 0,
     IPV6_TO("004d", "00") "2b00010400000000 3c020000000000000000000000000000 0000000000000000 "
                           "3300010400000000 0601000000000001 00000002 " TCP HELLO},
    {"IPv6: a fragment header on a whole datagram", RAW, 6, 0,
     IPV6_TO("0021", "2c") "0600000000000007 " TCP HELLO},
};

static void test_each_link_type_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof link_cases / sizeof link_cases[0]; i++) {
        packet_tcp tcp;
        print_message("%s\n", link_cases[i].what);
        assert_true(packet_link_known(link_cases[i].link_type));
        assert_int_equal(decode(link_cases[i].link_type, link_cases[i].hex, &tcp), PACKET_TCP);
        assert_hello(&tcp, link_cases[i].version);
        assert_int_equal(tcp.segment.captured_bytes, 5);
    }
}

/* The snapshot length cut it: payload may be missing, headers may not. */
static void test_each_link_type_cut_by_the_capture(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof link_cases / sizeof link_cases[0]; i++) {
        hex_packet packet = from_hex(link_cases[i].hex);
        uint32_t needed = packet.len_bytes - 5 - link_cases[i].options_bytes;
        for (uint32_t captured = 0; captured <= packet.len_bytes; captured++) {
            packet_tcp tcp;
            packet_verdict verdict =
                decode_cut(link_cases[i].link_type, &packet, captured, packet.len_bytes, &tcp);
            assert_int_equal(verdict, captured + 4 < needed ? PACKET_CUT
                                      : captured < needed   ? PACKET_TCP_BROKEN
                                                            : PACKET_TCP);
            if (captured < needed)
                continue;
            assert_hello(&tcp, link_cases[i].version);
            uint32_t held = captured + 5 > packet.len_bytes ? captured + 5 - packet.len_bytes : 0;
            assert_int_equal(tcp.segment.captured_bytes, held);
        }
    }
}

/* So short on the wire already: headers that do not fit are malformed or broken, lengths end where the packet
 * ends. */
static void test_each_link_type_short_on_the_wire(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof link_cases / sizeof link_cases[0]; i++) {
        hex_packet packet = from_hex(link_cases[i].hex);
        uint32_t payload_at = packet.len_bytes - 5;
        uint32_t tcp_at = payload_at - link_cases[i].options_bytes - 20;
        for (uint32_t len = 0; len < packet.len_bytes; len++) {
            packet_tcp tcp;
            packet_verdict verdict = decode_cut(link_cases[i].link_type, &packet, len, len, &tcp);
            assert_int_equal(verdict, len < tcp_at + 16  ? PACKET_MALFORMED
                                      : len < payload_at ? PACKET_TCP_BROKEN
                                                         : PACKET_TCP);
            if (verdict == PACKET_TCP)
                assert_int_equal(tcp.segment.len_bytes, len + 5 - packet.len_bytes);
        }
    }
}

static void test_what_is_not_tcp(void **state)
{
    (void)state;
    /* ARP; IEEE 802.3 length and LLC of spanning tree; an unknown BSD family; UDP; IPv6 without next header
     */
    assert_int_equal(verdict_of(ETHERNET, MACS "0806 0001080006040001"), PACKET_OTHER);
    assert_int_equal(verdict_of(ETHERNET, MACS "0026 424203 0000000000"), PACKET_OTHER);
    assert_int_equal(verdict_of(0, "07000000 " IPV4), PACKET_OTHER);
    assert_int_equal(verdict_of(RAW, "4500001c 00010000 40110000 c0000201 c6336402 0035003500080000"),
                     PACKET_OTHER);
    assert_int_equal(verdict_of(RAW, IPV6_TO("0000", "3b")), PACKET_OTHER);
    assert_int_equal(verdict_of(147, IPV4 TCP HELLO), PACKET_LINK_UNKNOWN);
    assert_int_equal(verdict_of(-1, ""), PACKET_LINK_UNKNOWN);
    assert_false(packet_link_known(147));
    assert_false(packet_link_known(129));
}

static void test_vlan_stack_is_bounded(void **state)
{
    (void)state;
    packet_tcp tcp;
#define TAGS_16 TAGS_8 TAGS_8
#define TAGS_8  "8100 0001 8100 0001 8100 0001 8100 0001 88a8 0001 8100 0001 8100 0001 8100 0001 "
    assert_int_equal(decode(ETHERNET, MACS TAGS_16 "0800 " IPV4 TCP HELLO, &tcp), PACKET_TCP);
    assert_hello(&tcp, 4);
    assert_int_equal(verdict_of(ETHERNET, MACS TAGS_16 "8100 0001 0800 " IPV4 TCP HELLO), PACKET_MALFORMED);
    /* A tag as the last bytes of the packet, and a tag around an IEEE 802.3 frame. */
    assert_int_equal(verdict_of(ETHERNET, MACS "8100 0001 8100"), PACKET_MALFORMED);
    assert_int_equal(verdict_of(ETHERNET, MACS "8100 0001 0026 424203"), PACKET_OTHER);
}

static void test_extension_chain_is_bounded(void **state)
{
    (void)state;
    packet_tcp tcp;
#define DESTINATION_4  "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 "
#define DESTINATION_12 DESTINATION_4 DESTINATION_4 DESTINATION_4
#define LAST_4         "3c00010400000000 3c00010400000000 3c00010400000000 0600010400000000 "
    /* 16 of them, then 17 */
    assert_int_equal(decode(RAW, IPV6_TO("0099", "3c") DESTINATION_12 LAST_4 TCP HELLO, &tcp), PACKET_TCP);
    assert_hello(&tcp, 6);
    assert_int_equal(
        verdict_of(RAW, IPV6_TO("00a1", "3c") "3c00010400000000 " DESTINATION_12 LAST_4 TCP HELLO),
        PACKET_MALFORMED);
    /* An extension header that claims 2048 bytes; the same with a snapshot that holds only its start. */
    assert_int_equal(verdict_of(RAW, IPV6_TO("0021", "3c") "06ff010400000000 " TCP HELLO), PACKET_MALFORMED);
    hex_packet long_one = from_hex(IPV6_TO("0900", "3c") "06ff010400000000 ");
    assert_int_equal(decode_cut(RAW, &long_one, long_one.len_bytes, 40 + 0x900, &tcp), PACKET_CUT);
}

static void test_lying_ip_lengths(void **state)
{
    (void)state;
    packet_tcp tcp;
    /* Version 6 where the EtherType says 4 is taken as it is; the other way round; version 5 in raw IP */
    assert_int_equal(decode(ETHERNET, MACS "0800 " IPV6 TCP HELLO, &tcp), PACKET_TCP);
    assert_hello(&tcp, 6);
    assert_int_equal(verdict_of(ETHERNET, MACS "86dd " IPV4 TCP HELLO), PACKET_MALFORMED);
    assert_int_equal(verdict_of(RAW, "5500002d " TCP TCP HELLO), PACKET_MALFORMED);
    /* Header length 16; header length 60 of 45 bytes; total length 19; total length that ends within TCP */
    assert_int_equal(verdict_of(RAW, "4400002d 12344000 40060000 c0000201 c6336402 " TCP HELLO),
                     PACKET_MALFORMED);
    assert_int_equal(verdict_of(RAW, "4f00002d 12344000 40060000 c0000201 c6336402 " TCP HELLO),
                     PACKET_MALFORMED);
    assert_int_equal(verdict_of(RAW, "45000013 12344000 40060000 c0000201 c6336402 " TCP HELLO),
                     PACKET_MALFORMED);
    assert_int_equal(verdict_of(RAW, "45000027 12344000 40060000 c0000201 c6336402 " TCP HELLO),
                     PACKET_TCP_BROKEN);
    assert_int_equal(verdict_of(RAW, "45000023 12344000 40060000 c0000201 c6336402 " TCP HELLO),
                     PACKET_MALFORMED);
    /* Total length 65535 of 45 bytes: what the packet had */
    assert_int_equal(decode(RAW, "4500ffff 12344000 40060000 c0000201 c6336402 " TCP HELLO, &tcp),
                     PACKET_TCP);
    assert_hello(&tcp, 4);
    /* IPv6 payload length beyond the packet, and within the TCP header */
    assert_int_equal(decode(RAW, IPV6_TO("ffff", "06") TCP HELLO, &tcp), PACKET_TCP);
    assert_hello(&tcp, 6);
    assert_int_equal(verdict_of(RAW, IPV6_TO("0013", "06") TCP HELLO), PACKET_TCP_BROKEN);
    assert_int_equal(verdict_of(RAW, IPV6_TO("000f", "06") TCP HELLO), PACKET_MALFORMED);
    /* A file that claims fewer bytes on the wire than it holds */
    hex_packet packet = from_hex(IPV4 TCP HELLO);
    assert_int_equal(decode_cut(RAW, &packet, packet.len_bytes, 3, &tcp), PACKET_TCP);
    assert_hello(&tcp, 4);
}

static void test_ethernet_padding_is_no_payload(void **state)
{
    (void)state;
    packet_tcp tcp;
    /* An ACK of 40 bytes, padded to the 46 an Ethernet frame needs, and a segment with a trailer */
    assert_int_equal(
        decode(ETHERNET, MACS "0800 45000028 12344000 40060000 c0000201 c6336402 " TCP "000000000000", &tcp),
        PACKET_TCP);
    assert_int_equal(tcp.segment.len_bytes, 0);
    assert_int_equal(tcp.segment.captured_bytes, 0);
    assert_int_equal(decode(ETHERNET, MACS "86dd " IPV6 TCP HELLO "ffffffff", &tcp), PACKET_TCP);
    assert_hello(&tcp, 6);
    assert_int_equal(tcp.segment.captured_bytes, 5);
}

static void test_zero_length_is_a_super_segment(void **state)
{
    (void)state;
    packet_tcp tcp;
    hex_packet packet = from_hex(MACS "0800 45000000 12344000 40060000 c0000201 c6336402 " TCP HELLO);
    assert_int_equal(decode_cut(ETHERNET, &packet, packet.len_bytes, 100054, &tcp), PACKET_TCP);
    assert_int_equal(tcp.segment.len_bytes, 100000);
    assert_int_equal(tcp.segment.captured_bytes, 5);
    packet = from_hex(MACS "86dd " IPV6_TO("0000", "06") TCP HELLO);
    assert_int_equal(decode_cut(ETHERNET, &packet, packet.len_bytes, 100074, &tcp), PACKET_TCP);
    assert_int_equal(tcp.segment.len_bytes, 100000);
}

static void test_bad_data_offset(void **state)
{
    (void)state;
    packet_tcp tcp;
    /* 16 bytes, 0 bytes, 60 bytes in a segment of 25 */
    assert_int_equal(verdict_of(RAW, IPV4 "9c400050 000003e8 000007d0 401801f6 00000000 " HELLO),
                     PACKET_TCP_BROKEN);
    assert_int_equal(verdict_of(RAW, IPV4 "9c400050 000003e8 000007d0 001801f6 00000000 " HELLO),
                     PACKET_TCP_BROKEN);
    assert_int_equal(decode(RAW, IPV4 "9c400050 000003e8 000007d0 f01801f6 00000000 " HELLO, &tcp),
                     PACKET_TCP_BROKEN);
    assert_int_equal(tcp.segment.len_bytes, 0);
    tcp.segment.len_bytes = 5;
    assert_hello(&tcp, 4);
}

/* A SYN with 8 bytes of options. */
static ka_segment syn_of(const char *flags, const char *options)
{
    char hex[256];
    snprintf(hex, sizeof hex,
             "45000030 00010000 40060000 c0000201 c6336402 9c400050 000003e8 00000000 70%s01f6 00000000 %s",
             flags, options);
    packet_tcp tcp;
    assert_int_equal(decode(RAW, hex, &tcp), PACKET_TCP);
    assert_int_equal(tcp.segment.len_bytes, 0);
    return tcp.segment;
}

static uint16_t mss_of(const char *flags, const char *options)
{
    return syn_of(flags, options).mss;
}

/* One more than it says. */
static void test_window_scale(void **state)
{
    (void)state;
    assert_int_equal(syn_of("02", "020405b401030307").window_scale, 8);
    assert_int_equal(syn_of("02", "0303000101010101").window_scale, 1);
    assert_int_equal(syn_of("02", "0303ff0101010101").window_scale, 0);
    assert_int_equal(syn_of("02", "020405b401010402").window_scale, 0);
    assert_int_equal(syn_of("10", "020405b401030307").window_scale, 0); /* no SYN */
    assert_int_equal(syn_of("02", "0101010101010303").window_scale, 0); /* without its byte */
}

static void test_mss(void **state)
{
    (void)state;
    assert_int_equal(mss_of("02", "020405b401010402"), 1460);
    assert_int_equal(mss_of("12", "01010101020405a0"), 1440);
    assert_int_equal(mss_of("02", "0402 0303 0702 04ff"), 0); /* the last option lies across the end */
    assert_int_equal(mss_of("10", "020405b401010402"), 0);    /* no SYN */
    assert_int_equal(mss_of("02", "00000000020405b4"), 0);    /* behind the end of the list */
    assert_int_equal(mss_of("02", "0500020405b40000"), 0);    /* option length 0 */
    assert_int_equal(mss_of("02", "0501020405b40000"), 0);    /* option length 1 */
    assert_int_equal(mss_of("02", "0509020405b40000"), 0);    /* longer than the options */
    assert_int_equal(mss_of("02", "020305b4020405b4"), 0);    /* MSS of 3 bytes, then garbage */
    assert_int_equal(mss_of("02", "0101010101010102"), 0);    /* a kind without a length */
    assert_int_equal(mss_of("02", "0101010101010204"), 0);    /* a length without its bytes */
}

static void test_icmp_quotes(void **state)
{
    (void)state;
    packet_tcp tcp;
#define FROM_ROUTER(length) "4500" length "00070000 ff010000 0a000001 c0000201 "
    /* Port unreachable, time exceeded, with the whole quoted packet; an echo request or a redirect is no
     * error */
    assert_int_equal(decode(RAW, FROM_ROUTER("0049") "0303000000000000 " IPV4 TCP HELLO, &tcp),
                     PACKET_ICMP_TCP);
    assert_int_equal(tcp.segment.len_bytes, 0);
    tcp.segment.len_bytes = 5;
    assert_hello(&tcp, 4);
    assert_int_equal(verdict_of(RAW, FROM_ROUTER("0049") "0b00000000000000 " IPV4 TCP HELLO),
                     PACKET_ICMP_TCP);
    assert_int_equal(verdict_of(RAW, FROM_ROUTER("0049") "0800000000000000 " IPV4 TCP HELLO), PACKET_OTHER);
    assert_int_equal(verdict_of(RAW, FROM_ROUTER("0049") "0501000000000000 " IPV4 TCP HELLO), PACKET_OTHER);
    /* The usual quote of only 8 bytes of TCP; a quoted fragment; quoted UDP */
    assert_int_equal(verdict_of(RAW, FROM_ROUTER("0038") "0303000000000000 " IPV4 "9c400050 000003e8"),
                     PACKET_OTHER);
    assert_int_equal(
        verdict_of(RAW, FROM_ROUTER("0049") "0303000000000000 "
                                            "4500002d 12342000 40060000 c0000201 c6336402 " TCP HELLO),
        PACKET_OTHER);
    assert_int_equal(
        verdict_of(RAW, FROM_ROUTER("0049") "0303000000000000 "
                                            "4500002d 12344000 40110000 c0000201 c6336402 " TCP HELLO),
        PACKET_OTHER);
    /* ICMPv6 packet too big, and an echo request */
    assert_int_equal(decode(RAW, IPV6_TO("0049", "3a") "02000000000004d0 " IPV6 TCP HELLO, &tcp),
                     PACKET_ICMP_TCP);
    tcp.segment.len_bytes = 5;
    assert_hello(&tcp, 6);
    assert_int_equal(verdict_of(RAW, IPV6_TO("0049", "3a") "80000000000004d0 " IPV6 TCP HELLO), PACKET_OTHER);
    /* Cut at every length: the quote counts from 16 bytes of the TCP header on */
    hex_packet packet = from_hex(FROM_ROUTER("0049") "0303000000000000 " IPV4 TCP HELLO);
    for (uint32_t captured = 20; captured <= packet.len_bytes; captured++)
        assert_int_equal(decode_cut(RAW, &packet, captured, packet.len_bytes, &tcp),
                         captured < 64 ? PACKET_OTHER : PACKET_ICMP_TCP);
}

/* Every byte of every packet set to extremes: only that nothing is read out of bounds. */
static void test_flipped_bytes(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0xff, 0x2c, 0x3c, 0x33, 0x81};
    for (size_t i = 0; i < sizeof link_cases / sizeof link_cases[0]; i++) {
        hex_packet packet = from_hex(link_cases[i].hex);
        uint8_t *bytes = unit_at_page_end(packet.bytes, packet.len_bytes);
        for (uint32_t at = 0; at < packet.len_bytes * sizeof values; at++) {
            packet_tcp tcp = {.segment.len_bytes = 0};
            uint8_t before = bytes[at / sizeof values];
            bytes[at / sizeof values] = values[at % sizeof values];
            packet_decode(packets_decoder(), link_cases[i].link_type,
                          (packet_bytes){bytes, packet.len_bytes, packet.len_bytes}, packets_now, &tcp);
            assert_in_range(tcp.segment.len_bytes, 0, packet.len_bytes);
            bytes[at / sizeof values] = before;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_link_type_whole),
        cmocka_unit_test(test_each_link_type_cut_by_the_capture),
        cmocka_unit_test(test_each_link_type_short_on_the_wire),
        cmocka_unit_test(test_what_is_not_tcp),
        cmocka_unit_test(test_vlan_stack_is_bounded),
        cmocka_unit_test(test_extension_chain_is_bounded),
        cmocka_unit_test(test_lying_ip_lengths),
        cmocka_unit_test(test_ethernet_padding_is_no_payload),
        cmocka_unit_test(test_zero_length_is_a_super_segment),
        cmocka_unit_test(test_bad_data_offset),
        cmocka_unit_test(test_mss),
        cmocka_unit_test(test_window_scale),
        cmocka_unit_test(test_icmp_quotes),
        cmocka_unit_test(test_flipped_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
