/* test_site.c - the sites of a server: names, ledgers from the second site on, and what they come to
 * together.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include <stdio.h>

#include "inference.h"
#include "story.h"

static story s;
static ka_allocator allocator;
static ka_thresholds limits;
static ka_endpoints servers;
static ka_endpoint *e;

static int begin(void **state)
{
    (void)state;
    memset(&s, 0, sizeof s);
    allocator = story_allocator(&s);
    ka_thresholds_init(&limits);
    ka_endpoints_init(&servers, &allocator, 0);
    ka_address address = story_address(80, 80);
    assert_int_equal(ka_endpoints_find(&servers, &address, true, &e), KA_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    ka_endpoints_fini(&servers);
    story_end(&s);
    return 0;
}

static ka_slice slice(const char *text)
{
    return (ka_slice){text, strlen(text)};
}

/* ---- Names ---- */

static bool is_same(const char *a, const char *b)
{
    return ka_site_hash((ka_slice){unit_at_page_end(a, strlen(a)), strlen(a)}) == ka_site_hash(slice(b));
}

static void test_one_name_in_several_spellings(void **state)
{
    (void)state;
    assert_true(is_same("a.example", "A.Example"));
    assert_true(is_same("a.example:80", "a.example"));
    assert_true(is_same("a.example:8080", "a.example:80"));
    assert_true(is_same("[2001:DB8::1]:80", "[2001:db8::1]"));
    assert_false(is_same("a.example", "b.example"));
    assert_false(is_same("[2001:db8::1]", "[2001:db8::2]"));
    assert_false(is_same("[2001:db8::1]", "[2001:db8:]"));
    assert_false(is_same("8080", "8081"));
    assert_false(is_same("a.example:", "a.example:x"));
    assert_false(is_same(":80", ":81")); /* no name is left */
    assert_false(is_same("a8080", "a80"));
    assert_true(is_same("", ""));
}

static void test_of_long_names_the_part_that_is_kept(void **state)
{
    char a[100], b[100];
    (void)state;
    memset(a, 'h', sizeof a);
    memcpy(b, a, sizeof b);
    b[KA_SERVER_NAME_BYTES_MAX] = 'x';
    assert_int_equal(ka_site_hash((ka_slice){unit_at_page_end(a, sizeof a), sizeof a}),
                     ka_site_hash((ka_slice){b, sizeof b}));
    b[KA_SERVER_NAME_BYTES_MAX - 1] = 'x';
    assert_int_not_equal(ka_site_hash((ka_slice){a, sizeof a}), ka_site_hash((ka_slice){b, sizeof b}));
}

/* ---- Numbers ---- */

static unsigned site(const char *name)
{
    uint8_t number = 0;
    ka_endpoint_named(e, slice(name));
    assert_int_equal(ka_endpoint_site(e, &allocator, slice(name), &number), KA_OK);
    return number;
}

static void test_the_first_site_costs_nothing(void **state)
{
    long bytes = s.bytes;
    (void)state;
    assert_int_equal(site(""), 0);
    assert_int_equal(site("a"), 1);
    assert_int_equal(site("A:80"), 1);
    assert_int_equal(s.bytes, bytes);
    assert_null(e->sites);
    assert_int_equal(site("b"), 2);
    assert_true(s.bytes > bytes);
    bytes = s.bytes;
    assert_int_equal(site("a"), 1);
    assert_int_equal(site("b"), 2);
    assert_int_equal(site(""), 0);
    assert_int_equal(s.bytes, bytes);
}

static void test_so_many_and_no_more(void **state)
{
    char name[8];
    (void)state;
    for (unsigned i = 1; i <= KA_SITES_MAX; i++) {
        snprintf(name, sizeof name, "s%u", i);
        assert_int_equal(site(name), i);
    }
    long bytes = s.bytes;
    assert_int_equal(site("more"), 0);
    assert_int_equal(site("s16"), KA_SITES_MAX);
    assert_int_equal(site("s1"), 1);
    assert_int_equal(s.bytes, bytes);
}

