/* test_transport.c - headers of one connection: what is new, what was missed, round trips, closes.
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

static void test_unwrap_across_2_32(void **state)
{
    (void)state;
    t.next[CLIENT] = UINT32_MAX - 149;
    t.next[SERVER] = UINT32_MAX;
    handshake(&t, 1, 10 * MS, 20 * MS);
    for (int i = 0; i < 4; i++) {
        asks(&t, 2 + i);
        advertises(&t, 2.1 + i, "timeout=5");
    }
    assert_int_equal((uint32_t)half(CLIENT)->next, t.next[CLIENT]);
    assert_true(half(CLIENT)->next > UINT64_C(0x300000000) - 1);
    assert_int_equal(half(CLIENT)->retransmissions + half(SERVER)->retransmissions, 0);
    assert_int_equal(ka_transport_missed_bytes(half(CLIENT)) + ka_transport_missed_bytes(half(SERVER)), 0);
    fins(&t, 12, SERVER);
    fins(&t, 12.1, CLIENT);
    acks(&t, 12.2, SERVER);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.responses, 4);
    assert_int_equal(r.idle_count, 4);
    assert_int_equal(r.close.by, KA_SIDE_SERVER);
}

static void test_unwrap_is_nearest(void **state)
{
    (void)state;
    ka_half h = {0};
    assert_true(ka_transport_unwrap(&h, 0) > UINT32_MAX); /* what lies before stays above zero */
    h.next = UINT64_C(0x300000010);
    assert_int_equal(ka_transport_unwrap(&h, 0xfffffff0), UINT64_C(0x2fffffff0));
    assert_int_equal(ka_transport_unwrap(&h, 0x20), UINT64_C(0x300000020));
    assert_int_equal(ka_transport_unwrap(&h, 0x10), h.next);
}

/* More bytes than a sequence number can tell apart, with each wrap seen. */
static void test_many_wraps(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    for (int i = 0; i < 20; i++) {
        sends(&t, 2 + i, SERVER, KA_ACK, 0x3fffffff);
        acks(&t, 2.5 + i, CLIENT);
    }
    assert_int_equal(half(SERVER)->next - (half(SERVER)->claimed - 1), 20 * UINT64_C(0x3fffffff) + 1);
    assert_int_equal(ka_transport_missed_bytes(half(SERVER)), 0);
}

/* ---- Round trips ---- */

static void test_handshake_round_trips(void **state)
{
    (void)state;
    handshake(&t, 1, 30 * MS, 4 * MS);
    assert_int_equal(ka_transport_rtt_ns(half(CLIENT)), 30 * KA_MILLISECOND_NS);
    assert_int_equal(ka_transport_rtt_ns(half(SERVER)), 4 * KA_MILLISECOND_NS);
    assert_int_equal(ka_transport_jitter_ns(half(CLIENT)), 0);
    assert_null(transport()->activity);
}

/* Karn: the SYN-ACK could answer either SYN. */
static void test_syn_retransmitted_is_not_timed(void **state)
{
    (void)state;
    ka_segment syn = segment_of(&t, 1, CLIENT, KA_SYN, 0);
    moved_on(&t, CLIENT, &syn);
    tell(&t, syn);
    syn.time_ns += KA_SECOND_NS;
    syn.ip_id++;
    tell(&t, syn);
    sends(&t, 2.01, SERVER, KA_SYN | KA_ACK, 0);
    acks(&t, 2.02, CLIENT);
    assert_int_equal(ka_transport_rtt_ns(half(CLIENT)), KA_NONE);
    assert_int_equal(ka_transport_rtt_ns(half(SERVER)), 10 * KA_MILLISECOND_NS);
    assert_int_equal(half(CLIENT)->retransmissions, 1);
    asks(&t, 3);
    acks(&t, 3.005, SERVER); /* refined by data */
    assert_int_equal(ka_transport_rtt_ns(half(CLIENT)), 5 * KA_MILLISECOND_NS);
}

static void test_minimum_and_jitter(void **state)
{
    static const double delays[] = {12 * MS, 9 * MS, 15 * MS};
    (void)state;
    handshake(&t, 1, 10 * MS, MS);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ka_transport_jitter_ns(half(CLIENT)), 0); /* below three samples */
        sends(&t, 2 + i, CLIENT, KA_ACK, STORY_BYTES);
        acks(&t, 2 + i + delays[i], SERVER);
    }
    assert_int_equal(ka_transport_rtt_ns(half(CLIENT)), 9 * KA_MILLISECOND_NS);
    assert_int_equal(ka_transport_jitter_ns(half(CLIENT)), 6 * KA_MILLISECOND_NS);
}

