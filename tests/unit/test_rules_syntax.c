/* test_rules_syntax.c - what is wrong with the header values themselves, and who sent them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

static void assert_detail(const ka_finding *f, const char *expected)
{
    assert_int_equal(f->detail_bytes, strlen(expected));
    assert_memory_equal(f->detail, expected, f->detail_bytes);
}

typedef struct row {
    const char *fields;
    ka_finding_id id;
    ka_severity severity;
    const char *detail;
} row;

#define KEEP "Connection: keep-alive\nKeep-Alive: "

static const row response_rows[] = {
    {KEEP "300", KA_BARE_NUMBER, KA_NOTE, "300"},
    {KEEP "timeout=9, 300", KA_BARE_NUMBER, KA_NOTE, "300"},
    {KEEP "=5", KA_BAD_PARAM, KA_WARN, "=5"},
    {KEEP "timeout=", KA_BAD_PARAM, KA_WARN, "timeout="},
    {KEEP "timeout=9, x=\"5", KA_BAD_PARAM, KA_WARN, "x=\"5"},
    {KEEP "timeout=9;max=100", KA_BAD_PARAM, KA_WARN, "timeout=9;max=100"},
    {KEEP "timeout=4.5", KA_TIMEOUT_NOT_INTEGER, KA_WARN, "timeout=4.5"},
    {KEEP "timeout=-1", KA_TIMEOUT_NOT_INTEGER, KA_WARN, "timeout=-1"},
    {KEEP "timeout=+9", KA_TIMEOUT_NOT_INTEGER, KA_WARN, "timeout=+9"},
    {KEEP "timeout=\"60\"", KA_TIMEOUT_NOT_INTEGER, KA_WARN, "timeout=\"60\""},
    {KEEP "timeout=99999999999", KA_TIMEOUT_NOT_INTEGER, KA_WARN, "timeout=99999999999"},
    {KEEP "timeout=60s", KA_TIMEOUT_NOT_INTEGER, KA_WARN, "timeout=60s"},
    {KEEP "timeout=9\nKeep-Alive: timeout=60", KA_DUPLICATE_CONFLICT, KA_WARN, "timeout=60"},
    {KEEP "max=9, max=8", KA_DUPLICATE_CONFLICT, KA_WARN, "max=8"},
    {KEEP "max=100, timeout=9", KA_TIMEOUT_NOT_FIRST, KA_NOTE, "max=100, timeout=9"},
    {KEEP "Timeout=9, max=100", KA_TIMEOUT_NOT_FIRST, KA_NOTE, "Timeout=9, max=100"},
    {KEEP "TIMEOUT = 9 ,, Max=3", KA_TIMEOUT_NOT_FIRST, KA_NOTE, "TIMEOUT = 9 ,, Max=3"},
    {KEEP ", timeout=9", KA_TIMEOUT_NOT_FIRST, KA_NOTE, ", timeout=9"},
    {KEEP "max=3\nKeep-Alive: timeout=9", KA_TIMEOUT_NOT_FIRST, KA_NOTE, "max=3"},
    {"Keep-Alive: timeout=9", KA_TOKEN_MISSING, KA_WARN, "timeout=9"},
    {"Connection: Upgrade\nKeep-Alive: timeout=9", KA_TOKEN_MISSING, KA_WARN, "timeout=9"},
    {"Connection: keep-alive, close", KA_CLOSE_CONTRADICTION, KA_WARN, "keep-alive, close"},
    {"Connection: close\nKeep-Alive: timeout=9", KA_CLOSE_CONTRADICTION, KA_WARN, "timeout=9"},
};

static void responses_are_the_servers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof response_rows / sizeof response_rows[0]; i++) {
        const row *r = &response_rows[i];
        timeline_begin(&t, AT_MIDDLE);
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        mark *sent = response(c, 0.2, r->fields);
        fin(c, CLIENT, 0.5);
        fin(c, SERVER, 0.53);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, r->id, r->severity, KA_FAULT_SERVER, sent);
        assert_detail(f, r->detail);
        assert_int_equal(frame_of(f, "response"), sent->at.frame);
        assert_only(&t, r->id, KA_FINDING_COUNT);
        timeline_end(&t);
    }
}

static const row request_rows[] = {
    {KEEP "30", KA_BARE_NUMBER, KA_NOTE, "30"},
    {KEEP "timeout=", KA_BAD_PARAM, KA_WARN, "timeout="},
    {KEEP "timeout=5, timeout=6", KA_DUPLICATE_CONFLICT, KA_WARN, "timeout=6"},
    {"Keep-Alive: timeout=5", KA_TOKEN_MISSING, KA_WARN, "timeout=5"},
    {"Connection: close, keep-alive", KA_CLOSE_CONTRADICTION, KA_WARN, "close, keep-alive"},
};

static void requests_are_the_clients(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof request_rows / sizeof request_rows[0]; i++) {
        const row *r = &request_rows[i];
        timeline_begin(&t, AT_MIDDLE);
        conversation *c = connect_at(&t, 0);
        mark *sent = request(c, 0.1, r->fields);
        response(c, 0.2, "");
        fin(c, CLIENT, 0.5);
        fin(c, SERVER, 0.53);
        timeline_play(&t, 20);
        assert_detail(assert_holds(&t, r->id, r->severity, KA_FAULT_CLIENT, sent), r->detail);
        assert_only(&t, r->id, KA_FINDING_COUNT);
        timeline_end(&t);
    }
}

static void one_finding_counts_all_messages(void **state)
{
    (void)state;
    timeline_begin(&t, AT_MIDDLE);
    conversation *c = connect_at(&t, 0);
    request(c, 0.1, "");
    mark *first = response(c, 0.2, KEEP "300");
    exchange(c, 0.3, "", KEEP "300");
    exchange(c, 0.5, "", KEEP "300");
    fin(c, CLIENT, 1);
    fin(c, SERVER, 1.03);
    timeline_play(&t, 20);
    const ka_finding *f = assert_holds(&t, KA_BARE_NUMBER, KA_NOTE, KA_FAULT_SERVER, first);
    assert_int_equal(value_of(f, "count"), 3);
    assert_int_equal(t.finding_count, 1);
    timeline_end(&t);
}

static const char *const sound[] = {
    "",
    KEEP "timeout=9",
    KEEP "timeout=9, max=100",
    KEEP "timeout=9 ,, Max = 3",
    KEEP "timeout=240",
    KEEP "timeout=9, timeout=9",
    KEEP "timeout=9\nKeep-Alive: max=5",
    KEEP "timeout=9, state=\"a, b\"",
    "Connection: Keep-Alive",
    "Connection: TE, keep-alive\nKeep-Alive: timeout=9",
    "Connection: upgrade\nUpgrade: h2c",
};

static void sound_values_are_silent(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sound / sizeof sound[0]; i++) {
        timeline_begin(&t, AT_MIDDLE);
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, sound[i]);
        response(c, 0.2, sound[i]);
        fin(c, CLIENT, 0.5);
        fin(c, SERVER, 0.53);
        timeline_play(&t, 20);
        assert_silent(&t);
        timeline_end(&t);
    }
}

/* The client may ask for close and still be told how long others are kept. */
static void close_by_one_and_keep_alive_by_the_other_is_no_contradiction(void **state)
{
    (void)state;
    timeline_begin(&t, AT_MIDDLE);
    conversation *c = connect_at(&t, 0);
    exchange(c, 0.1, CLOSE, KEEP_5);
    fin(c, CLIENT, 0.5);
    fin(c, SERVER, 0.53);
    timeline_play(&t, 20);
    assert_silent(&t);
    timeline_end(&t);
}

