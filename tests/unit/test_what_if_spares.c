/* test_what_if_spans.c - which openings a longer timeout could have saved: as many as possible, and no more.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "what-if/spares.h"

enum { MOST = 12 };

static uint64_t match(const what_if_span *spares, size_t spare_count, const int64_t *opened,
                      size_t opened_count)
{
    what_if_span copy[MOST];
    uint32_t heap[MOST];
    if (spare_count > 0)
        memcpy(copy, spares, spare_count * sizeof *copy);
    return what_if_match(copy, spare_count, opened, opened_count, heap);
}

static void nothing_to_use_or_nobody_to_use_it(void **state)
{
    (void)state;
    const what_if_span spare[] = {{10, 20}};
    const int64_t opened[] = {15};
    assert_int_equal(match(NULL, 0, opened, 1), 0);
    assert_int_equal(match(spare, 1, NULL, 0), 0);
    assert_int_equal(match(spare, 1, opened, 1), 1);
}

static void from_its_captured_end_until_the_timeout(void **state)
{
    (void)state;
    const what_if_span spare[] = {{10, 20}};
    const struct {
        int64_t opened;
        uint64_t reused;
    } rows[] = {{9, 0}, {10, 0}, {11, 1}, {20, 1}, {21, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(match(spare, 1, &rows[i].opened, 1), rows[i].reused);
}

static void each_is_used_once(void **state)
{
    (void)state;
    const what_if_span spare[] = {{10, 20}};
    const int64_t opened[] = {12, 13, 14};
    assert_int_equal(match(spare, 1, opened, 3), 1);
}

static void the_one_that_ends_first_is_used_first(void **state)
{
    (void)state;
    /* Taking the long one at 12 would leave nothing for 30. */
    const what_if_span spares[] = {{10, 40}, {11, 15}};
    const int64_t opened[] = {12, 30};
    assert_int_equal(match(spares, 2, opened, 2), 2);
}

/* Tries every assignment. */
static unsigned most(const what_if_span *spares, unsigned used, size_t count, const int64_t *opened,
                     size_t left)
{
    if (left == 0)
        return 0;
    unsigned best = most(spares, used, count, opened + 1, left - 1);
    for (size_t i = 0; i < count; i++) {
        if ((used >> i & 1) || *opened <= spares[i].from_ns || *opened > spares[i].until_ns)
            continue;
        unsigned with = 1 + most(spares, used | 1u << i, count, opened + 1, left - 1);
        best = with > best ? with : best;
    }
    return best;
}

static void as_many_as_possible(void **state)
{
    (void)state;
    uint32_t random = 7;
    for (unsigned round = 0; round < 300; round++) {
        what_if_span spares[5];
        int64_t opened[6], at = 0;
        for (unsigned i = 0; i < 5; i++) {
            random = random * 1664525 + 1013904223;
            int64_t from = random >> 27;
            spares[i] = (what_if_span){from, from + 1 + (random >> 8) % 12};
        }
        for (unsigned i = 0; i < 6; i++) {
            random = random * 1664525 + 1013904223;
            opened[i] = at += (random >> 16) % 8;
        }
        assert_int_equal(match(spares, 5, opened, 6), most(spares, 0, 5, opened, 6));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_use_or_nobody_to_use_it),
        cmocka_unit_test(from_its_captured_end_until_the_timeout),
        cmocka_unit_test(each_is_used_once),
        cmocka_unit_test(the_one_that_ends_first_is_used_first),
        cmocka_unit_test(as_many_as_possible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