static void test_retransmitted_data_is_not_timed(void **state)
{
    (void)state;
    handshake(&t, 1, 10 * MS, MS);
    ka_segment data = segment_of(&t, 2, CLIENT, KA_ACK, STORY_BYTES);
    moved_on(&t, CLIENT, &data);
    tell(&t, data);
    data.time_ns += 200 * KA_MILLISECOND_NS;
    data.ip_id++;
    tell(&t, data);
    acks(&t, 2.201, SERVER);
    assert_int_equal(ka_transport_rtt_ns(half(CLIENT)), 10 * KA_MILLISECOND_NS);
    assert_int_equal(half(CLIENT)->data_rtt_count, 0);
    assert_int_equal(half(CLIENT)->retransmissions, 1);
}

/* The ACK of what follows a loss waits for the loss to be repaired: no measure of the path. */
static void test_data_behind_a_hole_is_not_timed(void **state)
{
    (void)state;
    handshake(&t, 1, 10 * MS, MS);
    ka_segment lost = sends_unseen(&t, 2, CLIENT, KA_ACK, STORY_BYTES);
    sends(&t, 2.001, CLIENT, KA_ACK, STORY_BYTES);
    lost.time_ns = story_ns(2.3);
    tell(&t, lost);
    acks(&t, 2.31, SERVER);
    assert_int_equal(half(CLIENT)->data_rtt_count, 0);
}

/* ---- Keepalive probes, copies, retransmissions ---- */

static void test_probes_are_no_data(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    asks(&t, 2);
    advertises(&t, 2.1, "timeout=75");
    acks(&t, 2.2, CLIENT);
    for (uint32_t len = 0; len <= 1; len++) {
        ka_segment probe = segment_of(&t, 10 + len, CLIENT, KA_ACK, len);
        probe.seq--;
        tell(&t, probe);
        acks(&t, 10 + len + MS, SERVER);
    }
    assert_int_equal(half(CLIENT)->rare->probing.sent, 2);
    assert_int_equal(half(CLIENT)->retransmissions, 0);
    assert_int_equal(ka_transport_missed_bytes(half(CLIENT)), 0);
    assert_int_equal(half(CLIENT)->last_data_ns, 2 * KA_SECOND_NS);
    assert_null(transport()->activity);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.idle_count, 1); /* probes do not cut the gap */
    assert_int_equal(r.idle_longest_ns, story_ns(11.001) - story_ns(2.1));
}

/* A capture that starts while the connection is idle: the probe repeats a byte from before the capture, and
 * nothing was missed. */
static void test_probe_as_the_first_segment(void **state)
{
    (void)state;
    ka_segment probe = segment_of(&t, 1, CLIENT, KA_ACK, 0);
    probe.seq--;
    tell(&t, probe);
    acks(&t, 1.001, SERVER);
    asks(&t, 2);
    advertises(&t, 2.1, "timeout=5");
    assert_int_equal(ka_transport_missed_bytes(half(CLIENT)), 0);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.failed_gates & KA_GATE_GAP, 0);
    assert_int_equal(r.requests, 1);
}

static void test_same_bytes_later_are_a_retransmission(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    ka_segment data = segment_of(&t, 2, CLIENT, KA_ACK, STORY_BYTES);
    moved_on(&t, CLIENT, &data);
    tell(&t, data);
    data.time_ns += KA_MILLISECOND_NS; /* the window is open at its end */
    tell(&t, data);
    assert_int_equal(half(CLIENT)->retransmissions, 1);
    data.time_ns += 100000;
    data.ip_id++; /* another packet */
    tell(&t, data);
    assert_int_equal(half(CLIENT)->retransmissions, 2);
    assert_false(failed(KA_GATE_DUPLICATE));
}

/* ---- What the capture missed ---- */

static void test_ack_of_unseen_bytes(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    sends_unseen(&t, 2, SERVER, KA_ACK, 250);
    assert_int_equal(ka_transport_missed_bytes(half(SERVER)), 0);
    acks(&t, 2.1, CLIENT);
    assert_int_equal(ka_transport_missed_bytes(half(SERVER)), 250);
    assert_true(ka_transport_unseen(half(SERVER), half(SERVER)->next - 1, half(SERVER)->next));
    sends(&t, 3, SERVER, KA_ACK, 10); /* what follows is new */
    assert_int_equal(ka_transport_missed_bytes(half(SERVER)), 250);
    assert_int_equal(half(SERVER)->retransmissions, 0);
}

