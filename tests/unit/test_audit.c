/* test_audit.c - when connections settle and in which order, the report as a question, and memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "one_story.h"

static talk opened(uint32_t stream, double at)
{
    talk t = talk_open(&s, stream, false);
    handshake(&t, at, MS, MS);
    return t;
}

static void exchange(talk *t, double at)
{
    asks(t, at);
    advertises(t, at + 0.1, "timeout=5, max=100");
    acks(t, at + 0.2, CLIENT);
}

static void closes(talk *t, double at)
{
    fins(t, at, SERVER);
    fins(t, at + MS, CLIENT);
    acks(t, at + 2 * MS, SERVER);
}

/* A segment of another connection: time passes. */
static void time_passes(talk *t, double at)
{
    acks(t, at, CLIENT);
}

/* ---- Settling ---- */

static void test_misuse(void **state)
{
    (void)state;
    ka_config config = {.settled_user = NULL};
    ka_audit *audit = NULL;
    assert_int_equal(ka_audit_new(&config, &audit), KA_MISUSE);
    assert_null(audit);
    ka_audit_free(NULL);
}

static void test_settles_two_seconds_after_both_fins_are_acknowledged(void **state)
{
    (void)state;
    talk clock = opened(0, 0);
    talk t = opened(1, 0);
    fins(&t, 10, SERVER);
    acks(&t, 10.1, CLIENT);
    time_passes(&clock, 20); /* half-closed: not over */
    assert_int_equal(s.record_count, 0);
    fins(&t, 21, CLIENT);
    time_passes(&clock, 25); /* not acknowledged */
    assert_int_equal(s.record_count, 0);
    acks(&t, 26, SERVER);
    time_passes(&clock, 27.999999);
    assert_int_equal(s.record_count, 0);
    assert_int_equal(s.settled_count, 0);
    time_passes(&clock, 28);
    assert_int_equal(s.record_count, 1);
    assert_int_equal(s.records[0].stream, 1);
    assert_int_equal(s.settled_count, 1);
    assert_ptr_equal(s.settled[0], (void *)2); /* its owner */
}

/* Who captures knows that time has passed, though no packet came. */
static void test_settles_when_told_of_time(void **state)
{
    (void)state;
    talk t = opened(1, 0);
    talk idle = opened(2, 0);
    closes(&t, 10);
    int64_t closed_ns = story_ns(10 + 2 * MS);
    assert_int_equal(ka_time_passed(s.audit, closed_ns + 1999 * KA_MILLISECOND_NS), KA_OK);
    assert_int_equal(ka_time_passed(s.audit, closed_ns - KA_SECOND_NS), KA_OK); /* it does not go back */
    assert_int_equal(s.record_count, 0);
    assert_int_equal(ka_time_passed(s.audit, closed_ns + 2 * KA_SECOND_NS), KA_OK);
    assert_int_equal(s.record_count, 1);
    assert_int_equal(s.records[0].stream, 1);
    time_passes(&idle, 60);
    assert_int_equal(s.record_count, 1);
}

static void test_settles_two_seconds_after_rst(void **state)
{
    (void)state;
    talk clock = opened(0, 0);
    talk t = opened(1, 0);
    talk u = opened(2, 0);
    resets(&t, 10, SERVER);
    fins(&u, 10.5, CLIENT);
    resets(&u, 10.6, SERVER);
    time_passes(&clock, 11.999999);
    assert_int_equal(s.record_count, 0);
    time_passes(&clock, 12);
    assert_int_equal(s.record_count, 1);
    resets(&u, 12.5, SERVER); /* another one does not move the end */
    time_passes(&clock, 12.6);
    assert_int_equal(s.record_count, 2);
    assert_int_equal(s.records[1].stream, 2);
}

static void test_late_segments_and_messages_still_count(void **state)
{
    (void)state;
    talk clock = opened(0, 0);
    talk t = opened(1, 0);
    line request = sends_message(&t, 1, CLIENT, 0, (words){0});
    line response = sends_message(&t, 2, SERVER, 200, (words){.keep_alive = "timeout=5"});
    closes(&t, 7);
    says(&t, request);
    says(&t, response);
    ka_moment last = acks(&t, 8.9, CLIENT);
    time_passes(&clock, 10);
    assert_int_equal(s.record_count, 1);
    assert_int_equal(s.records[0].responses, 1);
    assert_int_equal(s.records[0].last.frame, last.frame);
}

