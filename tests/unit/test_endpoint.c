/* test_endpoint.c - servers: the table of them, their statistics, and closes that are one event.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "story.h"

static story s;
static ka_allocator allocator;
static ka_thresholds limits;
static ka_endpoints servers;
static ka_endpoint *e;
static uint64_t frame;

static int begin(void **state)
{
    (void)state;
    memset(&s, 0, sizeof s);
    allocator = story_allocator(&s);
    ka_thresholds_init(&limits);
    ka_endpoints_init(&servers, &allocator, 0);
    ka_address address = story_address(80, 80);
    frame = 0;
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

/* ---- The table ---- */

static ka_address numbered(uint32_t n)
{
    ka_address address = {{10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, 8080, 4};
    return address;
}

static void test_find(void **state)
{
    ka_endpoints empty;
    ka_endpoint *found = e;
    ka_address address = numbered(1);
    (void)state;
    ka_endpoints_init(&empty, &allocator, 0);
    assert_int_equal(ka_endpoints_find(&empty, &address, false, &found), KA_OK);
    assert_null(found);
    address = e->server;
    assert_int_equal(ka_endpoints_find(&servers, &address, true, &found), KA_OK);
    assert_ptr_equal(found, e);
    address.port++; /* another port, another version: another server */
    assert_int_equal(ka_endpoints_find(&servers, &address, false, &found), KA_OK);
    assert_null(found);
    address.port--;
    address.version = 6;
    assert_int_equal(ka_endpoints_find(&servers, &address, true, &found), KA_OK);
    assert_ptr_not_equal(found, e);
    assert_int_equal(found->index, 1);
}

static void test_grows_up_to_its_limit(void **state)
{
    ka_endpoint *found;
    (void)state;
    for (uint32_t i = 1; i < KA_ENDPOINTS_MAX; i++) {
        ka_address address = numbered(i);
        assert_int_equal(ka_endpoints_find(&servers, &address, true, &found), KA_OK);
        assert_int_equal(found->index, i);
    }
    ka_address last = numbered(KA_ENDPOINTS_MAX - 1), more = numbered(KA_ENDPOINTS_MAX);
    long bytes = s.bytes;
    assert_int_equal(ka_endpoints_find(&servers, &more, true, &found), KA_OK);
    assert_null(found); /* left out, no error */
    assert_int_equal(s.bytes, bytes);
    assert_int_equal(ka_endpoints_find(&servers, &last, true, &found), KA_OK);
    assert_int_equal(found->index, KA_ENDPOINTS_MAX - 1);
    assert_ptr_equal(servers.at[0], e); /* growing moves no endpoint */
}

static ka_status closes_idle(double at, double idle)
{
    return ka_endpoint_idle_close(e, &allocator, &limits, (ka_moment){story_ns(at), ++frame}, story_ns(idle));
}

static ka_record closed_record(double idle)
{
    ka_record r = {.requests = 3, .responses = 2, .max_style = KA_MAX_FIXED};
    r.close.by = KA_SIDE_SERVER;
    r.close.idle_ns = story_ns(idle);
    r.close.verdict = KA_VERDICT_EARLY;
    return r;
}

static void test_copy_is_apart(void **state)
{
    ka_endpoints copy;
    ka_record r = closed_record(2);
    (void)state;
    assert_int_equal(ka_endpoint_add(e, &r, true, true), KA_OK);
    assert_int_equal(closes_idle(1, 1), KA_OK);
    ka_endpoint_named(e, (ka_slice){"a", 1});
    assert_int_equal(ka_endpoints_copy(&servers, servers.allocator, &copy), KA_OK);
    assert_int_equal(copy.count, 1);
    ka_endpoint *twin = copy.at[0];
    assert_ptr_not_equal(twin, e);
    assert_ptr_not_equal(twin->watch, e->watch);
    assert_memory_equal(twin->watch, e->watch, sizeof *twin->watch);
    ka_endpoint_record original, of_copy;
    assert_int_equal(ka_endpoint_add(twin, &r, false, true), KA_OK);
    ka_endpoint_record_of(e, &servers.clients, &limits, (ka_moment){0, 0}, &original);
    ka_endpoint_record_of(twin, &servers.clients, &limits, (ka_moment){0, 0}, &of_copy);
    assert_int_equal(original.connections, 1);
    assert_int_equal(original.idle_closes_by_server, 1);
    assert_int_equal(of_copy.connections, 2);
    assert_int_equal(of_copy.idle_closes_by_server, 2);
    assert_int_equal(of_copy.open_at_end, 1);
    assert_string_equal(of_copy.name, "a");
    ka_endpoints_fini(&copy);
}

static void test_no_memory(void **state)
{
    (void)state;
    for (long refuse = 1; refuse <= 3; refuse++) {
        ka_endpoints table;
        ka_endpoint *found = e;
        ka_address address = numbered(1);
        ka_endpoints_init(&table, &allocator, 1);
        s.refuse = s.taken + refuse;
        assert_int_equal(ka_endpoints_find(&table, &address, true, &found), KA_NO_MEMORY);
        assert_ptr_equal(found, e); /* untouched */
        assert_int_equal(ka_endpoints_find(&table, &address, true, &found), KA_OK);
        assert_int_equal(table.count, 1);
        ka_endpoints_fini(&table);
    }
    s.refuse = s.taken + 1;
    assert_int_equal(closes_idle(1, 1), KA_NO_MEMORY);
}

/* ---- Statistics ---- */

static void test_open_and_concurrency(void **state)
{
    (void)state;
    ka_endpoint_closed(e);
    for (int i = 0; i < 3; i++)
        ka_endpoint_opened(e);
    ka_endpoint_closed(e);
    ka_endpoint_opened(e);
    assert_int_equal(e->open, 3);
    assert_int_equal(e->concurrency_max, 3);
}

static void test_name(void **state)
{
    char host[100];
    (void)state;
    ka_endpoint_asked(e, (ka_slice){NULL, 0}, 7);
    assert_string_equal(e->name, "");
    assert_int_equal(e->site, 0);
    memset(host, 'h', sizeof host);
    ka_endpoint_asked(e, (ka_slice){unit_at_page_end(host, sizeof host), sizeof host}, 1);
    assert_int_equal(strlen(e->name), KA_ENDPOINT_NAME_BYTES - 1);
    ka_endpoint_asked(e, (ka_slice){"b", 1}, 2); /* the first stands */
    assert_int_equal(e->name[0], 'h');
    assert_int_equal(e->site, 1);
}

/* Sites are those of Host: the name of a TLS hello is none. */
static void test_name_is_no_site(void **state)
{
    (void)state;
    ka_endpoint_named(e, (ka_slice){"shop.example", 12});
    assert_int_equal(e->site, 0);
    ka_endpoint_asked(e, (ka_slice){"shop.example:8443", 17}, 3);
    assert_string_equal(e->name, "shop.example");
    assert_int_equal(e->site, 3);
}

static void test_advertised(void **state)
{
    ka_header header = {.keep_alive = {.timeout_s = 5, .max = 100}};
    ka_endpoint_record r;
    (void)state;
    ka_endpoint_record_of(e, &servers.clients, &limits, (ka_moment){0, 0}, &r);
    assert_int_equal(r.timeout_s, KA_NONE);
    assert_int_equal(r.max, KA_NONE);
    assert_int_equal(r.idle_median_by_server_ns, KA_NONE);
    ka_endpoint_advertised(e, 0, &header);
    header.keep_alive.timeout_s = 4; /* the latest */
    header.keep_alive.max = 99;      /* the largest */
    ka_endpoint_advertised(e, 0, &header);
    header.keep_alive.timeout_s = header.keep_alive.max = KA_NONE;
    ka_endpoint_advertised(e, 0, &header);
    ka_endpoint_record_of(e, &servers.clients, &limits, (ka_moment){0, 0}, &r);
    assert_int_equal(r.timeout_s, 4);
    assert_int_equal(r.max, 100);
}

static void test_idle_closes(void **state)
{
    static const ka_verdict verdicts[] = {KA_VERDICT_UNADVERTISED, KA_VERDICT_EARLY, KA_VERDICT_PUNCTUAL,
                                          KA_VERDICT_LATE,         KA_VERDICT_BUSY,  KA_VERDICT_ANNOUNCED,
                                          KA_VERDICT_UNUSED,       KA_VERDICT_OPEN};
    ka_endpoint_record out;
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        ka_record r = closed_record(1 + i);
        r.requests = i;
        r.close.verdict = verdicts[i];
        if (r.close.verdict == KA_VERDICT_BUSY)
            r.close.idle_ns = KA_NONE;
        r.close.by = i == 0 ? KA_SIDE_CLIENT : KA_SIDE_SERVER;
        assert_int_equal(ka_endpoint_add(e, &r, r.close.verdict == KA_VERDICT_OPEN, true), KA_OK);
    }
    ka_endpoint_record_of(e, &servers.clients, &limits, (ka_moment){0, 0}, &out);
    assert_int_equal(out.connections, 8);
    assert_int_equal(out.requests, 28);
    assert_int_equal(out.responses, 16);
    assert_int_equal(out.idle_closes_by_client, 1);
    assert_int_equal(out.idle_closes_by_server, 3);
    assert_true(llabs((long long)(out.idle_median_by_server_ns - 3 * KA_SECOND_NS)) <
                3 * KA_SECOND_NS / 1000);
    assert_int_equal(out.open_at_end, 1);
    assert_int_equal(out.max_style, KA_MAX_FIXED);
    assert_int_equal(out.requests_median, 4); /* of those with requests: 1 to 7 */
    assert_int_equal(out.requests_max, 7);
}