/* A hole is missed only once it is acknowledged; part by part. */
static void test_hole_then_ack(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    ka_segment lost = sends_unseen(&t, 2, SERVER, KA_ACK, 100);
    sends(&t, 2.001, SERVER, KA_ACK, 50);
    assert_int_equal(ka_transport_missed_bytes(half(SERVER)), 0);
    assert_true(ka_transport_unseen(half(SERVER), half(SERVER)->claimed, half(SERVER)->claimed + 1));
    ka_segment ack = segment_of(&t, 2.002, CLIENT, KA_ACK, 0);
    ack.ack = lost.seq + 40;
    tell(&t, ack);
    assert_int_equal(ka_transport_missed_bytes(half(SERVER)), 40);
    ack.ack = lost.seq + 150;
    ack.time_ns += KA_MILLISECOND_NS;
    tell(&t, ack);
    assert_int_equal(ka_transport_missed_bytes(half(SERVER)), 100);
}

/* The capture's queues swapped data and its ACK by a microsecond: nothing is missed, nothing late. */
static void test_reordered_by_the_capture(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    ka_segment data = sends_unseen(&t, 2, SERVER, KA_ACK, 100);
    acks(&t, 2, CLIENT);
    data.time_ns = story_ns(2 + US);
    uint64_t first = half(SERVER)->next - 100;
    tell(&t, data);
    assert_int_equal(ka_transport_missed_bytes(half(SERVER)), 0);
    assert_false(ka_transport_late(half(SERVER), first));
    assert_int_equal(half(SERVER)->retransmissions, 0);
    assert_int_equal(half(SERVER)->last_data_ns, story_ns(2 + US));
}

static void test_filled_by_a_retransmission(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    ka_segment data = sends_unseen(&t, 2, SERVER, KA_ACK, 100);
    acks(&t, 2, CLIENT);
    data.time_ns = story_ns(2.2);
    uint64_t first = half(SERVER)->next - 100;
    tell(&t, data);
    assert_int_equal(ka_transport_missed_bytes(half(SERVER)), 0);
    assert_false(ka_transport_late(half(SERVER), first - 1));
    assert_true(ka_transport_late(half(SERVER), first));
    assert_true(ka_transport_late(half(SERVER), first + 99));
    assert_false(ka_transport_late(half(SERVER), first + 100));
}

static void test_snaplen_and_offload(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    sends(&t, 2, SERVER, KA_ACK, 1460);
    assert_false(failed(KA_GATE_OFFLOAD));
    ka_segment cut = segment_of(&t, 2.1, CLIENT, KA_ACK, 1461);
    cut.captured_bytes = 1460;
    tell(&t, cut);
    assert_true(failed(KA_GATE_OFFLOAD));
    assert_true(failed(KA_GATE_SNAPLEN));
}

static void test_clock(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    acks(&t, 1.0015, CLIENT); /* swapped by the capture: tolerated */
    assert_false(failed(KA_GATE_CLOCK));
    acks(&t, 0.5, CLIENT);
    assert_true(failed(KA_GATE_CLOCK));
    assert_int_equal(transport()->backward_us, 502000);
    assert_int_equal(transport()->newest.time_ns, story_ns(1.002));
    assert_int_equal(transport()->newest.frame, s.frame);
}

/* ---- The beginning of a message ---- */

static void test_unclaimed(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    assert_int_equal(ka_transport_unclaimed(transport(), CLIENT).seq, 0);
    line l = sends_message(&t, 2, CLIENT, 0, (words){0});
    sends(&t, 3, CLIENT, KA_ACK, 10);
    ka_unclaimed begun = ka_transport_unclaimed(transport(), CLIENT);
    assert_int_equal((uint32_t)begun.seq, l.seq);
    assert_int_equal(begun.at.frame, l.first.frame);
    /* Told late: the next one begins in its own segment, not where this one ended. */
    says(&t, l);
    begun = ka_transport_unclaimed(transport(), CLIENT);
    assert_int_equal((uint32_t)begun.seq, l.seq + STORY_BYTES);
    assert_int_equal(begun.at.frame, s.frame);
    assert_int_equal(begun.at.time_ns, 3 * KA_SECOND_NS);
}

