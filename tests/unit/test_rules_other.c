/* test_rules_other.c - what begins on one connection and goes on on another: a request sent again, half a
 * login.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

#define KEEP "Connection: keep-alive"

static mark *post(conversation *c, double at_s)
{
    mark *m = request(c, at_s, "");
    m->method = "POST";
    return m;
}

/* A POST that crosses the server's close; *lost. */
static conversation *lose(double at_s, const char *method, const char *keep, mark **lost)
{
    conversation *c = connect_at(&t, at_s);
    exchange(c, at_s + 0.1, "", keep);
    fin(c, SERVER, at_s + 5.2);
    mark *m = request(c, at_s + 5.21, "");
    m->method = method;
    rst(c, SERVER, at_s + 5.24);
    if (lost != NULL)
        *lost = m;
    return c;
}

static void a_post_is_sent_again(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        mark *lost;
        conversation *first = lose(0, "POST", KEEP_5, &lost);
        conversation *second = connect_at(&t, 5.3);
        mark *again = post(second, 5.4);
        response(second, 5.5, KEEP);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_UNSAFE_REPLAY, KA_WARN, KA_FAULT_CLIENT, again);
        assert_true(f->has_stream);
        assert_int_equal(f->stream, second->stream);
        assert_int_equal(value_of(f, "lost_stream"), first->stream);
        assert_int_equal(value_of(f, "received"), 0);
        assert_int_equal(frame_of(f, "lost_request"), lost->at.frame);
        assert_holds(&t, KA_KEEPALIVE_RACE, KA_ERROR, KA_FAULT_CONFIG, lost);
        assert_only(&t, KA_UNSAFE_REPLAY, KA_KEEPALIVE_RACE, KA_FINDING_COUNT);
        assert_true(record_of(&t, second)->finding_mask[KA_UNSAFE_REPLAY / 64] >> KA_UNSAFE_REPLAY % 64 & 1);
    }
    FROM_EVERYWHERE(t)
    { /* the server had it when it closed */
        conversation *first = connect_at(&t, 0);
        post(first, 0.1);
        fin(first, SERVER, 1);
        fin(first, CLIENT, 1.03);
        mark *again = post(connect_at(&t, 1.1), 1.2);
        response(again->in, 1.3, KEEP);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_UNSAFE_REPLAY, KA_WARN, KA_FAULT_CLIENT, again);
        assert_int_equal(value_of(f, "received"), 1);
    }
}

static void open_before_the_capture(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* which begins with a response */
        mark *lost;
        lose(0, "POST", KEEP_5, &lost)->seen_from = 0.15;
        mark *again = post(connect_at(&t, 5.3), 5.4);
        response(again->in, 5.5, KEEP);
        timeline_play(&t, 20);
        assert_holds(&t, KA_UNSAFE_REPLAY, KA_WARN, KA_FAULT_CLIENT, again);
    }
}

static void nothing_is_sent_again(void **state)
{
    enum { GET, LATER, LONGER, COMMON, VOID, SAME, ANSWERED, OTHER_SERVER, OTHER_CLIENT, BUSY, CASES };
    (void)state;
    for (int k = 0; k < CASES; k++) {
        FROM_EVERYWHERE(t)
        {
            if (k == COMMON) { /* one of many alike */
                conversation *c = connect_at(&t, 4);
                post(c, 4.1);
                response(c, 4.2, KEEP);
                fin(c, CLIENT, 4.3);
            }
            conversation *busy = k == BUSY ? connect_at(&t, 0) : NULL;
            for (int i = 0; k == BUSY && i < 60;
                 i++) { /* of many sizes, so that one as long comes by chance */
                post(busy, 2 + 0.07 * i)->len_bytes += (uint64_t)(i + 11) % 60 + 1;
                response(busy, 2.05 + 0.07 * i, KEEP);
            }
            conversation *first;
            if (k == ANSWERED) {
                first = connect_at(&t, 0);
                post(first, 5.1);
                response(first, 5.2, CLOSE);
                fin(first, SERVER, 5.21);
                fin(first, CLIENT, 5.25);
            } else {
                first = lose(0, k == GET ? "GET" : "POST", k == VOID ? CLOSE : KEEP_5, NULL);
            }
            conversation *second = k == SAME ? first
                                             : connect_to(&t,
                                                          k == LATER  ? 7.3
                                                          : k == BUSY ? 6.0
                                                                      : 5.3,
                                                          k == OTHER_SERVER ? 2 : 1);
            mark *again = post(second, k == LATER ? 7.4 : k == BUSY ? 6.1 : 5.4);
            again->method = k == GET ? "GET" : "POST";
            again->len_bytes += k == LONGER ? 1 : 0;
            if (k != SAME)
                response(second, k == LATER ? 7.5 : k == BUSY ? 6.2 : 5.5, KEEP);
            if (k == OTHER_CLIENT)
                second->ends[CLIENT].ip[3] = 99;
            timeline_play(&t, 20);
            assert_absent(&t, KA_UNSAFE_REPLAY);
        }
    }
}

