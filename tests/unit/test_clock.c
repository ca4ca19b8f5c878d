/* test_clock.c - the offset of one clock against another, from exchanges seen by both.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "clock.h"

enum { COUNT = 20 };

/* Exchanges 3 s apart: 40 ms there and back, and on the way there as much more as told. */
static void make(ka_clock_bounds out[COUNT], int64_t offset_ns, int64_t drift_ppb, const int64_t *more_ms,
                 size_t kinds)
{
    for (int i = 0; i < COUNT; i++) {
        int64_t at_ns = 1000 * KA_SECOND_NS + i * 3 * KA_SECOND_NS;
        int64_t ahead_ns = offset_ns + i * 3 * drift_ppb;
        out[i] = (ka_clock_bounds){at_ns, ahead_ns - 40 * KA_MILLISECOND_NS,
                                   ahead_ns + (40 + more_ms[(size_t)i % kinds]) * KA_MILLISECOND_NS};
    }
}

static void assert_near(int64_t a, int64_t b, int64_t margin)
{
    assert_true(a - b <= margin && b - a <= margin);
}

static void offset_and_drift_are_found(void **state)
{
    (void)state;
    static const int64_t offsets_ns[] = {0, 3217 * KA_MILLISECOND_NS, -850 * KA_MILLISECOND_NS,
                                         -3600 * KA_SECOND_NS};
    static const int64_t drifts_ppb[] = {0, 400000, -60000};
    static const int64_t more_ms[] = {80, 0, 200, 80};
    for (size_t i = 0; i < 12; i++) {
        ka_clock_bounds samples[COUNT];
        int64_t offset_ns = offsets_ns[i / 3], drift_ppb = drifts_ppb[i % 3];
        make(samples, offset_ns, drift_ppb, more_ms, 4);
        ka_clock clock = ka_clock_fit(samples, COUNT);
        assert_true(clock.known);
        assert_near(clock.drift_ppb, drift_ppb, 1000);
        assert_near(clock.offset_ns, offset_ns, KA_MILLISECOND_NS);
        int64_t shown_ns = samples[COUNT - 1].at_ns + offset_ns + 57 * drift_ppb;
        assert_near(ka_clock_ahead_ns(&clock, shown_ns), offset_ns + 57 * drift_ppb, KA_MILLISECOND_NS);
    }
}

static void few_or_odd_samples_tell_nothing(void **state)
{
    (void)state;
    static const int64_t more_ms[] = {0};
    ka_clock_bounds samples[COUNT];
    make(samples, KA_SECOND_NS, 0, more_ms, 1);
    assert_false(ka_clock_fit(samples, 0).known);
    assert_false(ka_clock_fit(samples, 2).known);
    assert_true(ka_clock_fit(samples, 3).known);
    for (int i = 0; i < COUNT; i++) { /* each says something else */
        samples[i].least_ns += i * KA_SECOND_NS;
        samples[i].most_ns += i * KA_SECOND_NS;
    }
    assert_false(ka_clock_fit(samples, COUNT).known);
}

static void wrong_samples_are_outvoted(void **state)
{
    (void)state;
    static const int64_t more_ms[] = {0};
    ka_clock_bounds samples[COUNT];
    make(samples, KA_SECOND_NS, 0, more_ms, 1);
    for (int i = 0; i < 5; i++) {
        samples[3 * i].least_ns -= (7 + i) * KA_SECOND_NS;
        samples[3 * i].most_ns -= (7 + i) * KA_SECOND_NS;
    }
    ka_clock clock = ka_clock_fit(samples, COUNT);
    assert_true(clock.known);
    assert_int_equal(clock.samples, 15);
    assert_near(clock.offset_ns, KA_SECOND_NS, KA_MILLISECOND_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offset_and_drift_are_found),
        cmocka_unit_test(few_or_odd_samples_tell_nothing),
        cmocka_unit_test(wrong_samples_are_outvoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