static void test_the_second_site_without_memory(void **state)
{
    uint8_t number = 0;
    long bytes = s.bytes;
    (void)state;
    assert_int_equal(site("a"), 1);
    for (long refuse = 1; refuse <= 3; refuse++) {
        s.refuse = s.taken + refuse;
        assert_int_equal(ka_endpoint_site(e, &allocator, slice("b"), &number), KA_NO_MEMORY);
        assert_int_equal(number, 0);
        assert_null(e->sites);
        assert_int_equal(s.bytes, bytes);
    }
    assert_int_equal(site("b"), 2);
    s.refuse = s.taken + 1;
    assert_int_equal(ka_endpoint_site(e, &allocator, slice("c"), &number), KA_NO_MEMORY);
    assert_int_equal(e->sites->count, 2);
    assert_int_equal(site("c"), 3);
}

/* ---- Samples ---- */

static void closed(unsigned number, double idle, unsigned times)
{
    ka_idling *i = ka_endpoint_idling(e, number);
    for (unsigned k = 0; k < times; k++)
        assert_int_equal(ka_lasting_closed(&i->by_server, story_ns(idle), false), KA_OK);
}

static void reused(unsigned number, double idle, unsigned times)
{
    for (unsigned k = 0; k < times; k++) {
        assert_int_equal(ka_endpoint_gap(e, number, story_ns(idle)), KA_OK);
        assert_int_equal(ka_lasting_lasted(&ka_endpoint_idling(e, number)->by_server, limits.timer_sample_ns,
                                           story_ns(idle), true),
                         KA_OK);
    }
}

static void judged(unsigned number, unsigned connections)
{
    ka_record r = {.requests = 2};
    for (unsigned k = 0; k < connections; k++)
        ka_endpoint_site_add(e, number, &r);
}

/* With a connection each. */
static void two_sites(void)
{
    site("a");
    site("b");
    judged(1, 1);
    judged(2, 1);
}

/* What is told of the server, once, and of its sites. */
static ka_site_record sites[KA_SITES_MAX];

static ka_endpoint_record told_again(void)
{
    ka_endpoint_record r;
    ka_endpoint_record_of(e, &servers.clients, &limits, (ka_moment){0, 0}, &r);
    ka_endpoint_sites_of(e, &limits, sites, &r);
    return r;
}

static ka_endpoint_record told(void)
{
    assert_int_equal(ka_endpoint_join_sites(e), KA_OK);
    return told_again();
}

static void test_the_first_site_takes_what_was_known(void **state)
{
    (void)state;
    assert_int_equal(site("a"), 1);
    e->timeout_s = 5;
    closed(1, 2, 5);
    reused(1, 1, 3);
    judged(1, 5);
    assert_int_equal(site("b"), 2);
    closed(1, 2, 1);
    closed(2, 9, 5);
    judged(1, 1);
    judged(2, 5);
    judged(0, 2);
    ka_site *first = e->sites->at[0];
    assert_string_equal(first->name, "a");
    assert_int_equal(first->timeout_s, 5);
    assert_int_equal(ka_histogram_count(&first->idling.by_server.closed), 6);
    assert_int_equal(ka_histogram_count(&first->gaps), 3);
    assert_int_equal(ka_histogram_count(&e->idling.by_server.closed), 0);
    assert_int_equal(ka_histogram_count(&e->usage.gaps), 0);
    ka_endpoint_record r = told();
    assert_int_equal(r.site_count, 2);
    assert_int_equal(sites[0].connections, 6);
    assert_int_equal(sites[0].requests, 12);
    assert_int_equal(sites[1].connections, 5);
    assert_int_equal(sites[1].timeout_s, KA_NONE);
    assert_int_equal(r.server_timer.closes, 11);
    assert_int_equal(r.idle_gaps.count, 3);
    assert_int_equal(e->usage.longest_reuse_ns, story_ns(1));
}