/* Firefox to a proxy: a bare number is named, the option is not missed. */
static void old_browser_to_a_proxy(void **state)
{
    (void)state;
    timeline_begin(&t, AT_MIDDLE);
    conversation *c = connect_at(&t, 0);
    exchange(c, 0.1, "Proxy-Connection: keep-alive\nKeep-Alive: 300", "");
    fin(c, CLIENT, 0.5);
    fin(c, SERVER, 0.53);
    timeline_play(&t, 20);
    assert_only(&t, KA_BARE_NUMBER, KA_PROXY_CONNECTION_SEEN, KA_FINDING_COUNT);
    timeline_end(&t);
}

/* ---- proxy-connection-seen ---- */

static void assert_proxy_connection(const char *fields, bool origin_form, ka_severity severity,
                                    ka_fault fault)
{
    timeline_begin(&t, AT_MIDDLE);
    conversation *c = connect_at(&t, 0);
    mark *sent = request(c, 0.1, fields);
    sent->origin_form = origin_form;
    response(c, 0.2, "");
    fin(c, CLIENT, 0.5);
    fin(c, SERVER, 0.53);
    timeline_play(&t, 20);
    assert_detail(assert_holds(&t, KA_PROXY_CONNECTION_SEEN, severity, fault, sent), "keep-alive");
    assert_only(&t, KA_PROXY_CONNECTION_SEEN, KA_FINDING_COUNT);
    timeline_end(&t);
}

