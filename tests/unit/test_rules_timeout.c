/* test_rules_timeout.c - the timeout contract: unannounced closes, late, reused too late or nearly so.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

/* One exchange that advertises 5 s; the response ends at 0.2. */
static conversation *advertised_5(void)
{
    conversation *c = connect_at(&t, 0);
    exchange(c, 0.1, "", KEEP_5);
    return c;
}

static void answer_close(conversation *c, double server_fin_s)
{
    fin(c, CLIENT, server_fin_s + 0.026);
}

/* ---- close-unannounced ---- */

static void unannounced_close_replaces_early(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        mark *close = fin(c, SERVER, 0.21);
        answer_close(c, 0.21);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_CLOSE_UNANNOUNCED, KA_WARN, KA_FAULT_SERVER, close);
        assert_value(f, "idle", 0.01);
        assert_int_equal(value_of(f, "response_number"), 1);
        assert_only(&t, KA_CLOSE_UNANNOUNCED, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* without a timeout as well */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "");
        mark *close = fin(c, SERVER, 0.299);
        answer_close(c, 0.299);
        timeline_play(&t, 20);
        assert_holds(&t, KA_CLOSE_UNANNOUNCED, KA_WARN, KA_FAULT_SERVER, close);
    }
    FROM_EVERYWHERE(t)
    { /* just outside: only early */
        conversation *c = advertised_5();
        fin(c, SERVER, 0.301);
        answer_close(c, 0.301);
        timeline_play(&t, 20);
        assert_only(&t, KA_CLOSED_EARLY, KA_FINDING_COUNT);
    }
}

static void unannounced_again_is_an_error(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c[2];
        for (int i = 0; i < 2; i++) {
            c[i] = connect_at(&t, 10 * i);
            exchange(c[i], 10 * i + 0.1, "", "");
            fin(c[i], SERVER, 10 * i + 0.2);
            answer_close(c[i], 10 * i + 0.2);
        }
        timeline_play(&t, 40);
        assert_int_equal(finding_in(&t, c[0], KA_CLOSE_UNANNOUNCED)->severity, KA_WARN);
        assert_int_equal(finding_in(&t, c[1], KA_CLOSE_UNANNOUNCED)->severity, KA_ERROR);
    }
}

static void unannounced_in_doubt_makes_the_next_no_graver(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        response_end(c, 6, part(c, SERVER, 0.2), "");
        fin(c, SERVER, 6);
        answer_close(c, 6);
        conversation *sure = connect_at(&t, 10);
        exchange(sure, 10.1, "", "");
        fin(sure, SERVER, 10.2);
        answer_close(sure, 10.2);
        timeline_play(&t, 40);
        assert_int_equal(finding_in(&t, c, KA_CLOSE_UNANNOUNCED)->severity, KA_NOTE);
        assert_int_equal(finding_in(&t, sure, KA_CLOSE_UNANNOUNCED)->severity, KA_WARN);
    }
}

static void unannounced_is_not_with_a_reason(void **state)
{
    (void)state;
    static const uint16_t reasons[] = {400, 408, 413, 414, 417, 431, 500, 503, 504, 511, 520};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            request(c, 0.1, "");
            answer(c, 0.2, reasons[i], "");
            fin(c, SERVER, 0.2);
            answer_close(c, 0.2);
            timeline_play(&t, 20);
            assert_silent(&t);
        }
    }
    FROM_EVERYWHERE(t)
    { /* a request by HTTP/1.0 without keep-alive is the last one, whatever version answers (RFC 9112 9.3) */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "")->version = 10;
        response(c, 0.2, "");
        fin(c, SERVER, 0.2);
        answer_close(c, 0.2);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* an empty line may be what it did not like */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "");
        stray_line(c, 0.23);
        fin(c, SERVER, 0.26);
        answer_close(c, 0.26);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* a reset may have many reasons */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "");
        rst(c, SERVER, 0.21);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

static void unannounced_is_not_a_timer_behind_a_slow_tail(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* written at 0.2, taken by 6: the 5 s ran out meanwhile, the FIN stood in the queue */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        response_end(c, 6, part(c, SERVER, 0.2), KEEP_5);
        fin(c, SERVER, 6);
        answer_close(c, 6);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* the timer is not known: a note */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        response_end(c, 6, part(c, SERVER, 0.2), "");
        mark *close = fin(c, SERVER, 6);
        answer_close(c, 6);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_CLOSE_UNANNOUNCED, KA_NOTE, KA_FAULT_SERVER, close);
        assert_int_equal(f->failed_gates, KA_GATE_TAIL_LIMITED);
    }
}

/* ---- kept-late ---- */

