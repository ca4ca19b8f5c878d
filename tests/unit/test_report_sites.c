/* test_report_sites.c - the sites of a server in the text report.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "report_document.h"

#include <stdlib.h>
#include <string.h>

static ka_inferred fixed(int64_t median_ms, uint64_t closes)
{
    int64_t ns = median_ms * KA_MILLISECOND_NS;
    return (ka_inferred){.kind = KA_TIMER_FIXED,
                         .closes = closes,
                         .moments = 1, /* of the server's; of a site it says nothing */
                         .longest_worked_ns = KA_NONE,
                         .shortest_closed_ns = ns,
                         .p10_ns = ns,
                         .median_ns = ns,
                         .mode_count = 1,
                         .modes = {{closes, ns, ns, ns, 1000}}};
}

static ka_inferred of_kind(ka_timer_kind kind, uint64_t closes)
{
    return (ka_inferred){.kind = kind,
                         .closes = closes,
                         .longest_worked_ns = KA_NONE,
                         .shortest_closed_ns = KA_SECOND_NS,
                         .median_ns = KA_NONE,
                         .any_p10_ns = KA_NONE,
                         .any_median_ns = KA_NONE};
}

static ka_endpoint_record server(const ka_site_record *sites, uint32_t site_count, bool by_site)
{
    ka_endpoint_record e = {.server = {{192, 0, 2, 1}, 80, 4},
                            .name = "a.example",
                            .connections = 12,
                            .timeout_s = KA_NONE,
                            .max = KA_NONE,
                            .idle_median_by_server_ns = KA_NONE,
                            .idle_median_by_client_ns = KA_NONE,
                            .sites = sites,
                            .site_count = site_count};
    e.server_timer = of_kind(KA_TIMER_SEVERAL, 10);
    e.server_timer.by_site = by_site;
    e.server_timer.mode_count = 2;
    e.server_timer.modes[0] = fixed(2000, 5).modes[0];
    e.server_timer.modes[1] = fixed(9000, 5).modes[0];
    e.server_timer.inverted = true;
    e.client_timer = of_kind(KA_TIMER_NONE, 0);
    e.recommended = (ka_recommended){.pool_idle_ns = KA_SECOND_NS,
                                     .pool_base_ns = 2 * KA_SECOND_NS,
                                     .margin_ns = KA_SECOND_NS,
                                     .server_timeout_ns = KA_NONE};
    e.exposure =
        (ka_exposure){.timeout_ns = 2 * KA_SECOND_NS, .from_ns = KA_SECOND_NS, .gaps = 4, .in_danger = 1};
    return e;
}

static ka_site_record site(const char *name, ka_inferred of_server, ka_inferred of_clients,
                           int64_t pool_idle_ns)
{
    return (ka_site_record){.name = name,
                            .connections = 6,
                            .timeout_s = KA_NONE,
                            .max = KA_NONE,
                            .server_timer = of_server,
                            .client_timer = of_clients,
                            .pool_idle_ns = pool_idle_ns};
}

static void write_servers(document *page, const ka_endpoint_record *endpoint, bool at_length)
{
    document_init(page);
    page->options.servers = at_length;
    document_open(page);
    page->sink->endpoint(page->sink->user, endpoint);
    document_finish(page);
}

static void assert_shows(const document *page, const char *text)
{
    if (strstr(page->text, text) == NULL)
        fail_msg("not there:\n%s\nbut:\n%s", text, page->text);
}

static void each_on_a_line(void **state)
{
    (void)state;
    ka_inferred none = of_kind(KA_TIMER_NONE, 0);
    char name[] = "b\x1b.example";
    const ka_site_record sites[] = {site("a.example", fixed(2000, 5), none, KA_SECOND_NS),
                                    site("idle.example", of_kind(KA_TIMER_FEW, 2), none, KA_NONE),
                                    site(name, fixed(9000, 5), fixed(4000, 6), 8 * KA_SECOND_NS)};
    ka_endpoint_record e = server(sites, 3, true);
    document page;
    write_servers(&page, &e, false);
    assert_shows(&page, "    Server's idle timeout: by site: 2.000 s (5 closes, 100 %), 9.000 s (5\n"
                        "      closes, 100 %)\n"
                        "      a.example: 2.000 s (5 closes)\n"
                        "      b\\x1b.example: 9.000 s (5 closes); clients 4.000 s (6 closes)\n"
                        "    Set at clients: idle timeout at most 1.000 s; 1 of 4 reuses (25.0 %) came\n"
                        "      later than 1.000 s before their site's timeout\n");
    assert_null(strstr(page.text, "idle.example")); /* nothing is known of it */
    document_fini(&page);
    write_servers(&page, &e, true);
    assert_shows(&page, "    Each site        a.example: 2.000 s (5 closes, p10 2.000 s); closed from\n"
                        "                     2.000 s on. Set at clients: at most 1.000 s\n"
                        "                     idle.example: not known: 2 idle closes are too few; closed\n"
                        "                     from 1.000 s on\n");
    assert_null(strstr(page.text, "at one moment"));
    document_fini(&page);
}

