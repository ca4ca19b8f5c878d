/* test_pool.c - blocks of one size from slabs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "pool.h"

static size_t held;
static long refuse_after;

static void *resize(void *user, void *old, size_t new_bytes)
{
    (void)user;
    if (new_bytes == 0) {
        held--;
        free(old);
        return NULL;
    }
    if (refuse_after-- == 0)
        return NULL;
    held++;
    return realloc(old, new_bytes);
}

static const ka_allocator allocator = {NULL, resize};

static int begin(void **state)
{
    (void)state;
    held = 0;
    refuse_after = -1;
    return 0;
}

static void test_blocks_are_apart_and_zeroed(void **state)
{
    enum { COUNT = 5000, BYTES = 40 };
    (void)state;
    ka_pool pool;
    static unsigned char *blocks[COUNT];
    ka_pool_init(&pool, &allocator, BYTES);
    for (unsigned i = 0; i < COUNT; i++) {
        blocks[i] = ka_pool_take(&pool);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        for (unsigned j = 0; j < BYTES; j++)
            assert_int_equal(blocks[i][j], 0);
        memset(blocks[i], (int)(i % 251 + 1), BYTES);
    }
    for (unsigned i = 0; i < COUNT; i++)
        for (unsigned j = 0; j < BYTES; j++)
            assert_int_equal(blocks[i][j], i % 251 + 1);
    ka_pool_fini(&pool);
    assert_int_equal(held, 0);
}

static void test_given_blocks_come_back_zeroed(void **state)
{
    (void)state;
    ka_pool pool;
    ka_pool_init(&pool, &allocator, 24);
    unsigned char *first = ka_pool_take(&pool);
    unsigned char *second = ka_pool_take(&pool);
    memset(first, 0xff, 24);
    ka_pool_give(&pool, first);
    ka_pool_give(&pool, NULL);
    size_t slabs = held;
    unsigned char *again = ka_pool_take(&pool);
    assert_ptr_equal(again, first);
    assert_ptr_not_equal(again, second);
    for (unsigned j = 0; j < 24; j++)
        assert_int_equal(again[j], 0);
    assert_int_equal(held, slabs);
    ka_pool_fini(&pool);
}

static void test_no_memory(void **state)
{
    (void)state;
    ka_pool pool;
    ka_pool_init(&pool, &allocator, 1024);
    refuse_after = 0;
    assert_null(ka_pool_take(&pool));
    assert_non_null(ka_pool_take(&pool));
    ka_pool_fini(&pool);
    assert_int_equal(held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_blocks_are_apart_and_zeroed, begin),
        cmocka_unit_test_setup(test_given_blocks_come_back_zeroed, begin),
        cmocka_unit_test_setup(test_no_memory, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