/* ---- Many closes at one moment ---- */

static uint32_t events(void)
{
    return e->watch != NULL ? e->watch->event_count : 0;
}

typedef struct mass_row {
    int closes;
    int open; /* before the first of them */
    double apart;
    double age_step; /* idle ages 2, 2 + step, ... */
    uint32_t events;
} mass_row;

static void test_mass_close(void **state)
{
    static const mass_row rows[] = {
        {5, 1000, 0.125, 0.5, 1},  /* 5 within exactly 500 ms */
        {5, 1000, 0.1251, 0.5, 0}, /* 4 of 1000 at a time */
        {5, 1000, 0.01, 0.25, 0},  /* ages within exactly 1 s: a burst timing out together */
        {5, 1000, 0.01, 0.2501, 1}, {4, 1000, 0.01, 1, 0}, {3, 10, 0.01, 1, 1}, /* 30 % */
        {3, 11, 0.01, 1, 0},        {2, 2, 0.01, 5, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        end(state);
        begin(state);
        for (int k = 0; k < rows[i].open; k++)
            ka_endpoint_opened(e);
        for (int k = 0; k < rows[i].closes; k++) {
            assert_int_equal(closes_idle(100 + k * rows[i].apart, 2 + k * rows[i].age_step), KA_OK);
            ka_endpoint_closed(e);
        }
        if (events() != rows[i].events)
            print_error("row %zu\n", i);
        assert_int_equal(events(), rows[i].events);
    }
}

static void test_mass_event(void **state)
{
    ka_finding f;
    (void)state;
    for (int i = 0; i < 8; i++)
        ka_endpoint_opened(e);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(closes_idle(100 + i * 0.05, 10 - i), KA_OK);
        ka_endpoint_closed(e);
    }
    assert_int_equal(events(), 1);
    const ka_mass_event *event = &e->watch->events[0];
    assert_int_equal(event->from.frame, 1);
    assert_int_equal(event->decided.frame, 3);
    assert_int_equal(event->to.frame, 7);
    assert_int_equal(event->open, 8);
    ka_endpoint_mass_finding(e, event, &f);
    char text[512];
    ka_sentence(&f, text, sizeof text);
    assert_string_equal(text, "The server closed 7 connections within 0.300 s, idle for 4 s to 10 s; "
                              "8 were open.");
    assert_false(f.has_stream);
    assert_false(ka_endpoint_mass_closed(e, (ka_moment){story_ns(99.999), 0}));
    assert_true(ka_endpoint_mass_closed(e, (ka_moment){story_ns(100), 1}));
    assert_true(ka_endpoint_mass_closed(e, (ka_moment){story_ns(100.3), 7}));
    assert_false(ka_endpoint_mass_closed(e, (ka_moment){story_ns(100.301), 8}));
}

