/* test_packet_layers.c - link layers and tunnels around one segment, whole, cut and lying, and their names.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packets.h"

enum { PPP = 9, PPP_SERIAL = 50, PPP_ETHER = 51, WLAN = 105, PRISM = 119, RADIOTAP = 127, AVS = 163 };
enum { CISCO_HDLC = 104, PPP_WITH_DIRECTION = 204, NFLOG = 239 };

/* An IPv4 header from 203.0.113.1 to 203.0.113.2 around something. */
#define OUTER4(length, protocol) "4500" length "00010000 40" protocol "0000 cb007101 cb007102 "
#define OUTER6(length, next)                                                                                 \
    "60000000 " length next "40 20010db8000000000000000000000aa1 20010db8000000000000000000000aa2 "
#define ETHERNET4 MACS "0800 "
/* 802.11: to the access point; data, and QoS data. */
#define WLAN_DATA "0801 0000 020000000001 020000000002 020000000003 0010 "
#define WLAN_QOS  "8801 0000 020000000001 020000000002 020000000003 0010 0000 "
#define SNAP      "aaaa03 000000 "

typedef struct layer_case {
    const char *path;
    int link_type;
    uint8_t version;
    const char *hex;
} layer_case;

static const layer_case cases[] = {
    {"none", ETHERNET, 4, MACS "0035 " SNAP "0800 " IPV4 TCP HELLO},
    {"none", ETHERNET, 4, MACS "0030 060603 " IPV4 TCP HELLO},
    {"none", ETHERNET, 4, MACS "8100 2000 0800 " IPV4 TCP HELLO}, /* a priority, no VLAN */
    {"vlan 100 / vlan 4095", ETHERNET, 4, MACS "88a8 e064 8100 0fff 0800 " IPV4 TCP HELLO},
    {"mpls 16 / mpls 1048575", ETHERNET, 4, MACS "8847 00010040 fffff140 " IPV4 TCP HELLO},
    {"mpls 16", ETHERNET, 6, MACS "8848 00010140 " IPV6 TCP HELLO},
    {"mpls 16 / vlan 7", ETHERNET, 4, MACS "8847 00010140 00000000 " MACS "8100 0007 0800 " IPV4 TCP HELLO},
    {"mpls 16", ETHERNET, 4, MACS "8847 00010140 " ETHERNET4 IPV4 TCP HELLO},
    {"vlan 5 / pppoe 17", ETHERNET, 4, MACS "8100 0005 8864 1100 0011 002f 0021 " IPV4 TCP HELLO "ffff"},
    {"pppoe 17", ETHERNET, 6, MACS "8864 1100 0011 0043 0057 " IPV6 TCP HELLO},
    {"pppoe 1", PPP_ETHER, 4, "1100 0001 002f 0021 " IPV4 TCP HELLO},
    {"none", PPP, 4, "ff03 0021 " IPV4 TCP HELLO},
    {"none", PPP, 4, "0021 " IPV4 TCP HELLO},
    {"none", PPP, 4, "21 " IPV4 TCP HELLO},
    {"mpls 16", PPP_SERIAL, 6, "ff03 0281 00010140 " IPV6 TCP HELLO},
    {"none", PPP_SERIAL, 6, "0f00 86dd " IPV6 TCP HELLO},
    {"none", CISCO_HDLC, 4, "8f00 0800 " IPV4 TCP HELLO},
    {"none", PPP_WITH_DIRECTION, 4, "01 ff03 0021 " IPV4 TCP HELLO},
    {"none", WLAN, 4, WLAN_DATA SNAP "0800 " IPV4 TCP HELLO},
    {"none", WLAN, 6, WLAN_QOS SNAP "86dd " IPV6 TCP HELLO "00000000"},
    /* four addresses; QoS with HT control */
    {"none", WLAN, 4,
     "0803 0000 020000000001 020000000002 020000000003 0010 020000000004 " SNAP "0800 " IPV4 TCP HELLO},
    {"none", WLAN, 4,
     "8881 0000 020000000001 020000000002 020000000003 0010 0000 11111111 " SNAP "0800 " IPV4 TCP HELLO},
    {"none", RADIOTAP, 4, "0000 0800 00000000 " WLAN_DATA SNAP "0800 " IPV4 TCP HELLO},
    /* TSFT, and flags that tell of padding behind the QoS header */
    {"none", RADIOTAP, 4,
     "0000 1100 03000000 0102030405060708 20 " WLAN_QOS "0000 " SNAP "0800 " IPV4 TCP HELLO},
    /* two words of what is present: TSFT is aligned behind them */
    {"none", RADIOTAP, 4,
     "0000 1900 03000080 00000000 00000000 0102030405060708 20 " WLAN_QOS "0000 " SNAP
     "0800 " IPV4 TCP HELLO},
    {"none", PRISM, 4, "44000000 0c000000 00000000 " WLAN_DATA SNAP "0800 " IPV4 TCP HELLO},
    {"none", AVS, 4, "80211001 0000000c 00000000 " WLAN_DATA SNAP "0800 " IPV4 TCP HELLO},
    {"none", NFLOG, 4, "02000000 0800 0100 00000000 0500 0a00 61000000 3100 0900 " IPV4 TCP HELLO},
    {"4in4", RAW, 4, OUTER4("0041", "04") IPV4 TCP HELLO},
    {"6in4", RAW, 6, OUTER4("0055", "29") IPV6 TCP HELLO},
    {"4in6", RAW, 4, OUTER6("002d", "04") IPV4 TCP HELLO},
    {"6in6", RAW, 6, OUTER6("0041", "29") IPV6 TCP HELLO},
    {"mpls 16", RAW, 4, OUTER4("0045", "89") "00010140 " IPV4 TCP HELLO},
    {"gre", RAW, 4, OUTER4("0045", "2f") "0000 0800 " IPV4 TCP HELLO},
    {"gre 9", RAW, 6, OUTER4("0065", "2f") "b000 86dd 00000000 00000009 00000001 " IPV6 TCP HELLO},
    /* NVGRE: 24 bits of virtual subnet, 8 of flow */
    {"gre 9 / vlan 3", RAW, 4,
     OUTER4("005b", "2f") "2000 6558 000009aa " MACS "8100 0003 0800 " IPV4 TCP HELLO},
    {"pptp 258", RAW, 4,
     OUTER4("0055", "2f") "3081 880b 002f 0102 00000001 00000001 ff03 0021 " IPV4 TCP HELLO},
    {"erspan 0", RAW, 4, OUTER4("0053", "2f") "0000 88be " ETHERNET4 IPV4 TCP HELLO},
    {"erspan 100", RAW, 4,
     OUTER4("005f", "2f") "1000 88be 00000001 10050064 00000000 " ETHERNET4 IPV4 TCP HELLO},
    {"erspan 100", RAW, 4,
     OUTER4("006b",
            "2f") "1000 22eb 00000001 20050064 00000000 00000001 0000000000000000 " ETHERNET4 IPV4 TCP HELLO},
    {"vxlan 77", RAW, 4,
     OUTER4("005f", "11") "c000 12b5 004b 0000 08000000 00004d00 " ETHERNET4 IPV4 TCP HELLO},
    {"vxlan 77", RAW, 6,
     OUTER6("005f", "11") "c000 2118 005f 0000 08000000 00004dff " MACS "86dd " IPV6 TCP HELLO},
    {"geneve 77", RAW, 4,
     OUTER4("0067",
            "11") "c000 17c1 0053 0000 0200 6558 00004d00 0102030405060708 " ETHERNET4 IPV4 TCP HELLO},
    {"geneve 77", RAW, 4, OUTER4("0051", "11") "c000 17c1 003d 0000 0000 0800 00004d00 " IPV4 TCP HELLO},
    {"gtp-u 257", RAW, 4, OUTER4("0051", "11") "0868 0868 003d 0000 30ff 002d 00000101 " IPV4 TCP HELLO},
    {"gtp-u 257", RAW, 6,
     OUTER4("006d", "11") "0868 0868 0059 0000 36ff 0049 00000101 000100 85 01100500 " IPV6 TCP HELLO},
    {"vlan 5 / vxlan 77 / vlan 6 / gre", ETHERNET, 4,
     MACS "8100 0005 0800 " OUTER4("007b", "11") "c000 12b5 0067 0000 08000000 00004d00 " MACS
                                                 "8100 0006 0800 " OUTER4("0045",
                                                                          "2f") "0000 0800 " IPV4 TCP HELLO},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static void assert_path(const packet_tcp *tcp, const char *expected)
{
    char text[128];
    size_t len = packet_path_text(packets_decoder(), tcp->path, text, sizeof text);
    assert_string_equal(text, expected);
    assert_int_equal(len, strlen(expected));
}

static void test_each_layer_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        packet_tcp tcp;
        print_message("%zu: %s\n", i, cases[i].path);
        assert_true(packet_link_known(cases[i].link_type));
        assert_int_equal(decode(cases[i].link_type, cases[i].hex, &tcp), PACKET_TCP);
        assert_hello(&tcp, cases[i].version);
        assert_int_equal(tcp.segment.captured_bytes, 5);
        assert_path(&tcp, cases[i].path);
    }
}

