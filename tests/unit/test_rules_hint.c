/* test_rules_hint.c - clients that misread the advertised timeout.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

#define KEEP_9 "Connection: keep-alive\nKeep-Alive: timeout=9"

static timeline t;

/* ---- ka-unit-suspect ---- */

/* The response ends at at_s + 0.1 at the server; the client knows 25 ms later. */
static mark *one_connection(double at_s, double client_idle_s, bool reused)
{
    conversation *c = connect_at(&t, at_s - 0.3);
    if (reused)
        exchange(c, at_s - 0.127, "", KEEP_9);
    exchange(c, at_s, "", KEEP_9);
    mark *close = fin(c, CLIENT, at_s + 0.125 + client_idle_s);
    fin(c, SERVER, at_s + 0.125 + client_idle_s + 0.03);
    return close;
}

static void seconds_taken_for_milliseconds(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        mark *close = NULL;
        for (int i = 0; i < 6; i++) {
            mark *this_close = one_connection(1 + i, 0.0092, i == 2);
            close = i == 4 ? this_close : close;
        }
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_UNIT_SUSPECT, KA_NOTE, KA_FAULT_CLIENT, close);
        assert_int_equal(value_of(f, "in_a_row"), 5);
        assert_value(f, "client_idle", 0.009);
        assert_int_equal(t.finding_count, 2); /* the fifth and the sixth */
    }
}

static void unit_is_not_suspect(void **state)
{
    (void)state;
    static const double idle_s[][6] = {
        {.0092, .0092, .0092, .0092, .0002, .0092}, /* once it just closed */
        {.0092, .0092, .3, .0092, .0092, .0092},    /* once it waited */
        {.0002, .0002, .0002, .0002, .0002, .0002}, /* done, and closed */
        {.0115, .0115, .0115, .0115, .0115, .0115}, /* just outside */
        {.0075, .0075, .0075, .0075, .0075, .0075},
    };
    for (size_t row = 0; row < sizeof idle_s / sizeof idle_s[0]; row++) {
        FROM_EVERYWHERE(t)
        {
            for (int i = 0; i < 6; i++)
                one_connection(1 + i, idle_s[row][i], i == 1);
            timeline_play(&t, 20);
            assert_silent(&t);
        }
    }
    FROM_EVERYWHERE(t)
    { /* a script, whose end takes so long */
        for (int i = 0; i < 6; i++)
            one_connection(1 + i, 0.0092, false);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* four are too few */
        for (int i = 0; i < 4; i++)
            one_connection(1 + i, 0.0092, i == 2);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* it reuses connections after longer */
        for (int i = 0; i < 6; i++) {
            conversation *c = connect_at(&t, i);
            exchange(c, i + 0.1, "", KEEP_9);
            exchange(c, i + 0.5, "", KEEP_9);
            fin(c, CLIENT, i + 0.6 + 0.025 + 0.0092);
            fin(c, SERVER, i + 0.67);
        }
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

/* ---- client-timeout-from-hint ---- */

/* The second request is sent at 1 and given up after waited_s. */
static conversation *gives_up(double waited_s, const char *advert, bool by_reset, mark **close)
{
    conversation *c = connect_at(&t, 0);
    exchange(c, 0.1, "", advert);
    request(c, 1, "");
    *close = by_reset ? rst(c, CLIENT, 1 + waited_s) : fin(c, CLIENT, 1 + waited_s);
    return c;
}

static void hint_taken_for_a_response_timeout(void **state)
{
    (void)state;
    static const double waited_s[] = {4.76, 5, 5.24};
    for (int i = 0; i < 6; i++) {
        FROM_EVERYWHERE(t)
        {
            mark *close;
            conversation *c = gives_up(waited_s[i / 2], KEEP_5, i % 2 == 1, &close);
            if (i % 2 == 0)
                fin(c, SERVER, 1 + waited_s[i / 2] + 0.03);
            timeline_play(&t, 20);
            const ka_finding *f =
                assert_holds(&t, KA_CLIENT_TIMEOUT_FROM_HINT, KA_NOTE, KA_FAULT_CLIENT, close);
            assert_value(f, "waited", waited_s[i / 2]);
            assert_only(&t, KA_CLIENT_TIMEOUT_FROM_HINT, KA_FINDING_COUNT);
        }
    }
    FROM_EVERYWHERE(t)
    { /* the server answers all the same */
        mark *close;
        conversation *c = gives_up(5, KEEP_5, false, &close);
        response(c, 8, KEEP_5);
        rst(c, CLIENT, 8.025);
        timeline_play(&t, 20);
        assert_holds(&t, KA_CLIENT_TIMEOUT_FROM_HINT, KA_NOTE, KA_FAULT_CLIENT, close);
    }
}

static void it_waits_longer_untold(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        double answered_s;
        ka_severity severity;
    } rows[] = {{"GET", 5.4, KA_WARN}, {"GET", 5.3, KA_NOTE}, {"PUT", 9, KA_NOTE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            request(c, 0.1, "")->method = rows[i].method;
            response(c, rows[i].answered_s, KEEP_5);
            request(c, 10, "")->method = "GET";
            mark *close = rst(c, CLIENT, 15);
            timeline_play(&t, 30);
            assert_holds(&t, KA_CLIENT_TIMEOUT_FROM_HINT, rows[i].severity, KA_FAULT_CLIENT, close);
        }
    }
}

static void given_up_for_another_reason(void **state)
{
    (void)state;
    static const double waited_s[] = {0.5, 4.74, 5.26, 30};
    mark *close;
    for (int i = 0; i < 4; i++) {
        FROM_EVERYWHERE(t)
        {
            gives_up(waited_s[i], KEEP_5, true, &close);
            timeline_play(&t, 40);
            assert_absent(&t, KA_CLIENT_TIMEOUT_FROM_HINT);
        }
    }
    FROM_EVERYWHERE(t)
    { /* the server never had the request */
        conversation *c = gives_up(5, KEEP_5, true, &close);
        c->mute[SERVER] = true;
        timeline_play(&t, 20);
        assert_absent(&t, KA_CLIENT_TIMEOUT_FROM_HINT);
    }
    FROM_EVERYWHERE(t)
    { /* nothing was advertised */
        gives_up(5, "", true, &close);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* the answer had begun */
        conversation *c = gives_up(5, KEEP_5, true, &close);
        part(c, SERVER, 5.9);
        timeline_play(&t, 20);
        assert_absent(&t, KA_CLIENT_TIMEOUT_FROM_HINT);
    }
    FROM_EVERYWHERE(t)
    { /* it waits as long where nothing was advertised: a response timeout */
        conversation *first = connect_at(&t, 0);
        request(first, 0.1, "");
        rst(first, CLIENT, 5.1);
        conversation *c = connect_at(&t, 10);
        exchange(c, 10.1, "", KEEP_5);
        request(c, 11, "");
        rst(c, CLIENT, 16);
        timeline_play(&t, 30);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* sent before the advertisement could be known */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        request(c, 0.15, "");
        response(c, 0.2, KEEP_5);
        rst(c, CLIENT, 5.15);
        timeline_play(&t, 20);
        assert_absent(&t, KA_CLIENT_TIMEOUT_FROM_HINT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_taken_for_milliseconds),    cmocka_unit_test(unit_is_not_suspect),
        cmocka_unit_test(hint_taken_for_a_response_timeout), cmocka_unit_test(it_waits_longer_untold),
        cmocka_unit_test(given_up_for_another_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
