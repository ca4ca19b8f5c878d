/* test_histogram.c - error bound, merging, memory bound and failing memory of the histogram.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "histogram.h"
#include "memory.h"

static uint64_t random_bits(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int ascending(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void assert_near(int64_t got, int64_t exact)
{
    int64_t error = got > exact ? got - exact : exact - got;
    if (error > exact / 2000)
        fail_msg("%lld is not within 0.05 %% of %lld", (long long)got, (long long)exact);
}

static void assert_same(const ka_histogram *a, const ka_histogram *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->smallest, b->smallest);
    assert_int_equal(a->largest, b->largest);
    assert_int_equal(a->bucket_count, b->bucket_count);
    for (uint32_t i = 0; i < a->bucket_count; i++) {
        assert_int_equal(a->buckets[i].index, b->buckets[i].index);
        assert_int_equal(a->buckets[i].count, b->buckets[i].count);
    }
}

static void is_empty_at_first(void **state)
{
    (void)state;
    ka_histogram h;
    ka_histogram_init(&h, &memory_heap);
    assert_int_equal(ka_histogram_count(&h), 0);
    assert_true(ka_histogram_quantile(&h, 50) == KA_NONE);
    assert_true(h.smallest == KA_NONE && h.largest == KA_NONE);
    ka_histogram_fini(&h);
}

static void refuses_negative_values(void **state)
{
    (void)state;
    ka_histogram h;
    ka_histogram_init(&h, &memory_heap);
    assert_int_equal(ka_histogram_add(&h, -1), KA_MISUSE);
    assert_int_equal(ka_histogram_add(&h, KA_NONE), KA_MISUSE);
    assert_int_equal(ka_histogram_count(&h), 0);
    ka_histogram_fini(&h);
}

static void keeps_one_value_exactly(void **state)
{
    (void)state;
    static const int64_t values[] = {0, 1, 2047, 2048, 2049, 5000000000, 123456789012345678, INT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        ka_histogram h;
        ka_histogram_init(&h, &memory_heap);
        for (unsigned again = 0; again < 3; again++)
            assert_int_equal(ka_histogram_add(&h, values[i]), KA_OK);
        for (unsigned percent = 1; percent <= 100; percent++)
            assert_true(ka_histogram_quantile(&h, percent) == values[i]);
        ka_histogram_fini(&h);
    }
}

static void takes_the_nearest_rank(void **state)
{
    (void)state;
    ka_histogram h;
    ka_histogram_init(&h, &memory_heap);
    for (int64_t value = 10; value >= 1; value--)
        assert_int_equal(ka_histogram_add(&h, value), KA_OK);
    assert_int_equal(ka_histogram_quantile(&h, 1), 1);
    assert_int_equal(ka_histogram_quantile(&h, 10), 1);
    assert_int_equal(ka_histogram_quantile(&h, 11), 2);
    assert_int_equal(ka_histogram_quantile(&h, 50), 5);
    assert_int_equal(ka_histogram_quantile(&h, 51), 6);
    assert_int_equal(ka_histogram_quantile(&h, 95), 10);
    assert_int_equal(ka_histogram_quantile(&h, 100), 10);
    ka_histogram_fini(&h);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    ka_histogram h;
    ka_histogram_init(&h, &memory_heap);
    assert_int_equal(ka_histogram_add(&h, 0), KA_OK);
    assert_int_equal(ka_histogram_add(&h, INT64_MAX), KA_OK);
    for (int64_t value = 0; value < 2048; value++) {
        ka_histogram other;
        ka_histogram_init(&other, &memory_heap);
        assert_int_equal(ka_histogram_merge(&other, &h), KA_OK);
        assert_int_equal(ka_histogram_add(&other, value), KA_OK);
        assert_int_equal(ka_histogram_quantile(&other, 50), value);
        ka_histogram_fini(&other);
    }
    ka_histogram_fini(&h);
}

/* The bucket of each value around every power of two, seen as the middle of three. */
static void every_octave_is_near(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 63; bit++) {
        for (int64_t step = -3; step <= 3; step++) {
            int64_t value = (INT64_C(1) << bit) + step * (INT64_C(1) << (bit > 11 ? bit - 11 : 0));
            if (value < 0)
                continue;
            ka_histogram h;
            ka_histogram_init(&h, &memory_heap);
            assert_int_equal(ka_histogram_add(&h, 0), KA_OK);
            assert_int_equal(ka_histogram_add(&h, INT64_MAX), KA_OK);
            assert_int_equal(ka_histogram_add(&h, value), KA_OK);
            assert_near(ka_histogram_quantile(&h, 50), value);
            ka_histogram_fini(&h);
        }
    }
}