/* Where the payload begins in a packet. */
static uint32_t payload_at(const hex_packet *packet)
{
    for (uint32_t at = packet->len_bytes - 5; at > 0; at--)
        if (memcmp(packet->bytes + at, "hello", 5) == 0)
            return at;
    fail();
    return 0;
}

static void test_each_layer_cut_by_the_capture(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        hex_packet packet = from_hex(cases[i].hex);
        uint32_t needed = payload_at(&packet);
        for (uint32_t captured = 0; captured < packet.len_bytes; captured++) {
            packet_tcp tcp;
            packet_verdict verdict =
                decode_cut(cases[i].link_type, &packet, captured, packet.len_bytes, &tcp);
            if (captured + 4 < needed)
                assert_true(verdict == PACKET_CUT || verdict == PACKET_OTHER);
            else
                assert_int_equal(verdict, captured < needed ? PACKET_TCP_BROKEN : PACKET_TCP);
            if (captured >= needed)
                assert_hello(&tcp, cases[i].version);
        }
    }
}

static void test_each_layer_short_on_the_wire(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        hex_packet packet = from_hex(cases[i].hex);
        uint32_t needed = payload_at(&packet);
        for (uint32_t len = 0; len < packet.len_bytes; len++) {
            packet_tcp tcp;
            packet_verdict verdict = decode_cut(cases[i].link_type, &packet, len, len, &tcp);
            if (len + 4 < needed)
                assert_true(verdict == PACKET_MALFORMED || verdict == PACKET_OTHER);
            else
                assert_int_equal(verdict, len < needed ? PACKET_TCP_BROKEN : PACKET_TCP);
        }
    }
}

