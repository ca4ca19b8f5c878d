/* test_silence.c - data and probes of one side of which nothing is heard; FINs sent again; time to live.
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
    handshake(&t, 1, 10 * MS, 20 * MS);
    asks(&t, 2);
    advertises(&t, 2.1, "timeout=5");
    acks(&t, 2.2, CLIENT);
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

static const ka_stall *stall(int side)
{
    return ka_transport_stall(&t.connection->transport, (unsigned)side);
}

static void probes(double at)
{
    ka_segment probe = segment_of(&t, at, CLIENT, KA_ACK, 0);
    probe.seq--;
    tell(&t, probe);
}

/* The last request again. */
static void asks_again(double at)
{
    ka_segment again = segment_of(&t, at, CLIENT, KA_PSH | KA_ACK, STORY_BYTES);
    again.seq -= STORY_BYTES;
    tell(&t, again);
}

static void test_stall_begins_after_silence(void **state)
{
    (void)state;
    assert_null(stall(CLIENT));
    asks(&t, 3.199); /* 0.999 s */
    assert_null(stall(CLIENT));
    advertises(&t, 3.3, "timeout=5");
    acks(&t, 3.4, CLIENT);
    asks(&t, 4.4);
    assert_non_null(stall(CLIENT));
    assert_int_equal(stall(CLIENT)->silence_ns, KA_SECOND_NS);
    assert_int_equal(stall(CLIENT)->first.time_ns, story_ns(4.4));
    assert_null(stall(SERVER));
}

static void test_stall_counts_the_same_data(void **state)
{
    (void)state;
    t.deaf[SERVER] = true;
    asks(&t, 10);
    asks_again(10.3);
    asks(&t, 12); /* pipelined: the first one goes on */
    asks_again(12.3);
    assert_int_equal(stall(CLIENT)->first.time_ns, story_ns(10));
    assert_int_equal(stall(CLIENT)->resent, 1);
    assert_int_equal(stall(CLIENT)->again.time_ns, story_ns(10.3));
}

static void test_stall_ends_with_anything_heard(void **state)
{
    (void)state;
    asks(&t, 10);
    t.deaf[SERVER] = true;
    t.acked[SERVER] -= STORY_BYTES; /* not even an ACK of it */
    sends(&t, 10.5, SERVER, KA_ACK, 0);
    assert_null(stall(CLIENT));
}

/* Nobody knows who sent it; and it measures no round trip. */
static void test_stall_survives_a_reset(void **state)
{
    (void)state;
    asks(&t, 10);
    resets(&t, 10.001, SERVER);
    assert_non_null(stall(CLIENT));
    assert_false(half(SERVER)->ending->rst_bare);
    assert_int_equal(ka_transport_rtt_ns(half(CLIENT)), story_ns(10 * MS));
}

static void test_reset_without_ack(void **state)
{
    (void)state;
    ka_segment rst = segment_of(&t, 3, SERVER, KA_RST, 0);
    rst.ttl = 250;
    tell(&t, rst);
    assert_true(half(SERVER)->ending->rst_bare);
    assert_int_equal(half(SERVER)->ending->rst_ttl, 250);
    assert_int_equal(half(SERVER)->ttl, 64);
    assert_false(half(SERVER)->ttl_varied);
}

static void test_time_to_live_that_varies(void **state)
{
    (void)state;
    ka_segment ack = segment_of(&t, 3, SERVER, KA_ACK, 0);
    ack.ttl = 63;
    tell(&t, ack);
    assert_int_equal(half(SERVER)->ttl, 63);
    assert_true(half(SERVER)->ttl_varied);
    assert_false(half(CLIENT)->ttl_varied);
}

static void test_probes_are_a_series(void **state)
{
    (void)state;
    probes(10);
    acks(&t, 10.01, SERVER);
    probes(20);
    probes(30);
    const ka_probing *p = &half(CLIENT)->rare->probing;
    assert_int_equal(p->sent, 3);
    assert_int_equal(p->answered, 1);
    assert_int_equal(p->unanswered, 2);
    assert_int_equal(p->first.time_ns, story_ns(10));
    assert_int_equal(p->unheard_from.time_ns, story_ns(20));
    acks(&t, 30.01, SERVER);
    assert_int_equal(p->answered, 2);
    assert_int_equal(p->unheard_from.frame, 0);
    asks(&t, 40); /* a newer byte: the next series */
    advertises(&t, 40.1, "timeout=5");
    probes(50);
    assert_int_equal(p->sent, 1);
    assert_int_equal(p->answered, 0);
}

static void test_fins_sent_again(void **state)
{
    (void)state;
    fins(&t, 10, SERVER);
    for (int i = 0; i < 2; i++) {
        ka_segment again = segment_of(&t, 11 + i, SERVER, KA_FIN | KA_ACK, 0);
        again.seq--;
        tell(&t, again);
    }
    const ka_ending *e = half(SERVER)->ending;
    assert_int_equal(e->fin_resent, 2);
    assert_int_equal(e->unheard.time_ns, story_ns(10));
    assert_int_equal(e->fin.time_ns, story_ns(10));
    t.deaf[CLIENT] = true;
    t.acked[CLIENT]--;
    acks(&t, 13, CLIENT); /* heard, though it does not have the FIN */
    assert_int_equal(e->fin_resent, 0);
    assert_int_equal(e->unheard.time_ns, story_ns(13));
    assert_int_equal(e->fin_acked.frame, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stall_begins_after_silence),
        TEST(stall_counts_the_same_data),
        TEST(stall_ends_with_anything_heard),
        TEST(stall_survives_a_reset),
        TEST(reset_without_ack),
        TEST(time_to_live_that_varies),
        TEST(probes_are_a_series),
        TEST(fins_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
