/* test_record_endpoint.c - the output contract to the byte: endpoints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "json.h"
#include "page.h"

#include <stdio.h>

static page out;

static const ka_address server = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 80, 6};

static ka_inferred no_timer(void)
{
    return (ka_inferred){.longest_worked_ns = KA_NONE,
                         .shortest_closed_ns = KA_NONE,
                         .p10_ns = KA_NONE,
                         .median_ns = KA_NONE,
                         .any_p10_ns = KA_NONE,
                         .any_median_ns = KA_NONE};
}

static ka_endpoint_record endpoint_of(uint64_t connections, uint64_t requests)
{
    const ka_quantiles none = {0, KA_NONE, KA_NONE, KA_NONE};
    return (ka_endpoint_record){
        .server = server,
        .name = "",
        .connections = connections,
        .requests = requests,
        .timeout_s = KA_NONE,
        .max = KA_NONE,
        .idle_median_by_server_ns = KA_NONE,
        .idle_median_by_client_ns = KA_NONE,
        .server_timer = no_timer(),
        .client_timer = no_timer(),
        .exposure = {.timeout_ns = KA_NONE, .from_ns = KA_NONE, .longest_hold_ns = KA_NONE},
        .recommended = {.pool_idle_ns = KA_NONE, .server_timeout_ns = KA_NONE},
        .idle_gaps = none,
        .ages = none,
        .first_request = none,
        .requests_whole = none,
        .requests_cut = none,
        .span_ns = KA_NONE,
    };
}

static void assert_told(const char *part)
{
    if (strstr(out.text, part) == NULL)
        fail_msg("%s\nis not in %s", part, out.text);
}

static void writes_an_endpoint(void **state)
{
    (void)state;
    ka_endpoint_record endpoint = endpoint_of(3, 12);
    endpoint.name = "ex\xff\"ample";
    endpoint.responses = 11;
    endpoint.timeout_s = 5;
    endpoint.max = 100;
    endpoint.max_style = KA_MAX_FIXED;
    endpoint.idle_closes_by_server = 2;
    endpoint.idle_median_by_server_ns = 6001500000;
    endpoint.open_at_end = 1;
    endpoint.requests_median = 4;
    endpoint.requests_p95 = 6;
    endpoint.requests_max = 7;
    endpoint.concurrency_max = 2;
    ka_writer writer = page_writer(&out);
    assert_true(ka_write_endpoint(&writer, &endpoint));
    assert_told(
        "{\"type\":\"endpoint\","
        "\"server\":{\"ip\":\"2001:db8::1\",\"port\":80,\"name\":\"ex\\u00ff\\\"ample\"},"
        "\"connections\":3,\"requests\":12,\"responses\":11,\"reuse\":0.7500,"
        "\"advertised\":{\"timeout\":5,\"max\":100,\"max_style\":\"fixed\"},"
        "\"idle_closes\":{\"by_server\":{\"count\":2,\"median\":6.0015},"
        "\"by_client\":{\"count\":0,\"median\":null}},"
        "\"inferred\":{\"server_timeout\":{\"kind\":\"none\",\"p10\":null,\"median\":null,\"closes\":0,"
        "\"moments\":0,\"censored\":0,\"bracket\":{\"longest_worked\":null,\"shortest_closed\":null,"
        "\"inverted\":false},\"kaplan_meier\":{\"p10\":null,\"median\":null},\"modes\":[],\"hint\":null},");
    assert_told("\"recommended\":{\"pool_idle\":null,\"server_timeout\":null},"
                "\"idle_gaps\":{\"count\":0,\"median\":null,\"p95\":null,\"max\":null},");
    assert_told("\"new_connections\":{\"count\":0,\"per_second\":null},"
                "\"unused\":{\"count\":0,\"share\":0.0000},");
    assert_told("\"open_at_end\":1,\"requests_per_connection\":{\"median\":4,\"p95\":6,\"max\":7,"
                "\"whole\":{\"count\":0,\"median\":null,\"p95\":null,\"max\":null},"
                "\"censored\":{\"count\":0,\"median\":null,\"p95\":null,\"max\":null}},"
                "\"concurrency\":{\"max\":2,\"start\":null,\"width\":null,\"open\":[],\"opened\":[],"
                "\"closed\":[],\"requests\":[],\"active\":[]}}\n");
}

static void writes_what_is_inferred(void **state)
{
    (void)state;
    ka_endpoint_record e = endpoint_of(9, 18);
    e.server_timer = (ka_inferred){.kind = KA_TIMER_FIXED,
                                   .closes = 7,
                                   .moments = 6,
                                   .lasted = 3,
                                   .longest_worked_ns = 1500000000,
                                   .shortest_closed_ns = 5000000000,
                                   .p10_ns = 5000000000,
                                   .median_ns = 5001000000,
                                   .any_p10_ns = 5000000000,
                                   .any_median_ns = 5002000000,
                                   .mode_count = 1,
                                   .modes = {{7, 5000000000, 5001000000, 5003000000, 1000}},
                                   .hint = "Apache"};
    e.clients[0] = (ka_client_habit){.client = server,
                                     .of_name = true,
                                     .p10_ns = KA_NONE,
                                     .median_ns = KA_NONE,
                                     .longest_hold_ns = 4000000000};
    e.client_count = 1;
    e.exposure = (ka_exposure){5000000000, 4000000000, 3, 1, 0, 4000000000, false};
    e.recommended =
        (ka_recommended){4000000000, 5000000000, false, 1000000000, 20000000, 7000000000, 1500000000};
    e.opened = 9;
    e.span_ns = 12000000000;
    e.load = (ka_load){.start_ns = 1000000000,
                       .width_ns = 1073741824,
                       .bin_count = 2,
                       .bins = {{2, 0, 3, 2, 250}, {0, 1, 0, 1, 12000}}};
    ka_writer writer = page_writer(&out);
    assert_true(ka_write_endpoint(&writer, &e));
    assert_told("{\"kind\":\"fixed\",\"p10\":5,\"median\":5.001,\"closes\":7,\"moments\":6,\"censored\":3,"
                "\"bracket\":{\"longest_worked\":1.5,\"shortest_closed\":5,\"inverted\":false},"
                "\"kaplan_meier\":{\"p10\":5,\"median\":5.002},"
                "\"modes\":[{\"closes\":7,\"share\":1.000,\"p10\":5,\"median\":5.001,\"p90\":5.003}],"
                "\"hint\":\"Apache\"}");
    assert_told("\"clients\":[{\"ip\":\"2001:db8::1\",\"same_name\":true,\"closes\":0,\"p10\":null,"
                "\"median\":null,\"longest_hold\":4}]");
    assert_told("\"exposure\":{\"timeout\":5,\"danger_from\":4,\"reuses\":3,\"in_danger\":1,"
                "\"danger_share\":0.3333,\"in_race\":0,\"race_share\":0.0000,\"longest_hold\":4,"
                "\"inverted\":false}");
    assert_told("\"recommended\":{\"pool_idle\":{\"timeout\":4,\"reuse\":true,\"below\":5,"
                "\"basis\":\"inferred\",\"margin\":1,\"rtt_p99\":0.02,\"settings\":{\"nginx\":\"");
    assert_told("\"server_timeout\":{\"timeout\":7,\"longest_reuse\":1.5,\"settings\":{\"nginx\":\"");
    assert_told("\"new_connections\":{\"count\":9,\"per_second\":0.7500}");
    assert_told(
        "\"start\":1.000000000,\"width\":1.073741824,\"open\":[2,1],\"opened\":[2,0],\"closed\":[0,1],"
        "\"requests\":[3,0],\"active\":[0.250,12.000]}");
}

static void writes_sites(void **state)
{
    (void)state;
    ka_endpoint_record e = endpoint_of(9, 18);
    ka_site_record sites[2] = {
        {.name = "a.example",
         .connections = 5,
         .requests = 6,
         .timeout_s = 5,
         .max = KA_NONE,
         .max_style = KA_MAX_NONE,
         .pool_idle_ns = 4000000000},
        {.name = "b\"\xff", .timeout_s = KA_NONE, .max = KA_NONE, .pool_idle_ns = KA_NONE}};
    e.sites = sites;
    e.site_count = 2;
    e.server_timer.by_site = true;
    ka_writer writer = page_writer(&out);
    assert_true(ka_write_endpoint(&writer, &e));
    assert_told("\"hint\":null,\"by_site\":true}");
    assert_told("\"sites\":[{\"name\":\"a.example\",\"connections\":5,\"requests\":6,"
                "\"advertised\":{\"timeout\":5,\"max\":null,\"max_style\":null},"
                "\"inferred\":{\"server_timeout\":{\"kind\":\"none\"");
    assert_told("},\"pool_idle\":4},{\"name\":\"b\\\"\\u00ff\",\"connections\":0");
    assert_told("\"pool_idle\":null}],\"exposure\"");
}

typedef struct reuse_row {
    uint64_t connections;
    uint64_t requests;
    const char *expected;
} reuse_row;

static const reuse_row reuse_rows[] = {
    {1, 0, "\"reuse\":null,"},
    {0, 0, "\"reuse\":null,"},
    {5, 1, "\"reuse\":0.0000,"}, /* never negative */
    {7, 7, "\"reuse\":0.0000,"},
    {1, 3, "\"reuse\":0.6667,"},
    {2, 3, "\"reuse\":0.3333,"},
    {0, 3, "\"reuse\":1.0000,"},
    {1, 100000, "\"reuse\":1.0000,"},
    {1, 10000, "\"reuse\":0.9999,"},
    {1, UINT64_MAX, "\"reuse\":1.0000,"},
    {UINT64_MAX / 2, UINT64_MAX, "\"reuse\":0.5000,"},
    {UINT64_MAX, UINT64_MAX, "\"reuse\":0.0000,"},
};

