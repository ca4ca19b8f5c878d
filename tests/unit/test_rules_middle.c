/* test_rules_middle.c - idle connections that a device on the path dropped or reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

/* One exchange, ended at 0.2; then silence. The server sends no bare ACKs: nothing arrives any more. */
static conversation *quiet_after_one(void)
{
    conversation *c = connect_at(&t, 0);
    exchange(c, 0.1, "", "");
    c->mute[SERVER] = true;
    return c;
}

/* A request and its retransmissions, each twice as late as the one before. */
static mark *sent_in_vain(conversation *c, double at_s, int resent)
{
    mark *first = request(c, at_s, "");
    double after_s = 0.25;
    for (int i = 0; i < resent; i++, after_s = 2 * after_s + 0.25)
        resend(c, at_s + after_s, first);
    return first;
}

/* What a segment provokes: no ACK (RFC 9293 section 3.10.7.1). */
static mark *bare_rst(conversation *c, double at_s, uint8_t ttl)
{
    mark *m = rst(c, SERVER, at_s);
    m->flags = KA_RST;
    m->ttl = ttl;
    return m;
}

static void a_new_connection_is_answered(double at_s)
{
    conversation *c = connect_at(&t, at_s);
    exchange(c, at_s + 0.1, "", "");
    fin(c, CLIENT, at_s + 0.3);
    fin(c, SERVER, at_s + 0.33);
}

/* ---- silent-drop ---- */

static void dropped_and_given_up(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        if (t.seen_from == AT_SERVER)
            continue; /* nothing to see there */
        conversation *c = quiet_after_one();
        mark *lost = sent_in_vain(c, 300, 4);
        rst(c, CLIENT, 310);
        a_new_connection_is_answered(310.1);
        timeline_play(&t, 400);
        const ka_finding *f = assert_holds(&t, KA_SILENT_DROP, KA_ERROR, KA_FAULT_MIDDLE, lost);
        assert_value(f, "silence", 299.775);
        assert_value(f, "unanswered_for", 10);
        assert_int_equal(value_of(f, "resent"), 4);
        assert_int_equal(value_of(f, "server_heard_elsewhere"), 1);
        assert_int_equal(value_of(f, "request_number"), 2);
        assert_true(frame_of(f, "retransmission") != 0 && frame_of(f, "rst") != 0);
        assert_only(&t, KA_SILENT_DROP, KA_FINDING_COUNT);
    }
}

/* Nobody else asked the server meanwhile: it may be gone itself. */
static void dropped_with_nobody_to_compare(void **state)
{
    (void)state;
    timeline_begin(&t, AT_CLIENT);
    conversation *c = quiet_after_one();
    mark *lost = sent_in_vain(c, 300, 4);
    timeline_play(&t, 400);
    const ka_finding *f = assert_holds(&t, KA_SILENT_DROP, KA_WARN, KA_FAULT_MIDDLE, lost);
    assert_int_equal(value_of(f, "server_heard_elsewhere"), 0);
    timeline_end(&t);
}

/* The orphaned socket goes on sending while a new connection works. */
static void dropped_and_closed(void **state)
{
    (void)state;
    timeline_begin(&t, AT_CLIENT);
    conversation *c = quiet_after_one();
    mark *lost = sent_in_vain(c, 300, 3);
    fin(c, CLIENT, 305);
    a_new_connection_is_answered(305.1);
    resend(c, 307, lost);
    timeline_play(&t, 400);
    assert_holds(&t, KA_SILENT_DROP, KA_ERROR, KA_FAULT_MIDDLE, lost);
    assert_only(&t, KA_SILENT_DROP, KA_FINDING_COUNT);
    timeline_end(&t);
}

