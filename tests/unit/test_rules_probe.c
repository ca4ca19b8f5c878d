/* test_rules_probe.c - TCP keepalive probes, FINs without an answer, and connections never used.
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

/* ---- tcp-keepalive-only ---- */

static void probes_do_not_keep_it(void **state)
{
    (void)state;
    static const char *const advertised[] = {"", "Connection: keep-alive\nKeep-Alive: timeout=60"};
    for (size_t i = 0; i < 2; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = after_one(advertised[i]);
            for (int k = 1; k <= 3; k++)
                probe(c, CLIENT, 15 * k);
            mark *close = fin(c, SERVER, 60.2);
            fin(c, CLIENT, 60.23);
            timeline_play(&t, 100);
            const ka_finding *f = assert_holds(&t, KA_TCP_KEEPALIVE_ONLY, KA_NOTE, KA_FAULT_CONFIG, close);
            assert_int_equal(value_of(f, "probes"), 3);
            assert_int_equal(value_of(f, "answered"), 3);
            assert_value(f, "idle", 60);
            assert_only(&t, KA_TCP_KEEPALIVE_ONLY, KA_FINDING_COUNT);
        }
    }
}

static void probes_that_say_nothing(void **state)
{
    (void)state;
    for (int story = 0; story < 5; story++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = after_one("");
            if (story == 0) /* one only */
                probe(c, CLIENT, 30);
            if (story == 1) { /* the server's own */
                for (int k = 1; k <= 3; k++)
                    probe(c, SERVER, 15 * k);
            }
            if (story == 2) { /* in an earlier gap */
                probe(c, CLIENT, 15);
                probe(c, CLIENT, 30);
                exchange(c, 40, "", "");
                probe(c, CLIENT, 55);
            }
            if (story >= 3) {
                probe(c, CLIENT, 15);
                probe(c, CLIENT, 30);
            }
            if (story == 3) { /* the client closes first */
                fin(c, CLIENT, 59);
                fin(c, SERVER, 59.03);
            } else if (story == 4) { /* still open */
            } else {
                fin(c, SERVER, 60.2);
                fin(c, CLIENT, 60.23);
            }
            timeline_play(&t, 100);
            assert_silent(&t);
        }
    }
}

/* ---- dead-peer ---- */

static void probes_without_an_answer(void **state)
{
    (void)state;
    for (int from = CLIENT; from <= SERVER; from++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = after_one("");
            c->mute[!from] = true;
            mark *first = probe(c, (side)from, 20);
            for (int k = 1; k < 4; k++)
                probe(c, (side)from, 20 + 3 * k);
            rst(c, (side)from, 32);
            timeline_play(&t, 100);
            const ka_finding *f = assert_holds(&t, KA_DEAD_PEER, KA_WARN, KA_FAULT_NETWORK, first);
            assert_value(f, "unheard_for", 12);
            assert_int_equal(value_of(f, "probes"), 4);
            assert_int_equal(value_of(f, "fins"), 0);
            assert_int_equal(value_of(f, "peer_is_server"), from == CLIENT);
            assert_absent(&t, KA_TCP_KEEPALIVE_ONLY);
        }
    }
}

static void fins_without_an_answer(void **state)
{
    (void)state;
    static const struct {
        int resent;
        double until_s;
        bool found;
    } rows[] = {{3, 100, true}, {2, 100, false}, {3, 10, false}, {3, 10.3, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = after_one("");
            c->mute[CLIENT] = true;
            mark *close = fin(c, SERVER, 5.2);
            for (int k = 0; k < rows[i].resent; k++)
                resend(c, 6 + k, close);
            timeline_play(&t, rows[i].until_s);
            if (!rows[i].found) {
                assert_silent(&t);
                continue;
            }
            const ka_finding *f = assert_holds(&t, KA_DEAD_PEER, KA_WARN, KA_FAULT_NETWORK, close);
            assert_int_equal(value_of(f, "fins"), 4);
            assert_only(&t, KA_DEAD_PEER, KA_FINDING_COUNT);
        }
    }
}