static void quantiles_are_near(void **state)
{
    (void)state;
    enum { COUNT = 20001 };
    static int64_t values[COUNT];
    uint64_t seed = 42;
    ka_histogram h;
    ka_histogram_init(&h, &memory_heap);
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = (int64_t)(random_bits(&seed) >> (1 + random_bits(&seed) % 63));
        assert_int_equal(ka_histogram_add(&h, values[i]), KA_OK);
    }
    qsort(values, COUNT, sizeof values[0], ascending);
    for (unsigned percent = 1; percent <= 100; percent++) {
        size_t rank = ((size_t)COUNT * percent + 99) / 100;
        assert_near(ka_histogram_quantile(&h, percent), values[rank - 1]);
    }
    assert_int_equal(h.smallest, values[0]);
    assert_int_equal(h.largest, values[COUNT - 1]);
    ka_histogram_fini(&h);
}

static void merging_is_adding_all(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (unsigned round = 0; round < 50; round++) {
        ka_histogram all, parts[3];
        ka_histogram_init(&all, &memory_heap);
        for (unsigned i = 0; i < 3; i++)
            ka_histogram_init(&parts[i], &memory_heap);
        for (unsigned i = 0; i < round * 7; i++) {
            int64_t value = (int64_t)(random_bits(&seed) >> (1 + random_bits(&seed) % 63));
            assert_int_equal(ka_histogram_add(&all, value), KA_OK);
            assert_int_equal(ka_histogram_add(&parts[random_bits(&seed) % 3], value), KA_OK);
        }
        assert_int_equal(ka_histogram_merge(&parts[1], &parts[2]), KA_OK);
        assert_int_equal(ka_histogram_merge(&parts[0], &parts[1]), KA_OK);
        assert_same(&parts[0], &all);
        for (unsigned i = 0; i < 3; i++)
            ka_histogram_fini(&parts[i]);
        ka_histogram_fini(&all);
    }
}

static void merging_with_itself_doubles(void **state)
{
    (void)state;
    ka_histogram h;
    ka_histogram_init(&h, &memory_heap);
    for (int64_t value = 1; value < 1000000; value *= 3)
        assert_int_equal(ka_histogram_add(&h, value), KA_OK);
    uint64_t count = h.count;
    uint32_t bucket_count = h.bucket_count;
    assert_int_equal(ka_histogram_merge(&h, &h), KA_OK);
    assert_int_equal(h.count, 2 * count);
    assert_int_equal(h.bucket_count, bucket_count);
    for (uint32_t i = 0; i < bucket_count; i++)
        assert_int_equal(h.buckets[i].count, 2);
    ka_histogram_fini(&h);
}

/* One value in every bucket there is, and then as many again: the memory does not grow any more. */
static void memory_is_bounded(void **state)
{
    (void)state;
    ka_histogram h;
    ka_histogram_init(&h, &memory_heap);
    for (unsigned pass = 0; pass < 2; pass++) {
        for (int64_t value = 0; value < 2048; value++)
            assert_int_equal(ka_histogram_add(&h, value), KA_OK);
        for (unsigned shift = 1; shift <= 52; shift++) {
            for (int64_t mantissa = 1024; mantissa < 2048; mantissa++)
                assert_int_equal(ka_histogram_add(&h, (mantissa << shift) + pass), KA_OK);
        }
        assert_int_equal(h.bucket_count, KA_HISTOGRAM_BUCKETS_MAX);
        assert_int_equal(h.bucket_room, KA_HISTOGRAM_BUCKETS_MAX);
    }
    assert_int_equal(ka_histogram_add(&h, INT64_MAX), KA_OK);
    assert_int_equal(h.bucket_count, KA_HISTOGRAM_BUCKETS_MAX);
    assert_int_equal(h.buckets[KA_HISTOGRAM_BUCKETS_MAX - 1].index, KA_HISTOGRAM_BUCKETS_MAX - 1);
    ka_histogram_fini(&h);
}