/* The one named is never settled under the front end's hands, however late its segment. */
static void test_never_the_one_named(void **state)
{
    (void)state;
    talk t = opened(1, 0);
    talk u = opened(2, 0);
    closes(&t, 1);
    closes(&u, 1.1);
    acks(&t, 100, CLIENT);
    assert_int_equal(s.record_count, 1);
    assert_int_equal(s.records[0].stream, 2);
    talk v = opened(3, 101);
    assert_int_equal(s.record_count, 2);
    closes(&v, 102); /* the queue goes on */
    talk w = opened(4, 110);
    assert_int_equal(s.record_count, 3);
    (void)w;
}

static void test_order_of_settling(void **state)
{
    (void)state;
    talk clock = opened(0, 0);
    talk t[4];
    for (uint32_t i = 0; i < 4; i++)
        t[i] = opened(i + 1, 0);
    resets(&t[2], 5, SERVER);
    resets(&t[0], 6, SERVER);
    resets(&t[3], 6.5, SERVER); /* two at one moment: by stream, not by frame */
    resets(&t[1], 6.5, CLIENT);
    time_passes(&clock, 20);
    static const uint32_t order[] = {3, 1, 2, 4};
    assert_int_equal(s.record_count, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(s.records[i].stream, order[i]);
}

/* Many at one moment, one of which is named just then, one whose ports are reused. */
static void test_many_at_one_moment(void **state)
{
    enum { MANY = 21 };
    talk t[MANY];
    (void)state;
    for (uint32_t i = 0; i < MANY; i++)
        t[i] = opened(i, 0);
    for (uint32_t i = 0; i < MANY; i++)
        resets(&t[(i * 8 + 3) % MANY], 5, SERVER);
    assert_int_equal(ka_connection_end(s.audit, t[9].connection, KA_GATE_PORT_REUSE), KA_OK);
    resets(&t[4], 8, SERVER);
    assert_int_equal(s.record_count, MANY - 1);
    for (unsigned i = 2; i < MANY - 1; i++)
        assert_true(s.records[i - 1].stream < s.records[i].stream);
    talk late = opened(MANY, 9);
    assert_int_equal(s.record_count, MANY);
    assert_int_equal(s.records[MANY - 1].stream, 4);
    resets(&late, 10, CLIENT);
    talk last = opened(MANY + 1, 12);
    assert_int_equal(s.record_count, MANY + 1);
    (void)last;
}

static void test_ports_reused(void **state)
{
    (void)state;
    talk t = opened(1, 0);
    exchange(&t, 1);
    assert_int_equal(ka_connection_end(s.audit, t.connection, KA_GATE_PORT_REUSE), KA_OK);
    assert_int_equal(s.record_count, 1);
    assert_int_equal(s.records[0].failed_gates, KA_GATE_PORT_REUSE);
    assert_int_equal(s.records[0].close.verdict, KA_VERDICT_OPEN);
    assert_int_equal(s.settled_count, 1);
    /* Its close was seen: reuse takes nothing from it. */
    talk u = opened(2, 2);
    closes(&u, 3);
    assert_int_equal(ka_connection_end(s.audit, u.connection, KA_GATE_PORT_REUSE), KA_OK);
    assert_int_equal(s.records[1].failed_gates, 0);
    talk v = opened(3, 10); /* and nothing is left in the queue */
    assert_int_equal(s.record_count, 2);
    story_report(&s);
    assert_int_equal(s.record_count, 3);
    assert_int_equal(s.records[2].stream, 3);
    (void)v;
}

static void test_dropped_by_the_front_end(void **state)
{
    (void)state;
    talk t = opened(1, 0);
    fins(&t, 1, SERVER);
    assert_int_equal(ka_connection_end(s.audit, t.connection, KA_GATE_LOST_STATE), KA_OK);
    assert_int_equal(s.records[0].failed_gates, KA_GATE_LOST_STATE);
}

static void test_free_settles_nothing(void **state)
{
    (void)state;
    talk t = opened(1, 0);
    exchange(&t, 1);
    asks(&t, 2);
    talk u = opened(2, 2);
    resets(&u, 3, CLIENT);
    story_end(&s);
    assert_int_equal(s.record_count, 0);
    assert_int_equal(s.settled_count, 0);
}

static void test_callbacks_may_be_missing(void **state)
{
    (void)state;
    story_end(&s);
    memset(&s, 0, sizeof s);
    ka_config config = {.allocator = story_allocator(&s)};
    ka_thresholds_init(&config.thresholds);
    assert_int_equal(ka_audit_new(&config, &s.audit), KA_OK);
    talk t = opened(0, 0);
    exchange(&t, 1);
    asks(&t, 2);
    closes(&t, 3);
    talk u = opened(1, 8);
    exchange(&u, 9);
    ka_sink none = {0};
    assert_int_equal(ka_audit_report(s.audit, &none), KA_OK);
}

static ka_gap_record gaps[4];
static unsigned gap_count;

static void keep_gap(void *user, const ka_gap_record *gap)
{
    assert_ptr_equal(user, &gap_count);
    assert_true(gap_count < 4);
    gaps[gap_count++] = *gap;
}

/* As its request comes, answered or not; the last one, which a close ends, is in the record. */
static void test_gaps_are_told(void **state)
{
    (void)state;
    story_end(&s);
    memset(&s, 0, sizeof s);
    gap_count = 0;
    ka_config config = {.allocator = story_allocator(&s), .gap = keep_gap, .gap_user = &gap_count};
    ka_thresholds_init(&config.thresholds);
    assert_int_equal(ka_audit_new(&config, &s.audit), KA_OK);
    talk t = opened(3, 0);
    exchange(&t, 1);
    assert_int_equal(gap_count, 0); /* the first request of a connection ends none */
    exchange(&t, 4);
    assert_int_equal(gap_count, 1);
    asks(&t, 10);
    assert_int_equal(gap_count, 2);
    fins(&t, 11, SERVER);
    story_report(&s);
    assert_int_equal(gap_count, 2);
    assert_int_equal(gaps[0].stream, 3);
    assert_int_equal(gaps[0].number, 2);
    assert_int_equal(gaps[1].number, 3);
    assert_true(gaps[0].idle_ns > 0 && gaps[0].idle_ns <= 3 * KA_SECOND_NS);
    assert_int_equal(gaps[1].end_ns - gaps[0].end_ns, 6 * KA_SECOND_NS);
    ka_address server = story_address(80, 80);
    assert_memory_equal(gaps[0].server.ip, server.ip, sizeof server.ip);
    assert_int_equal(gaps[0].server.port, server.port);
}

static void test_empty_report(void **state)
{
    (void)state;
    story_report(&s);
    assert_int_equal(s.record_count + s.finding_count + s.endpoint_count, 0);
}

/* ---- The report is a question ---- */

static void tell_several(void)
{
    talk t[6];
    for (uint32_t i = 0; i < 6; i++) {
        t[i] = opened(i, i * 0.1);
        exchange(&t[i], 1 + 0.5 * i);
    }
    asks(&t[0], 20); /* expired long ago */
    answers(&t[0], 20.1, 200, (words){.connection = "close, keep-alive", .keep_alive = "timeout=x, 7"});
    exchange(&t[0], 21);
    for (int i = 1; i < 5; i++) /* closed together: ages spread */
        fins(&t[i], 21.5 + 0.01 * i, SERVER);
    sends_unseen(&t[1], 21.6, SERVER, KA_ACK, 10);
    asks(&t[1], 21.7);
    fins(&t[2], 21.8, CLIENT);
    acks(&t[2], 21.9, SERVER);
    sends(&t[3], 21.9, CLIENT, KA_ACK, 10);
    resets(&t[4], 21.9, CLIENT);
    talk tls = opened(6, 22);
    ka_segment segment = segment_of(&tls, 22.1, CLIENT, KA_ACK, 200);
    moved_on(&tls, CLIENT, &segment);
    ka_moment now = tell(&tls, segment);
    ka_bytes bytes = {0, 22, segment.seq, 200, now, now};
    if (s.status == KA_OK)
        s.status = ka_tls_record_seen(s.audit, tls.connection, &bytes);
    segment = segment_of(&tls, 22.2, CLIENT, KA_ACK, 2);
    moved_on(&tls, CLIENT, &segment);
    now = tell(&tls, segment);
    bytes = (ka_bytes){0, 0, segment.seq, 2, now, now};
    if (s.status == KA_OK)
        s.status = ka_stray_seen(s.audit, tls.connection, &bytes);
    time_passes(&t[5], 40);
    if (s.status == KA_OK)
        s.status = ka_connection_end(s.audit, tls.connection, KA_GATE_PORT_REUSE);
}

static void test_report_changes_nothing(void **state)
{
    static story first;
    (void)state;
    tell_several();
    assert_int_equal(s.status, KA_OK);
    s.record_count = s.finding_count = s.exchange_count = s.endpoint_count = 0;
    unsigned settled = s.settled_count;
    long blocks = s.blocks, bytes = s.bytes;
    memset(s.records, 0, sizeof s.records);
    memset(s.findings, 0, sizeof s.findings);
    story_report(&s);
    first = s;
    assert_true(first.record_count >= 4);
    assert_true(first.finding_count >= 4);
    assert_int_equal(first.endpoint_count, 1);
    assert_int_equal(first.endpoints[0].connections, 7);
    s.record_count = s.finding_count = s.exchange_count = s.endpoint_count = 0;
    story_report(&s);
    assert_int_equal(s.record_count, first.record_count);
    assert_int_equal(s.finding_count, first.finding_count);
    assert_int_equal(s.exchange_count, first.exchange_count);
    assert_int_equal(s.endpoint_count, first.endpoint_count);
    for (unsigned i = 0; i < s.record_count; i++)
        story_same_record(&s.records[i], &first.records[i]);
    for (unsigned i = 0; i < s.finding_count; i++) {
        char a[2048], b[2048];
        ka_sentence(&s.findings[i], a, sizeof a);
        ka_sentence(&first.findings[i], b, sizeof b);
        assert_string_equal(a, b);
        assert_int_equal(s.findings[i].stream, first.findings[i].stream);
    }
    assert_int_equal(s.endpoints[0].open_at_end, first.endpoints[0].open_at_end);
    assert_int_equal(s.settled_count, settled);
    assert_int_equal(s.blocks, blocks);
    assert_int_equal(s.bytes, bytes);
    for (unsigned i = 1; i < s.record_count; i++)
        assert_true(s.records[i - 1].stream < s.records[i].stream);
}

/* Asked in the middle, the rest of the story is not changed by it. */
static void test_report_in_the_middle(void **state)
{
    ka_record records[2];
    (void)state;
    for (int asked = 0; asked <= 1; asked++) {
        story_end(&s);
        begin(state);
        talk t = opened(1, 0);
        exchange(&t, 1);
        if (asked)
            story_report(&s);
        exchange(&t, 3);
        closes(&t, 8.1);
        talk u = opened(2, 20);
        (void)u;
        records[asked] = s.records[s.record_count - 1];
    }
    story_same_record(&records[0], &records[1]);
    assert_int_equal(s.records[0].close.verdict, KA_VERDICT_OPEN);
}

/* ---- Memory ---- */

static void test_every_allocation_fails_in_turn(void **state)
{
    (void)state;
    story_end(&s);
    story_begin(&s);
    tell_several();
    story_report(&s);
    assert_int_equal(s.status, KA_OK);
    long all = s.taken;
    unsigned records = s.record_count;
    assert_true(all > 40);
    story_end(&s);
    for (long refuse = 1; refuse <= all; refuse++) {
        story_begin_refusing(&s, refuse);
        if (s.audit != NULL) {
            tell_several();
            story_report(&s);
        }
        assert_int_equal(s.status, KA_NO_MEMORY);
        assert_true(s.record_count <= records);
        story_end(&s);
    }
    story_begin(&s);
}

/* Statistics of servers have memory of their own: without it a connection is judged as well as alone. */
typedef struct allowance {
    unsigned left;
    bool refused;
} allowance;

static void *refuse(void *user, void *old, size_t new_bytes)
{
    allowance *allowed = user;
    if (new_bytes == 0) {
        free(old);
        return NULL;
    }
    if (allowed->left == 0) {
        allowed->refused = true;
        return NULL;
    }
    allowed->left--;
    return realloc(old, new_bytes);
}

static void test_statistics_without_memory_are_left_out(void **state)
{
    (void)state;
    unsigned records = 0;
    for (unsigned blocks = 60; blocks-- > 0;) {
        allowance allowed = {blocks, false};
        story_end(&s);
        memset(&s, 0, sizeof s);
        ka_config config = {.allocator = story_allocator(&s),
                            .ledgers = {&allowed, refuse},
                            .sink = story_sink(&s),
                            .settled = story_settled,
                            .settled_user = &s};
        ka_thresholds_init(&config.thresholds);
        assert_int_equal(ka_audit_new(&config, &s.audit), KA_OK);
        tell_several();
        story_report(&s);
        assert_int_equal(s.status, KA_OK);
        if (records == 0)
            records = s.record_count;
        assert_int_equal(s.record_count, records);
        uint64_t left_out = ka_audit_servers_left_out(s.audit) + ka_audit_clients_left_out(s.audit) +
                            ka_audit_observations_left_out(s.audit);
        assert_int_equal(left_out > 0, allowed.refused);
        ka_audit_free(s.audit);
        assert_int_equal(s.bytes, 0);
        s.audit = NULL;
    }
    story_begin(&s);
}

/* What waits to settle when its ports are reused waits no longer, though no time passes. */
static void test_reused_ports_leave_nothing_behind(void **state)
{
    (void)state;
    long bytes = 0;
    for (unsigned i = 0; i < 20000; i++) {
        s.record_count = s.settled_count = 0;
        talk t = opened(1, 5);
        resets(&t, 5, SERVER);
        assert_int_equal(ka_connection_end(s.audit, t.connection, KA_GATE_PORT_REUSE), KA_OK);
        if (i == 1000)
            bytes = s.bytes;
    }
    assert_true(s.bytes <= bytes);
    talk u = opened(2, 6), v = opened(3, 7);
    resets(&u, 8, SERVER);
    time_passes(&v, 20);
    assert_int_equal(s.records[s.record_count - 1].stream, 2);
}

/* A failed report leaves the audit as it was: it can be asked again. */
static void test_report_after_a_failed_one(void **state)
{
    (void)state;
    tell_several();
    long blocks = s.blocks;
    for (long i = 1;; i++) {
        s.record_count = s.finding_count = s.exchange_count = s.endpoint_count = 0;
        s.refuse = s.taken + i;
        story_report(&s);
        assert_int_equal(s.blocks, blocks);
        if (s.status == KA_OK)
            break;
        assert_int_equal(s.status, KA_NO_MEMORY);
        s.status = KA_OK;
    }
    assert_int_equal(s.endpoint_count, 1);
    assert_int_equal(s.endpoints[0].connections, 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(misuse),
        TEST(settles_two_seconds_after_both_fins_are_acknowledged),
        TEST(settles_when_told_of_time),
        TEST(settles_two_seconds_after_rst),
        TEST(late_segments_and_messages_still_count),
        TEST(never_the_one_named),
        TEST(order_of_settling),
        TEST(many_at_one_moment),
        TEST(ports_reused),
        TEST(dropped_by_the_front_end),
        TEST(free_settles_nothing),
        TEST(callbacks_may_be_missing),
        TEST(gaps_are_told),
        TEST(empty_report),
        TEST(report_changes_nothing),
        TEST(report_in_the_middle),
        TEST(every_allocation_fails_in_turn),
        TEST(statistics_without_memory_are_left_out),
        TEST(reused_ports_leave_nothing_behind),
        TEST(report_after_a_failed_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
