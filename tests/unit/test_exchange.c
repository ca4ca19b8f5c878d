/* test_exchange.c - requests paired with responses, idle gaps, max; in order, late, crossing, half seen.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "story.h"

static story s;
static talk t;

static int begin(void **state)
{
    (void)state;
    story_begin(&s);
    t = talk_open(&s, 0, false);
    return 0;
}

static int begin_with_handshake(void **state)
{
    begin(state);
    handshake(&t, 0, 10 * MS, 2 * MS);
    return 0;
}

static int end(void **state)
{
    (void)state;
    story_end(&s);
    return 0;
}

static const ka_exchanges *exchanges(void)
{
    return &t.connection->exchanges;
}

static void gaps_are(const ka_record *r, uint64_t count, double longest, double total)
{
    assert_int_equal(r->idle_count, count);
    assert_int_equal(r->idle_longest_ns, story_ns(longest));
    assert_int_equal(r->idle_total_ns, story_ns(total));
}

/* ---- Pairs and gaps ---- */

static void test_gaps_between_exchanges(void **state)
{
    (void)state;
    asks(&t, 1);
    advertises(&t, 1.5, "timeout=5, max=100");
    asks(&t, 3.5);
    advertises(&t, 4, "timeout=5, max=99");
    acks(&t, 4.5, CLIENT);
    asks(&t, 5);
    line last = advertises(&t, 6, "timeout=4, max=98");
    acks(&t, 7, CLIENT);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 3);
    assert_int_equal(r.responses, 3);
    assert_int_equal(r.timeout_s, 4);
    assert_int_equal(r.max, 100);
    assert_int_equal(r.max_style, KA_MAX_COUNT_DOWN);
    gaps_are(&r, 3, 2, 2 + 1 + 1);
    assert_int_equal(s.exchange_count, 3);
    assert_int_equal(s.exchanges[0].idle_before_ns, KA_NONE);
    assert_int_equal(s.exchanges[1].idle_before_ns, 2 * KA_SECOND_NS);
    assert_int_equal(s.exchanges[2].number, 3);
    assert_int_equal(s.exchanges[2].response_end.frame, last.last.frame);
    assert_string_equal(s.exchanges[2].method, "GET");
    assert_int_equal(s.exchanges[2].timeout_s, 4);
}

/* Only the client's direction was captured: what is kept of it has a limit, and the record says so. */
static void test_unanswered_without_end(void **state)
{
    (void)state;
    for (int i = 0; i < KA_PENDING_MAX; i++)
        asks(&t, 1 + i * MS);
    assert_int_equal(ka_exchanges_oldest(exchanges())->number, 1);
    long blocks = s.blocks;
    for (int i = 0; i < 100; i++)
        asks(&t, 3 + i * MS);
    assert_int_equal(s.blocks, blocks);
    assert_int_equal(ka_exchanges_oldest(exchanges())->number, 101);
    advertises(&t, 4, NULL);
    assert_int_equal(ka_exchanges_oldest(exchanges())->number, 102);
    ka_sink sink = story_sink(&s);
    sink.exchange = NULL; /* more than a story keeps */
    assert_int_equal(ka_audit_report(s.audit, &sink), KA_OK);
    ka_record r = s.records[0];
    assert_int_equal(r.requests, KA_PENDING_MAX + 100);
    assert_true(r.failed_gates & KA_GATE_LOST_STATE);
}

static void test_pipelined(void **state)
{
    (void)state;
    asks(&t, 1);
    asks(&t, 1);
    asks(&t, 1.1);
    assert_int_equal(ka_exchanges_oldest(exchanges())->number, 1);
    advertises(&t, 1.2, NULL);
    assert_int_equal(ka_exchanges_oldest(exchanges())->number, 2);
    advertises(&t, 1.3, NULL);
    assert_int_equal(ka_exchanges_oldest(exchanges())->number, 3);
    advertises(&t, 1.4, NULL);
    assert_null(ka_exchanges_oldest(exchanges()));
    asks(&t, 2.4);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 4);
    assert_int_equal(r.responses, 3);
    gaps_are(&r, 1, 1, 1);
    assert_int_equal(s.exchange_count, 4);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(s.exchanges[i].idle_before_ns, KA_NONE);
    assert_int_equal(s.exchanges[3].idle_before_ns, KA_SECOND_NS);
    assert_int_equal(s.exchanges[3].status, 0); /* unanswered */
    assert_int_equal(s.exchanges[3].response.frame, 0);
}