/* The first byte counts, in whatever order the capture has the segments. */
static void test_unclaimed_is_the_lowest(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    ka_segment first = sends_unseen(&t, 2, CLIENT, KA_ACK, 50);
    sends(&t, 2, CLIENT, KA_ACK, 50);
    first.time_ns += 1000;
    ka_moment told = tell(&t, first);
    ka_unclaimed begun = ka_transport_unclaimed(transport(), CLIENT);
    assert_int_equal((uint32_t)begun.seq, first.seq);
    assert_int_equal(begun.at.frame, told.frame);
}

/* Behind the message only bytes that the capture missed: no request was seen to begin. */
static void test_missed_bytes_begin_nothing(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    line l = sends_message(&t, 2, CLIENT, 0, (words){0});
    sends_unseen(&t, 2.1, CLIENT, KA_ACK, 70);
    acks(&t, 2.2, SERVER);
    says(&t, l);
    assert_int_equal(ka_transport_unclaimed(transport(), CLIENT).seq, 0);
}

/* ---- Closes ---- */

static void test_fin(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    uint32_t seq = t.next[SERVER];
    ka_moment fin = fins(&t, 2, SERVER);
    const ka_ending *ending = half(SERVER)->ending;
    assert_non_null(ending);
    assert_int_equal(ending->fin.frame, fin.frame);
    assert_int_equal((uint32_t)ending->fin_seq, seq);
    assert_int_equal((uint32_t)ending->fin_ack, t.next[CLIENT]);
    t.deaf[CLIENT] = true;
    acks(&t, 2.001, CLIENT);
    assert_int_equal(ending->fin_acked.frame, 0);
    t.deaf[CLIENT] = false;
    ka_moment ack = acks(&t, 2.002, CLIENT);
    assert_int_equal(ending->fin_acked.frame, ack.frame);
    acks(&t, 2.003, CLIENT);
    assert_int_equal(ending->fin_acked.frame, ack.frame); /* the first one */
    assert_int_equal(ka_transport_missed_bytes(half(SERVER)), 0);
}

static void test_fin_retransmitted_counts_once(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    ka_segment fin = segment_of(&t, 2, SERVER, KA_FIN | KA_ACK, 20);
    moved_on(&t, SERVER, &fin);
    tell(&t, fin);
    fin.time_ns += 200 * KA_MILLISECOND_NS;
    fin.ip_id++;
    tell(&t, fin);
    assert_int_equal(half(SERVER)->ending->fin.time_ns, 2 * KA_SECOND_NS);
    assert_int_equal(half(SERVER)->retransmissions, 1);
}

/* The ACK of a FIN captured a microsecond before the FIN. */
static void test_fin_acked_before_it_was_captured(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    ka_segment fin = sends_unseen(&t, 2, SERVER, KA_FIN | KA_ACK, 0);
    acks(&t, 2, CLIENT);
    fin.time_ns += 1000;
    ka_moment told = tell(&t, fin);
    assert_int_equal(half(SERVER)->ending->fin.frame, told.frame);
    assert_int_not_equal(half(SERVER)->ending->fin_acked.frame, 0);
    assert_int_equal(ka_transport_missed_bytes(half(SERVER)), 0);
}

static void test_rst_after_fin_and_alone(void **state)
{
    (void)state;
    ka_how how;
    handshake(&t, 1, MS, MS);
    assert_int_equal(ka_transport_ended(half(SERVER), &how).frame, 0);
    assert_int_equal(how, KA_HOW_NONE);
    ka_moment fin = fins(&t, 2, SERVER);
    resets(&t, 3, SERVER);
    assert_int_equal(ka_transport_ended(half(SERVER), &how).frame, fin.frame);
    assert_int_equal(how, KA_HOW_FIN);
    ka_moment rst = resets(&t, 4, CLIENT);
    assert_int_equal(ka_transport_ended(half(CLIENT), &how).frame, rst.frame);
    assert_int_equal(how, KA_HOW_RST);
}

/* The ACK number of an RST can name bytes never sent; an RST's payload is no data. */
static void test_rst_proves_nothing(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    ka_segment rst = segment_of(&t, 2, CLIENT, KA_RST | KA_ACK, 30);
    rst.ack += 5000;
    tell(&t, rst);
    assert_int_equal(ka_transport_missed_bytes(half(SERVER)), 0);
    assert_int_equal((uint32_t)half(CLIENT)->ending->rst_ack, 7001);
    assert_int_equal(half(CLIENT)->last_data_ns, KA_NONE);
}

