/* test_what_if_others.c - which other connections of the client were idle when a request came.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "what_if_story.h"

#include "memory.h"
#include "what-if/others.h"

enum { CONNECTIONS = 5, GAPS = 6 };

static what_if_gap gaps[CONNECTIONS][GAPS];
static what_if_connection connections[CONNECTIONS];

/* A connection idle from `from` to `until`, where a request comes; more of them may follow. */
static void idle(unsigned connection, int64_t from, int64_t until)
{
    what_if_connection *c = &connections[connection];
    c->gaps = gaps[connection];
    c->gaps[c->gap_count++] = (what_if_gap){connection, 2, until - from, until, 0};
}

static int fresh(void **state)
{
    (void)state;
    memset(connections, 0, sizeof connections);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        connections[i].idle_ns = KA_NONE;
    return 0;
}

static void find(void)
{
    assert_true(what_if_find_others(connections, CONNECTIONS, &memory_heap));
}

static void nobody_else(void **state)
{
    (void)state;
    find();
    idle(0, 10, 20);
    idle(0, 21, 40);
    find();
    assert_int_equal(gaps[0][0].other_ns, KA_NONE);
    assert_int_equal(gaps[0][1].other_ns, KA_NONE);
}

static void the_one_used_last(void **state)
{
    (void)state;
    idle(0, 10, 50);
    idle(1, 20, 60);
    idle(2, 30, 49); /* busy again by then */
    idle(3, 50, 70); /* not idle yet */
    find();
    assert_int_equal(gaps[0][0].other_ns, 30);
    assert_int_equal(gaps[1][0].other_ns, 10);
    assert_int_equal(gaps[2][0].other_ns, 29);
    assert_int_equal(gaps[3][0].other_ns, KA_NONE);
}

static void until_it_ended(void **state)
{
    (void)state;
    idle(0, 10, 50);
    connections[1].idle_ns = 20;
    connections[1].ended_ns = 51;
    find();
    assert_int_equal(gaps[0][0].other_ns, 19);
    connections[1].ended_ns = 50;
    find();
    assert_int_equal(gaps[0][0].other_ns, KA_NONE);
    connections[1].ended_ns = 51;
    connections[1].loss = WHAT_IF_LOSS_RACE; /* the idle time is that of its last gap */
    find();
    assert_int_equal(gaps[0][0].other_ns, KA_NONE);
}

static int64_t slowly(const what_if_gap *asked)
{
    int64_t latest = KA_NONE;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        for (uint32_t j = 0; j < connections[i].gap_count; j++) {
            const what_if_gap *gap = &gaps[i][j];
            int64_t from = gap->end_ns - gap->idle_ns;
            if (from < asked->end_ns && gap->end_ns > asked->end_ns && from > latest)
                latest = from;
        }
    }
    return latest == KA_NONE ? KA_NONE : asked->end_ns - latest;
}

static void as_looking_at_all(void **state)
{
    uint32_t random = 11;
    for (unsigned round = 0; round < 200; round++) {
        fresh(state);
        for (unsigned i = 0; i < CONNECTIONS; i++) {
            int64_t now = 0;
            for (unsigned j = 0; j < GAPS; j++) {
                random = random * 1664525 + 1013904223;
                int64_t from = now + (random >> 28);
                now = from + 1 + (random >> 20) % 16;
                idle(i, from, now);
            }
        }
        find();
        for (unsigned i = 0; i < CONNECTIONS; i++) {
            for (unsigned j = 0; j < GAPS; j++)
                assert_int_equal(gaps[i][j].other_ns, slowly(&gaps[i][j]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nobody_else, fresh),
        cmocka_unit_test_setup(the_one_used_last, fresh),
        cmocka_unit_test_setup(until_it_ended, fresh),
        cmocka_unit_test(as_looking_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