/* A busy server goes on closing idle connections one by one after a restart: no part of the event. */
static void test_event_ends(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++)
        ka_endpoint_opened(e);
    for (int i = 0; i < 5; i++)
        assert_int_equal(closes_idle(100 + i * 0.01, 2 + i), KA_OK);
    for (int i = 1; i < 20; i++)
        assert_int_equal(closes_idle(100.1 + i * 0.4, 2 + i), KA_OK);
    assert_int_equal(events(), 1);
    /* The first of them is within 500 ms of the five. */
    assert_true(e->watch->events[0].to.time_ns <= story_ns(100.5));
    assert_int_equal(e->watch->events[0].count, 6);
}

/* A slow shutdown: every 500 ms of it qualifies, it is one event, and each close counts once. */
static void test_long_event(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(closes_idle(100 + i * 0.05, 2 + i % 7), KA_OK);
    assert_int_equal(events(), 1);
    assert_int_equal(e->watch->events[0].count, 100);
    assert_int_equal(e->watch->events[0].to.time_ns, story_ns(104.95));
}

/* More closes than are remembered, more events than are told apart: the newest stay. */
static void test_bounded(void **state)
{
    (void)state;
    for (int round = 0; round < KA_MASS_EVENTS_MAX + 8; round++) {
        for (int i = 0; i < 5; i++)
            assert_int_equal(closes_idle(100 + round * 10 + i * 0.01, 2 + i), KA_OK);
    }
    assert_int_equal(events(), KA_MASS_EVENTS_MAX);
    assert_int_equal(e->watch->events[0].from.time_ns, story_ns(180));
    long bytes = s.bytes;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(closes_idle(1000, i % 10), KA_OK);
    assert_int_equal(e->watch->events[KA_MASS_EVENTS_MAX - 1].count, 1000);
    assert_int_equal(s.bytes, bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(find),
        TEST(grows_up_to_its_limit),
        TEST(copy_is_apart),
        TEST(no_memory),
        TEST(open_and_concurrency),
        TEST(name),
        TEST(name_is_no_site),
        TEST(advertised),
        TEST(idle_closes),
        TEST(mass_close),
        TEST(mass_event),
        TEST(event_ends),
        TEST(long_event),
        TEST(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
