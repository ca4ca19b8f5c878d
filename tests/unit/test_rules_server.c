/* test_rules_server.c - how a server ends its connections: by another timer than it says, for want of room,
 * at a limit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

#define KEEP_30 "Connection: keep-alive\nKeep-Alive: timeout=30"
#define KEEP    "Connection: keep-alive"

static mark *server_closes(conversation *c, double at_s)
{
    mark *close = fin(c, SERVER, at_s);
    fin(c, CLIENT, at_s + 0.03);
    return close;
}

/* ---- advert-mismatch ---- */

/* `count` connections closed after that long, the last one `more` later. */
static void closes_after(int count, double idle_s, double more_s)
{
    for (int i = 0; i < count; i++) {
        conversation *c = connect_at(&t, 2.0 * i);
        exchange(c, 2.0 * i + 0.1, "", KEEP_5);
        server_closes(c, 2.0 * i + 0.2 + idle_s + (i == count - 1 ? more_s : 0));
    }
    timeline_play(&t, 100);
}

static void another_timer_than_advertised(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        closes_after(5, 7.2, 0);
        const ka_finding *f = assert_holds(&t, KA_ADVERT_MISMATCH, KA_WARN, KA_FAULT_SERVER, NULL);
        assert_false(f->has_stream);
        assert_int_equal(value_of(f, "closes"), 5);
        assert_value(f, "timeout", 5);
        assert_in_range(value_of(f, "idle_median"), 7190 * KA_MILLISECOND_NS, 7210 * KA_MILLISECOND_NS);
        assert_true(frame_of(f, "first_close") < frame_of(f, "last_close"));
        assert_int_equal(f->at.frame, frame_of(f, "last_close"));
    }
    FROM_EVERYWHERE(t)
    { /* shorter: the broken promises stand beside it */
        closes_after(5, 2.8, 0);
        assert_holds(&t, KA_ADVERT_MISMATCH, KA_WARN, KA_FAULT_SERVER, NULL);
        assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, NULL);
    }
}

static void no_other_timer(void **state)
{
    static const struct {
        int count;
        double idle_s, more_s;
    } rows[] = {
        {4, 7.2, 0},  /* too few */
        {5, 7.05, 0}, /* within the tolerance of a late close */
        {5, 2.95, 0}, /* early each, but no more than that tolerance */
        {5, 7.2, 2},  /* spread */
        {5, 5.0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            closes_after(rows[i].count, rows[i].idle_s, rows[i].more_s);
            assert_absent(&t, KA_ADVERT_MISMATCH);
        }
    }
}

static void a_reload_is_no_timer(void **state)
{
    (void)state;
    for (int apart = 0; apart < 2; apart++) {
        FROM_EVERYWHERE(t)
        {
            for (int i = 0; i < 6; i++) {
                conversation *c = connect_at(&t, (apart ? 1.0 : 0.05) * i);
                exchange(c, (apart ? 1.0 : 0.05) * i + 0.1, "", KEEP_30);
                server_closes(c, 20 + (apart ? 1.0 : 0.005) * i);
            }
            timeline_play(&t, 60);
            if (apart)
                assert_holds(&t, KA_ADVERT_MISMATCH, KA_WARN, KA_FAULT_SERVER, NULL);
            else
                assert_absent(&t, KA_ADVERT_MISMATCH);
        }
    }
}

/* ---- evicted-under-pressure ---- */

enum { POOL = 6 };

/* A server with room for POOL connections: each new one costs the one that has been idle for longest, or
 * another one, when not `fair`. */
static void full_server(bool fair, double syn_before_s)
{
    conversation *c[2 * POOL];
    for (int i = 0; i < POOL; i++) {
        c[i] = connect_at(&t, i);
        exchange(c[i], i + 0.1, "", KEEP_30);
    }
    for (int i = 0; i < 4; i++) {
        double at_s = 8 + 2.5 * i;
        int victim = fair ? i : POOL - 1 - i;
        server_closes(c[victim], at_s);
        c[POOL + i] = connect_at(&t, at_s - syn_before_s);
        exchange(c[POOL + i], at_s - syn_before_s + 0.1, "", KEEP_30);
    }
    for (int i = 0; i < POOL + 4; i++) { /* those that were spared are used again */
        if (i >= 4 && (fair || i < 2 || i > 5))
            exchange(c[i], 20 + 0.2 * i, "", KEEP_30);
    }
    timeline_play(&t, 60);
}

static void a_full_server_evicts(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        full_server(true, 0.03);
        const ka_finding *f = assert_holds(&t, KA_EVICTED_UNDER_PRESSURE, KA_WARN, KA_FAULT_SERVER, NULL);
        assert_false(f->has_stream);
        assert_int_equal(value_of(f, "evictions"), 4);
        assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, NULL); /* stands beside it */
    }
}

static void other_early_closes_are_no_eviction(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* the youngest go */
        full_server(false, 0.03);
        assert_absent(&t, KA_EVICTED_UNDER_PRESSURE);
    }
    FROM_EVERYWHERE(t)
    { /* no new connection shortly before: it comes later */
        full_server(true, -1);
        assert_absent(&t, KA_EVICTED_UNDER_PRESSURE);
    }
    FROM_EVERYWHERE(t)
    { /* all of one age: a timer */
        for (int i = 0; i < 10; i++) {
            conversation *c = connect_at(&t, i);
            exchange(c, i + 0.1, "", KEEP_30);
            server_closes(c, i + 4.2);
        }
        timeline_play(&t, 60);
        assert_absent(&t, KA_EVICTED_UNDER_PRESSURE);
        assert_holds(&t, KA_ADVERT_MISMATCH, KA_WARN, KA_FAULT_SERVER, NULL);
    }
}

