/* test_rules_reset.c - connections aborted where they should have been closed or answered.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

static conversation *after_one(const char *fields)
{
    conversation *c = connect_at(&t, 0);
    exchange(c, 0.1, "", fields);
    return c;
}

/* ---- idle-close-by-rst ---- */

static void idle_reset(void **state)
{
    (void)state;
    static const char *const advertised[] = {"", KEEP_5, "Connection: keep-alive\nKeep-Alive: timeout=2"};
    for (size_t i = 0; i < 3; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = after_one(advertised[i]);
            mark *close = rst(c, SERVER, 5.2);
            timeline_play(&t, 20);
            const ka_finding *f = assert_holds(&t, KA_IDLE_CLOSE_BY_RST, KA_NOTE, KA_FAULT_SERVER, close);
            assert_value(f, "idle", 5);
            assert_absent(&t, KA_CLOSED_EARLY);
        }
    }
    FROM_EVERYWHERE(t)
    { /* from another distance: some device's */
        conversation *c = after_one("");
        mark *close = rst(c, SERVER, 350.2);
        close->ttl = 253;
        timeline_play(&t, 400);
        assert_holds(&t, KA_IDLE_CLOSE_BY_RST, KA_NOTE, KA_FAULT_MIDDLE, close);
    }
}

static void idle_reset_is_not_a_clients(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* HAProxy drops an upstream connection it does not want to keep */
        conversation *c = after_one("");
        rst(c, CLIENT, 5.2);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* an answer to the client's FIN */
        conversation *c = after_one("");
        fin(c, CLIENT, 5.2);
        rst(c, SERVER, 5.23);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

static void idle_reset_is_not_another_close(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* a FIN came before */
        conversation *c = after_one("");
        fin(c, SERVER, 5.2);
        rst(c, SERVER, 7);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* sooner than advertised */
        conversation *c = after_one(KEEP_5);
        rst(c, SERVER, 3.2);
        timeline_play(&t, 20);
        assert_only(&t, KA_CLOSED_EARLY, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* announced */
        conversation *c = after_one(CLOSE);
        rst(c, SERVER, 0.6);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* right behind the response: not idle yet */
        conversation *c = after_one("");
        rst(c, SERVER, 0.28);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

static void idle_reset_is_not_giving_up_a_client(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* bytes behind the response that never were acknowledged */
        conversation *c = after_one("");
        c->mute[CLIENT] = true;
        mark *lost = part(c, SERVER, 1);
        for (int k = 0; k < 4; k++)
            resend(c, 2 + k, lost);
        rst(c, SERVER, 20);
        timeline_play(&t, 40);
        assert_silent(&t);
    }
}

static void idle_reset_is_not_for_unread_data(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* an empty line that nobody reads */
        conversation *c = after_one("");
        stray_line(c, 1);
        rst(c, SERVER, 5.2);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* a request on its way */
        conversation *c = after_one("");
        rst(c, SERVER, 5.2);
        request(c, 5.2, "");
        timeline_play(&t, 20);
        assert_only(&t, KA_KEEPALIVE_RACE, KA_FINDING_COUNT);
    }
}

/* ---- rst-data-loss ---- */

/* An upload, answered before it was read; the client hears the RST before it acknowledges the answer. */
static mark *refused_upload(double rst_s)
{
    conversation *c = connect_at(&t, 0);
    c->mute[CLIENT] = true;
    part(c, CLIENT, 0.1);
    answer(c, 0.2, 413, CLOSE);
    part(c, CLIENT, 0.2);
    return rst(c, SERVER, rst_s);
}

static void response_lost_by_a_reset(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        mark *reset = refused_upload(0.2001);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_RST_DATA_LOSS, KA_ERROR, KA_FAULT_SERVER, reset);
        assert_int_equal(value_of(f, "unacknowledged"), 300);
        assert_int_equal(value_of(f, "unread"), 100);
        assert_int_equal(value_of(f, "status"), 413);
        assert_only(&t, KA_RST_DATA_LOSS, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* behind a FIN that had not been announced: one finding for one event */
        conversation *c = connect_at(&t, 0);
        c->mute[CLIENT] = true;
        request(c, 0.1, "");
        response(c, 0.2, KEEP_5);
        fin(c, SERVER, 0.2);
        mark *reset = rst(c, SERVER, 0.21);
        timeline_play(&t, 20);
        assert_holds(&t, KA_RST_DATA_LOSS, KA_ERROR, KA_FAULT_SERVER, reset);
        assert_only(&t, KA_RST_DATA_LOSS, KA_FINDING_COUNT);
    }
}

