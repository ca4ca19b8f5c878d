/* test_rules_h2.c - HTTP/2 connections that end: request limit, close without GOAWAY, lost streams.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

enum { HEADERS = 1, PING = 6, GOAWAY = 7 };
enum { END_STREAM = 1, END_HEADERS = 4, WHOLE = 5 };

static mark *asks(conversation *c, double at_s, uint32_t stream)
{
    return h2_frame(c, CLIENT, at_s, HEADERS, WHOLE, stream);
}

static void exchanged(conversation *c, double at_s, uint32_t stream)
{
    asks(c, at_s, stream);
    h2_frame(c, SERVER, at_s + 0.1, HEADERS, WHOLE, stream);
}

static mark *goes_away(conversation *c, side from, double at_s, uint32_t last_stream)
{
    mark *m = h2_frame(c, from, at_s, GOAWAY, 0, 0);
    m->h2_last_stream = last_stream;
    return m;
}

/* ---- h2-close-without-goaway ---- */

static void close_without_goaway(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        exchanged(c, 1, 1);
        mark *close = fin(c, SERVER, 6.1);
        fin(c, CLIENT, 6.15);
        timeline_play(&t, 10);
        const ka_finding *f = assert_holds(&t, KA_H2_CLOSE_WITHOUT_GOAWAY, KA_WARN, KA_FAULT_SERVER, close);
        assert_value(f, "idle", 5);
        assert_only(&t, KA_H2_CLOSE_WITHOUT_GOAWAY, KA_FINDING_COUNT);
    }
}

static void a_goaway_of_either_side_announces(void **state)
{
    (void)state;
    for (int from = CLIENT; from <= SERVER; from++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchanged(c, 1, 1);
            goes_away(c, (side)from, 6, 1);
            fin(c, SERVER, 6.1);
            fin(c, CLIENT, 6.15);
            timeline_play(&t, 10);
            assert_silent(&t);
        }
    }
}

static void the_client_needs_none(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        exchanged(c, 1, 1);
        fin(c, CLIENT, 6.1);
        fin(c, SERVER, 6.15);
        timeline_play(&t, 10);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* nothing was ever asked */
        conversation *c = connect_at(&t, 0);
        h2_frame(c, CLIENT, 1, PING, 0, 0);
        fin(c, SERVER, 6.1);
        fin(c, CLIENT, 6.15);
        timeline_play(&t, 10);
        assert_silent(&t);
    }
}

/* ---- h2-stream-lost ---- */

/* The GOAWAY of 3 reaches the client at 3.025. */
static void opened_after_goaway(void **state)
{
    (void)state;
    for (int known = 0; known <= 1; known++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchanged(c, 1, 1);
            goes_away(c, SERVER, 3, 1);
            mark *lost = asks(c, known ? 3.026 : 3.024, 3);
            fin(c, SERVER, 3.5);
            fin(c, CLIENT, 3.6);
            timeline_play(&t, 10);
            if (!known) { /* it is safe to send again, and the client may */
                assert_silent(&t);
                continue;
            }
            const ka_finding *f = assert_holds(&t, KA_H2_STREAM_LOST, KA_WARN, KA_FAULT_CLIENT, lost);
            assert_int_equal(value_of(f, "stream_id"), 3);
            assert_int_equal(value_of(f, "last_stream"), 1);
            assert_only(&t, KA_H2_STREAM_LOST, KA_FINDING_COUNT);
        }
    }
}

/* The server closes `after` seconds behind its receipt of the request of 3. */
static void accepted_and_abandoned(void **state)
{
    (void)state;
    static const struct {
        double after_s;
        bool goaway, found;
    } rows[] = {{0.5, false, true}, {0.5, true, true}, {4.9, true, true}, {5.1, true, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchanged(c, 1, 1);
            mark *lost = asks(c, 3, 3);
            if (rows[i].goaway)
                goes_away(c, SERVER, 3.1, 3);
            fin(c, SERVER, 3.025 + rows[i].after_s);
            fin(c, CLIENT, 3.1 + rows[i].after_s);
            timeline_play(&t, 20);
            if (!rows[i].found) {
                assert_silent(&t);
                continue;
            }
            assert_holds(&t, KA_H2_STREAM_LOST, KA_WARN, KA_FAULT_SERVER, lost);
            assert_only(&t, KA_H2_STREAM_LOST, KA_FINDING_COUNT);
        }
    }
}

static void lost_for_good_reason(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* refused: above the last stream, sent before the client knew */
        conversation *c = connect_at(&t, 0);
        exchanged(c, 1, 1);
        asks(c, 3, 3);
        goes_away(c, SERVER, 3.03, 1);
        fin(c, SERVER, 3.5);
        fin(c, CLIENT, 3.6);
        timeline_play(&t, 10);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* answered in part: perhaps meant to last */
        conversation *c = connect_at(&t, 0);
        asks(c, 3, 1);
        h2_frame(c, SERVER, 3.1, HEADERS, END_HEADERS, 1);
        goes_away(c, SERVER, 3.5, 1);
        fin(c, SERVER, 3.5);
        fin(c, CLIENT, 3.6);
        timeline_play(&t, 10);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* the client gave up */
        conversation *c = connect_at(&t, 0);
        asks(c, 3, 1);
        fin(c, CLIENT, 3.5);
        fin(c, SERVER, 3.6);
        timeline_play(&t, 10);
        assert_silent(&t);
    }
}

/* ---- h2-request-limit ---- */

typedef struct limit_row {
    uint32_t last[3]; /* of three connections */
    double said_after_s;
    bool found;
} limit_row;

static void request_limit(void **state)
{
    (void)state;
    static const limit_row rows[] = {
        {{5, 5, 5}, 0.09, true},
        {{5, 5, 5}, 2, false}, /* said by the idle timer */
        {{5, 5, 3}, 0.09, false},
        {{1, 1, 1}, 0.09, false},
        {{0x7fffffff, 0x7fffffff, 0x7fffffff}, 0.09, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            for (int k = 0; k < 3; k++) {
                conversation *c = connect_at(&t, k * 10);
                for (uint32_t stream = 1; stream <= 5; stream += 2)
                    exchanged(c, k * 10 + stream, stream);
                double said_s = k * 10 + 5.1 + rows[i].said_after_s;
                goes_away(c, SERVER, said_s, rows[i].last[k]);
                fin(c, SERVER, said_s + 0.01);
                fin(c, CLIENT, said_s + 0.1);
            }
            timeline_play(&t, 40);
            if (!rows[i].found) {
                assert_silent(&t);
                continue;
            }
            assert_only(&t, KA_H2_REQUEST_LIMIT, KA_FINDING_COUNT);
            const ka_finding *f = finding_of(&t, KA_H2_REQUEST_LIMIT);
            assert_int_equal(f->severity, KA_CHAT);
            assert_int_equal(value_of(f, "limit"), 3);
            assert_int_equal(value_of(f, "count"), 3);
            assert_false(f->has_stream);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(close_without_goaway),   cmocka_unit_test(a_goaway_of_either_side_announces),
        cmocka_unit_test(the_client_needs_none),  cmocka_unit_test(opened_after_goaway),
        cmocka_unit_test(accepted_and_abandoned), cmocka_unit_test(lost_for_good_reason),
        cmocka_unit_test(request_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