/* Nobody can say any more which of it is whose. */
static void test_but_not_what_has_no_site_too(void **state)
{
    (void)state;
    assert_int_equal(site("a"), 1);
    closed(1, 2, 5);
    closed(0, 30, 1);
    judged(1, 5);
    assert_int_equal(site("b"), 2);
    closed(2, 9, 5);
    closed(0, 30, 1);
    judged(2, 5);
    assert_int_equal(ka_histogram_count(&e->sites->at[0]->idling.by_server.closed), 0);
    ka_endpoint_record r = told();
    assert_int_equal(r.server_timer.closes, 12);
    assert_int_equal(sites[0].server_timer.kind, KA_TIMER_NONE);
    assert_int_equal(sites[0].connections, 5);
    assert_int_equal(sites[1].server_timer.kind, KA_TIMER_FIXED);
    assert_false(r.server_timer.by_site); /* five of twelve closes */
}

static void test_one_site_is_none(void **state)
{
    (void)state;
    assert_int_equal(site("a"), 1);
    judged(1, 5);
    assert_int_equal(told().site_count, 0);
    assert_int_equal(site("b"), 2);
    assert_int_equal(told().site_count, 0); /* nothing was judged there yet */
    judged(2, 1);
    assert_int_equal(told().site_count, 2);
}

/* As if there had been one ledger. */
static void test_together_they_are_the_server(void **state)
{
    static const struct {
        unsigned number;
        double idle;
    } closes[] = {{1, 2}, {2, 60}, {0, 5}, {1, 2.01}, {3, 5.5}, {2, 61}, {0, 2.2}, {1, 1.99}, {3, 2.02}};
    ka_lasting whole;
    ka_inferred of_whole;
    (void)state;
    ka_lasting_init(&whole, &allocator);
    assert_int_equal(site("a"), 1);
    closed(1, 2, 1);
    assert_int_equal(ka_lasting_closed(&whole, story_ns(2), false), KA_OK);
    site("b");
    site("c");
    for (size_t i = 0; i < sizeof closes / sizeof closes[0]; i++) {
        closed(closes[i].number, closes[i].idle, 1);
        reused(closes[i].number, closes[i].idle - 1.2, 1);
        assert_int_equal(ka_lasting_closed(&whole, story_ns(closes[i].idle), false), KA_OK);
        assert_int_equal(
            ka_lasting_lasted(&whole, limits.timer_sample_ns, story_ns(closes[i].idle - 1.2), true), KA_OK);
    }
    ka_endpoint_record r = told();
    ka_infer(&whole, KA_SIDE_SERVER, &limits, &of_whole);
    assert_int_equal(r.server_timer.kind, of_whole.kind);
    assert_int_equal(r.server_timer.closes, of_whole.closes);
    assert_int_equal(r.server_timer.moments, of_whole.moments);
    assert_int_equal(r.server_timer.lasted, of_whole.lasted);
    assert_int_equal(r.server_timer.longest_worked_ns, of_whole.longest_worked_ns);
    assert_int_equal(r.server_timer.any_median_ns, of_whole.any_median_ns);
    assert_int_equal(r.server_timer.modes[0].count, of_whole.modes[0].count);
    assert_int_equal(r.idle_gaps.count, 9);
    ka_lasting_fini(&whole);
}

static ka_timer *timer(unsigned number, int64_t timeout_s)
{
    ka_timer *t;
    assert_int_equal(ka_idling_timer(ka_endpoint_idling(e, number), timeout_s, &t), KA_OK);
    return t;
}