/* Every byte of every packet set to extremes: only that nothing is read out of bounds. */
static void test_flipped_bytes(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0x04, 0x11, 0x29, 0x2f, 0x81, 0xff};
    for (size_t i = 0; i < CASES; i++) {
        hex_packet packet = from_hex(cases[i].hex);
        uint8_t *bytes = unit_at_page_end(packet.bytes, packet.len_bytes);
        for (uint32_t at = 0; at < packet.len_bytes * sizeof values; at++) {
            packet_tcp tcp = {.segment.len_bytes = 0};
            uint8_t before = bytes[at / sizeof values];
            bytes[at / sizeof values] = values[at % sizeof values];
            packet_decode(packets_decoder(), cases[i].link_type,
                          (packet_bytes){bytes, packet.len_bytes, packet.len_bytes}, packets_now, &tcp);
            assert_in_range(tcp.segment.len_bytes, 0, packet.len_bytes);
            bytes[at / sizeof values] = before;
        }
    }
}

static void test_what_is_not_read(void **state)
{
    (void)state;
    /* PPPoE discovery; PPP: LCP; encrypted, null, management frames of 802.11 */
    assert_int_equal(verdict_of(ETHERNET, MACS "8864 1109 0000 002f 0021 " IPV4 TCP HELLO), PACKET_OTHER);
    assert_int_equal(verdict_of(PPP, "ff03 c021 " IPV4 TCP HELLO), PACKET_OTHER);
    assert_int_equal(verdict_of(WLAN, "0841 0000 020000000001 020000000002 020000000003 0010 " SNAP
                                      "0800 " IPV4 TCP HELLO),
                     PACKET_OTHER);
    assert_int_equal(verdict_of(WLAN, "4801 0000 020000000001 020000000002 020000000003 0010 "),
                     PACKET_OTHER);
    assert_int_equal(verdict_of(WLAN, "8000 0000 020000000001 020000000002 020000000003 0010 "),
                     PACKET_OTHER);
    /* an A-MSDU; the first and the second piece of a frame */
    assert_int_equal(verdict_of(WLAN, "8801 0000 020000000001 020000000002 020000000003 0010 8000 "),
                     PACKET_AGGREGATE);
    assert_int_equal(verdict_of(WLAN, "0805 0000 020000000001 020000000002 020000000003 0010 "),
                     PACKET_AGGREGATE);
    assert_int_equal(verdict_of(WLAN, "0801 0000 020000000001 020000000002 020000000003 0110 "),
                     PACKET_AGGREGATE);
    /* GRE with routing, of version 2; VXLAN on a port that is not registered, without its valid bit; GTP:
     * an echo request, and an extension header of length 0 */
    assert_int_equal(verdict_of(RAW, OUTER4("0045", "2f") "4000 0800 " IPV4 TCP HELLO), PACKET_OTHER);
    assert_int_equal(verdict_of(RAW, OUTER4("0045", "2f") "0002 0800 " IPV4 TCP HELLO), PACKET_OTHER);
    assert_int_equal(
        verdict_of(RAW,
                   OUTER4("005f", "11") "c000 12b6 004b 0000 08000000 00004d00 " ETHERNET4 IPV4 TCP HELLO),
        PACKET_OTHER);
    assert_int_equal(
        verdict_of(RAW,
                   OUTER4("005f", "11") "c000 12b5 004b 0000 00000000 00004d00 " ETHERNET4 IPV4 TCP HELLO),
        PACKET_OTHER);
    assert_int_equal(
        verdict_of(RAW, OUTER4("0051", "11") "0868 0868 003d 0000 3001 002d 00000101 " IPV4 TCP HELLO),
        PACKET_OTHER);
    assert_int_equal(verdict_of(RAW, OUTER4("006d", "11") "0868 0868 0059 0000 36ff 0049 00000101 000100 85 "
                                                          "00100500 " IPV6 TCP HELLO),
                     PACKET_MALFORMED);
}