/* Limited: coarser instead of larger, the same in any order and however it is put together. */
static void limited(void **state)
{
    enum { LIMIT = 64, VALUES = 5000 };
    (void)state;
    ka_histogram up, down, parts[2];
    ka_histogram_init_limited(&up, &memory_heap, LIMIT);
    ka_histogram_init_limited(&down, &memory_heap, LIMIT);
    ka_histogram_init_limited(&parts[0], &memory_heap, LIMIT);
    ka_histogram_init_limited(&parts[1], &memory_heap, LIMIT);
    for (int64_t i = 1; i <= VALUES; i++) {
        assert_int_equal(ka_histogram_add(&up, i * i * i), KA_OK);
        int64_t j = VALUES + 1 - i;
        assert_int_equal(ka_histogram_add(&down, j * j * j), KA_OK);
        assert_int_equal(ka_histogram_add(&parts[i < VALUES / 100], i * i * i), KA_OK);
    }
    assert_true(parts[0].coarse != parts[1].coarse);
    assert_int_equal(ka_histogram_merge(&parts[1], &parts[0]), KA_OK);
    const ka_histogram *all[] = {&up, &down, &parts[1]};
    for (unsigned k = 0; k < 3; k++) {
        assert_true(all[k]->bucket_room <= LIMIT);
        assert_int_equal(all[k]->coarse, up.coarse);
        assert_int_equal(all[k]->bucket_count, up.bucket_count);
        for (uint32_t i = 0; i < up.bucket_count; i++) {
            assert_int_equal(all[k]->buckets[i].index, up.buckets[i].index);
            assert_int_equal(all[k]->buckets[i].count, up.buckets[i].count);
        }
        int64_t median = ka_histogram_quantile(all[k], 50),
                exact = (int64_t)(VALUES / 2) * (VALUES / 2) * (VALUES / 2);
        assert_in_range(median, exact - exact / 2, exact + exact / 2);
        assert_int_equal(ka_histogram_quantile(all[k], 100), (int64_t)VALUES * VALUES * VALUES);
        assert_int_equal(ka_histogram_at_least(all[k], 0), VALUES);
        assert_int_equal(ka_histogram_at_least(all[k], INT64_MAX), 0);
        uint64_t upper = ka_histogram_at_least(all[k], exact);
        assert_in_range(upper, VALUES / 2, VALUES / 2 + VALUES / 5);
    }
    ka_histogram_fini(&up);
    assert_int_equal(up.bucket_limit, LIMIT);
    ka_histogram_fini(&down);
    ka_histogram_fini(&parts[0]);
    ka_histogram_fini(&parts[1]);
}

typedef struct failing {
    unsigned calls_left;
    unsigned live;
} failing;

static void *resize_failing(void *user, void *old, size_t new_bytes)
{
    failing *memory = user;
    if (new_bytes == 0) {
        memory->live -= old != NULL;
        free(old);
        return NULL;
    }
    if (memory->calls_left == 0)
        return NULL;
    memory->calls_left--;
    memory->live += old == NULL;
    return realloc(old, new_bytes);
}

static void survives_failing_memory(void **state)
{
    (void)state;
    for (unsigned calls = 0; calls < 6; calls++) {
        failing memory = {calls, 0};
        ka_allocator allocator = {&memory, resize_failing};
        ka_histogram h, many;
        ka_histogram_init(&h, &allocator);
        ka_histogram_init(&many, &memory_heap);
        int64_t value = 0;
        while (ka_histogram_add(&h, value) == KA_OK)
            value += 3;
        assert_int_equal(ka_histogram_add(&h, value), KA_NO_MEMORY);
        assert_int_equal(h.count, calls == 0 ? 0 : 8 << (calls - 1));
        assert_int_equal(h.bucket_count, h.count);
        assert_true(h.largest == (calls == 0 ? KA_NONE : value - 3));
        if (calls > 0) /* a bucket that is there needs no memory */
            assert_int_equal(ka_histogram_add(&h, 0), KA_OK);

        for (int64_t other = 0; other < 1000; other++)
            assert_int_equal(ka_histogram_add(&many, other), KA_OK);
        uint64_t count = h.count;
        assert_int_equal(ka_histogram_merge(&h, &many), KA_NO_MEMORY);
        assert_int_equal(h.count, count);
        assert_int_equal(h.bucket_count, calls == 0 ? 0 : count - 1);
        ka_histogram_fini(&many);
        ka_histogram_fini(&h);
        assert_int_equal(memory.live, 0);
        assert_int_equal(h.count, 0);
    }
}

static void merging_nothing_needs_no_memory(void **state)
{
    (void)state;
    failing memory = {0, 0};
    ka_allocator allocator = {&memory, resize_failing};
    ka_histogram a, b;
    ka_histogram_init(&a, &allocator);
    ka_histogram_init(&b, &allocator);
    assert_int_equal(ka_histogram_merge(&a, &b), KA_OK);
    assert_true(a.smallest == KA_NONE && a.largest == KA_NONE);
    ka_histogram_fini(&a);
    ka_histogram_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_empty_at_first),
        cmocka_unit_test(refuses_negative_values),
        cmocka_unit_test(keeps_one_value_exactly),
        cmocka_unit_test(takes_the_nearest_rank),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(every_octave_is_near),
        cmocka_unit_test(quantiles_are_near),
        cmocka_unit_test(merging_is_adding_all),
        cmocka_unit_test(merging_with_itself_doubles),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(limited),
        cmocka_unit_test(survives_failing_memory),
        cmocka_unit_test(merging_nothing_needs_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
