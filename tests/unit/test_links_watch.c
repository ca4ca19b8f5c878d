/* test_links_watch.c - which requests are remembered for the sake of proxies.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "link.h"
#include "memory.h"

#include <stdio.h>

enum { FIRST = 65536, LATER = 4000 };

static ka_links links;
static ka_endpoints servers;

static int begin(void **state)
{
    (void)state;
    ka_links_init(&links, &memory_heap, 7);
    ka_endpoints_init(&servers, &memory_heap, 7);
    return 0;
}

static int end(void **state)
{
    (void)state;
    ka_links_fini(&links);
    ka_endpoints_fini(&servers);
    return 0;
}

static ka_address host(uint8_t last, uint16_t port)
{
    return (ka_address){{192, 0, 2, last}, port, 4};
}

static void serves(uint8_t last)
{
    ka_address address = host(last, 80);
    ka_endpoint *endpoint = NULL;
    assert_int_equal(ka_endpoints_find(&servers, &address, true, &endpoint), KA_OK);
    assert_non_null(endpoint);
}

static bool watches(uint8_t client, unsigned number)
{
    char path[32];
    int len = snprintf(path, sizeof path, "/item/%u", number);
    ka_message m = {.method = {"GET", 3}, .target = {path, (size_t)len}};
    ka_address address = host(client, 40000);
    bool watched = false;
    assert_int_equal(ka_links_watch(&links, &servers, &address, &m, &watched), KA_OK);
    return watched;
}

static unsigned watched_of(uint8_t client, unsigned from, unsigned count)
{
    unsigned watched = 0;
    for (unsigned i = 0; i < count; i++)
        watched += watches(client, from + i);
    return watched;
}

static void all_of_the_first_and_a_sample_of_the_others(void **state)
{
    (void)state;
    serves(1);
    assert_int_equal(watched_of(9, 0, FIRST), FIRST);
    assert_in_range(watched_of(9, FIRST, LATER), LATER / 8 - LATER / 40, LATER / 8 + LATER / 40);
}

/* Both sides of a proxy choose the same. */
static void the_sample_is_one_of_paths(void **state)
{
    (void)state;
    serves(1);
    watched_of(9, 0, FIRST);
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(watches(9, i), watches(8, i));
}

static void all_once_a_server_asks(void **state)
{
    (void)state;
    serves(1);
    watched_of(9, 0, FIRST);
    serves(2);
    assert_int_equal(watched_of(2, FIRST, 100), 100);
    assert_int_equal(watched_of(9, FIRST, 100), 100);
}

static void all_where_a_proxy_was_named_or_clocks_differ(void **state)
{
    (void)state;
    watched_of(9, 0, FIRST);
    links.several = true;
    assert_int_equal(watched_of(9, 0, 100), 100);
    links.several = false;
    assert_true(watched_of(9, 0, 100) < 100);
    ka_address named[] = {host(3, 0), host(4, 0)};
    ka_peers_named(&links.peers, named, 2);
    assert_int_equal(watched_of(9, 0, 100), 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_of_the_first_and_a_sample_of_the_others),
        TEST(the_sample_is_one_of_paths),
        TEST(all_once_a_server_asks),
        TEST(all_where_a_proxy_was_named_or_clocks_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
