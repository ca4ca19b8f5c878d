/* test_rules_mass_close.c - many closes at one moment: a restart, or only a burst timing out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

enum { MANY = 12 };

static conversation *served_at(double at_s, const char *fields)
{
    conversation *c = connect_at(&t, at_s);
    exchange(c, at_s + 0.1, "", fields);
    return c;
}

static mark *server_closes(conversation *c, double at_s)
{
    mark *close = fin(c, SERVER, at_s);
    fin(c, CLIENT, at_s + 0.03);
    return close;
}

static void client_closes(conversation *c, double at_s)
{
    fin(c, CLIENT, at_s);
    fin(c, SERVER, at_s + 0.03);
}

static void restart_is_one_event(void **state)
{
    (void)state;
    static const char *const fields[] = {"", "Connection: keep-alive\nKeep-Alive: timeout=60"};
    for (int k = 0; k < 2; k++) {
        FROM_EVERYWHERE(t)
        {
            mark *closes[5];
            conversation *c[5];
            for (int i = 0; i < 5; i++)
                c[i] = served_at(i, fields[k]);
            for (int i = 0; i < 5; i++)
                closes[i] = server_closes(c[i], 10 + 0.1 * i);
            timeline_play(&t, 40);
            const ka_finding *f = assert_holds(&t, KA_MASS_CLOSE, KA_WARN, KA_FAULT_SERVER, NULL);
            assert_false(f->has_stream);
            assert_int_equal(value_of(f, "count"), 5);
            assert_value(f, "within", 0.4);
            assert_value(f, "idle_max", 9.8);
            assert_int_equal(value_of(f, "open"), 5);
            assert_int_equal(frame_of(f, "first_close"), closes[0]->at.frame);
            assert_int_equal(frame_of(f, "last_close"), closes[4]->at.frame);
            assert_only(&t, KA_MASS_CLOSE, KA_FINDING_COUNT); /* and no closed-early */
            assert_true(record_of(&t, c[0])->failed_gates & KA_GATE_MASS_CLOSE);
        }
    }
}

static void few_of_many_are_no_event(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* four of twelve are a third */
        conversation *c[MANY];
        for (int i = 0; i < MANY; i++)
            c[i] = served_at(i, "");
        for (int i = 0; i < MANY; i++) {
            if (i < 4)
                server_closes(c[i], 15 + 0.01 * i);
            else
                client_closes(c[i], 16);
        }
        timeline_play(&t, 40);
        assert_only(&t, KA_MASS_CLOSE, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* three of twelve are a quarter */
        conversation *c[MANY];
        for (int i = 0; i < MANY; i++)
            c[i] = served_at(i, "");
        for (int i = 0; i < MANY; i++) {
            if (i < 3)
                server_closes(c[i], 15 + 0.01 * i);
            else
                client_closes(c[i], 16);
        }
        timeline_play(&t, 40);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* two are never one */
        for (int i = 0; i < 2; i++)
            server_closes(served_at(3 * i, ""), 15);
        timeline_play(&t, 40);
        assert_silent(&t);
    }
}

static void one_age_is_a_burst_timing_out(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* ten connections of one page, no timer advertised */
        for (int i = 0; i < 10; i++)
            server_closes(served_at(0.04 * i, ""), 5.9 + 0.04 * i);
        timeline_play(&t, 40);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* coarse timers: ages within a second */
        for (int i = 0; i < 6; i++)
            server_closes(served_at(0.19 * i, ""), 6);
        timeline_play(&t, 40);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* all too early, but all the same: a wrong timer, not a restart */
        for (int i = 0; i < 6; i++)
            server_closes(served_at(0.04 * i, KEEP_5), 3.2 + 0.04 * i);
        timeline_play(&t, 40);
        assert_only(&t, KA_CLOSED_EARLY, KA_FINDING_COUNT);
        assert_int_equal(t.finding_count, 6);
    }
}

static void closes_apart_are_no_event(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        for (int i = 0; i < 8; i++)
            server_closes(served_at(i, ""), 20 + 0.3 * i);
        timeline_play(&t, 40);
        assert_only(&t, KA_ABANDONED_CONNECTION, KA_FINDING_COUNT); /* which they are */
    }
}

