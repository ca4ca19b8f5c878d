/* test_rules_unasked.c - 408 answers nobody asked for, and requests they are taken to answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

/* ---- unsolicited-408 ---- */

static void unsolicited_408(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* on an idle connection */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "");
        mark *unasked = answer(c, 10.2, 408, CLOSE);
        fin(c, SERVER, 10.2);
        fin(c, CLIENT, 10.23);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_UNSOLICITED_408, KA_WARN, KA_FAULT_SERVER, unasked);
        assert_value(f, "idle", 10);
        assert_only(&t, KA_UNSOLICITED_408, KA_FINDING_COUNT);
        assert_int_equal(record_of(&t, c)->responses, 2);
    }
    FROM_EVERYWHERE(t)
    { /* on a connection nobody ever used */
        conversation *c = connect_at(&t, 0);
        mark *unasked = answer(c, 10, 408, CLOSE);
        fin(c, SERVER, 10);
        fin(c, CLIENT, 10.03);
        timeline_play(&t, 20);
        assert_holds(&t, KA_UNSOLICITED_408, KA_CHAT, KA_FAULT_SERVER, unasked);
        assert_only(&t, KA_UNSOLICITED_408, KA_FINDING_COUNT);
    }
}

static void a_408_that_was_asked_for(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* the request came too slowly */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "");
        part(c, CLIENT, 1);
        answer(c, 11, 408, CLOSE);
        fin(c, SERVER, 11);
        fin(c, CLIENT, 11.03);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        answer(c, 11, 408, CLOSE);
        fin(c, SERVER, 11);
        fin(c, CLIENT, 11.03);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

/* ---- 408-misattributed ---- */

static void misattributed_when_they_cross(void **state)
{
    (void)state;
    /* The 408 leaves at 10.2: what is sent from 10.175 on has not reached the server. */
    static const double sent_s[] = {10.176, 10.2, 10.224};
    for (int i = 0; i < 3; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchange(c, 0.1, "", "");
            mark *unasked = answer(c, 10.2, 408, CLOSE);
            fin(c, SERVER, 10.2);
            mark *late = request(c, sent_s[i], "");
            rst(c, SERVER, sent_s[i] + 0.025);
            timeline_play(&t, 20);
            const ka_finding *f = assert_holds(&t, KA_MISATTRIBUTED_408, KA_ERROR, KA_FAULT_SERVER, unasked);
            assert_int_equal(value_of(f, "request_number"), 2);
            assert_int_equal(frame_of(f, "request"), late->at.frame);
            assert_int_equal(value_of(f, "ack"), value_of(f, "request_seq"));
            assert_only(&t, KA_MISATTRIBUTED_408, KA_KEEPALIVE_RACE, KA_FINDING_COUNT);
        }
    }
}

static void misattributed_when_read_later(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* the 408 lies in the client's buffer for a second */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "");
        mark *unasked = answer(c, 10.2, 408, CLOSE);
        fin(c, SERVER, 10.2);
        request(c, 11.2, "");
        rst(c, SERVER, 11.225);
        timeline_play(&t, 20);
        assert_holds(&t, KA_MISATTRIBUTED_408, KA_ERROR, KA_FAULT_SERVER, unasked);
        assert_only(&t, KA_MISATTRIBUTED_408, KA_REUSE_AFTER_FIN, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* the very first request */
        conversation *c = connect_at(&t, 0);
        mark *unasked = answer(c, 10, 408, CLOSE);
        fin(c, SERVER, 10);
        request(c, 10.01, "");
        rst(c, SERVER, 10.035);
        timeline_play(&t, 20);
        assert_holds(&t, KA_MISATTRIBUTED_408, KA_ERROR, KA_FAULT_SERVER, unasked);
        assert_absent(&t, KA_UNSOLICITED_408);
    }
}

static void misattributed_only_without_another_answer(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* the server goes on and answers */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "");
        mark *unasked = answer(c, 10.2, 408, "");
        exchange(c, 10.2, "", "");
        fin(c, CLIENT, 11);
        fin(c, SERVER, 11.03);
        timeline_play(&t, 20);
        assert_holds(&t, KA_UNSOLICITED_408, KA_WARN, KA_FAULT_SERVER, unasked);
        assert_absent(&t, KA_MISATTRIBUTED_408);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsolicited_408),
        cmocka_unit_test(a_408_that_was_asked_for),
        cmocka_unit_test(misattributed_when_they_cross),
        cmocka_unit_test(misattributed_when_read_later),
        cmocka_unit_test(misattributed_only_without_another_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
