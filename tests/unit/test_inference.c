/* test_inference.c - idle timers from samples: fixed, several, varied, too few; censored samples; the
 * bracket.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "inference.h"
#include "story.h"

static ka_thresholds limits;
static ka_lasting samples;
static story s;
static ka_allocator heap;

static int setup(void **state)
{
    (void)state;
    ka_thresholds_init(&limits);
    memset(&s, 0, sizeof s);
    heap = story_allocator(&s);
    ka_lasting_init(&samples, &heap);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ka_lasting_fini(&samples);
    story_end(&s); /* all memory is back */
    return 0;
}

static void closed(double idle, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        assert_int_equal(ka_lasting_closed(&samples, story_ns(idle), false), KA_OK);
}

static void worked(double idle, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        assert_int_equal(ka_lasting_lasted(&samples, limits.timer_sample_ns, story_ns(idle), true), KA_OK);
}

static ka_inferred infer(void)
{
    ka_inferred t;
    ka_infer(&samples, KA_SIDE_SERVER, &limits, &t);
    return t;
}

#define assert_near(ns, seconds) assert_in_range((ns), story_ns((seconds)*0.999), story_ns((seconds)*1.001))

static void nothing_is_known_of_nothing(void **state)
{
    (void)state;
    ka_inferred t = infer();
    assert_int_equal(t.kind, KA_TIMER_NONE);
    assert_true(t.median_ns == KA_NONE && t.p10_ns == KA_NONE && t.any_p10_ns == KA_NONE);
    assert_true(t.shortest_closed_ns == KA_NONE && t.longest_worked_ns == KA_NONE);
    assert_true(ka_inferred_contract_ns(&t) == KA_NONE);
    worked(3, 10);
    t = infer();
    assert_int_equal(t.kind, KA_TIMER_NONE);
    assert_near(t.longest_worked_ns, 3);
}

static void four_closes_are_too_few_and_five_are_not(void **state)
{
    (void)state;
    closed(5, 4);
    ka_inferred t = infer();
    assert_int_equal(t.kind, KA_TIMER_FEW);
    assert_true(t.median_ns == KA_NONE && t.p10_ns == KA_NONE && t.any_median_ns == KA_NONE);
    assert_int_equal(t.mode_count, 0);
    assert_near(t.shortest_closed_ns, 5);
    closed(5.01, 1);
    t = infer();
    assert_int_equal(t.kind, KA_TIMER_FIXED);
    assert_near(t.median_ns, 5);
    assert_near(ka_inferred_contract_ns(&t), 5);
    assert_int_equal(t.closes, 5);
    assert_int_equal(t.modes[0].share_permille, 1000);
}

/* A server that looks once a second: up to a second late. */
static void a_coarse_timer_is_one(void **state)
{
    static const double late[] = {0.02, 0.3, 0.41, 0.66, 0.97};
    (void)state;
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++)
        closed(3 + late[i], 1);
    worked(3.6, 1);
    ka_inferred t = infer();
    assert_int_equal(t.kind, KA_TIMER_FIXED);
    assert_false(t.inverted);
    assert_near(t.p10_ns, 3.02);
    assert_near(t.median_ns, 3.41);
}

/* Even with a hole among the closes. */
static void a_hole_makes_no_two_timers_of_five_closes(void **state)
{
    (void)state;
    closed(3.01, 3);
    closed(3.9, 2);
    assert_int_equal(infer().kind, KA_TIMER_FIXED);
}

static void several_backends_are_several_modes(void **state)
{
    (void)state;
    closed(5, 6);
    closed(60, 5);
    closed(20, 4); /* too few for a mode */
    ka_inferred t = infer();
    assert_int_equal(t.kind, KA_TIMER_SEVERAL);
    assert_int_equal(t.mode_count, 2);
    assert_near(t.modes[0].median_ns, 5);
    assert_near(t.modes[1].median_ns, 60);
    assert_true(t.median_ns == KA_NONE);
    assert_near(ka_inferred_contract_ns(&t), 5);
}

/* Of two equal backends the long one's idle periods mostly end in requests: few of its closes are seen, and
 * yet it has half of the connections. */
static void shares_count_what_was_censored(void **state)
{
    (void)state;
    closed(5, 50);
    closed(60, 5);
    worked(30, 45);
    ka_inferred t = infer();
    assert_int_equal(t.mode_count, 2);
    assert_int_equal(t.modes[0].share_permille, 500);
    assert_int_equal(t.modes[1].share_permille, 500);
    assert_near(t.any_p10_ns, 5);
}

/* By hand: 10 idle periods; 2 end at 4 s of 10, then 1 of 4 at 8 s (4 were censored at 6 s), 3 of 3 at 9 s.
 */
static void estimates_as_kaplan_and_meier(void **state)
{
    (void)state;
    limits.mismatch_count = 1;
    closed(4, 2);
    worked(6, 4);
    closed(8, 1);
    closed(9, 3);
    ka_inferred t = infer();
    assert_near(t.any_p10_ns, 4);
    assert_near(t.any_median_ns, 9); /* 0.8 * 3/4 = 0.6 are left after 8 s */
    assert_int_equal(t.mode_count, 3);
    assert_int_equal(t.modes[0].share_permille, 200);
    assert_int_equal(t.modes[1].share_permille, 200);
    assert_int_equal(t.modes[2].share_permille, 600);
}

