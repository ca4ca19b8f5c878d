/* test_rules_leak.c - what stays open: CLOSE-WAIT on either side, and idle without end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

/* ---- client-close-wait ---- */

static void client_holds_a_closed_connection(void **state)
{
    (void)state;
    /* The FIN of 5.2 is acknowledged at 5.225. */
    static const struct {
        double client_fin_s;
        bool found;
        ka_severity severity;
    } rows[] = {
        {10.22, false, KA_WARN}, {10.23, true, KA_WARN}, {65.22, true, KA_WARN}, {65.23, true, KA_ERROR}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchange(c, 0.1, "", KEEP_5);
            mark *close = fin(c, SERVER, 5.2);
            fin(c, CLIENT, rows[i].client_fin_s);
            timeline_play(&t, 100);
            if (!rows[i].found) {
                assert_silent(&t);
                continue;
            }
            const ka_finding *f =
                assert_holds(&t, KA_CLIENT_CLOSE_WAIT, rows[i].severity, KA_FAULT_CLIENT, close);
            assert_value(f, "held", rows[i].client_fin_s - 5.225);
            assert_int_equal(value_of(f, "still_open"), 0);
            assert_only(&t, KA_CLIENT_CLOSE_WAIT, KA_FINDING_COUNT);
        }
    }
}

static void client_holds_it_until_the_capture_ends(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5);
        mark *close = fin(c, SERVER, 5.2);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_CLIENT_CLOSE_WAIT, KA_WARN, KA_FAULT_CLIENT, close);
        assert_int_equal(value_of(f, "still_open"), 1);
    }
    FROM_EVERYWHERE(t)
    { /* too soon to tell */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5);
        fin(c, SERVER, 5.2);
        timeline_play(&t, 10);
        assert_silent(&t);
    }
}

static void client_close_wait_ends_with_a_reset(void **state)
{
    (void)state;
    for (int from = CLIENT; from <= SERVER; from++) {
        FROM_EVERYWHERE(t)
        { /* the server gives up waiting, or the client throws it away */
            conversation *c = connect_at(&t, 0);
            exchange(c, 0.1, "", KEEP_5);
            fin(c, SERVER, 5.2);
            rst(c, (side)from, 8);
            timeline_play(&t, 60);
            assert_silent(&t);
        }
    }
}

static void nobody_holds_what_was_never_acknowledged(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* the client is dead or the network broken */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5);
        fin(c, SERVER, 5.2);
        c->mute[CLIENT] = true;
        timeline_play(&t, 60);
        assert_absent(&t, KA_CLIENT_CLOSE_WAIT);
    }
}

/* ---- server-close-wait ---- */

static void server_holds_a_closed_connection(void **state)
{
    (void)state;
    /* The FIN of 1 is acknowledged at 1.025. */
    static const struct {
        double server_fin_s;
        bool found;
    } rows[] = {{60.9, false}, {61.1, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchange(c, 0.1, "", KEEP_5);
            mark *close = fin(c, CLIENT, 1);
            fin(c, SERVER, rows[i].server_fin_s);
            timeline_play(&t, 100);
            if (!rows[i].found) {
                assert_silent(&t);
                continue;
            }
            const ka_finding *f = assert_holds(&t, KA_SERVER_CLOSE_WAIT, KA_ERROR, KA_FAULT_SERVER, close);
            assert_value(f, "held", rows[i].server_fin_s - 1.025);
            assert_only(&t, KA_SERVER_CLOSE_WAIT, KA_FINDING_COUNT);
        }
    }
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "");
        mark *close = fin(c, CLIENT, 1);
        timeline_play(&t, 100);
        const ka_finding *f = assert_holds(&t, KA_SERVER_CLOSE_WAIT, KA_ERROR, KA_FAULT_SERVER, close);
        assert_int_equal(value_of(f, "still_open"), 1);
    }
}

static void server_that_still_answers_holds_nothing(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* the client shut down its sending side and reads on */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        fin(c, CLIENT, 0.11);
        mark *first = part(c, SERVER, 1);
        for (int i = 0; i < 3; i++)
            part(c, SERVER, 40 + 40 * i);
        response_end(c, 160, first, CLOSE);
        fin(c, SERVER, 160);
        timeline_play(&t, 200);
        assert_silent(&t);
    }
}

/* ---- idle-forever ---- */

static void idle_forever_replaces_kept_late(void **state)
{
    (void)state;
    static const char *const fields[] = {"", KEEP_5};
    for (int i = 0; i < 2; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            request(c, 0.1, "");
            mark *last = response(c, 0.2, fields[i]);
            timeline_play(&t, 601);
            const ka_finding *f = assert_holds(&t, KA_IDLE_FOREVER, KA_WARN, KA_FAULT_SERVER, last);
            assert_true(value_of(f, "idle") > 600 * KA_SECOND_NS);
            assert_only(&t, KA_IDLE_FOREVER, KA_FINDING_COUNT);
        }
    }
}

static void idle_forever_waits_for_policy_and_promise(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "");
        timeline_play(&t, 600);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* 1000 s are advertised: 5 % tolerance */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "Connection: keep-alive\nKeep-Alive: timeout=1000");
        timeline_play(&t, 1050);
        assert_only(&t, KA_TIMEOUT_HUGE, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "Connection: keep-alive\nKeep-Alive: timeout=1000");
        timeline_play(&t, 1051);
        assert_only(&t, KA_TIMEOUT_HUGE, KA_IDLE_FOREVER, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* a long poll is no idleness, and an unused connection has no idle timer */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "");
        request(c, 1, "");
        connect_at(&t, 0);
        timeline_play(&t, 2000);
        assert_silent(&t);
    }
}

/* Half-closed connections of other protocols are nobody's business here. */
static void other_protocols_are_silent(void **state)
{
    (void)state;
    for (int from = CLIENT; from <= SERVER; from++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            c->protocol = KA_PROTOCOL_OTHER;
            part(c, CLIENT, 0.1);
            part(c, SERVER, 0.2);
            fin(c, (side)from, 1);
            timeline_play(&t, 300);
            assert_silent(&t);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_holds_a_closed_connection),
        cmocka_unit_test(client_holds_it_until_the_capture_ends),
        cmocka_unit_test(client_close_wait_ends_with_a_reset),
        cmocka_unit_test(nobody_holds_what_was_never_acknowledged),
        cmocka_unit_test(server_holds_a_closed_connection),
        cmocka_unit_test(server_that_still_answers_holds_nothing),
        cmocka_unit_test(idle_forever_replaces_kept_late),
        cmocka_unit_test(idle_forever_waits_for_policy_and_promise),
        cmocka_unit_test(other_protocols_are_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