static void kept_late_beyond_the_tolerance(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        mark *close = fin(c, SERVER, 0.2 + 7.11);
        answer_close(c, 0.2 + 7.11);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_KEPT_LATE, KA_CHAT, KA_FAULT_SERVER, close);
        assert_value(f, "idle", 7.11);
        assert_only(&t, KA_KEPT_LATE, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* 5 % of 100 s */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "Connection: keep-alive\nKeep-Alive: timeout=100");
        fin(c, SERVER, 105.1);
        answer_close(c, 105.1);
        timeline_play(&t, 130);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* still open at the end */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        mark *promise = response(c, 0.2, KEEP_5);
        timeline_play(&t, 7.4);
        assert_holds(&t, KA_KEPT_LATE, KA_CHAT, KA_FAULT_SERVER, promise);
        assert_int_equal(record_of(&t, c)->close.verdict, KA_VERDICT_OPEN);
    }
    FROM_EVERYWHERE(t)
    { /* not yet late */
        advertised_5();
        timeline_play(&t, 7.2);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* an empty line restarted the timer */
        conversation *c = advertised_5();
        stray_line(c, 3);
        fin(c, SERVER, 8);
        answer_close(c, 8);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* busy, not idle */
        conversation *c = advertised_5();
        request(c, 1, "");
        timeline_play(&t, 30);
        assert_absent(&t, KA_KEPT_LATE);
    }
}

/* ---- reuse-after-expiry ---- */

static void reuse_after_expiry_that_worked(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        mark *late = request(c, 0.225 + 5.06, "");
        response(c, 5.4, KEEP_5);
        fin(c, CLIENT, 6);
        fin(c, SERVER, 6.03);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_REUSE_AFTER_EXPIRY, KA_WARN, KA_FAULT_CLIENT, late);
        assert_value(f, "client_idle", 5.06);
        assert_value(f, "margin", -0.11);
        assert_int_equal(value_of(f, "request_number"), 2);
        assert_only(&t, KA_REUSE_AFTER_EXPIRY, KA_FINDING_COUNT);
    }
}

static void reuse_within_the_tolerance_is_exposed(void **state)
{
    (void)state;
    static const double idle_s[] = {5.04, 4.0};
    for (int i = 0; i < 2; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = advertised_5();
            mark *late = request(c, 0.225 + idle_s[i], "");
            response(c, 0.3 + idle_s[i], KEEP_5);
            fin(c, CLIENT, 6);
            fin(c, SERVER, 6.03);
            timeline_play(&t, 20);
            const ka_finding *f = assert_holds(&t, KA_RACE_EXPOSURE, KA_NOTE, KA_FAULT_CONFIG, late);
            assert_value(f, "margin", 5 - idle_s[i] - 0.05);
            assert_only(&t, KA_RACE_EXPOSURE, KA_FINDING_COUNT);
        }
    }
}

static void exposure_needs_a_small_margin_and_a_long_gap(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* 1.05 s away */
        conversation *c = advertised_5();
        exchange(c, 0.225 + 3.9, "", KEEP_5);
        fin(c, CLIENT, 5);
        fin(c, SERVER, 5.03);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* timeout=1 leaves no second, but who comes back at once is not exposed */
        conversation *c = connect_at(&t, 0);
        for (int i = 0; i < 5; i++)
            exchange(c, 0.1 + 0.4 * i, "", "Connection: keep-alive\nKeep-Alive: timeout=1");
        fin(c, CLIENT, 2.2);
        fin(c, SERVER, 2.23);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* a pipeline has no gap */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        request(c, 0.1, "");
        response(c, 0.2, KEEP_5);
        response(c, 4.8, KEEP_5);
        fin(c, CLIENT, 5);
        fin(c, SERVER, 5.03);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

/* ---- ka-timeout-zero ---- */

static void timeout_zero(void **state)
{
    (void)state;
    static const char zero[] = "Connection: keep-alive\nKeep-Alive: timeout=0";
    static const struct {
        double close_s;
        ka_severity severity;
    } rows[] = {{0.7, KA_NOTE}, {2.19, KA_NOTE}, {2.21, KA_WARN}};
    for (size_t i = 0; i < 3; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            request(c, 0.1, "");
            mark *promise = response(c, 0.2, zero);
            fin(c, SERVER, rows[i].close_s);
            answer_close(c, rows[i].close_s);
            timeline_play(&t, 20);
            const ka_finding *f =
                assert_holds(&t, KA_TIMEOUT_ZERO, rows[i].severity, KA_FAULT_SERVER, promise);
            assert_value(f, "open_for", rows[i].close_s - 0.2);
        }
    }
    FROM_EVERYWHERE(t)
    { /* it waits for the answer to a long request, not for nothing */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", zero);
        request(c, 0.3, "");
        timeline_play(&t, 20);
        assert_int_equal(finding_of(&t, KA_TIMEOUT_ZERO)->severity, KA_NOTE);
    }
    FROM_EVERYWHERE(t)
    { /* with close it is no promise */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "Connection: close\nKeep-Alive: timeout=0");
        fin(c, SERVER, 0.2);
        answer_close(c, 0.2);
        timeline_play(&t, 20);
        assert_absent(&t, KA_TIMEOUT_ZERO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unannounced_close_replaces_early),
        cmocka_unit_test(unannounced_again_is_an_error),
        cmocka_unit_test(unannounced_in_doubt_makes_the_next_no_graver),
        cmocka_unit_test(unannounced_is_not_with_a_reason),
        cmocka_unit_test(unannounced_is_not_a_timer_behind_a_slow_tail),
        cmocka_unit_test(kept_late_beyond_the_tolerance),
        cmocka_unit_test(reuse_after_expiry_that_worked),
        cmocka_unit_test(reuse_within_the_tolerance_is_exposed),
        cmocka_unit_test(exposure_needs_a_small_margin_and_a_long_gap),
        cmocka_unit_test(timeout_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
