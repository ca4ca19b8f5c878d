/* test_client.c - the table of clients, and the small ledgers of many connections.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "eviction.h"
#include "growth.h"
#include "story.h"

static story s;
static ka_allocator allocator;

static ka_address numbered(uint32_t n)
{
    return (ka_address){{10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, (uint16_t)n, 4};
}

static int begin(void **state)
{
    (void)state;
    memset(&s, 0, sizeof s);
    allocator = story_allocator(&s);
    return 0;
}

static ka_client *find(ka_clients *clients, uint32_t endpoint, uint32_t n, bool create)
{
    ka_client *found;
    ka_address address = numbered(n);
    assert_int_equal(ka_clients_find(clients, &allocator, endpoint, &address, create, &found, NULL), KA_OK);
    return found;
}

static void test_pairs_up_to_their_limit(void **state)
{
    ka_clients clients = {.seed = 7}, copy;
    (void)state;
    assert_null(find(&clients, 0, 1, false));
    for (uint32_t i = 0; i < KA_CLIENTS_MAX; i++)
        find(&clients, i % 2, i / 2, true)->connections = i + 1;
    assert_int_equal(clients.count, KA_CLIENTS_MAX);
    assert_null(find(&clients, 2, 1, true)); /* left out, no error */
    assert_int_equal(find(&clients, 1, 100, true)->connections, 202);
    assert_int_equal(ka_clients_copy(&clients, &allocator, &copy), KA_OK);
    find(&copy, 1, 100, false)->connections = 0;
    assert_int_equal(find(&clients, 1, 100, false)->connections, 202);
    ka_clients_fini(&copy, &allocator);
    ka_clients_fini(&clients, &allocator);
    story_end(&s);
}

static void test_the_port_plays_no_part(void **state)
{
    ka_clients clients = {0};
    ka_client *found;
    ka_address address = numbered(1);
    bool added;
    (void)state;
    find(&clients, 0, 1, true);
    address.port = 9;
    ka_clients_find(&clients, &allocator, 0, &address, true, &found, &added);
    assert_false(added);
    address.version = 6;
    ka_clients_find(&clients, &allocator, 0, &address, true, &found, &added);
    assert_true(added);
    ka_clients_fini(&clients, &allocator);
}

static void test_no_memory(void **state)
{
    ka_address address = numbered(1);
    (void)state;
    for (long refuse = 1; refuse <= 2; refuse++) {
        ka_clients clients = {0};
        ka_client *found = (ka_client *)(void *)&s;
        s.refuse = s.taken + refuse;
        assert_int_equal(ka_clients_find(&clients, &allocator, 0, &address, true, &found, NULL),
                         KA_NO_MEMORY);
        assert_ptr_equal(found, &s); /* untouched */
        assert_non_null(find(&clients, 0, 1, true));
        ka_clients copy;
        s.refuse = s.taken + refuse;
        assert_int_equal(ka_clients_copy(&clients, &allocator, &copy), KA_NO_MEMORY);
        ka_clients_fini(&clients, &allocator);
        story_end(&s);
    }
}

static void test_opened_instead(void **state)
{
    ka_client c = {0};
    (void)state;
    assert_false(ka_client_opened_instead(&c, 0));
    ka_client_opened(&c, 10);
    ka_client_opened(&c, 20);
    assert_false(ka_client_opened_instead(&c, 20));
    assert_true(ka_client_opened_instead(&c, 15));
    assert_false(ka_client_opened_instead(&c, 5)); /* the one at 20 is taken, and 10 lies before it */
    for (int i = 0; i < 100; i++)
        ka_client_opened(&c, 100 + i);
    for (int i = 0; i < KA_OPENINGS_KEPT; i++)
        assert_true(ka_client_opened_instead(&c, 50));
    assert_false(ka_client_opened_instead(&c, 50));
}

static void test_growth_of_any_length(void **state)
{
    static const int64_t spans_s[] = {40, 3600, 1000000000};
    (void)state;
    for (size_t k = 0; k < sizeof spans_s / sizeof spans_s[0]; k++) {
        ka_growth growth = {0};
        ka_growth_sum all, q[4];
        int64_t start_ns = -5, span_ns = spans_s[k] * KA_SECOND_NS;
        assert_false(ka_growth_quarters(&growth, span_ns, &all, q));
        for (int64_t i = 0; i <= 4000; i++)
            ka_growth_count(&growth, start_ns + span_ns / 4000 * i, (ka_growth_event)(i % 2));
        ka_growth_count(&growth, start_ns - KA_SECOND_NS, KA_GROWTH_REQUEST); /* the clock ran backward */
        assert_true(ka_growth_quarters(&growth, start_ns + span_ns, &all, q));
        assert_int_equal(all.opened, 2001);
        assert_int_equal(all.closed, 2000);
        assert_int_equal(all.requests, 1);
        for (int i = 0; i < 4; i++)
            assert_in_range(q[i].opened, 300, 520);
        assert_in_range(q[0].opened, q[3].opened - 3, q[3].opened + 3);
        assert_false(ka_growth_quarters(&growth, start_ns + span_ns * 8, &all, q) && q[3].opened > 0);
    }
}

static void test_witnesses(void **state)
{
    ka_evictions e = {0};
    ka_early_close close = {.at = {100 * KA_SECOND_NS, 1}, .idle_since_ns = 50 * KA_SECOND_NS};
    (void)state;
    ka_evictions_closed(&e, &close);
    ka_evictions_gap(&e, 100 * KA_SECOND_NS, 200 * KA_SECOND_NS); /* began behind it */
    ka_evictions_gap(&e, 40 * KA_SECOND_NS, 100 * KA_SECOND_NS + 100 * KA_MILLISECOND_NS);
    assert_false(e.closes[0].spared_older || e.closes[0].spared_younger);
    ka_evictions_gap(&e, 40 * KA_SECOND_NS, 100 * KA_SECOND_NS + 101 * KA_MILLISECOND_NS);
    assert_true(e.closes[0].spared_older);
    ka_evictions_gap(&e, 60 * KA_SECOND_NS, 101 * KA_SECOND_NS);
    assert_true(e.closes[0].spared_younger);
    ka_evictions_opened(&e, 98 * KA_SECOND_NS, KA_SECOND_NS);
    ka_evictions_opened(&e, 101 * KA_SECOND_NS, KA_SECOND_NS);
    assert_false(e.closes[0].pressed);
    ka_evictions_opened(&e, 99 * KA_SECOND_NS, KA_SECOND_NS);
    assert_true(e.closes[0].pressed);
    for (int i = 0; i < 3 * KA_EVICTIONS_KEPT; i++) /* a ring */
        ka_evictions_closed(&e, &close);
    for (int i = 0; i < KA_EVICTIONS_KEPT; i++)
        assert_false(e.closes[i].pressed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_pairs_up_to_their_limit, begin),
        cmocka_unit_test_setup(test_the_port_plays_no_part, begin),
        cmocka_unit_test_setup(test_no_memory, begin),
        cmocka_unit_test(test_opened_instead),
        cmocka_unit_test(test_growth_of_any_length),
        cmocka_unit_test(test_witnesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