static void test_copies_are_apart(void **state)
{
    ka_endpoints copy;
    (void)state;
    site("a");
    site("b");
    closed(1, 2, 5);
    closed(2, 9, 5);
    reused(2, 3, 2);
    assert_int_equal(ka_histogram_add(&timer(2, 7)->idle, 1), KA_OK);
    timer(2, 7)->moments = 3;
    timer(2, 7)->server_moments = 2;
    timer(2, 7)->at.first.frame = timer(2, 7)->at.last.frame = 5;
    judged(1, 5);
    judged(2, 5);
    assert_int_equal(ka_endpoints_copy(&servers, &allocator, &copy), KA_OK);
    ka_endpoint *original = e;
    e = copy.at[0];
    assert_ptr_not_equal(e->sites->at[1], original->sites->at[1]);
    assert_string_equal(e->sites->at[1]->name, "b");
    assert_int_equal(e->sites->at[1]->connections, 5);
    assert_int_equal(timer(2, 7)->moments, 3);
    assert_int_equal(timer(2, 7)->server_moments, 2);
    closed(2, 9, 1);
    assert_int_equal(told().server_timer.closes, 11);
    assert_int_equal(timer(0, 7)->server_moments, 2); /* joined */
    e = original;
    assert_int_equal(ka_histogram_count(&e->sites->at[1]->idling.by_server.closed), 5);
    assert_int_equal(ka_histogram_count(&e->idling.by_server.closed), 0);
    assert_int_equal(ka_histogram_count(&e->sites->at[1]->gaps), 2);
    ka_endpoints_fini(&copy);
}

static void test_copies_without_memory(void **state)
{
    ka_endpoints copy;
    (void)state;
    site("a");
    site("b");
    closed(1, 2, 5);
    closed(2, 9, 5);
    reused(1, 3, 2);
    timer(2, 7);
    long bytes = s.bytes, blocks = s.blocks;
    for (long refuse = 1;; refuse++) {
        s.refuse = s.taken + refuse;
        ka_status status = ka_endpoints_copy(&servers, &allocator, &copy);
        if (status == KA_OK) {
            assert_true(refuse > 8);
            break;
        }
        assert_int_equal(status, KA_NO_MEMORY);
        assert_int_equal(s.bytes, bytes);
        assert_int_equal(s.blocks, blocks);
    }
    ka_endpoints_fini(&copy);
    s.refuse = s.taken + 1;
    assert_int_equal(ka_endpoint_join_sites(e), KA_NO_MEMORY);
}

static void test_timers_are_limited(void **state)
{
    (void)state;
    for (int i = 1; i <= KA_TIMERS_MAX; i++)
        assert_int_equal(timer(0, i)->timeout_s, i);
    assert_null(timer(0, KA_TIMERS_MAX + 1));
    assert_int_equal(timer(0, 2)->timeout_s, 2);
}

/* ---- What is told ---- */

typedef struct by_site_row {
    unsigned short_closes, long_closes, nameless;
    double long_s, worked;
    bool two_backends;
    ka_timer_kind kind;
    bool by_site;
} by_site_row;

