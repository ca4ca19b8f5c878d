/* test_rules_count.c - max exceeded, and Connection: close.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

#include <stdio.h>

static timeline t;

static void exchange_max(conversation *c, double at_s, int max)
{
    static char texts[64][80];
    static unsigned next;
    char *fields = texts[next++ % 64];
    snprintf(fields, sizeof texts[0], KEEP_5 ", max=%d", max);
    exchange(c, at_s, "", fields);
}

static void client_closes(conversation *c, double at_s)
{
    fin(c, CLIENT, at_s);
    fin(c, SERVER, at_s + 0.03);
}

/* ---- max-exceeded ---- */

static void max_counts_down(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* Apache with MaxKeepAliveRequests 4: five are served */
        conversation *c = connect_at(&t, 0);
        for (int i = 0; i < 4; i++)
            exchange_max(c, 0.1 + 0.2 * i, 4 - i);
        exchange(c, 0.9, "", CLOSE);
        fin(c, SERVER, 1.0);
        fin(c, CLIENT, 1.03);
        timeline_play(&t, 20);
        assert_silent(&t);
        assert_int_equal(record_of(&t, c)->max_style, KA_MAX_COUNT_DOWN);
        assert_int_equal(record_of(&t, c)->responses, 5);
    }
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        for (int i = 0; i < 3; i++)
            exchange_max(c, 0.1 + 0.2 * i, 2 - i);
        mark *beyond = request(c, 0.8, "");
        response(c, 0.9, "");
        client_closes(c, 1.1);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_MAX_EXCEEDED, KA_WARN, KA_FAULT_CLIENT, beyond);
        assert_int_equal(value_of(f, "request_number"), 4);
        assert_int_equal(value_of(f, "allowed"), 3);
        assert_int_equal(value_of(f, "max"), 0);
        assert_only(&t, KA_MAX_EXCEEDED, KA_FINDING_COUNT);
    }
}

static void max_is_a_fixed_total(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* Node with maxRequestsPerSocket 3: the third says close */
        conversation *c = connect_at(&t, 0);
        exchange_max(c, 0.1, 3);
        exchange_max(c, 0.3, 3);
        exchange(c, 0.5, "", CLOSE);
        fin(c, CLIENT, 0.7);
        fin(c, SERVER, 0.73);
        timeline_play(&t, 20);
        assert_only(&t, KA_MAX_NOT_DECREASING, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        for (int i = 0; i < 3; i++)
            exchange_max(c, 0.1 + 0.2 * i, 3);
        mark *beyond = request(c, 0.8, "");
        answer(c, 0.9, 503, "");
        exchange(c, 1, "", "");
        client_closes(c, 1.2);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_MAX_EXCEEDED, KA_WARN, KA_FAULT_CLIENT, beyond);
        assert_int_equal(value_of(f, "allowed"), 3);
    }
    FROM_EVERYWHERE(t)
    { /* how many there were before is not known */
        conversation *c = connect_at(&t, 0);
        for (int i = 0; i < 5; i++)
            exchange_max(c, 0.1 + 0.2 * i, 3);
        c->seen_from = 0.08;
        client_closes(c, 1.2);
        timeline_play(&t, 20);
        assert_only(&t, KA_MAX_NOT_DECREASING, KA_FINDING_COUNT);
    }
}

static void max_of_unknown_style_gets_the_generous_reading(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* one sample of 1 on the first response: one more, perhaps */
        conversation *c = connect_at(&t, 0);
        exchange_max(c, 0.1, 1);
        exchange(c, 0.3, "", "");
        client_closes(c, 0.6);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* two readings, but none allows a third */
        conversation *c = connect_at(&t, 0);
        exchange_max(c, 0.1, 1);
        request(c, 0.3, "");
        mark *third = request(c, 0.31, "");
        response(c, 0.4, "");
        response(c, 0.4, "");
        client_closes(c, 0.6);
        timeline_play(&t, 20);
        /* a pipeline longer than an acknowledged max */
        assert_holds(&t, KA_MAX_EXCEEDED, KA_WARN, KA_FAULT_CLIENT, third);
    }
    FROM_EVERYWHERE(t)
    { /* several backends behind a proxy: no count at all */
        conversation *c = connect_at(&t, 0);
        static const int values[] = {2, 1, 3, 0, 0};
        for (int i = 0; i < 5; i++)
            exchange_max(c, 0.1 + 0.2 * i, values[i]);
        client_closes(c, 1.3);
        timeline_play(&t, 20);
        assert_only(&t, KA_MAX_JUMP, KA_FINDING_COUNT);
    }
}