/* At the same time as a close, the censored one is still at risk; a shorter one is not. */
static void ties_are_at_risk(void **state)
{
    (void)state;
    closed(5, 5);
    worked(5, 5);
    worked(1, 1000);
    assert_int_equal(infer().modes[0].share_permille, 500);
}

static void an_inverted_bracket_is_no_fixed_timer(void **state)
{
    (void)state;
    closed(5, 7);
    worked(4.99, 1);
    assert_int_equal(infer().kind, KA_TIMER_FIXED);
    worked(5.04, 1); /* within early-tolerance */
    assert_int_equal(infer().kind, KA_TIMER_FIXED);
    worked(5.2, 1);
    ka_inferred t = infer();
    assert_int_equal(t.kind, KA_TIMER_VARIED);
    assert_true(t.inverted);
    assert_true(t.median_ns == KA_NONE && t.p10_ns == KA_NONE);
    assert_true(ka_inferred_contract_ns(&t) == KA_NONE);
    assert_near(t.modes[0].median_ns, 5); /* still to be seen */
}

/* What lasted to the end of the capture, unclosed, does not show that it still worked. */
static void only_signs_of_life_invert(void **state)
{
    (void)state;
    closed(5, 7);
    ka_lasting_lasted(&samples, limits.timer_sample_ns, story_ns(600), false);
    ka_inferred t = infer();
    assert_int_equal(t.kind, KA_TIMER_FIXED);
    assert_int_equal(t.lasted, 1);
    assert_true(t.longest_worked_ns == KA_NONE);
}

static void spread_closes_are_no_timer(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++)
        closed(1 + 0.5 * i, 1);
    ka_inferred t = infer();
    assert_int_equal(t.kind, KA_TIMER_VARIED);
    assert_int_equal(t.mode_count, 0);
    assert_near(t.any_median_ns, 10.5);
}

static void a_tenth_of_strays_does_not_matter_and_a_third_does(void **state)
{
    (void)state;
    closed(60, 18);
    closed(13, 2);
    assert_int_equal(infer().kind, KA_TIMER_FIXED);
    closed(17, 3);
    closed(27, 3);
    assert_int_equal(infer().kind, KA_TIMER_VARIED);
}

static void hints_at_products(void **state)
{
    (void)state;
    closed(75.01, 6);
    ka_inferred t = infer();
    assert_non_null(t.hint);
    assert_non_null(strstr(t.hint, "nginx"));
    closed(74.8, 6); /* before nginx would */
    assert_null(infer().hint);
}

static void merging_is_adding(void **state)
{
    (void)state;
    ka_lasting other;
    ka_lasting_init(&other, &heap);
    closed(5, 3);
    worked(2, 2);
    assert_int_equal(ka_lasting_closed(&other, story_ns(5), false), KA_OK);
    assert_int_equal(ka_lasting_closed(&other, story_ns(5), true), KA_OK);
    assert_int_equal(ka_lasting_lasted(&other, 0, story_ns(4), true), KA_OK);
    assert_int_equal(ka_lasting_merge(&samples, &other), KA_OK);
    ka_lasting_fini(&other);
    ka_inferred t = infer();
    assert_int_equal(t.kind, KA_TIMER_FIXED);
    assert_int_equal(t.closes, 5);
    assert_int_equal(t.moments, 4);
    assert_int_equal(t.lasted, 3);
    assert_near(t.longest_worked_ns, 4);
}

/* Whatever is added, memory and arithmetic hold. */
static void extremes(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 63; bit++) {
        for (int64_t low = 0; low < 64; low++) {
            assert_int_equal(ka_lasting_closed(&samples, INT64_MAX >> bit, low % 2), KA_OK);
            assert_int_equal(ka_lasting_lasted(&samples, 0, (INT64_MAX >> bit) - (low << (57 - bit % 57)) / 2,
                                               true) == KA_NO_MEMORY,
                             false);
        }
    }
    assert_true(samples.closed.bucket_room <= KA_LASTING_BUCKETS);
    assert_true(samples.lasted.bucket_room <= KA_LASTING_BUCKETS);
    assert_int_equal(infer().closes, 63 * 64);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_known_of_nothing),
        TEST(four_closes_are_too_few_and_five_are_not),
        TEST(a_coarse_timer_is_one),
        TEST(a_hole_makes_no_two_timers_of_five_closes),
        TEST(several_backends_are_several_modes),
        TEST(shares_count_what_was_censored),
        TEST(estimates_as_kaplan_and_meier),
        TEST(ties_are_at_risk),
        TEST(an_inverted_bracket_is_no_fixed_timer),
        TEST(only_signs_of_life_invert),
        TEST(spread_closes_are_no_timer),
        TEST(a_tenth_of_strays_does_not_matter_and_a_third_does),
        TEST(hints_at_products),
        TEST(merging_is_adding),
        TEST(extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
