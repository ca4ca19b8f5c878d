/* test_recommendation.c - what to set, how exposed a server's clients are, and how its connections were used.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "recommendation.h"
#include "story.h"

static story s;
static ka_allocator heap;
static ka_usage usage;
static ka_endpoint_record record;

static int setup(void **state)
{
    (void)state;
    memset(&s, 0, sizeof s);
    memset(&record, 0, sizeof record);
    heap = story_allocator(&s);
    ka_usage_init(&usage, &heap);
    record.timeout_s = KA_NONE;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ka_usage_fini(&usage);
    story_end(&s);
    return 0;
}

static void timer(double p10)
{
    record.server_timer.kind = KA_TIMER_FIXED;
    record.server_timer.mode_count = 1;
    record.server_timer.p10_ns = record.server_timer.modes[0].p10_ns = story_ns(p10);
}

static void rtt(double seconds)
{
    assert_int_equal(ka_histogram_add(&usage.rtts, story_ns(seconds)), KA_OK);
}

static void assert_pool(double idle, double base, bool by_advert)
{
    ka_recommend(&usage, &record);
    assert_int_equal(record.recommended.pool_idle_ns, story_ns(idle));
    assert_int_equal(record.recommended.pool_base_ns, story_ns(base));
    assert_int_equal(record.recommended.pool_by_advert, by_advert);
}

static void nothing_known_nothing_recommended(void **state)
{
    (void)state;
    ka_recommend(&usage, &record);
    assert_true(record.recommended.pool_idle_ns == KA_NONE &&
                record.recommended.server_timeout_ns == KA_NONE);
    assert_true(record.exposure.timeout_ns == KA_NONE && !record.exposure.inverted);
    record.server_timer.kind = KA_TIMER_VARIED; /* what is advertised is not kept */
    record.timeout_s = 5;
    ka_recommend(&usage, &record);
    assert_true(record.recommended.pool_idle_ns == KA_NONE);
}

static void stays_below_the_server(void **state)
{
    (void)state;
    timer(5.01);
    assert_pool(4, 5.01, false);
    rtt(0.4);
    assert_pool(4, 5.01, false);
    rtt(0.75); /* two round trips are more than a second */
    assert_pool(3.5, 5.01, false);
}

static void what_is_advertised_binds_when_it_is_honoured(void **state)
{
    (void)state;
    record.timeout_s = 5;
    assert_pool(4, 5, true); /* nothing speaks against it */
    timer(6);                /* Node */
    assert_pool(4, 5, true);
    timer(2.5);
    assert_pool(1.5, 2.5, false);
    timer(4.97); /* a timer that fires a little early is that timer */
    assert_pool(4, 5, true);
}

static void no_reuse_where_no_time_is_left(void **state)
{
    (void)state;
    timer(1);
    assert_pool(0, 1, false);
}

static void the_shortest_of_several(void **state)
{
    (void)state;
    timer(5);
    record.server_timer.kind = KA_TIMER_SEVERAL;
    record.server_timer.p10_ns = KA_NONE;
    record.server_timer.mode_count = 2;
    record.server_timer.modes[1].p10_ns = story_ns(60);
    assert_pool(4, 5, false);
}

static void the_server_waits_longer_than_its_clients(void **state)
{
    (void)state;
    assert_int_equal(ka_usage_reused(&usage, story_ns(12.3)), KA_OK);
    assert_int_equal(ka_usage_reused(&usage, story_ns(3)), KA_OK);
    ka_recommend(&usage, &record);
    assert_int_equal(record.recommended.server_timeout_ns, story_ns(18));
    assert_int_equal(record.recommended.longest_reuse_ns, story_ns(12.3));
}

static void counts_reuses_in_danger(void **state)
{
    static const double gaps[] = {0.1, 2, 3.9, 4.1, 4.5, 4.999};
    (void)state;
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++)
        assert_int_equal(ka_usage_reused(&usage, story_ns(gaps[i])), KA_OK);
    timer(5);
    rtt(0.02);
    ka_usage_held(&usage, story_ns(4.9));
    ka_recommend(&usage, &record);
    assert_int_equal(record.exposure.gaps, 6);
    assert_int_equal(record.exposure.in_danger, 3);
    assert_int_equal(record.exposure.in_race, 1);
    assert_false(record.exposure.inverted);
    ka_usage_held(&usage, story_ns(5));
    ka_recommend(&usage, &record);
    assert_true(record.exposure.inverted);
}

static void merging_is_adding(void **state)
{
    (void)state;
    ka_usage other;
    ka_usage_init(&other, &heap);
    other.unused = 2;
    other.closed_by_client.by_verdict[KA_VERDICT_LATE] = 3;
    assert_int_equal(ka_usage_reused(&other, story_ns(7)), KA_OK);
    assert_int_equal(ka_usage_reused(&usage, story_ns(3)), KA_OK);
    usage.unused = 1;
    assert_int_equal(ka_usage_merge(&usage, &other), KA_OK);
    ka_usage_fini(&other);
    ka_usage_record(&usage, &record);
    assert_int_equal(record.unused, 3);
    assert_int_equal(record.idle_gaps.count, 2);
    assert_int_equal(record.idle_gaps.largest, story_ns(7));
    assert_int_equal(record.closed_by_client.by_verdict[KA_VERDICT_LATE], 3);
    assert_int_equal(usage.longest_reuse_ns, story_ns(7));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_known_nothing_recommended),
        TEST(stays_below_the_server),
        TEST(what_is_advertised_binds_when_it_is_honoured),
        TEST(no_reuse_where_no_time_is_left),
        TEST(the_shortest_of_several),
        TEST(the_server_waits_longer_than_its_clients),
        TEST(counts_reuses_in_danger),
        TEST(merging_is_adding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