static void dropped_needs_silence_retransmissions_and_time(void **state)
{
    (void)state;
    static const struct {
        double at_s;
        int resent;
        double given_up_s;
        bool found;
    } rows[] = {
        {30.3, 2, 10, true},  {30.1, 2, 10, false}, /* drop-idle, from the client's ACK at 0.225 */
        {300, 1, 10, false},  {300, 2, 10, true},   /* drop-resends */
        {300, 2, 2.9, false}, {300, 2, 3.1, true},  /* drop-unanswered */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        timeline_begin(&t, AT_CLIENT);
        conversation *c = quiet_after_one();
        sent_in_vain(c, rows[i].at_s, rows[i].resent);
        rst(c, CLIENT, rows[i].at_s + rows[i].given_up_s);
        timeline_play(&t, 400);
        if (rows[i].found)
            assert_only(&t, KA_SILENT_DROP, KA_FINDING_COUNT);
        else
            assert_silent(&t);
        timeline_end(&t);
    }
}

static void dropped_is_not_a_slow_answer(void **state)
{
    (void)state;
    timeline_begin(&t, AT_CLIENT);
    conversation *c = quiet_after_one();
    sent_in_vain(c, 300, 3);
    response(c, 306, "");
    fin(c, CLIENT, 307);
    fin(c, SERVER, 307.03);
    bare_ack(c, SERVER, 307.04);
    timeline_play(&t, 400);
    assert_absent(&t, KA_SILENT_DROP);
    timeline_end(&t);
}

/* The server acknowledged it: only the answer is missing. */
static void dropped_is_not_what_was_heard(void **state)
{
    (void)state;
    timeline_begin(&t, AT_CLIENT);
    conversation *c = quiet_after_one();
    sent_in_vain(c, 300, 3);
    bare_ack(c, SERVER, 303);
    rst(c, CLIENT, 310);
    timeline_play(&t, 400);
    assert_silent(&t);
    timeline_end(&t);
}

/* A network that loses, or that kept this connection for longer before: only with an answer elsewhere. */
static void dropped_is_not_general_loss(void **state)
{
    (void)state;
    for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
        for (int longer = 0; longer < 2; longer++) {
            timeline_begin(&t, AT_CLIENT);
            conversation *c = connect_at(&t, 0);
            mark *early = request(c, 0.1, "");
            if (!longer)
                resend(c, 0.16, early);
            response(c, 0.2, "");
            exchange(c, longer ? 400 : 1, "", "");
            c->mute[SERVER] = true;
            sent_in_vain(c, 600, 4);
            rst(c, CLIENT, 610);
            if (elsewhere)
                a_new_connection_is_answered(610.1);
            timeline_play(&t, 700);
            if (elsewhere)
                assert_only(&t, KA_SILENT_DROP, KA_FINDING_COUNT);
            else
                assert_silent(&t);
            timeline_end(&t);
        }
    }
}

/* In the end the server itself answers with a reset: an outage; the request crossed nothing. */
static void dropped_is_not_an_outage(void **state)
{
    (void)state;
    timeline_begin(&t, AT_CLIENT);
    conversation *c = quiet_after_one();
    sent_in_vain(c, 300, 4);
    bare_rst(c, 304.2, 60);
    timeline_play(&t, 400);
    assert_silent(&t);
    timeline_end(&t);
}

/* A close that was announced, or seen: the client's fault. */
static void dropped_is_not_what_the_server_closed(void **state)
{
    (void)state;
    timeline_begin(&t, AT_CLIENT);
    conversation *c = connect_at(&t, 0);
    exchange(c, 0.1, "", "");
    fin(c, SERVER, 5.2);
    c->mute[SERVER] = true;
    mark *late = sent_in_vain(c, 300, 4);
    timeline_play(&t, 400);
    assert_holds(&t, KA_REUSE_AFTER_FIN, KA_ERROR, KA_FAULT_CLIENT, late);
    assert_absent(&t, KA_SILENT_DROP);
    timeline_end(&t);

    timeline_begin(&t, AT_CLIENT);
    c = connect_at(&t, 0);
    exchange(c, 0.1, "", CLOSE);
    c->mute[SERVER] = true;
    late = sent_in_vain(c, 300, 4);
    timeline_play(&t, 400);
    assert_holds(&t, KA_REQUEST_AFTER_CLOSE, KA_ERROR, KA_FAULT_CLIENT, late);
    assert_absent(&t, KA_SILENT_DROP);
    timeline_end(&t);
}