static void test_by_site(void **state)
{
    static const by_site_row rows[] = {
        {5, 5, 0, 9, 0, false, KA_TIMER_SEVERAL, true},  {5, 5, 2, 9, 0, false, KA_TIMER_SEVERAL, true},
        {5, 5, 3, 9, 0, false, KA_TIMER_SEVERAL, false}, /* 77 % */
        {5, 5, 0, 2, 0, false, KA_TIMER_FIXED, false},   /* one timer for both */
        {5, 5, 0, 9, 0, true, KA_TIMER_SEVERAL, false},  /* two backends */
        {5, 4, 0, 9, 0, false, KA_TIMER_VARIED, false},  /* four are too few to tell */
        {8, 1, 0, 9, 5, false, KA_TIMER_VARIED, true},   /* the other keeps them for longer */
        {4, 4, 0, 9, 0, false, KA_TIMER_VARIED, false},  {2, 2, 0, 9, 0, false, KA_TIMER_FEW, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const by_site_row *row = &rows[i];
        end(state);
        begin(state);
        two_sites();
        closed(1, 2, row->short_closes);
        closed(row->two_backends ? 1 : 2, row->long_s, row->long_closes);
        closed(0, 9, row->nameless);
        if (row->worked > 0)
            reused(2, row->worked, 1);
        ka_endpoint_record r = told();
        if (r.server_timer.kind != row->kind || r.server_timer.by_site != row->by_site)
            print_error("row %zu\n", i);
        assert_int_equal(r.server_timer.kind, row->kind);
        assert_int_equal(r.server_timer.by_site, row->by_site);
        assert_false(r.client_timer.by_site);
    }
}

/* Even where most closes are at another site. */
static void test_a_site_of_two_backends(void **state)
{
    (void)state;
    two_sites();
    closed(1, 2, 5);
    closed(1, 9, 5);
    closed(2, 2, 90);
    ka_endpoint_record r = told();
    assert_int_equal(r.server_timer.kind, KA_TIMER_SEVERAL);
    assert_int_equal(sites[0].server_timer.kind, KA_TIMER_SEVERAL);
    assert_int_equal(sites[1].server_timer.kind, KA_TIMER_FIXED);
    assert_false(r.server_timer.by_site);
}

/* A request after 5 s is in danger where the server waits for 5.5 s, not where it waits for 60. */
static void test_exposure_by_site(void **state)
{
    (void)state;
    two_sites();
    closed(1, 5.5, 5);
    closed(2, 60, 5);
    reused(1, 5, 2);
    reused(2, 5, 3);
    ka_idling_held(ka_endpoint_idling(e, 2), story_ns(58));
    e->usage.longest_hold_ns = story_ns(58);
    ka_endpoint_record r = told();
    assert_int_equal(r.exposure.gaps, 5);
    assert_int_equal(r.exposure.in_danger, 2);
    assert_int_equal(r.exposure.in_race, 0);
    assert_false(r.exposure.inverted);
    ka_idling_held(ka_endpoint_idling(e, 1), story_ns(5.49));
    assert_false(told_again().exposure.inverted);
    ka_idling_held(ka_endpoint_idling(e, 1), story_ns(5.51));
    assert_true(told_again().exposure.inverted);
    assert_int_equal(r.recommended.pool_idle_ns, story_ns(4.5)); /* safe at both */
    assert_int_equal(sites[0].pool_idle_ns, story_ns(4.5));
    assert_int_equal(sites[1].pool_idle_ns, story_ns(59));
}

static void test_the_shortest_promise_counts(void **state)
{
    (void)state;
    two_sites();
    ka_header header = {.keep_alive = {.timeout_s = 5, .max = 10}};
    ka_endpoint_advertised(e, 1, &header);
    header.keep_alive.timeout_s = 60; /* the latest */
    ka_endpoint_advertised(e, 2, &header);
    reused(2, 30, 1);
    ka_endpoint_record r = told();
    assert_int_equal(r.timeout_s, 60);
    assert_int_equal(sites[0].timeout_s, 5);
    assert_int_equal(sites[1].timeout_s, 60);
    assert_int_equal(r.recommended.pool_idle_ns, story_ns(4));
    assert_true(r.recommended.pool_by_advert);
    assert_int_equal(r.exposure.in_danger, 0);
}

/* Where nothing is known of any site, what is known of the server holds. */
static void test_without_a_timer_of_their_own(void **state)
{
    (void)state;
    two_sites();
    e->timeout_s = 5;
    reused(1, 4.5, 1);
    ka_endpoint_record r = told();
    assert_int_equal(r.site_count, 2);
    assert_int_equal(r.exposure.in_danger, 1);
    assert_int_equal(r.recommended.pool_idle_ns, story_ns(4));
    assert_int_equal(sites[0].pool_idle_ns, KA_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_name_in_several_spellings),
        TEST(of_long_names_the_part_that_is_kept),
        TEST(the_first_site_costs_nothing),
        TEST(so_many_and_no_more),
        TEST(the_second_site_without_memory),
        TEST(the_first_site_takes_what_was_known),
        TEST(but_not_what_has_no_site_too),
        TEST(one_site_is_none),
        TEST(together_they_are_the_server),
        TEST(copies_are_apart),
        TEST(copies_without_memory),
        TEST(timers_are_limited),
        TEST(by_site),
        TEST(a_site_of_two_backends),
        TEST(exposure_by_site),
        TEST(the_shortest_promise_counts),
        TEST(without_a_timer_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
