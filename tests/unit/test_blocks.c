/* test_blocks.c - small blocks from free lists.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include <stdlib.h>

#include "blocks.h"

/* Counts what is taken and not given back; fails when told to. */
typedef struct heap {
    size_t held;
    bool fails;
} heap;

static void *counted(void *user, void *old, size_t new_bytes)
{
    heap *h = user;
    if (new_bytes > 0 && h->fails)
        return NULL;
    if (new_bytes == 0) {
        h->held -= old != NULL ? 1 : 0;
        free(old);
        return NULL;
    }
    h->held += old == NULL ? 1 : 0;
    return realloc(old, new_bytes);
}

static void every_size_holds_its_bytes(void **state)
{
    (void)state;
    enum { SIZES = 1200 };
    heap h = {0};
    const ka_allocator base = {&h, counted};
    blocks small;
    blocks_init(&small, &base);
    ka_allocator a = blocks_allocator(&small);
    unsigned char *block[SIZES];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < SIZES; i++) {
            block[i] = a.resize(a.user, NULL, i + 1);
            assert_non_null(block[i]);
            assert_int_equal((uintptr_t)block[i] % 8, 0);
            memset(block[i], (int)(i + round), i + 1);
        }
        for (unsigned i = 0; i < SIZES; i++) {
            for (unsigned at = 0; at <= i; at++)
                assert_int_equal(block[i][at], (unsigned char)(i + round));
            assert_null(a.resize(a.user, block[i], 0));
        }
    }
    blocks_fini(&small);
    assert_int_equal(h.held, 0);
}

static void growing_keeps_the_content(void **state)
{
    (void)state;
    heap h = {0};
    const ka_allocator base = {&h, counted};
    blocks small;
    blocks_init(&small, &base);
    ka_allocator a = blocks_allocator(&small);
    unsigned char *block = NULL;
    for (size_t size = 1; size < 5000; size += 7) {
        block = a.resize(a.user, block, size);
        assert_non_null(block);
        for (size_t at = 0; at + 7 < size; at++)
            assert_int_equal(block[at], (unsigned char)at);
        for (size_t at = 0; at < size; at++)
            block[at] = (unsigned char)at;
    }
    block = a.resize(a.user, block, 10);
    for (size_t at = 0; at < 10; at++)
        assert_int_equal(block[at], at);
    assert_null(a.resize(a.user, block, 0));
    assert_null(a.resize(a.user, NULL, 0));
    blocks_fini(&small);
    assert_int_equal(h.held, 0);
}

static void memory_runs_out(void **state)
{
    (void)state;
    heap h = {.fails = true};
    const ka_allocator base = {&h, counted};
    blocks small;
    blocks_init(&small, &base);
    ka_allocator a = blocks_allocator(&small);
    assert_null(a.resize(a.user, NULL, 16));
    assert_null(a.resize(a.user, NULL, 5000));
    assert_null(a.resize(a.user, NULL, SIZE_MAX));
    h.fails = false;
    unsigned char *block = a.resize(a.user, NULL, 600);
    block[599] = 7;
    h.fails = true;
    assert_null(a.resize(a.user, block, 700)); /* the old one stays */
    assert_int_equal(block[599], 7);
    assert_null(a.resize(a.user, block, 0));
    blocks_fini(&small);
    assert_int_equal(h.held, 0);
}

enum { MANY = 4000 };

static void slabs_without_blocks_go_back(void **state)
{
    (void)state;
    heap h = {0};
    const ka_allocator base = {&h, counted};
    blocks small;
    blocks_init(&small, &base);
    blocks_reclaim(&small); /* nothing yet */
    ka_allocator a = blocks_allocator(&small);
    unsigned char *block[MANY];
    for (unsigned i = 0; i < MANY; i++)
        block[i] = memset(a.resize(a.user, NULL, 40 + i % 200), (int)i, 40 + i % 200);
    size_t most = h.held;
    blocks_reclaim(&small); /* all in use */
    assert_int_equal(h.held, most);
    for (unsigned i = 0; i < MANY / 2; i++)
        a.resize(a.user, block[i], 0);
    blocks_reclaim(&small);
#ifndef __SANITIZE_ADDRESS__
    assert_true(h.held > most * 4 / 10 && h.held < most * 6 / 10);
#endif
    for (unsigned i = MANY / 2; i < MANY; i++)
        for (unsigned at = 0; at < 40 + i % 200; at++)
            assert_int_equal(block[i][at], (unsigned char)i);
    for (unsigned i = 0; i < MANY / 2; i++) /* the lists are whole */
        block[i] = memset(a.resize(a.user, NULL, 40 + i % 200), (int)i, 40 + i % 200);
    for (unsigned i = 0; i < MANY; i++)
        a.resize(a.user, block[i], 0);
    blocks_reclaim(&small);
    assert_in_range(h.held, 0, 1); /* the newest stays */
    assert_in_range(small.free_bytes, 0, 32 * 1024);
    blocks_fini(&small);
    assert_int_equal(h.held, 0);
}

static void a_slab_with_one_block_stays(void **state)
{
    (void)state;
    heap h = {0};
    const ka_allocator base = {&h, counted};
    blocks small;
    blocks_init(&small, &base);
    ka_allocator a = blocks_allocator(&small);
    unsigned char *block[MANY];
    for (unsigned i = 0; i < MANY; i++)
        block[i] = a.resize(a.user, NULL, 100);
    size_t most = h.held;
    for (unsigned i = 0; i < MANY; i++)
        if (i % 50 != 0)
            a.resize(a.user, block[i], 0);
    blocks_reclaim(&small);
#ifndef __SANITIZE_ADDRESS__
    assert_int_equal(h.held, most); /* some three hundred in each, so several are in use */
#else
    assert_true(h.held < most);
#endif
    for (unsigned i = 0; i < MANY; i += 50)
        a.resize(a.user, block[i], 0);
    blocks_fini(&small);
    assert_int_equal(h.held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_holds_its_bytes),
        cmocka_unit_test(growing_keeps_the_content),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(slabs_without_blocks_go_back),
        cmocka_unit_test(a_slab_with_one_block_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