static void peers_that_live(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* a byte of the next request, sent again and again, is no probe */
        conversation *c = after_one("");
        c->mute[SERVER] = true;
        mark *byte = part(c, CLIENT, 20);
        byte->len_bytes = 1;
        for (int k = 1; k < 5; k++)
            resend(c, 20 + 3 * k, byte);
        rst(c, CLIENT, 34);
        timeline_play(&t, 100);
        assert_absent(&t, KA_DEAD_PEER);
    }
    FROM_EVERYWHERE(t)
    { /* the answer came after all */
        conversation *c = after_one("");
        c->mute[CLIENT] = true;
        for (int k = 0; k < 4; k++)
            probe(c, SERVER, 20 + 3 * k);
        bare_ack(c, CLIENT, 40);
        timeline_play(&t, 100);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* a reset is an answer */
        conversation *c = after_one("");
        c->mute[CLIENT] = true;
        mark *close = fin(c, SERVER, 5.2);
        for (int k = 0; k < 4; k++)
            resend(c, 6 + 2 * k, close);
        rst(c, CLIENT, 12.1);
        timeline_play(&t, 100);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* its answers were not captured */
        conversation *c = connect_at(&t, 0);
        c->unseen[CLIENT] = true;
        for (int k = 0; k < 4; k++)
            probe(c, SERVER, 20 + 3 * k);
        timeline_play(&t, 100);
        assert_absent(&t, KA_DEAD_PEER);
    }
}

/* What the server did with the connection nobody knows. */
static void a_dead_server_keeps_nothing_open(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = after_one("");
        c->mute[SERVER] = true;
        for (int k = 0; k < 9; k++)
            probe(c, CLIENT, 100 + 75 * k);
        timeline_play(&t, 1000);
        assert_only(&t, KA_DEAD_PEER, KA_FINDING_COUNT);
    }
}

/* The FIN behind lost data is part of the same silence. */
static void a_dropped_connection_has_no_dead_peer(void **state)
{
    (void)state;
    timeline_begin(&t, AT_CLIENT);
    conversation *c = after_one("");
    c->mute[SERVER] = true;
    mark *lost = request(c, 300, "");
    mark *close = fin(c, CLIENT, 300.5);
    for (int k = 0; k < 4; k++) {
        resend(c, 301 + 2 * k, lost);
        resend(c, 301.1 + 2 * k, close);
    }
    timeline_play(&t, 400);
    assert_only(&t, KA_SILENT_DROP, KA_FINDING_COUNT);
    timeline_end(&t);
}

/* ---- preconnect-unused ---- */

static void preconnect_of_a_known_server(void **state)
{
    (void)state;
    for (int by = CLIENT; by <= SERVER; by++) {
        FROM_EVERYWHERE(t)
        {
            after_one("");
            conversation *unused = connect_at(&t, 1);
            fin(unused, (side)by, 11);
            fin(unused, (side)!by, 11.03);
            timeline_play(&t, 50);
            const ka_finding *f = finding_in(&t, unused, KA_PRECONNECT_UNUSED);
            assert_non_null(f);
            assert_int_equal(f->severity, KA_CHAT);
            assert_int_equal(value_of(f, "closed_by_server"), by == SERVER);
            assert_only(&t, KA_PRECONNECT_UNUSED, KA_FINDING_COUNT);
        }
    }
}

static void preconnect_is_not_a_check(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        after_one("");
        conversation *check = connect_at(&t, 1);
        fin(check, CLIENT, 1.9);
        fin(check, SERVER, 1.93);
        conversation *stranger = connect_to(&t, 2, 7); /* of no server that speaks HTTP */
        fin(stranger, CLIENT, 12);
        fin(stranger, SERVER, 12.03);
        conversation *open = connect_at(&t, 3); /* may still be used */
        conversation *used = connect_at(&t, 3);
        part(used, CLIENT, 10);
        fin(used, CLIENT, 11);
        fin(used, SERVER, 11.03);
        timeline_play(&t, 50);
        (void)open;
        assert_absent(&t, KA_PRECONNECT_UNUSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probes_do_not_keep_it),
        cmocka_unit_test(probes_that_say_nothing),
        cmocka_unit_test(probes_without_an_answer),
        cmocka_unit_test(fins_without_an_answer),
        cmocka_unit_test(peers_that_live),
        cmocka_unit_test(a_dead_server_keeps_nothing_open),
        cmocka_unit_test(a_dropped_connection_has_no_dead_peer),
        cmocka_unit_test(preconnect_of_a_known_server),
        cmocka_unit_test(preconnect_is_not_a_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