/* Two requests in one segment, of which the second is not complete. */
static void test_begun_behind_a_complete_request(void **state)
{
    (void)state;
    ka_segment both = segment_of(&t, 1, CLIENT, KA_ACK, STORY_BYTES + 30);
    moved_on(&t, CLIENT, &both);
    ka_moment at = tell(&t, both);
    says(&t, (line){CLIENT, 0, both.seq, both.ack, STORY_BYTES, at, at, {0}});
    advertises(&t, 1.1, "timeout=5");
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 2);
    assert_int_equal(r.responses, 1);
    gaps_are(&r, 0, 0, 0); /* it was outstanding all the time */
}

static void test_begun_ends_the_gap(void **state)
{
    (void)state;
    asks(&t, 1);
    advertises(&t, 2, "timeout=5");
    sends(&t, 5, CLIENT, KA_ACK, 10);
    acks(&t, 9, SERVER);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 2);
    gaps_are(&r, 1, 3, 3);
}

static void test_interim_answers_nothing(void **state)
{
    (void)state;
    asks(&t, 1);
    answers(&t, 2, 100, (words){0});
    answers(&t, 3, 103, (words){.keep_alive = "timeout=9, max=9"});
    assert_non_null(ka_exchanges_oldest(exchanges()));
    advertises(&t, 4, "timeout=5");
    asks(&t, 6);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.responses, 1);
    assert_int_equal(r.max, KA_NONE);
    gaps_are(&r, 1, 2, 2);
}

/* 101 is final, and no HTTP follows: no idle times, whatever goes on. */
static void test_upgrade(void **state)
{
    (void)state;
    asks(&t, 1);
    answers(&t, 2, 101, (words){.connection = "upgrade", .framing = KA_FRAMING_TUNNEL});
    sends(&t, 3, SERVER, KA_ACK, 10);
    sends(&t, 4, CLIENT, KA_ACK, 10);
    fins(&t, 60, SERVER);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 1);
    assert_int_equal(r.responses, 1);
    assert_true(r.failed_gates & KA_GATE_TUNNEL);
    gaps_are(&r, 0, 0, 0);
    assert_int_equal(r.close.idle_ns, KA_NONE);
}

/* ---- Told late ---- */

/* Whatever the order in which the end of the story and its messages are told, the record is the same. */
static void test_told_after_the_close(void **state)
{
    ka_record in_order;
    (void)state;
    for (int late = 0; late < 2; late++) {
        line said[4];
        story_end(&s);
        begin_with_handshake(state);
        words close = {.keep_alive = "timeout=5", .connection = "keep-alive"};
        said[0] = sends_message(&t, 1, CLIENT, 0, (words){0});
        if (!late)
            says(&t, said[0]);
        said[1] = sends_message(&t, 2, SERVER, 200, close);
        if (!late)
            says(&t, said[1]);
        said[2] = sends_message(&t, 3, CLIENT, 0, (words){0});
        if (!late)
            says(&t, said[2]);
        said[3] = sends_message(&t, 4, SERVER, 200, close);
        if (!late)
            says(&t, said[3]);
        acks(&t, 4.1, CLIENT);
        fins(&t, 9, SERVER);
        fins(&t, 9.01, CLIENT);
        acks(&t, 9.02, SERVER);
        for (int i = 0; late && i < 4; i++)
            says(&t, said[i]);
        ka_record r = story_only_record(&s);
        gaps_are(&r, 2, 5, 6);
        assert_int_equal(r.close.verdict, KA_VERDICT_PUNCTUAL);
        assert_int_equal(r.close.idle_ns, 5 * KA_SECOND_NS);
        if (!late)
            in_order = r;
        story_same_record(&r, &in_order);
    }
}

/* The request is told after the response: an analyser that waits for its bytes. */
static void test_request_told_after_its_response(void **state)
{
    (void)state;
    line request = sends_message(&t, 1, CLIENT, 0, (words){0});
    advertises(&t, 2, "timeout=5");
    says(&t, request);
    asks(&t, 4);
    advertises(&t, 5, "timeout=5");
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 2);
    assert_int_equal(r.responses, 2);
    gaps_are(&r, 2, 2, 2); /* the last one is 0 s long: the capture ends */
    assert_int_equal(s.exchanges[1].number, 2);
}

static void test_until_close_on_its_fin(void **state)
{
    (void)state;
    asks(&t, 1);
    line body = sends_message(&t, 2, SERVER, 200, (words){.framing = KA_FRAMING_UNTIL_CLOSE, .version = 10});
    body.last = fins(&t, 3, SERVER);
    says(&t, body);
    acks(&t, 3.1, CLIENT);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.responses, 1);
    assert_int_equal(r.close.by, KA_SIDE_SERVER);
    assert_int_equal(r.close.idle_ns, 0);
    gaps_are(&r, 0, 0, 0);
    assert_int_not_equal(r.close.verdict, KA_VERDICT_BUSY);
}

