/* test_rules_max.c - how max counts, and closes before it is used up.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

#include <stdio.h>

static timeline t;

/* timeout_s 0: none is advertised. */
static const char *keep_max(int timeout_s, int max)
{
    static char texts[64][80];
    static unsigned next;
    char *fields = texts[next++ % 64];
    if (timeout_s > 0)
        snprintf(fields, sizeof texts[0], "Connection: keep-alive\nKeep-Alive: timeout=%d, max=%d", timeout_s,
                 max);
    else
        snprintf(fields, sizeof texts[0], "Connection: keep-alive\nKeep-Alive: max=%d", max);
    return fields;
}

/* The n-th answer is at 0.2 n. */
static conversation *answers(const int *maxes, int count, int timeout_s)
{
    conversation *c = connect_at(&t, 0);
    for (int i = 0; i < count; i++)
        exchange(c, 0.1 + 0.2 * i, "", keep_max(timeout_s, maxes[i]));
    return c;
}

static void closes(conversation *c, side first, double at_s)
{
    fin(c, first, at_s);
    fin(c, first == CLIENT ? SERVER : CLIENT, at_s + 0.03);
}

/* ---- max-not-decreasing, max-jump ---- */

typedef struct row {
    int maxes[6];
    int count;
    ka_finding_id id; /* KA_FINDING_COUNT: none */
} row;

static void how_max_counts(void **state)
{
    (void)state;
    static const row rows[] = {
        {{100, 99, 98, 97}, 4, KA_FINDING_COUNT},    /* Apache */
        {{100}, 1, KA_FINDING_COUNT},                /* one sample tells nothing */
        {{100, 100, 100}, 3, KA_MAX_NOT_DECREASING}, /* OpenLiteSpeed */
        {{3, 2, 1, 3}, 4, KA_MAX_JUMP},              /* the proxy's next connection to its backend */
        {{57, 83, 56, 82}, 4, KA_MAX_JUMP},          /* two backends in turn */
        {{50, 99}, 2, KA_FINDING_COUNT},             /* perhaps the setting was changed */
        {{50, 99, 98}, 3, KA_FINDING_COUNT},
        {{9, 7, 5}, 3, KA_FINDING_COUNT}, /* a server that counts something else */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = answers(rows[i].maxes, rows[i].count, 5);
            closes(c, CLIENT, 2);
            timeline_play(&t, 20);
            if (rows[i].id == KA_FINDING_COUNT)
                assert_silent(&t);
            else
                assert_only(&t, rows[i].id, KA_FINDING_COUNT);
        }
    }
}

static void max_is_missing_in_between(void **state)
{
    (void)state;
    for (int last = 99; last <= 100; last++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchange(c, 0.1, "", keep_max(5, 100));
            exchange(c, 0.3, "", keep_max(5, 99));
            exchange(c, 0.5, "", "");
            exchange(c, 0.7, "", keep_max(5, last));
            closes(c, CLIENT, 2);
            timeline_play(&t, 20);
            if (last == 100)
                assert_only(&t, KA_MAX_JUMP, KA_FINDING_COUNT);
            else
                assert_silent(&t);
        }
    }
}

static void several_hosts_count_for_themselves(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchange(c, 0.1, "Host: small", keep_max(5, 100));
            exchange(c, 0.3, "Host: small", keep_max(5, 99));
            exchange(c, 0.5, i == 0 ? "Host: large" : "Host: small", keep_max(5, 498));
            closes(c, CLIENT, 2);
            timeline_play(&t, 20);
            if (i == 0)
                assert_silent(&t);
            else
                assert_only(&t, KA_MAX_JUMP, KA_FINDING_COUNT);
        }
    }
}

static void hosts_of_unseen_requests(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        c->unseen[CLIENT] = true;
        for (int i = 0; i < 3; i++)
            response(c, 0.2 * (i + 1), keep_max(5, i < 2 ? 100 - i : 498));
        timeline_play(&t, 5);
        const ka_finding *f = finding_of(&t, KA_MAX_JUMP);
        assert_non_null(f);
        assert_int_equal(f->severity, KA_NOTE);
    }
}