/* ---- auth-bound-broken ---- */

#define TYPE_1 "Authorization: NTLM TlRMTVNTUAABAAAAB4IIAA=="
#define TYPE_2 "Authorization: NTLM TlRMTVNTUAACAAAADAAMAA=="
#define TYPE_3 "Authorization: NTLM TlRMTVNTUAADAAAAGAAYAA=="

static void a_login_over_two_connections(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *first = connect_at(&t, 0), *second = connect_at(&t, 0.1);
        request(first, 0.5, TYPE_1);
        mark *challenge = answer(first, 0.6, 401, TYPE_2);
        mark *login = request(second, 0.7, TYPE_3);
        answer(second, 0.8, 401, KEEP);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_AUTH_BOUND_BROKEN, KA_ERROR, KA_FAULT_PROXY, login);
        assert_int_equal(f->stream, second->stream);
        assert_int_equal(value_of(f, "challenge_stream"), first->stream);
        assert_int_equal(frame_of(f, "challenge"), challenge->at.frame);
        assert_only(&t, KA_AUTH_BOUND_BROKEN, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* the challenge of that connection may have come before the capture */
        conversation *first = connect_at(&t, 0), *second = connect_at(&t, 0.1);
        second->seen_from = 0.2;
        request(first, 0.5, TYPE_1);
        answer(first, 0.6, 401, TYPE_2);
        request(second, 0.7, TYPE_3);
        answer(second, 0.8, 200, KEEP);
        timeline_play(&t, 20);
        assert_holds(&t, KA_AUTH_BOUND_BROKEN, KA_NOTE, KA_FAULT_PROXY, NULL);
        assert_holds(&t, KA_CAP_MID_START, KA_NOTE, KA_FAULT_CAPTURE, NULL);
        assert_absent(&t, KA_CAP_ONE_SIDED); /* only not yet heard */
    }
}

static void logins_that_stay(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* two at a time, each on its own connection; and again on the first */
        conversation *c[2] = {connect_at(&t, 0), connect_at(&t, 0.1)};
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 2; i++) {
                request(c[i], 2 * round + 0.5 + 0.01 * i, TYPE_1);
                answer(c[i], 2 * round + 0.6 + 0.01 * i, 401, TYPE_2);
            }
            for (int i = 1; i >= 0; i--) {
                request(c[i], 2 * round + 0.8 - 0.01 * i, TYPE_3);
                answer(c[i], 2 * round + 0.9 - 0.01 * i, 200, KEEP);
            }
        }
        timeline_play(&t, 10);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* a challenge nobody answered, long before; and a login whose challenge was never seen */
        conversation *first = connect_at(&t, 0), *second = connect_at(&t, 50);
        request(first, 0.5, TYPE_1);
        answer(first, 0.6, 401, TYPE_2);
        request(second, 50.5, TYPE_3);
        answer(second, 50.6, 200, KEEP);
        timeline_play(&t, 60);
        assert_silent(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_post_is_sent_again),  cmocka_unit_test(open_before_the_capture),
        cmocka_unit_test(nothing_is_sent_again), cmocka_unit_test(a_login_over_two_connections),
        cmocka_unit_test(logins_that_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
