/* test_ranges.c - sets of ranges: touching, splitting, full.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "ranges.h"
#include "story.h"

static story memory;
static ka_allocator allocator;
static ka_ranges *set;

static int begin(void **state)
{
    (void)state;
    memset(&memory, 0, sizeof memory);
    allocator = story_allocator(&memory);
    set = NULL;
    return 0;
}

static int end(void **state)
{
    (void)state;
    ka_ranges_free(&set, &allocator);
    assert_null(set);
    assert_int_equal(memory.blocks, 0);
    return 0;
}

static void add(uint64_t from, uint64_t to)
{
    assert_int_equal(ka_ranges_add(&set, &allocator, from, to), KA_OK);
    for (uint32_t i = 1; set != NULL && i < set->count; i++)
        assert_true(set->at[i - 1].to < set->at[i].from); /* sorted and apart */
}

static uint64_t take(uint64_t from, uint64_t to)
{
    return ka_ranges_remove(&set, &allocator, from, to);
}

static void is(const ka_range *expected, uint32_t count)
{
    assert_non_null(set);
    assert_int_equal(set->count, count);
    assert_memory_equal(set->at, expected, count * sizeof *expected);
}

#define IS(...)                                                                                              \
    is((const ka_range[]){__VA_ARGS__}, sizeof((const ka_range[]){__VA_ARGS__}) / sizeof(ka_range))

static void test_empty(void **state)
{
    (void)state;
    assert_int_equal(ka_ranges_total(NULL), 0);
    assert_false(ka_ranges_overlap(NULL, 0, UINT64_MAX));
    assert_int_equal(take(0, UINT64_MAX), 0);
    add(5, 5);
    add(6, 5);
    assert_null(set); /* empty ranges take no memory */
}

static void test_add_keeps_order_and_joins(void **state)
{
    (void)state;
    add(20, 30);
    add(0, 10);
    add(40, 50);
    IS({0, 10}, {20, 30}, {40, 50});
    add(10, 12); /* touches the left */
    add(38, 40); /* touches the right */
    IS({0, 12}, {20, 30}, {38, 50});
    add(22, 25); /* inside */
    IS({0, 12}, {20, 30}, {38, 50});
    add(5, 40); /* across all */
    IS({0, 50});
    assert_int_equal(ka_ranges_total(set), 50);
}

static void test_overlap_is_half_open(void **state)
{
    (void)state;
    add(10, 20);
    assert_false(ka_ranges_overlap(set, 0, 10));
    assert_true(ka_ranges_overlap(set, 0, 11));
    assert_true(ka_ranges_overlap(set, 19, 30));
    assert_false(ka_ranges_overlap(set, 20, 30));
    assert_false(ka_ranges_overlap(set, 15, 15));
}

static void test_remove_cuts_splits_and_frees(void **state)
{
    (void)state;
    add(10, 20);
    add(30, 40);
    add(50, 60);
    assert_int_equal(take(20, 30), 0);
    assert_int_equal(take(15, 35), 10);
    IS({10, 15}, {35, 40}, {50, 60});
    assert_int_equal(take(52, 54), 2);
    IS({10, 15}, {35, 40}, {50, 52}, {54, 60});
    assert_int_equal(take(12, 12), 0);
    assert_int_equal(take(0, UINT64_MAX), 18);
    assert_null(set);
    assert_int_equal(memory.blocks, 0);
}

static void fill_up(void)
{
    for (uint64_t i = 1; i <= KA_RANGES_MAX; i++)
        add(100 * i, 100 * i + 10);
    assert_int_equal(set->count, KA_RANGES_MAX);
}

/* What is added to a full set joins a neighbour: the bytes between count as unseen, none is forgotten. */
static void test_full_joins(void **state)
{
    static const uint64_t places[] = {0, 150, 3250, 100 * (KA_RANGES_MAX + 1)};
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        fill_up();
        uint64_t before = ka_ranges_total(set);
        add(places[i], places[i] + 5);
        assert_int_equal(set->count, KA_RANGES_MAX);
        assert_true(ka_ranges_overlap(set, places[i], places[i] + 1));
        assert_true(ka_ranges_overlap(set, places[i] + 4, places[i] + 5));
        assert_true(ka_ranges_total(set) > before);
        ka_ranges_free(&set, &allocator);
    }
    fill_up();
    add(110, 200); /* joining two makes room */
    assert_int_equal(set->count, KA_RANGES_MAX - 1);
}

static void test_full_splits_to_one(void **state)
{
    (void)state;
    fill_up();
    assert_int_equal(take(104, 106), 6); /* the rest of it counts as seen */
    assert_int_equal(set->count, KA_RANGES_MAX);
    assert_true(ka_ranges_overlap(set, 100, 104));
    assert_false(ka_ranges_overlap(set, 104, 110));
}

static void test_no_memory(void **state)
{
    (void)state;
    memory.refuse = 1;
    assert_int_equal(ka_ranges_add(&set, &allocator, 1, 2), KA_NO_MEMORY);
    assert_null(set);
}

/* Against a plain array of flags. */
static void test_random_against_flags(void **state)
{
    enum { SPACE = 200 };
    bool flags[SPACE] = {false};
    uint32_t random = 1;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        random = random * 1664525u + 1013904223u;
        uint64_t from = (random >> 8) % SPACE;
        uint64_t to = from + (random >> 20) % 12;
        bool put = (random >> 4 & 1) != 0;
        uint64_t changed = 0;
        to = to > SPACE ? SPACE : to;
        for (uint64_t i = from; i < to; i++) {
            changed += flags[i] ? 1 : 0;
            flags[i] = put;
        }
        if (put)
            add(from, to);
        else
            assert_int_equal(take(from, to), changed);
        uint64_t total = 0;
        for (uint64_t i = 0; i < SPACE; i++) {
            total += flags[i] ? 1 : 0;
            assert_int_equal(ka_ranges_overlap(set, i, i + 1), flags[i]);
        }
        assert_int_equal(ka_ranges_total(set), total);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_empty, begin, end),
        cmocka_unit_test_setup_teardown(test_add_keeps_order_and_joins, begin, end),
        cmocka_unit_test_setup_teardown(test_overlap_is_half_open, begin, end),
        cmocka_unit_test_setup_teardown(test_remove_cuts_splits_and_frees, begin, end),
        cmocka_unit_test_setup_teardown(test_full_joins, begin, end),
        cmocka_unit_test_setup_teardown(test_full_splits_to_one, begin, end),
        cmocka_unit_test_setup_teardown(test_no_memory, begin, end),
        cmocka_unit_test_setup_teardown(test_random_against_flags, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