/* A refused connection: both sides were seen. */
static void test_refused_is_not_one_sided(void **state)
{
    (void)state;
    sends(&t, 1, CLIENT, KA_SYN, 0);
    resets(&t, 1.001, SERVER);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.failed_gates & KA_GATE_ONE_SIDED, 0);
    assert_int_equal(r.close.by, KA_SIDE_SERVER);
    assert_int_equal(r.close.how, KA_HOW_RST);
}

static void test_one_sided(void **state)
{
    (void)state;
    sends(&t, 1, CLIENT, KA_SYN, 0);
    assert_int_equal(t.connection->transport.half[SERVER].seen, false);
    sends_unseen(&t, 1.001, SERVER, KA_SYN | KA_ACK, 0);
    acks(&t, 1.002, CLIENT);
    sends_unseen(&t, 2, SERVER, KA_ACK, 100);
    acks(&t, 2.1, CLIENT);
    assert_int_equal(ka_transport_missed_bytes(half(SERVER)), 0); /* not missed: never to be seen */
    ka_record r = story_only_record(&s);
    assert_true(r.failed_gates & KA_GATE_ONE_SIDED);
}

/* ---- Memory ---- */

/* An idle HTTP connection is one block: the design allows 600 bytes with the front end's share. */
static void test_idle_connection_holds_nothing_else(void **state)
{
    (void)state;
    assert_true(sizeof(ka_connection) <= 512);
    handshake(&t, 1, MS, MS);
    asks(&t, 2);
    long blocks = s.blocks;
    advertises(&t, 2.1, "timeout=5");
    acks(&t, 2.2, CLIENT);
    assert_null(transport()->activity);
    assert_null(t.connection->exchanges.newest);
    assert_null(t.connection->noted);
    long busy = s.blocks;
    assert_true(busy < blocks);
    talk other = talk_open(&s, 1, false);
    handshake(&other, 3, MS, MS);
    for (int i = 0; i < 3; i++) {
        asks(&other, 4 + i);
        advertises(&other, 4.5 + i, "timeout=5");
    }
    acks(&other, 8, CLIENT);
    long known = s.blocks; /* the server, and its distributions */
    talk third = talk_open(&s, 2, false);
    handshake(&third, 9, MS, MS);
    for (int i = 0; i < 3; i++) {
        asks(&third, 10 + i);
        advertises(&third, 10.5 + i, "timeout=5");
    }
    acks(&third, 14, CLIENT);
    assert_int_equal(s.blocks, known); /* the connection comes out of a slab */
}

/* Holes without end: a bounded set. */
static void test_holes_are_bounded(void **state)
{
    (void)state;
    handshake(&t, 1, MS, MS);
    long bytes = 0;
    for (int i = 0; i < 1000; i++) {
        sends_unseen(&t, 2, SERVER, KA_ACK, 10);
        sends(&t, 2 + i * MS, SERVER, KA_ACK, 10);
        if (i == 100)
            bytes = s.bytes;
    }
    assert_int_equal(s.bytes, bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unwrap_across_2_32),
        TEST(unwrap_is_nearest),
        TEST(many_wraps),
        TEST(handshake_round_trips),
        TEST(syn_retransmitted_is_not_timed),
        TEST(minimum_and_jitter),
        TEST(retransmitted_data_is_not_timed),
        TEST(data_behind_a_hole_is_not_timed),
        TEST(probes_are_no_data),
        TEST(probe_as_the_first_segment),
        TEST(same_bytes_later_are_a_retransmission),
        TEST(ack_of_unseen_bytes),
        TEST(hole_then_ack),
        TEST(reordered_by_the_capture),
        TEST(filled_by_a_retransmission),
        TEST(snaplen_and_offload),
        TEST(clock),
        TEST(unclaimed),
        TEST(unclaimed_is_the_lowest),
        TEST(missed_bytes_begin_nothing),
        TEST(fin),
        TEST(fin_retransmitted_counts_once),
        TEST(fin_acked_before_it_was_captured),
        TEST(rst_after_fin_and_alone),
        TEST(rst_proves_nothing),
        TEST(refused_is_not_one_sided),
        TEST(one_sided),
        TEST(idle_connection_holds_nothing_else),
        TEST(holes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
