/* test_memory.c - the counted heap: what is given, what is refused, what a part takes from its whole.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "memory.h"

enum { HEAD_BYTES = 16 };

static void *resize(memory_share *from, void *old, size_t new_bytes)
{
    ka_allocator allocator = memory_allocator(from);
    return allocator.resize(allocator.user, old, new_bytes);
}

static void everything_is_counted(void **state)
{
    (void)state;
    memory_share heap = {.limit_bytes = 100000};
    unsigned char *block = resize(&heap, NULL, 100);
    assert_int_equal(heap.used_bytes, 100 + HEAD_BYTES);
    assert_int_equal((uintptr_t)block % 16, 0);
    memset(block, 7, 100);
    block = resize(&heap, block, 5000);
    assert_int_equal(heap.used_bytes, 5000 + HEAD_BYTES);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(block[i], 7);
    block = resize(&heap, block, 10);
    assert_int_equal(heap.used_bytes, 10 + HEAD_BYTES);
    assert_null(resize(&heap, block, 0));
    assert_null(resize(&heap, NULL, 0));
    assert_int_equal(heap.used_bytes, 0);
}

static void nothing_is_given_beyond_the_limit(void **state)
{
    (void)state;
    memory_share heap = {.limit_bytes = 1000};
    char *block = resize(&heap, NULL, 1000 - HEAD_BYTES);
    assert_non_null(block);
    assert_null(resize(&heap, NULL, 1));
    assert_null(resize(&heap, block, 1001 - HEAD_BYTES)); /* the old one stays */
    assert_int_equal(heap.used_bytes, 1000);
    block = resize(&heap, block, 500);
    assert_null(resize(&heap, NULL, SIZE_MAX));
    assert_null(resize(&heap, NULL, SIZE_MAX - HEAD_BYTES));
    char *other = resize(&heap, NULL, 400);
    assert_non_null(other);
    resize(&heap, other, 0);
    resize(&heap, block, 0);
    assert_int_equal(heap.used_bytes, 0);
}

static void a_part_has_its_own_limit(void **state)
{
    (void)state;
    memory_share whole = {.limit_bytes = 1000};
    memory_share part = {.whole = &whole, .limit_bytes = 300};
    char *own = resize(&part, NULL, 200);
    assert_int_equal(part.used_bytes, 216);
    assert_int_equal(whole.used_bytes, 216);
    assert_null(resize(&part, NULL, 100));
    char *other = resize(&whole, NULL, 700);
    assert_non_null(other);
    assert_null(resize(&part, NULL, 60)); /* the part has room, the whole has not */
    resize(&part, own, 0);
    assert_int_equal(part.used_bytes, 0);
    assert_int_equal(whole.used_bytes, 716);
    resize(&whole, other, 0);
    assert_int_equal(whole.used_bytes, 0);
}

static void large_blocks_grow_and_shrink(void **state)
{
    (void)state;
    enum { MANY_BYTES = 5 << 20 };
    memory_share heap = {.limit_bytes = 64 << 20};
    unsigned char *block = resize(&heap, NULL, MANY_BYTES);
    memset(block, 3, MANY_BYTES);
    block = resize(&heap, block, 2 * MANY_BYTES);
    assert_int_equal(block[MANY_BYTES - 1], 3);
    block = resize(&heap, block, 100);
    assert_int_equal(block[99], 3);
    resize(&heap, block, 0);
    assert_int_equal(heap.used_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_counted),
        cmocka_unit_test(nothing_is_given_beyond_the_limit),
        cmocka_unit_test(a_part_has_its_own_limit),
        cmocka_unit_test(large_blocks_grow_and_shrink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