static void computes_reuse(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reuse_rows / sizeof reuse_rows[0]; i++) {
        ka_endpoint_record endpoint = endpoint_of(reuse_rows[i].connections, reuse_rows[i].requests);
        endpoint.name = i % 2 == 0 ? "" : NULL;
        ka_writer writer = page_writer(&out);
        assert_true(ka_write_endpoint(&writer, &endpoint));
        if (strstr(out.text, reuse_rows[i].expected) == NULL)
            fail_msg("row %zu: %s", i, out.text);
        assert_non_null(strstr(out.text, "\"name\":null}"));
    }
}

/* A line longer than the buffer arrives in several writes, whole; a failing write is the last. */
static void writes_long_lines_and_stops_at_failure(void **state)
{
    (void)state;
    char name[5 * KA_JSON_BUFFER_BYTES];
    memset(name, '\x80', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (size_t len = KA_JSON_BUFFER_BYTES / 6 - 20; len < KA_JSON_BUFFER_BYTES / 6 + 20; len++) {
        ka_endpoint_record endpoint = endpoint_of(1, 1);
        endpoint.name = name + sizeof name - 1 - len;
        ka_writer writer = page_writer(&out);
        assert_true(ka_write_endpoint(&writer, &endpoint));
        assert_int_equal(strchr(out.text, '\n') - out.text, out.len_bytes - 1);
        unsigned writes = out.writes;
        assert_in_range(writes, 2, 5);
        for (unsigned allowed = 0; allowed < writes; allowed++) {
            writer = page_writer(&out);
            out.writes_allowed = allowed;
            assert_false(ka_write_endpoint(&writer, &endpoint));
            assert_int_equal(out.writes, allowed + 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_an_endpoint),
        cmocka_unit_test(writes_what_is_inferred),
        cmocka_unit_test(writes_sites),
        cmocka_unit_test(computes_reuse),
        cmocka_unit_test(writes_long_lines_and_stops_at_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
