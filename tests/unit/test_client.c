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

static ka_client_key numbered(uint32_t endpoint, uint32_t n)
{
    return (ka_client_key){{10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, 4, endpoint, 0};
}

static int begin(void **state)
{
    (void)state;
    memset(&s, 0, sizeof s);
    allocator = story_allocator(&s);
    return 0;
}

static ka_client *find(ka_clients *clients, uint32_t endpoint, uint32_t n)
{
    ka_client_key key = numbered(endpoint, n);
    return ka_clients_find(clients, &key);
}

static ka_client *add(ka_clients *clients, uint32_t endpoint, uint32_t n)
{
    ka_client *added;
    ka_client_key key = numbered(endpoint, n);
    assert_int_equal(ka_clients_add(clients, &allocator, &key, &added), KA_OK);
    return added;
}

static void test_clients_up_to_their_limit(void **state)
{
    ka_clients clients = {.seed = 7}, copy;
    (void)state;
    assert_null(find(&clients, 0, 1));
    for (uint32_t i = 0; i < KA_CLIENTS_MAX; i++)
        add(&clients, i % 2, i / 2)->connections = i + 1;
    assert_int_equal(clients.count, KA_CLIENTS_MAX);
    assert_null(add(&clients, 2, 1)); /* left out, no error */
    assert_int_equal(find(&clients, 1, 100)->connections, 202);
    assert_int_equal(ka_clients_copy(&clients, &allocator, &copy), KA_OK);
    find(&copy, 1, 100)->connections = 0;
    assert_int_equal(find(&clients, 1, 100)->connections, 202);
    ka_clients_fini(&copy, &allocator);
    ka_clients_fini(&clients, &allocator);
    story_end(&s);
}

static void test_a_ledger_for_each_site(void **state)
{
    ka_address client = {{10, 0, 0, 1}, 1000, 4};
    ka_address address = {{10, 0, 0, 2}, 80, 4};
    ka_endpoints servers;
    ka_endpoint *e;
    uint32_t first, again;
    (void)state;
    ka_endpoints_init(&servers, &allocator, 0);
    ka_endpoints_find(&servers, &address, true, &e);
    ka_endpoints_client(&servers, e, &client, 5, &first);
    client.port++; /* plays no part */
    ka_endpoints_client(&servers, e, &client, 5, &again);
    assert_int_equal(again, first);
    ka_endpoints_client(&servers, e, &client, 6, &again);
    assert_int_equal(again, first + 1);
    client.version = 6;
    ka_endpoints_client(&servers, e, &client, 5, &again);
    assert_int_equal(again, first + 2);
    assert_int_equal(e->first_client, first);
    assert_int_equal(servers.clients.at[first - 1].next, first + 1);
    ka_endpoints_fini(&servers);
    story_end(&s);
}

static void test_no_memory(void **state)
{
    ka_client_key key = numbered(0, 1);
    (void)state;
    for (long refuse = 1; refuse <= 2; refuse++) {
        ka_clients clients = {0};
        ka_client *added = (ka_client *)(void *)&s;
        s.refuse = s.taken + refuse;
        assert_int_equal(ka_clients_add(&clients, &allocator, &key, &added), KA_NO_MEMORY);
        assert_ptr_equal(added, &s); /* untouched */
        assert_non_null(add(&clients, 0, 1));
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

/* In whichever order events are told, the bins are the same. */
static void test_growth_in_any_order(void **state)
{
    enum { EVENTS = 500 };
    (void)state;
    ka_growth forth = {0}, back = {0};
    for (int64_t i = 0; i < EVENTS; i++) {
        int64_t times[] = {7 * KA_SECOND_NS + i * 900000001, 7 * KA_SECOND_NS + (EVENTS - 1 - i) * 900000001};
        ka_growth *both[] = {&forth, &back};
        for (int k = 0; k < 2; k++) {
            ka_growth_count(both[k], times[k], KA_GROWTH_JOINED);
            ka_growth_busy(both[k], times[k], times[k] + 3 * KA_SECOND_NS);
        }
    }
    assert_memory_equal(&forth, &back, sizeof forth);
    ka_load load;
    int64_t now_ns = 7 * KA_SECOND_NS + EVENTS * INT64_C(900000001);
    ka_growth_load(&forth, now_ns, &load);
    assert_in_range(load.bin_count, 14, KA_LOAD_BINS_MAX);
    assert_int_equal(load.bins[load.bin_count - 1].open, EVENTS);
    assert_int_equal(load.bins[0].open + 0, forth.bins[0].joined);
    /* One opened every 0.9 s, each with a request of 3 s: 4000 an hour, 3.33 under way. */
    assert_in_range(ka_growth_slope(&load), 3980, 4020);
    assert_in_range(load.bins[5].active_permille, 3300, 3360);
}

static void test_growth_slope(void **state)
{
    (void)state;
    ka_load load = {.width_ns = 60 * KA_SECOND_NS, .bin_count = 3};
    for (uint32_t i = 0; i < KA_LOAD_BINS_MAX; i++)
        load.bins[i].open = 100 + 2 * i;
    assert_true(ka_growth_slope(&load) == KA_NONE); /* two full bins are a line through anything */
    load.bin_count = 4;
    assert_int_equal(ka_growth_slope(&load), 120);
    load.bin_count = KA_LOAD_BINS_MAX;
    assert_int_equal(ka_growth_slope(&load), 120);
    for (uint32_t i = 0; i < KA_LOAD_BINS_MAX; i++)
        load.bins[i].open = i % 2 == 0 ? UINT32_MAX : 0; /* no overflow */
    ka_growth_slope(&load);
    for (uint32_t i = 0; i < KA_LOAD_BINS_MAX; i++)
        load.bins[i].open = 100 - 3 * i;
    assert_int_equal(ka_growth_slope(&load), -180);
}

/* Time stamps at both ends of what can be told, and a clock that runs backward. */
static void test_growth_of_odd_times(void **state)
{
    static const int64_t times_ns[] = {INT64_MAX, 0, INT64_MIN + 1, -1, INT64_MAX, 5};
    (void)state;
    ka_growth growth = {0};
    for (size_t i = 0; i < sizeof times_ns / sizeof times_ns[0]; i++) {
        ka_growth_count(&growth, times_ns[i], KA_GROWTH_JOINED);
        ka_growth_busy(&growth, times_ns[i], INT64_MAX);
    }
    ka_load load;
    ka_growth_load(&growth, INT64_MAX, &load);
    uint32_t joined = 0;
    for (unsigned i = 0; i < KA_GROWTH_BINS; i++)
        joined += growth.bins[i].joined;
    assert_int_equal(joined, 6);
    assert_int_equal(load.bins[load.bin_count - 1].open, 6);
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
        cmocka_unit_test_setup(test_clients_up_to_their_limit, begin),
        cmocka_unit_test_setup(test_a_ledger_for_each_site, begin),
        cmocka_unit_test_setup(test_no_memory, begin),
        cmocka_unit_test(test_opened_instead),
        cmocka_unit_test(test_growth_of_any_length),
        cmocka_unit_test(test_growth_in_any_order),
        cmocka_unit_test(test_growth_slope),
        cmocka_unit_test(test_growth_of_odd_times),
        cmocka_unit_test(test_witnesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