static void response_loss_is_soon(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        refused_upload(0.399);
        timeline_play(&t, 20);
        assert_only(&t, KA_RST_DATA_LOSS, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* the server gave up on a client that does not answer */
        refused_upload(0.401);
        timeline_play(&t, 20);
        assert_absent(&t, KA_RST_DATA_LOSS);
    }
}

static void response_is_not_lost_when_it_was_acknowledged(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* in time, though the ACK may be captured behind the RST */
        conversation *c = connect_at(&t, 0);
        part(c, CLIENT, 0.1);
        answer(c, 0.2, 413, CLOSE);
        rst(c, SERVER, 0.226);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* the client itself had gone */
        conversation *c = connect_at(&t, 0);
        c->mute[CLIENT] = true;
        request(c, 0.1, "");
        response(c, 0.2, "");
        fin(c, CLIENT, 0.15);
        rst(c, SERVER, 0.21);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

/* ---- half-close-killed ---- */

static void half_close_killed(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchange(c, 0.1, "", "");
            request(c, 1, "");
            fin(c, CLIENT, 1.009);
            if (how == 2)
                part(c, SERVER, 1.04);
            mark *killed = how == 1 ? rst(c, SERVER, 1.1) : fin(c, SERVER, 1.1);
            timeline_play(&t, 20);
            const ka_finding *f = assert_holds(&t, KA_HALF_CLOSE_KILLED, KA_ERROR, KA_FAULT_PROXY, killed);
            assert_value(f, "after_fin", 0.066);
            assert_int_equal(value_of(f, "answer_begun"), how == 2);
            assert_only(&t, KA_HALF_CLOSE_KILLED, KA_FINDING_COUNT);
        }
    }
}

static void half_close_is_not_giving_up(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* just beyond half-close */
        conversation *c = connect_at(&t, 0);
        request(c, 1, "");
        fin(c, CLIENT, 1.011);
        fin(c, SERVER, 1.1);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* it had read some of the answer, and closed when that was enough */
        conversation *c = connect_at(&t, 0);
        request(c, 1, "");
        part(c, SERVER, 0.98);
        fin(c, CLIENT, 1.008);
        fin(c, SERVER, 1.1);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* the client is gone altogether */
        conversation *c = connect_at(&t, 0);
        request(c, 1, "");
        fin(c, CLIENT, 1.001);
        rst(c, CLIENT, 1.05);
        fin(c, SERVER, 1.1);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

static void half_close_answered_or_timed_out(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        request(c, 1, "");
        fin(c, CLIENT, 1.001);
        response(c, 1.2, "");
        fin(c, SERVER, 1.2);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* in-flight-limit, as the server saw it */
        conversation *c = connect_at(&t, 0);
        request(c, 1, "");
        fin(c, CLIENT, 1.001);
        fin(c, SERVER, 6.03);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* the server's close crossed the FIN */
        conversation *c = connect_at(&t, 0);
        request(c, 1, "");
        fin(c, CLIENT, 1.001);
        rst(c, SERVER, 1.02);
        timeline_play(&t, 20);
        assert_absent(&t, KA_HALF_CLOSE_KILLED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_reset),
        cmocka_unit_test(idle_reset_is_not_a_clients),
        cmocka_unit_test(idle_reset_is_not_another_close),
        cmocka_unit_test(idle_reset_is_not_for_unread_data),
        cmocka_unit_test(idle_reset_is_not_giving_up_a_client),
        cmocka_unit_test(response_lost_by_a_reset),
        cmocka_unit_test(response_loss_is_soon),
        cmocka_unit_test(response_is_not_lost_when_it_was_acknowledged),
        cmocka_unit_test(half_close_killed),
        cmocka_unit_test(half_close_is_not_giving_up),
        cmocka_unit_test(half_close_answered_or_timed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
