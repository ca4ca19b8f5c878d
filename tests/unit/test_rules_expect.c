/* test_rules_expect.c - Expect: 100-continue.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

#define EXPECT "Expect: 100-continue"

static timeline t;

/* The head of a request, whose body is announced. */
static mark *head(conversation *c, double at_s)
{
    mark *m = part(c, CLIENT, at_s);
    m->framing = KA_FRAMING_LENGTH;
    m->head_fields = EXPECT;
    return m;
}

static void body(conversation *c, double at_s, mark *of, const char *fields)
{
    mark *m = part(c, CLIENT, at_s);
    m->message_from = of;
    m->body_from = m;
    m->framing = KA_FRAMING_LENGTH;
    m->fields = fields;
    m->method = "POST";
}

static void closes(conversation *c, double at_s)
{
    fin(c, CLIENT, at_s);
    fin(c, SERVER, at_s + 0.03);
}

static void body_without_a_go_ahead(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            mark *request_head = head(c, 0.1);
            if (i == 1)
                answer(c, 1.2, 100, ""); /* too late */
            if (i == 2)
                answer(c, 0.2, 102, ""); /* says nothing of the body */
            body(c, i == 1 ? 1.3 : 1.101, request_head, EXPECT);
            response(c, 1.5, "");
            closes(c, 2);
            timeline_play(&t, 20);
            const ka_finding *f = assert_holds(&t, KA_EXPECT_STALL, KA_WARN, KA_FAULT_SERVER, request_head);
            assert_value(f, "waited", i == 1 ? 1.2 : 1.001);
            assert_only(&t, KA_EXPECT_STALL, KA_FINDING_COUNT);
        }
    }
}

static void body_in_good_time(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* a client of little patience */
        conversation *c = connect_at(&t, 0);
        mark *request_head = head(c, 0.1);
        body(c, 1.099, request_head, EXPECT);
        response(c, 1.5, "");
        closes(c, 2);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* the go-ahead came at once, the client took its time */
        conversation *c = connect_at(&t, 0);
        mark *request_head = head(c, 0.1);
        answer(c, 0.13, 100, "");
        body(c, 3, request_head, EXPECT);
        response(c, 3.5, "");
        closes(c, 4);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* nothing was expected */
        conversation *c = connect_at(&t, 0);
        mark *begun = part(c, CLIENT, 0.1);
        body(c, 3, begun, "");
        response(c, 3.5, "");
        closes(c, 4);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* a go-ahead for one request is none for the next */
        conversation *c = connect_at(&t, 0);
        mark *first = head(c, 0.1);
        answer(c, 0.13, 100, "");
        body(c, 0.2, first, EXPECT);
        response(c, 0.3, "");
        mark *second = head(c, 1);
        body(c, 2.1, second, EXPECT);
        response(c, 2.2, "");
        closes(c, 3);
        timeline_play(&t, 20);
        assert_holds(&t, KA_EXPECT_STALL, KA_WARN, KA_FAULT_SERVER, second);
    }
}

/* The ACK of the head says whether it arrived the first time. */
static void head_sent_again(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            c->mute[SERVER] = lost == 1;
            mark *request_head = head(c, 0.1);
            resend(c, 1.1, request_head);
            answer(c, 1.13, 100, "");
            body(c, 1.2, request_head, EXPECT);
            response(c, 1.5, "");
            closes(c, 2);
            timeline_play(&t, 20);
            if (lost)
                assert_silent(&t);
            else
                assert_only(&t, KA_EXPECT_STALL, KA_FINDING_COUNT);
        }
    }
}

static void no_body_at_all(void **state)
{
    (void)state;
    static const double end_s[] = {1.09, 1.11, 30};
    for (int i = 0; i < 3; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            mark *request_head = head(c, 0.1);
            if (i < 2)
                fin(c, CLIENT, end_s[i]);
            timeline_play(&t, 40);
            if (i == 0)
                assert_absent(&t, KA_EXPECT_STALL);
            else
                assert_holds(&t, KA_EXPECT_STALL, KA_WARN, KA_FAULT_SERVER, request_head);
        }
    }
    FROM_EVERYWHERE(t)
    { /* the server never had the head */
        conversation *c = connect_at(&t, 0);
        c->mute[SERVER] = true;
        mark *request_head = head(c, 0.1);
        resend(c, 1.1, request_head);
        fin(c, CLIENT, 30);
        timeline_play(&t, 40);
        assert_absent(&t, KA_EXPECT_STALL);
    }
    FROM_EVERYWHERE(t)
    { /* a part of the body came */
        conversation *c = connect_at(&t, 0);
        head(c, 0.1);
        part(c, CLIENT, 0.2);
        fin(c, CLIENT, 5);
        timeline_play(&t, 40);
        assert_absent(&t, KA_EXPECT_STALL);
    }
    FROM_EVERYWHERE(t)
    { /* refused, and the client closes */
        conversation *c = connect_at(&t, 0);
        head(c, 0.1);
        answer(c, 0.2, 417, CLOSE);
        closes(c, 5);
        timeline_play(&t, 40);
        assert_absent(&t, KA_EXPECT_STALL);
    }
}

static void body_skipped(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* refused; the client keeps its body and asks for something else */
        conversation *c = connect_at(&t, 0);
        mark *request_head = head(c, 0.1);
        answer(c, 0.2, 401, "");
        part(c, CLIENT, 0.5);
        response(c, 0.6, "");
        fin(c, SERVER, 1);
        fin(c, CLIENT, 1.03);
        timeline_play(&t, 20);
        assert_holds(&t, KA_EXPECT_STALL, KA_WARN, KA_FAULT_CLIENT, request_head);
    }
    FROM_EVERYWHERE(t)
    { /* refused, and the body sent all the same */
        conversation *c = connect_at(&t, 0);
        mark *request_head = head(c, 0.1);
        answer(c, 0.2, 401, "");
        body(c, 0.5, request_head, EXPECT);
        exchange(c, 0.6, "", "");
        closes(c, 1);
        timeline_play(&t, 20);
        assert_absent(&t, KA_EXPECT_STALL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body_without_a_go_ahead),
        cmocka_unit_test(body_in_good_time),
        cmocka_unit_test(head_sent_again),
        cmocka_unit_test(no_body_at_all),
        cmocka_unit_test(body_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