/* ---- reset-on-first-packet ---- */

/* 12 ms from the client: seen there 24 ms after the request, of 50 to the server. */
static mark *reset_from_near(conversation *c, double request_s, uint8_t ttl)
{
    return bare_rst(c, request_s + 0.012 - 0.013, ttl);
}

static void reset_by_something_nearer(void **state)
{
    (void)state;
    for (int seen_from = AT_CLIENT; seen_from <= AT_MIDDLE; seen_from++) {
        timeline_begin(&t, (viewpoint)seen_from);
        conversation *c = quiet_after_one();
        mark *lost = request(c, 400, "");
        reset_from_near(c, 400, 60); /* the same time to live */
        timeline_play(&t, 500);
        const ka_finding *f = assert_holds(&t, KA_RESET_ON_FIRST_PACKET, KA_ERROR, KA_FAULT_MIDDLE, lost);
        assert_value(f, "answered_in", seen_from == AT_CLIENT ? 0.024 : 0.004);
        assert_value(f, "silence", 399.775);
        assert_only(&t, KA_RESET_ON_FIRST_PACKET, KA_FINDING_COUNT);
        timeline_end(&t);
    }
}

/* Beside the server: only the time to live tells. */
/* A client that asks every 36 s, through a firewall that forgets sooner: not the server's timer, and no
 * restart. */
static void resets_of_many_show_nothing_of_the_server(void **state)
{
    (void)state;
    for (int together = 0; together < 2; together++) {
        timeline_begin(&t, AT_CLIENT);
        for (int i = 0; i < 6; i++) {
            conversation *c = connect_at(&t, 3 * i);
            exchange(c, 3 * i + 0.1, "", "Connection: keep-alive\nKeep-Alive: timeout=90");
            c->mute[SERVER] = true;
            double asks_s = together ? 60 + 0.05 * i : 3 * i + 36.2;
            request(c, asks_s, "");
            reset_from_near(c, asks_s, 60);
        }
        timeline_play(&t, 100);
        assert_only(&t, KA_RESET_ON_FIRST_PACKET, KA_FINDING_COUNT);
        timeline_end(&t);
    }
}

static void reset_from_another_distance(void **state)
{
    (void)state;
    static const struct {
        uint8_t ttl;
        bool found;
    } rows[] = {{62, true},   {58, true},   {61, false}, {59, false}, {60, false},
                {124, false}, {251, false}, {254, true}, {0, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        timeline_begin(&t, AT_CLIENT);
        conversation *c = quiet_after_one();
        mark *lost = request(c, 400, "");
        bare_rst(c, 400.025, rows[i].ttl);
        timeline_play(&t, 500);
        if (rows[i].found) {
            assert_holds(&t, KA_RESET_ON_FIRST_PACKET, KA_ERROR, KA_FAULT_MIDDLE, lost);
            assert_only(&t, KA_RESET_ON_FIRST_PACKET, KA_FINDING_COUNT);
        } else {
            assert_only(&t, KA_KEEPALIVE_RACE, KA_FINDING_COUNT);
        }
        timeline_end(&t);
    }
}

/* Nothing is told of a server whose own time to live varies. */
static void reset_of_a_server_with_many_distances(void **state)
{
    (void)state;
    timeline_begin(&t, AT_CLIENT);
    conversation *c = connect_at(&t, 0);
    request(c, 0.1, "");
    response(c, 0.2, "")->ttl = 55;
    c->mute[SERVER] = true;
    request(c, 400, "");
    bare_rst(c, 400.025, 62);
    timeline_play(&t, 500);
    assert_only(&t, KA_KEEPALIVE_RACE, KA_FINDING_COUNT);
    timeline_end(&t);
}

/* Sent for itself by the server's idle timer, it crossed the request, however near that looks. */
static void reset_that_crossed_is_a_race(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = quiet_after_one();
        mark *late = request(c, 60.2, "");
        rst(c, SERVER, 60.2);
        timeline_play(&t, 100);
        assert_holds(&t, KA_KEEPALIVE_RACE, KA_ERROR, KA_FAULT_CONFIG, late);
        assert_only(&t, KA_KEEPALIVE_RACE, KA_FINDING_COUNT);
    }
}