static void punctual_and_announced_closes_are_no_event(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* different promises, kept at the same moment */
        static const char *const fields[] = {"Connection: keep-alive\nKeep-Alive: timeout=2",
                                             "Connection: keep-alive\nKeep-Alive: timeout=5",
                                             "Connection: keep-alive\nKeep-Alive: timeout=10"};
        static const int age_s[] = {2, 5, 10};
        for (int i = 0; i < 9; i++)
            server_closes(served_at(20 - 0.2 - age_s[i % 3], fields[i % 3]), 20);
        timeline_play(&t, 40);
        assert_only(&t, KA_ABANDONED_CONNECTION, KA_FINDING_COUNT); /* which they are */
    }
    FROM_EVERYWHERE(t)
    {
        for (int i = 0; i < 8; i++) {
            conversation *c = connect_at(&t, i);
            request(c, i + 0.1, "");
            response(c, 10, CLOSE);
            server_closes(c, 10);
        }
        timeline_play(&t, 40);
        assert_silent(&t);
    }
}

static void another_servers_closes_do_not_count(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        for (int i = 0; i < 6; i++) {
            conversation *c = connect_to(&t, i, (uint8_t)(1 + i));
            exchange(c, i + 0.1, "", "");
            server_closes(c, 10);
        }
        timeline_play(&t, 40);
        assert_silent(&t);
    }
}

static void requests_lost_in_a_restart_are_its_own(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c[8];
        for (int i = 0; i < 8; i++)
            c[i] = served_at(i, "");
        for (int i = 0; i < 6; i++)
            server_closes(c[i], 10 + 0.01 * i);
        request(c[6], 9.9, ""); /* received, dropped */
        server_closes(c[6], 10.03);
        request(c[7], 10.03, ""); /* crossed */
        server_closes(c[7], 10.035);
        timeline_play(&t, 40);
        assert_only(&t, KA_MASS_CLOSE, KA_FINDING_COUNT);
    }
}

static void closes_right_behind_a_response_are_in_it_but_make_none(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* three of different age and two right behind a response, of twelve */
        conversation *c[MANY];
        for (int i = 0; i < MANY; i++) {
            c[i] = connect_at(&t, i);
            exchange(c[i], i == 3 || i == 4 ? 14.85 : i + 0.1, "", "");
            if (i < 5)
                server_closes(c[i], 15);
            else
                client_closes(c[i], 16);
        }
        timeline_play(&t, 40);
        assert_only(&t, KA_CLOSE_UNANNOUNCED, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* five, and one right behind its response */
        for (int i = 0; i < 6; i++) {
            conversation *c = connect_at(&t, i);
            exchange(c, i == 3 ? 14.85 : i + 0.1, "", "");
            server_closes(c, 15 + 0.001 * i);
        }
        timeline_play(&t, 40);
        assert_only(&t, KA_MASS_CLOSE, KA_FINDING_COUNT);
    }
}

static void an_early_close_at_another_time_is_not_excused(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        for (int i = 0; i < 6; i++)
            server_closes(served_at(i, KEEP_5), 8 + 0.01 * i);
        mark *close = server_closes(served_at(20, KEEP_5), 22);
        timeline_play(&t, 40);
        const ka_finding *f = finding_of(&t, KA_CLOSED_EARLY);
        assert_non_null(f);
        assert_int_equal(f->at.frame, close->at.frame);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restart_is_one_event),
        cmocka_unit_test(few_of_many_are_no_event),
        cmocka_unit_test(one_age_is_a_burst_timing_out),
        cmocka_unit_test(closes_apart_are_no_event),
        cmocka_unit_test(punctual_and_announced_closes_are_no_event),
        cmocka_unit_test(another_servers_closes_do_not_count),
        cmocka_unit_test(requests_lost_in_a_restart_are_its_own),
        cmocka_unit_test(closes_right_behind_a_response_are_in_it_but_make_none),
        cmocka_unit_test(an_early_close_at_another_time_is_not_excused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
