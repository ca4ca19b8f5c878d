/* test_rules_early.c - closed sooner than advertised, and the healthy closes beside it.
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

/* ---- closed-early ---- */

static void early_close_is_found_everywhere(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        mark *close = fin(c, SERVER, 3.2);
        answer_close(c, 3.2);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, close);
        assert_value(f, "idle", 3);
        assert_value(f, "timeout", 5);
        assert_value(f, "short_by", 2);
        assert_int_equal(frame_of(f, "fin"), close->at.frame);
        assert_true(frame_of(f, "response_end") != 0 && frame_of(f, "advert") != 0);
        assert_int_equal(f->failed_gates, 0);
        assert_only(&t, KA_CLOSED_EARLY, KA_FINDING_COUNT);
    }
}

static void early_reset_is_found(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        mark *close = rst(c, SERVER, 3.2);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, close);
        assert_int_equal(frame_of(f, "rst"), close->at.frame);
        assert_only(&t, KA_CLOSED_EARLY, KA_FINDING_COUNT);
    }
}

static void early_tolerance_is_50_ms(void **state)
{
    (void)state;
    static const struct {
        double idle_s;
        bool early;
    } rows[] = {{4.949, true}, {4.951, false}, {4.998, false}, {5.003, false}, {7.09, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = advertised_5();
            fin(c, SERVER, 0.2 + rows[i].idle_s);
            answer_close(c, 0.2 + rows[i].idle_s);
            timeline_play(&t, 20);
            if (rows[i].early)
                assert_only(&t, KA_CLOSED_EARLY, KA_FINDING_COUNT);
            else
                assert_silent(&t);
        }
    }
}

static void early_is_not_what_the_client_closed(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        fin(c, CLIENT, 3);
        fin(c, SERVER, 3.03);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* the FINs cross, the client's was first */
        conversation *c = advertised_5();
        fin(c, CLIENT, 3);
        fin(c, SERVER, 3.01);
        timeline_play(&t, 20);
        assert_silent(&t);
        assert_int_equal(record_of(&t, c)->close.by, KA_SIDE_CLIENT);
    }
}

static void early_is_not_an_announced_close(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        exchange(c, 1, "", CLOSE);
        fin(c, SERVER, 1.1);
        answer_close(c, 1.1);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* the client had asked for it */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, CLOSE, KEEP_5);
        fin(c, SERVER, 0.2);
        answer_close(c, 0.2);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

static void early_needs_a_promise_in_the_latest_response(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        exchange(c, 1, "", "");
        fin(c, SERVER, 3);
        answer_close(c, 3);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

static void early_is_not_after_a_slow_tail(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* written at once at 0.2, read by 4: the server counts from 0.2 */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        response_end(c, 4, part(c, SERVER, 0.2), KEEP_5);
        fin(c, SERVER, 5.2);
        answer_close(c, 5.2);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* early even so */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        response_end(c, 2, part(c, SERVER, 0.2), KEEP_5);
        mark *close = fin(c, SERVER, 5.1);
        answer_close(c, 5.1);
        timeline_play(&t, 20);
        assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, close);
    }
}

static void early_is_not_after_a_stray_line(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        stray_line(c, 1);
        fin(c, SERVER, 3);
        answer_close(c, 3);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

static void early_is_not_when_max_is_reached(void **state)
{
    (void)state;
    static const char *const maxes[][3] = {
        {"3", "3", "3"}, /* fixed: three in all */
        {"2", "1", "0"}, /* counts down what remains */
    };
    for (size_t i = 0; i < 2; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            char fields[3][80];
            for (int k = 0; k < 3; k++) {
                strcpy(fields[k], KEEP_5 ", max=");
                strcat(fields[k], maxes[i][k]);
                exchange(c, 0.1 + k, "", fields[k]);
            }
            fin(c, SERVER, 2.3);
            answer_close(c, 2.3);
            timeline_play(&t, 20);
            assert_absent(&t, KA_CLOSED_EARLY);
            assert_absent(&t, KA_MAX_CLOSED_EARLY);
        }
    }
    FROM_EVERYWHERE(t)
    { /* one sample: it may be the total */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5 ", max=1");
        fin(c, SERVER, 0.2);
        answer_close(c, 0.2);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* not reached */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5 ", max=2");
        mark *close = fin(c, SERVER, 1.2);
        answer_close(c, 1.2);
        timeline_play(&t, 20);
        assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, close);
    }
}

static void early_is_not_while_a_request_is_in_flight(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        request(c, 1, "");
        fin(c, SERVER, 2);
        answer_close(c, 2);
        timeline_play(&t, 20);
        assert_absent(&t, KA_CLOSED_EARLY);
        assert_int_equal(record_of(&t, c)->close.verdict, KA_VERDICT_BUSY);
    }
}

static void no_promise_to_http10_without_keep_alive(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "")->version = 10;
        response(c, 0.2, "Keep-Alive: timeout=5");
        fin(c, SERVER, 3);
        answer_close(c, 3);
        timeline_play(&t, 20);
        assert_only(&t, KA_TOKEN_MISSING, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* a promise all the same */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "")->version = 10;
        response(c, 0.2, KEEP_5);
        mark *close = fin(c, SERVER, 3);
        answer_close(c, 3);
        timeline_play(&t, 20);
        assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, close);
    }
}