/* One that acknowledges the request is an answer to it, and no round trip to the server. */
static void reset_with_an_ack_of_the_request(void **state)
{
    (void)state;
    timeline_begin(&t, AT_CLIENT);
    conversation *c = quiet_after_one();
    mark *lost = request(c, 400, "");
    mark *reset = rst(c, SERVER, 399.985);
    static uint32_t end = 0xfffffe00u + 1 + 2 * 100; /* of the second request of timeline.c */
    reset->ack = &end;
    timeline_play(&t, 500);
    assert_holds(&t, KA_RESET_ON_FIRST_PACKET, KA_ERROR, KA_FAULT_MIDDLE, lost);
    assert_only(&t, KA_RESET_ON_FIRST_PACKET, KA_FINDING_COUNT);
    timeline_end(&t);
}

static void reset_needs_silence_before(void **state)
{
    (void)state;
    for (int longer = 0; longer < 2; longer++) {
        timeline_begin(&t, AT_CLIENT);
        conversation *c = quiet_after_one();
        double at_s = longer ? 30.3 : 30.1;
        request(c, at_s, "");
        reset_from_near(c, at_s, 62);
        timeline_play(&t, 500);
        assert_only(&t, longer ? KA_RESET_ON_FIRST_PACKET : KA_KEEPALIVE_RACE, KA_FINDING_COUNT);
        timeline_end(&t);
    }
}

/* Kept for longer than advertised by the client only; the server closed nothing, early or late. */
static void reset_blames_no_server(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        bool expired;
    } rows[] = {{"Connection: keep-alive\nKeep-Alive: timeout=600", false}, {KEEP_5, true}};
    for (size_t i = 0; i < 2; i++) {
        timeline_begin(&t, AT_CLIENT);
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", rows[i].fields);
        c->mute[SERVER] = true;
        mark *lost = request(c, 400, "");
        reset_from_near(c, 400, 62);
        timeline_play(&t, 500);
        const ka_finding *f = assert_holds(&t, KA_RESET_ON_FIRST_PACKET, KA_ERROR, KA_FAULT_MIDDLE, lost);
        assert_int_equal(has_cause(f, KA_REUSE_AFTER_EXPIRY), rows[i].expired);
        assert_absent(&t, KA_CLOSED_EARLY);
        assert_absent(&t, KA_KEPT_LATE);
        timeline_end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dropped_and_given_up),
        cmocka_unit_test(dropped_with_nobody_to_compare),
        cmocka_unit_test(dropped_and_closed),
        cmocka_unit_test(dropped_needs_silence_retransmissions_and_time),
        cmocka_unit_test(dropped_is_not_a_slow_answer),
        cmocka_unit_test(dropped_is_not_what_was_heard),
        cmocka_unit_test(dropped_is_not_general_loss),
        cmocka_unit_test(dropped_is_not_an_outage),
        cmocka_unit_test(dropped_is_not_what_the_server_closed),
        cmocka_unit_test(reset_by_something_nearer),
        cmocka_unit_test(resets_of_many_show_nothing_of_the_server),
        cmocka_unit_test(reset_from_another_distance),
        cmocka_unit_test(reset_of_a_server_with_many_distances),
        cmocka_unit_test(reset_that_crossed_is_a_race),
        cmocka_unit_test(reset_with_an_ack_of_the_request),
        cmocka_unit_test(reset_needs_silence_before),
        cmocka_unit_test(reset_blames_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