static void jump_shows_both_values(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", keep_max(5, 3));
        exchange(c, 0.3, "", keep_max(5, 2));
        request(c, 0.5, "");
        mark *risen = response(c, 0.6, keep_max(5, 100));
        closes(c, CLIENT, 2);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_MAX_JUMP, KA_WARN, KA_FAULT_PROXY, risen);
        assert_int_equal(value_of(f, "max_before"), 2);
        assert_int_equal(value_of(f, "max"), 100);
        assert_int_equal(value_of(f, "count"), 1);
    }
}

/* ---- max-closed-early ---- */

static const int down[] = {100, 99, 98};

static void closed_with_requests_left(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* without a word, and no timer is that short */
        conversation *c = answers(down, 3, 0);
        mark *close = fin(c, SERVER, 1.5);
        fin(c, CLIENT, 1.53);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_MAX_CLOSED_EARLY, KA_NOTE, KA_FAULT_SERVER, close);
        assert_int_equal(value_of(f, "remaining"), 98);
        assert_only(&t, KA_MAX_CLOSED_EARLY, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* announced, as in a drain */
        conversation *c = answers(down, 3, 5);
        exchange(c, 0.7, "", CLOSE);
        mark *close = fin(c, SERVER, 0.8);
        fin(c, CLIENT, 0.83);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_MAX_CLOSED_EARLY, KA_CHAT, KA_FAULT_SERVER, close);
        assert_int_equal(value_of(f, "remaining"), 97);
        assert_only(&t, KA_MAX_CLOSED_EARLY, KA_FINDING_COUNT);
    }
}

static void closed_with_another_reason(void **state)
{
    (void)state;
    static const int used_up[] = {2, 1, 0};
    static const struct {
        const int *maxes;
        int timeout_s;
        const char *last_request;
        uint16_t last_status; /* 0: no fourth exchange */
        double close_s;
        ka_finding_id id;
    } rows[] = {
        {used_up, 0, "", 0, 1.5, KA_FINDING_COUNT},   /* the max */
        {down, 0, "", 0, 1.601, KA_FINDING_COUNT},    /* perhaps a timer of 1 s */
        {down, 5, "", 0, 1.5, KA_CLOSED_EARLY},       /* the timeout was promised as well */
        {down, 0, "", 0, 0.65, KA_CLOSE_UNANNOUNCED}, /* right behind the answer */
        {down, 5, CLOSE, 200, 0.8, KA_FINDING_COUNT}, /* the client wanted it */
        {down, 5, "", 503, 0.8, KA_FINDING_COUNT},    /* an error */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = answers(rows[i].maxes, 3, rows[i].timeout_s);
            if (rows[i].last_status != 0) {
                request(c, 0.7, rows[i].last_request);
                answer(c, 0.8, rows[i].last_status, CLOSE);
            }
            closes(c, SERVER, rows[i].close_s);
            timeline_play(&t, 20);
            if (rows[i].id == KA_FINDING_COUNT)
                assert_silent(&t);
            else
                assert_only(&t, rows[i].id, KA_FINDING_COUNT);
        }
    }
    FROM_EVERYWHERE(t)
    { /* Node: a total of 3, announced with the third */
        static const int total[] = {3, 3};
        conversation *c = answers(total, 2, 5);
        exchange(c, 0.5, "", CLOSE);
        closes(c, SERVER, 0.6);
        timeline_play(&t, 20);
        assert_only(&t, KA_MAX_NOT_DECREASING, KA_FINDING_COUNT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_max_counts),
        cmocka_unit_test(max_is_missing_in_between),
        cmocka_unit_test(several_hosts_count_for_themselves),
        cmocka_unit_test(hosts_of_unseen_requests),
        cmocka_unit_test(jump_shows_both_values),
        cmocka_unit_test(closed_with_requests_left),
        cmocka_unit_test(closed_with_another_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