static void test_told_twice(void **state)
{
    (void)state;
    line request = asks(&t, 1);
    says(&t, request);
    line response = advertises(&t, 2, "timeout=5");
    says(&t, response);
    says(&t, request);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 1);
    assert_int_equal(r.responses, 1);
    assert_int_equal(s.exchange_count, 1);
}

/* ---- Final before the request is complete ---- */

static void test_expect_refused(void **state)
{
    (void)state;
    ka_segment head = segment_of(&t, 1, CLIENT, KA_ACK, 60);
    moved_on(&t, CLIENT, &head);
    ka_moment first = tell(&t, head);
    answers(&t, 1.1, 417, (words){.connection = "keep-alive", .keep_alive = "timeout=5"});
    assert_int_equal(s.exchange_count, 1);
    assert_int_equal(s.exchanges[0].number, 1);
    ka_moment last = sends(&t, 1.2, CLIENT, KA_ACK, STORY_BYTES - 60); /* the body comes all the same */
    says(&t, (line){CLIENT, 0, head.seq, head.ack, STORY_BYTES, first, last, {0}});
    asks(&t, 3.1);
    assert_int_equal(ka_exchanges_oldest(exchanges())->number, 2);
    advertises(&t, 3.2, "timeout=5");
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 2);
    assert_int_equal(r.responses, 2);
    gaps_are(&r, 2, 2, 2);
}

/* ---- 408 ---- */

static void test_408_with_nothing_outstanding(void **state)
{
    (void)state;
    asks(&t, 1);
    advertises(&t, 2, "timeout=5");
    answers(&t, 7, 408, (words){.connection = "close"});
    fins(&t, 7, SERVER);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 1);
    assert_int_equal(r.responses, 2);
    assert_int_equal(s.exchange_count, 1);
    assert_true(story_has(&s, KA_UNSOLICITED_408));
    assert_int_equal(r.timeout_s, KA_NONE);
    assert_int_equal(r.close.verdict, KA_VERDICT_ANNOUNCED);
}

/* The ACK number of the 408 decides: it does not cover the request, so it answers nothing. */
static void test_408_crossing_a_request(void **state)
{
    (void)state;
    asks(&t, 1);
    advertises(&t, 2, "timeout=5");
    t.deaf[SERVER] = true;
    asks(&t, 6.999);
    answers(&t, 7, 408, (words){.connection = "close"});
    fins(&t, 7, SERVER);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 2);
    assert_true(story_has(&s, KA_MISATTRIBUTED_408));
    assert_int_equal(s.exchange_count, 2);
    assert_int_equal(s.exchanges[1].status, 0);
    assert_int_equal(r.close.by, KA_SIDE_SERVER);
    assert_int_equal(r.close.verdict, KA_VERDICT_ANNOUNCED); /* the request had not reached it */
}

static void test_408_answers_a_slow_request(void **state)
{
    (void)state;
    sends(&t, 1, CLIENT, KA_ACK, 30);
    answers(&t, 31, 408, (words){.connection = "close"});
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 1);
    assert_int_equal(r.responses, 1);
    assert_false(story_has(&s, KA_UNSOLICITED_408));
    assert_int_equal(s.exchange_count, 1);
}

static void test_408_without_any_request(void **state)
{
    (void)state;
    answers(&t, 30, 408, (words){.connection = "close"});
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 0);
    assert_int_equal(r.responses, 1);
    assert_int_equal(r.idle_count, 0);
}

/* ---- Half the story ---- */

static void test_response_to_an_unseen_request(void **state)
{
    (void)state;
    story_end(&s);
    story_begin(&s);
    t = talk_open(&s, 0, true);
    advertises(&t, 1, "timeout=5, max=3");
    asks(&t, 3);
    advertises(&t, 4, "timeout=5, max=2");
    ka_record r = story_only_record(&s);
    assert_true(r.failed_gates & KA_GATE_MID_START);
    assert_int_equal(r.server.port, 80);
    assert_int_equal(r.requests, 1);
    assert_int_equal(r.responses, 2);
    gaps_are(&r, 2, 2, 2);
    assert_int_equal(s.exchanges[0].request.frame, 0);
    assert_int_equal(s.exchanges[0].number, 1);
    assert_int_equal(s.exchanges[1].number, 2); /* numbers are not given twice */
}

/* The capture starts between a request and its response, and the next request is pipelined: the response's
 * ACK number does not cover that one. */
