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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_holds_its_bytes),
        cmocka_unit_test(growing_keeps_the_content),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