/* ---- hidden-limit ---- */

static void ends_at(double from_s, int requests, const char *asked, const char *last, double apart_s)
{
    conversation *c = connect_at(&t, from_s);
    for (int i = 1; i <= requests; i++)
        exchange(c, from_s + apart_s * i, i == requests ? asked : "", i == requests ? last : KEEP);
    server_closes(c, from_s + apart_s * requests + 0.11);
}

static void a_limit_of_requests(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        ends_at(0, 4, "", CLOSE, 1);
        ends_at(5, 4, "", CLOSE, 1.5);
        ends_at(11, 2, "", KEEP, 1); /* closed for another reason */
        ends_at(20, 4, "", CLOSE, 2);
        timeline_play(&t, 60);
        const ka_finding *f = assert_holds(&t, KA_HIDDEN_LIMIT, KA_CHAT, KA_FAULT_SERVER, NULL);
        assert_int_equal(value_of(f, "limit"), 4);
        assert_int_equal(value_of(f, "closes"), 3);
    }
}

static void no_limit_of_requests(void **state)
{
    static const struct {
        int requests[4];
        const char *asked, *last;
    } rows[] = {
        {{4, 4, 0, 0}, "", CLOSE},    /* too few */
        {{4, 4, 4, 0}, CLOSE, CLOSE}, /* the client asked for it */
        {{1, 1, 1, 1}, "", CLOSE},    /* a server without keep-alive */
        {{2, 3, 4, 5}, "", CLOSE},    /* a drain */
        {{4, 4, 4, 0}, "", "Connection: close\nKeep-Alive: timeout=5, max=0"}, /* advertised */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            for (int k = 0; k < 4; k++) {
                if (rows[i].requests[k] > 0)
                    ends_at(12 * k, rows[i].requests[k], rows[i].asked, rows[i].last, 1);
            }
            timeline_play(&t, 80);
            assert_absent(&t, KA_HIDDEN_LIMIT);
        }
    }
    FROM_EVERYWHERE(t)
    { /* a drain meets a pool whose connections take turns */
        for (int k = 0; k < 6; k++)
            ends_at(0.2 * k, 4, "", CLOSE, 3);
        timeline_play(&t, 80);
        assert_absent(&t, KA_HIDDEN_LIMIT);
    }
    FROM_EVERYWHERE(t)
    { /* another connection goes beyond */
        for (int k = 0; k < 3; k++)
            ends_at(12 * k, 4, "", CLOSE, 1);
        ends_at(40, 5, "", KEEP, 1);
        timeline_play(&t, 80);
        assert_absent(&t, KA_HIDDEN_LIMIT);
    }
}

/* Steady clients, whose connections were opened together, have sent as many requests each when a drain
 * begins. */
static void a_drain_is_no_limit(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        FROM_EVERYWHERE(t)
        {
            for (int k = 0; k < 4; k++)
                ends_at(0.2 * k, 4, "", CLOSE, 1);
            /* The first of them ends at 4.1 s, or a little later as seen at the client. */
            ends_at(later ? 4.3 : 3.9, 4, "", CLOSE, 1);
            timeline_play(&t, 60);
            if (later)
                assert_holds(&t, KA_HIDDEN_LIMIT, KA_CHAT, KA_FAULT_SERVER, NULL);
            else
                assert_absent(&t, KA_HIDDEN_LIMIT);
        }
    }
}

static void a_limit_of_age(void **state)
{
    (void)state;
    for (int kept = 0; kept < 2; kept++) {
        FROM_EVERYWHERE(t)
        {
            for (int k = 0; k < 3; k++) {
                double from_s = 30 * k;
                conversation *c = connect_at(&t, from_s);
                for (int i = 0; i < 4 + k; i++)
                    exchange(c, from_s + 5 + 20.0 / (k + 1) * i / 4, "", KEEP);
                exchange(c, from_s + 100 + 0.5 * k, "", CLOSE);
                server_closes(c, from_s + 100.11 + 0.5 * k);
            }
            conversation *c = connect_at(&t, 1);
            exchange(c, kept ? 105 : 99, "", KEEP); /* kept beyond that age: there is no limit */
            fin(c, CLIENT, 106);
            timeline_play(&t, 300);
            if (kept) {
                assert_absent(&t, KA_HIDDEN_LIMIT);
                continue;
            }
            const ka_finding *f = assert_holds(&t, KA_HIDDEN_LIMIT, KA_CHAT, KA_FAULT_SERVER, NULL);
            assert_in_range(value_of(f, "limit"), 100 * KA_SECOND_NS, 101 * KA_SECOND_NS);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_timer_than_advertised),
        cmocka_unit_test(no_other_timer),
        cmocka_unit_test(a_reload_is_no_timer),
        cmocka_unit_test(a_full_server_evicts),
        cmocka_unit_test(other_early_closes_are_no_eviction),
        cmocka_unit_test(a_limit_of_requests),
        cmocka_unit_test(no_limit_of_requests),
        cmocka_unit_test(a_drain_is_no_limit),
        cmocka_unit_test(a_limit_of_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