/* Keepalive probes, window updates and retransmissions do not restart the clock. */
static void nothing_but_requests_restarts_the_clock(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        mark *promise = response(c, 0.2, KEEP_5);
        bare_ack(c, CLIENT, 2);
        resend(c, 3, promise);
        mark *close = fin(c, SERVER, 4.2);
        answer_close(c, 4.2);
        timeline_play(&t, 20);
        assert_value(assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, close), "idle", 4);
    }
}

/* ---- Healthy stories ---- */

static void healthy_closes_are_silent(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *punctual = advertised_5();
        fin(punctual, SERVER, 5.203);
        answer_close(punctual, 5.203);
        conversation *node = connect_at(&t, 30);
        exchange(node, 30.1, "", KEEP_5);
        fin(node, SERVER, 36.2);
        answer_close(node, 36.2);
        conversation *truncated = connect_at(&t, 60); /* Node: 2.5 s advertises 2, closes after 3.5 */
        exchange(truncated, 60.1, "", "Connection: keep-alive\nKeep-Alive: timeout=2");
        fin(truncated, SERVER, 63.7);
        answer_close(truncated, 63.7);
        conversation *silent = connect_at(&t, 90); /* lighttpd: advertises nothing */
        exchange(silent, 90.1, "", "");
        fin(silent, SERVER, 95.9);
        answer_close(silent, 95.9);
        timeline_play(&t, 120);
        assert_silent(&t);
        assert_int_equal(record_of(&t, punctual)->close.verdict, KA_VERDICT_PUNCTUAL);
        assert_int_equal(record_of(&t, silent)->close.verdict, KA_VERDICT_UNADVERTISED);
    }
}

static void healthy_http10_and_bodiless_are_silent(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *plain = connect_at(&t, 0);
        request(plain, 0.1, "")->version = 10;
        mark *first = part(plain, SERVER, 0.2);
        mark *end = fin(plain, SERVER, 0.2);
        end->message_from = first;
        end->status = 200;
        end->version = 10;
        end->framing = KA_FRAMING_UNTIL_CLOSE;
        answer_close(plain, 0.2);

        conversation *kept = connect_at(&t, 10);
        for (int i = 0; i < 2; i++) {
            request(kept, 10.1 + i, "Connection: keep-alive")->version = 10;
            response(kept, 10.2 + i, KEEP_5)->version = 10;
        }
        fin(kept, SERVER, 16.2);
        answer_close(kept, 16.2);

        conversation *bodiless = connect_at(&t, 20);
        request(bodiless, 20.1, "")->method = "HEAD";
        response(bodiless, 20.2, KEEP_5)->framing = KA_FRAMING_NONE;
        request(bodiless, 20.3, "");
        answer(bodiless, 20.4, 304, KEEP_5)->framing = KA_FRAMING_NONE;
        request(bodiless, 20.5, "");
        answer(bodiless, 20.6, 100, "")->framing = KA_FRAMING_NONE;
        response(bodiless, 24, KEEP_5);
        fin(bodiless, SERVER, 29);
        answer_close(bodiless, 29);
        timeline_play(&t, 60);
        assert_silent(&t);
    }
}

static void healthy_health_checks_are_silent(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        for (int i = 0; i < 10; i++) {
            conversation *bare = connect_at(&t, i); /* connect and hang up */
            if (i % 2)
                rst(bare, CLIENT, i + 0.06);
            else {
                fin(bare, CLIENT, i + 0.06);
                fin(bare, SERVER, i + 0.09);
            }
            conversation *http = connect_at(&t, i + 0.3);
            request(http, i + 0.4, CLOSE);
            response(http, i + 0.5, CLOSE);
            fin(http, SERVER, i + 0.5);
            answer_close(http, i + 0.5);
        }
        timeline_play(&t, 60);
        assert_silent(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(early_close_is_found_everywhere),
        cmocka_unit_test(early_reset_is_found),
        cmocka_unit_test(early_tolerance_is_50_ms),
        cmocka_unit_test(early_is_not_what_the_client_closed),
        cmocka_unit_test(early_is_not_an_announced_close),
        cmocka_unit_test(early_needs_a_promise_in_the_latest_response),
        cmocka_unit_test(early_is_not_after_a_slow_tail),
        cmocka_unit_test(early_is_not_after_a_stray_line),
        cmocka_unit_test(early_is_not_when_max_is_reached),
        cmocka_unit_test(early_is_not_while_a_request_is_in_flight),
        cmocka_unit_test(no_promise_to_http10_without_keep_alive),
        cmocka_unit_test(nothing_but_requests_restarts_the_clock),
        cmocka_unit_test(healthy_closes_are_silent),
        cmocka_unit_test(healthy_http10_and_bodiless_are_silent),
        cmocka_unit_test(healthy_health_checks_are_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