/* 20 bytes of IPv4 around themselves, with TCP at last: sixteen layers are followed. */
static void test_nesting_is_bounded(void **state)
{
    (void)state;
    for (uint32_t depth = 15; depth <= 17; depth++) {
        hex_packet packet = {.len_bytes = 0};
        hex_packet outer = from_hex(OUTER4("0000", "04"));
        hex_packet inner = from_hex(IPV4 TCP HELLO);
        for (uint32_t i = 0; i < depth; i++, packet.len_bytes += 20)
            memcpy(packet.bytes + packet.len_bytes, outer.bytes, 20);
        memcpy(packet.bytes + packet.len_bytes, inner.bytes, inner.len_bytes);
        packet.len_bytes += inner.len_bytes;
        packet_tcp tcp;
        assert_int_equal(decode_cut(RAW, &packet, packet.len_bytes, packet.len_bytes, &tcp),
                         depth <= 16 ? PACKET_TCP : PACKET_MALFORMED);
    }
}

static void test_tenants(void **state)
{
    (void)state;
    packet_tcp plain, vlan5, vlan6, labelled, bare_label, vxlan;
    decode(ETHERNET, ETHERNET4 IPV4 TCP HELLO, &plain);
    decode(ETHERNET, MACS "8100 0005 0800 " IPV4 TCP HELLO, &vlan5);
    decode(ETHERNET, MACS "8100 0006 0800 " IPV4 TCP HELLO, &vlan6);
    decode(ETHERNET, MACS "8100 0005 8847 00010140 " IPV4 TCP HELLO, &labelled);
    decode(ETHERNET, MACS "8847 00010140 " IPV4 TCP HELLO, &bare_label);
    decode(RAW, OUTER4("005f", "11") "c000 12b5 004b 0000 08000000 00000500 " ETHERNET4 IPV4 TCP HELLO,
           &vxlan);
    assert_int_equal(plain.path, 0);
    assert_int_equal(plain.tenant, 0);
    assert_int_equal(bare_label.tenant, 0);
    assert_int_not_equal(bare_label.path, 0);
    assert_int_not_equal(vlan5.tenant, 0);
    assert_int_not_equal(vlan5.tenant, vlan6.tenant);
    assert_int_not_equal(vlan5.tenant, vxlan.tenant);
    assert_int_equal(vlan5.tenant, labelled.tenant);
    assert_int_not_equal(vlan5.path, labelled.path);
}

/* More different paths than numbers: the rest have one in common. */
static void test_paths_are_bounded(void **state)
{
    (void)state;
    packet_tcp tcp;
    hex_packet packet = from_hex(MACS "8847 00000140 " IPV4 TCP HELLO);
    packet_decoder *decoder = packet_decoder_new(&memory_heap);
    for (uint32_t label = 0; label <= UINT16_MAX; label++) {
        packet.bytes[14] = (uint8_t)(label >> 12);
        packet.bytes[15] = (uint8_t)(label >> 4);
        packet.bytes[16] = (uint8_t)(label << 4 | 1);
        packet_bytes bytes = {packet.bytes, packet.len_bytes, packet.len_bytes};
        assert_int_equal(packet_decode(decoder, ETHERNET, bytes, 0, &tcp), PACKET_TCP);
        assert_int_equal(tcp.path, label < PACKET_PATH_UNKNOWN - 1 ? label + 1 : PACKET_PATH_UNKNOWN);
    }
    char text[8];
    assert_int_equal(packet_path_text(decoder, 0x1235, text, sizeof text), 7);
    assert_string_equal(text, "mpls 46"); /* 4660, cut */
    packet_path_text(decoder, PACKET_PATH_UNKNOWN, text, sizeof text);
    assert_string_equal(text, "unknown");
    packet_decoder_free(decoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_layer_whole),
        cmocka_unit_test(test_each_layer_cut_by_the_capture),
        cmocka_unit_test(test_each_layer_short_on_the_wire),
        cmocka_unit_test(test_flipped_bytes),
        cmocka_unit_test(test_what_is_not_read),
        cmocka_unit_test(test_nesting_is_bounded),
        cmocka_unit_test(test_tenants),
        cmocka_unit_test(test_paths_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