static void test_unseen_request_before_a_pipelined_one(void **state)
{
    (void)state;
    story_end(&s);
    begin(state);
    t.deaf[SERVER] = true;
    t.acked[SERVER] = t.next[CLIENT];
    asks(&t, 1);
    advertises(&t, 1.1, "timeout=5");
    assert_int_equal(s.exchanges[0].request.frame, 0);
    assert_non_null(ka_exchanges_oldest(exchanges()));
    t.deaf[SERVER] = false;
    advertises(&t, 1.2, "timeout=5");
    assert_null(ka_exchanges_oldest(exchanges()));
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 1);
    assert_int_equal(r.responses, 2);
    assert_int_not_equal(s.exchanges[1].request.frame, 0);
}

/* The response lies in bytes the capture missed: the next request shows that it came. */
static void test_response_missed(void **state)
{
    (void)state;
    asks(&t, 1);
    sends_unseen(&t, 2, SERVER, KA_ACK, STORY_BYTES);
    acks(&t, 2.01, CLIENT);
    asks(&t, 4);
    assert_int_equal(ka_exchanges_oldest(exchanges())->number, 2);
    advertises(&t, 5, "timeout=5");
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 2);
    assert_int_equal(r.responses, 1);
    assert_int_equal(r.missed_bytes, STORY_BYTES);
    assert_true(r.failed_gates & KA_GATE_GAP);
    gaps_are(&r, 1, 0, 0); /* not the one in which bytes were missed */
    assert_int_equal(s.exchanges[0].number, 2);
}

/* ... or the response after it, when the request was pipelined behind it. */
static void test_missed_between_responses(void **state)
{
    (void)state;
    asks(&t, 1);
    asks(&t, 1.1);
    advertises(&t, 2, NULL);
    sends_unseen(&t, 2.1, SERVER, KA_ACK, STORY_BYTES);
    acks(&t, 2.2, CLIENT);
    asks(&t, 3);
    advertises(&t, 3.1, NULL);
    assert_null(ka_exchanges_oldest(exchanges()));
    assert_int_equal(exchanges()->last.number, 3);
}

/* ---- max ---- */

static ka_record after_maxes(const char *const *values)
{
    for (int i = 0; values[i] != NULL; i++) {
        asks(&t, 1 + i);
        advertises(&t, 1.1 + i, values[i]);
    }
    return story_only_record(&s);
}

typedef struct max_row {
    const char *values[5];
    ka_max_style style;
    int64_t first;
} max_row;

static void test_max_styles(void **state)
{
    static const max_row rows[] = {
        {{"timeout=5"}, KA_MAX_NONE, KA_NONE},
        {{"max=100"}, KA_MAX_UNKNOWN, 100},
        {{"max=100", "max=99"}, KA_MAX_COUNT_DOWN, 100},
        {{"max=2", "max=1", "max=0"}, KA_MAX_COUNT_DOWN, 2},
        {{"max=5", "max=5", "max=5"}, KA_MAX_FIXED, 5},
        {{"max=5", "max=7"}, KA_MAX_UNKNOWN, 5},
        {{"max=5", "max=7", "max=6"}, KA_MAX_UNKNOWN, 5},
        {{"max=5", "max=4", "max=4"}, KA_MAX_UNKNOWN, 5},
        {{"timeout=5", "max=5", "max=4"}, KA_MAX_COUNT_DOWN, KA_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ka_record r = after_maxes(rows[i].values);
        assert_int_equal(r.max_style, rows[i].style);
        assert_int_equal(r.max, rows[i].first);
        begin_with_handshake(state);
    }
}

static void test_total_of_a_jumping_clock(void **state)
{
    (void)state;
    ka_exchanges x;
    ka_exchanges_init(&x);
    for (int i = 0; i < 5; i++)
        ka_exchanges_idle(&x, INT64_MAX / 4);
    assert_int_equal(x.idle_total_ns, INT64_MAX);
    assert_int_equal(x.idle_longest_ns, INT64_MAX / 4);
    assert_int_equal(x.idle_count, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, begin_with_handshake, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gaps_between_exchanges),
        TEST(pipelined),
        TEST(unanswered_without_end),
        TEST(begun_behind_a_complete_request),
        TEST(begun_ends_the_gap),
        TEST(interim_answers_nothing),
        TEST(upgrade),
        TEST(told_after_the_close),
        TEST(request_told_after_its_response),
        TEST(until_close_on_its_fin),
        TEST(told_twice),
        TEST(expect_refused),
        TEST(408_with_nothing_outstanding),
        TEST(408_crossing_a_request),
        TEST(408_answers_a_slow_request),
        TEST(408_without_any_request),
        TEST(response_to_an_unseen_request),
        TEST(unseen_request_before_a_pipelined_one),
        TEST(response_missed),
        TEST(missed_between_responses),
        TEST(max_styles),
        TEST(total_of_a_jumping_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