static void backends_are_not_sites(void **state)
{
    (void)state;
    ka_inferred none = of_kind(KA_TIMER_NONE, 0);
    const ka_site_record sites[] = {site("a.example", of_kind(KA_TIMER_SEVERAL, 10), none, KA_SECOND_NS),
                                    site("b.example", of_kind(KA_TIMER_VARIED, 7), none, 0)};
    ka_endpoint_record e = server(sites, 2, false);
    document page;
    write_servers(&page, &e, true);
    assert_shows(&page, "several: 2.000 s (5 closes, 100 %), 9.000 s (5\n"
                        "      closes, 100 %); closed from 1.000 s on: no fixed timer\n");
    assert_shows(&page, "      a.example: several (10 closes)\n"
                        "      b.example: no fixed one (7 closes)\n");
    assert_shows(&page, "Set at clients: no reuse\n");
    document_fini(&page);
}

/* One timer for all says enough. */
static void no_lines_without_need(void **state)
{
    (void)state;
    ka_inferred none = of_kind(KA_TIMER_NONE, 0);
    const ka_site_record sites[] = {site("a.example", fixed(5000, 5), none, KA_SECOND_NS),
                                    site("b.example", fixed(5000, 5), none, KA_SECOND_NS)};
    ka_endpoint_record e = server(sites, 2, false);
    e.server_timer = fixed(5000, 10);
    document page;
    write_servers(&page, &e, false);
    assert_null(strstr(page.text, "b.example"));
    assert_shows(&page, "all at one moment, as a restart would");
    assert_shows(&page, "(25.0 %) came\n      later\n");
    document_fini(&page);
}

/* A name gives way to what is said of it; of many sites some are shown. */
static void long_names_and_many(void **state)
{
    (void)state;
    char name[64];
    ka_site_record sites[KA_SITE_RECORDS_MAX];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (int i = 0; i < KA_SITE_RECORDS_MAX; i++)
        sites[i] = site(name, fixed(2000 + i, 99), fixed(4000, 123456), KA_SECOND_NS);
    ka_endpoint_record e = server(sites, KA_SITE_RECORDS_MAX, true);
    document page;
    write_servers(&page, &e, false);
    assert_shows(&page, "      nnnnnnnnnnnnnnnnnnn...: 2.003 s (99 closes); clients 4.000 s (123k closes)\n"
                        "      ... and 12 more sites\n");
    document_fini(&page);
}

/* More servers than are shown, in an order in which each newer one goes before the others: each keeps its
 * own sites. */
static void sites_stay_with_their_server(void **state)
{
    (void)state;
    document page;
    char names[2][16];
    ka_inferred none = of_kind(KA_TIMER_NONE, 0);
    document_init(&page);
    document_open(&page);
    for (int i = 0; i < 50; i++) {
        snprintf(names[0], sizeof names[0], "a%d.example", i);
        snprintf(names[1], sizeof names[1], "b%d.example", i);
        const ka_site_record sites[] = {site(names[0], fixed(2000, 5), none, KA_NONE),
                                        site(names[1], fixed(9000, 5), none, KA_NONE)};
        ka_endpoint_record e = server(sites, 2, true);
        e.name = names[0];
        e.connections = 100 + (uint64_t)(i * 7 % 50);
        page.sink->endpoint(page.sink->user, &e);
    }
    document_finish(&page);
    for (int i = 0; i < 50; i++) {
        char title[32], line[64];
        snprintf(title, sizeof title, "(a%d.example)", i);
        snprintf(line, sizeof line, "      b%d.example: 9.000 s (5 closes)\n", i);
        const char *at = strstr(page.text, title), *below = strstr(page.text, line);
        assert_int_equal(at != NULL, i * 7 % 50 >= 30);
        assert_int_equal(below != NULL, at != NULL);
        assert_true(at == NULL || (below > at && below - at < 400));
    }
    document_fini(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_on_a_line),
        cmocka_unit_test(backends_are_not_sites),
        cmocka_unit_test(no_lines_without_need),
        cmocka_unit_test(long_names_and_many),
        cmocka_unit_test(sites_stay_with_their_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
