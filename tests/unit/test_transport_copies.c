/* test_transport_copies.c - packets that were captured twice.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "story.h"
#include "transport.h"

static story s;
static talk t;

static int begin(void **state)
{
    (void)state;
    story_begin(&s);
    t = talk_open(&s, 0, false);
    return 0;
}

static int end(void **state)
{
    (void)state;
    assert_int_equal(s.status, KA_OK);
    story_end(&s);
    return 0;
}

static const ka_half *half(int side)
{
    return &t.connection->transport.half[side];
}

static const ka_transport *transport(void)
{
    return &t.connection->transport;
}

static uint32_t failed(ka_gate gate)
{
    return transport()->failed_gates & gate;
}

/* ---- Sequence numbers ---- */

/* A mirror port that copies both directions of a link: same IP-ID, within a millisecond. */
static void test_copies_are_ignored(void **state)
{
    static const uint8_t flags[] = {KA_SYN, KA_SYN | KA_ACK, KA_ACK, KA_PSH | KA_ACK, KA_FIN | KA_ACK};
    static const int sides[] = {CLIENT, SERVER, CLIENT, CLIENT, CLIENT};
    (void)state;
    for (int i = 0; i < 5; i++) {
        ka_segment segment =
            segment_of(&t, 1 + i * 10 * MS, sides[i], flags[i], flags[i] & KA_PSH ? STORY_BYTES : 0);
        moved_on(&t, sides[i], &segment);
        tell(&t, segment);
        segment.time_ns += 300000;
        segment.ttl--; /* mirrored behind a router */
        tell(&t, segment);
    }
    assert_true(failed(KA_GATE_DUPLICATE));
    assert_int_equal(half(CLIENT)->retransmissions, 0);
    assert_int_equal(half(SERVER)->retransmissions, 0);
    assert_int_equal(ka_transport_rtt_ns(half(CLIENT)), 10 * KA_MILLISECOND_NS);
}

/* Copies that come interleaved, the second link's delay behind: A B A' B'. */
static void test_interleaved_copies(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    ka_segment data = segment_of(&t, 2, CLIENT, KA_PSH | KA_ACK, STORY_BYTES);
    moved_on(&t, CLIENT, &data);
    line l = {CLIENT, 0, data.seq, data.ack, STORY_BYTES, tell(&t, data), {0, 0}, {0}};
    l.last = l.first;
    says(&t, l);
    ka_segment ack = segment_of(&t, 2 + 100 * US, SERVER, KA_ACK, 0);
    tell(&t, ack);
    data.time_ns += 200000;
    tell(&t, data);
    ack.time_ns += 200000;
    tell(&t, ack);
    assert_int_equal(half(CLIENT)->retransmissions, 0);
    assert_true(failed(KA_GATE_DUPLICATE));
}

/* Four segments in a row, then all of them again behind a router. With the same time to live they were sent
 * again, and so they were one millisecond later. */
static void test_copies_of_a_burst(void **state)
{
    (void)state;
    static const struct {
        int64_t after_ns;
        uint8_t hops;
        uint32_t retransmissions;
    } cases[] = {{300000, 1, 0}, {300000, 5, 3}, {300000, 0, 3}, {2000000, 1, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (i > 0) {
            end(state);
            begin(state);
        }
        handshake(&t, 1, MS, MS);
        ka_segment burst[4];
        for (unsigned k = 0; k < 4; k++) {
            burst[k] = segment_of(&t, 2 + k * 10 * US, CLIENT, KA_PSH | KA_ACK, STORY_BYTES);
            burst[k].ip_id = (uint16_t)(100 + k);
            moved_on(&t, CLIENT, &burst[k]);
            tell(&t, burst[k]);
        }
        for (unsigned k = 0; k < 4; k++) {
            burst[k].time_ns += cases[i].after_ns;
            burst[k].ttl = (uint8_t)(burst[k].ttl - cases[i].hops);
            tell(&t, burst[k]);
        }
        assert_int_equal(half(CLIENT)->retransmissions, cases[i].retransmissions);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(copies_are_ignored),
        TEST(interleaved_copies),
        TEST(copies_of_a_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