static void max_is_not_exceeded_by_what_was_pipelined(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        for (int i = 0; i < 4; i++)
            request(c, 0.1, "");
        response(c, 0.2, KEEP_5 ", max=1");
        response(c, 0.2, KEEP_5 ", max=0");
        response(c, 0.2, "");
        response(c, 0.2, "");
        client_closes(c, 0.6);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

static void max_is_not_exceeded_by_what_crossed_it(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* sent at 0.21, the response came at 0.225 */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        response(c, 0.2, KEEP_5 ", max=0");
        request(c, 0.21, "");
        response(c, 0.3, "");
        client_closes(c, 0.6);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

static void max_stands_beside_close(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        exchange_max(c, 0.1, 2);
        exchange_max(c, 0.3, 2);
        exchange(c, 0.5, "", CLOSE); /* Node: max is not repeated with close */
        request(c, 0.8, "");
        answer(c, 0.9, 503, CLOSE);
        client_closes(c, 1.1);
        timeline_play(&t, 20);
        assert_only(&t, KA_MAX_NOT_DECREASING, KA_MAX_EXCEEDED, KA_REQUEST_AFTER_CLOSE, KA_FINDING_COUNT);
        assert_int_equal(value_of(finding_of(&t, KA_MAX_EXCEEDED), "request_number"), 3);
        assert_int_equal(value_of(finding_of(&t, KA_MAX_EXCEEDED), "count"), 2);
    }
}

/* ---- close-not-honoured ---- */

static void close_not_honoured(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* Node: only when its idle timer fires */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        mark *promise = response(c, 0.2, CLOSE);
        fin(c, SERVER, 6.2);
        fin(c, CLIENT, 6.23);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_CLOSE_NOT_HONOURED, KA_WARN, KA_FAULT_SERVER, promise);
        assert_value(f, "open_for", 6);
        assert_only(&t, KA_CLOSE_NOT_HONOURED, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* still open at the end */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        mark *promise = response(c, 0.2, CLOSE);
        timeline_play(&t, 20);
        assert_holds(&t, KA_CLOSE_NOT_HONOURED, KA_WARN, KA_FAULT_SERVER, promise);
    }
    FROM_EVERYWHERE(t)
    { /* the client did it for the server */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        mark *promise = response(c, 0.2, CLOSE);
        client_closes(c, 3);
        timeline_play(&t, 20);
        assert_holds(&t, KA_CLOSE_NOT_HONOURED, KA_NOTE, KA_FAULT_SERVER, promise);
    }
}

static void close_is_honoured(void **state)
{
    (void)state;
    static const double close_s[] = {0.2, 1.19};
    for (int i = 0; i < 2; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchange(c, 0.1, "", CLOSE);
            fin(c, SERVER, close_s[i]);
            fin(c, CLIENT, close_s[i] + 0.03);
            timeline_play(&t, 20);
            assert_silent(&t);
        }
    }
    FROM_EVERYWHERE(t)
    { /* the client closes first, as many do */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, CLOSE, CLOSE);
        client_closes(c, 0.23);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* the capture ends too soon to tell */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", CLOSE);
        timeline_play(&t, 1.1);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* the client is still sending its body, so the server reads on (RFC 9112 section 9.6) */
        conversation *c = connect_at(&t, 0);
        part(c, CLIENT, 0.1);
        answer(c, 0.2, 413, CLOSE);
        for (int i = 0; i < 20; i++)
            part(c, CLIENT, 0.3 + 0.2 * i);
        fin(c, SERVER, 4.5);
        fin(c, CLIENT, 4.53);
        timeline_play(&t, 20);
        assert_absent(&t, KA_CLOSE_NOT_HONOURED);
    }
    FROM_EVERYWHERE(t)
    { /* only the client's word: its answer does not promise to close */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, CLOSE, "");
        client_closes(c, 4);
        timeline_play(&t, 20);
        assert_absent(&t, KA_CLOSE_NOT_HONOURED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_counts_down),
        cmocka_unit_test(max_is_a_fixed_total),
        cmocka_unit_test(max_of_unknown_style_gets_the_generous_reading),
        cmocka_unit_test(max_is_not_exceeded_by_what_was_pipelined),
        cmocka_unit_test(max_is_not_exceeded_by_what_crossed_it),
        cmocka_unit_test(max_stands_beside_close),
        cmocka_unit_test(close_not_honoured),
        cmocka_unit_test(close_is_honoured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