static void proxy_connection(void **state)
{
    (void)state;
    assert_proxy_connection("Proxy-Connection: keep-alive", false, KA_CHAT, KA_FAULT_CLIENT);
    assert_proxy_connection("Proxy-Connection: keep-alive", true, KA_WARN, KA_FAULT_CLIENT);
    assert_proxy_connection("Proxy-Connection: keep-alive\nVia: 1.1 front", true, KA_WARN, KA_FAULT_PROXY);
    /* what browsers sent to proxies for years misses no option */
    assert_proxy_connection("Proxy-Connection: keep-alive\nKeep-Alive: timeout=9", false, KA_CHAT,
                            KA_FAULT_CLIENT);
    timeline_begin(&t, AT_MIDDLE); /* an answer may carry it: to whom is not known */
    conversation *c = connect_at(&t, 0);
    exchange(c, 0.1, "", "Proxy-Connection: keep-alive");
    fin(c, CLIENT, 0.5);
    fin(c, SERVER, 0.53);
    timeline_play(&t, 20);
    assert_silent(&t);
    timeline_end(&t);
}

/* ---- ka-timeout-huge ---- */

static void timeout_huge(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        ka_severity severity;
        double limit_s;
    } rows[] = {{KEEP "timeout=241", KA_CHAT, 240},
                {KEEP "timeout=3600", KA_CHAT, 240},
                {KEEP "timeout=3601", KA_NOTE, 3600},
                {KEEP "timeout=2147483647", KA_NOTE, 3600}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        timeline_begin(&t, AT_MIDDLE);
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        mark *sent = response(c, 0.2, rows[i].fields);
        fin(c, CLIENT, 0.5);
        fin(c, SERVER, 0.53);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_TIMEOUT_HUGE, rows[i].severity, KA_FAULT_SERVER, sent);
        assert_value(f, "limit", rows[i].limit_s);
        assert_only(&t, KA_TIMEOUT_HUGE, KA_FINDING_COUNT);
        timeline_end(&t);
    }
    timeline_begin(&t, AT_MIDDLE); /* a client's wish binds nobody */
    conversation *c = connect_at(&t, 0);
    exchange(c, 0.1, KEEP "timeout=9999", "");
    fin(c, CLIENT, 0.5);
    fin(c, SERVER, 0.53);
    timeline_play(&t, 20);
    assert_silent(&t);
    timeline_end(&t);
}

static void timeout_huge_by_an_own_policy(void **state)
{
    (void)state;
    timeline_begin(&t, AT_MIDDLE);
    t.limits.timeout_huge_ns = 60 * KA_SECOND_NS;
    conversation *c = connect_at(&t, 0);
    request(c, 0.1, "");
    mark *sent = response(c, 0.2, KEEP "timeout=61");
    fin(c, CLIENT, 0.5);
    fin(c, SERVER, 0.53);
    timeline_play(&t, 20);
    assert_holds(&t, KA_TIMEOUT_HUGE, KA_NOTE, KA_FAULT_SERVER, sent);
    timeline_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses_are_the_servers),
        cmocka_unit_test(requests_are_the_clients),
        cmocka_unit_test(one_finding_counts_all_messages),
        cmocka_unit_test(sound_values_are_silent),
        cmocka_unit_test(close_by_one_and_keep_alive_by_the_other_is_no_contradiction),
        cmocka_unit_test(old_browser_to_a_proxy),
        cmocka_unit_test(proxy_connection),
        cmocka_unit_test(timeout_huge),
        cmocka_unit_test(timeout_huge_by_an_own_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
