/* test_rules_lost.c - lost requests: exactly one of four diagnoses each, and its causes beside it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

static const ka_finding_id lost[] = {KA_REQUEST_AFTER_CLOSE, KA_REUSE_AFTER_FIN, KA_KEEPALIVE_RACE,
                                     KA_SERVER_CLOSED_IN_FLIGHT};

static void assert_one_lost(ka_finding_id id)
{
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        if (lost[i] != id)
            assert_absent(&t, lost[i]);
    }
}

/* The response ends at 0.2; the client knows at 0.225. */
static conversation *advertised_5(void)
{
    conversation *c = connect_at(&t, 0);
    exchange(c, 0.1, "", KEEP_5);
    return c;
}

/* ---- keepalive-race ---- */

static void race_when_they_cross(void **state)
{
    (void)state;
    /* The server closes at 5.2; what the client sends between 5.175 and 5.225 crosses it. */
    static const double sent_s[] = {5.176, 5.2, 5.224};
    for (int i = 0; i < 3; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = advertised_5();
            fin(c, SERVER, 5.2);
            mark *late = request(c, sent_s[i], "");
            rst(c, SERVER, sent_s[i] + 0.025);
            fin(c, CLIENT, 5.24);
            timeline_play(&t, 20);
            const ka_finding *f = assert_holds(&t, KA_KEEPALIVE_RACE, KA_ERROR, KA_FAULT_CONFIG, late);
            assert_value(f, "client_idle", sent_s[i] - 0.225);
            assert_value(f, "server_idle", 5);
            assert_int_equal(value_of(f, "request_number"), 2);
            assert_int_equal(f->cause_count, 0);
            assert_only(&t, KA_KEEPALIVE_RACE, KA_FINDING_COUNT);
        }
    }
}

static void race_with_a_reset(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        rst(c, SERVER, 5.2);
        mark *late = request(c, 5.2, "");
        timeline_play(&t, 20);
        assert_holds(&t, KA_KEEPALIVE_RACE, KA_ERROR, KA_FAULT_CONFIG, late);
        assert_one_lost(KA_KEEPALIVE_RACE);
    }
}

static void race_of_a_request_only_begun(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        fin(c, SERVER, 5.2);
        mark *late = part(c, CLIENT, 5.2);
        rst(c, SERVER, 5.225);
        timeline_play(&t, 20);
        assert_holds(&t, KA_KEEPALIVE_RACE, KA_ERROR, KA_FAULT_CONFIG, late);
        assert_one_lost(KA_KEEPALIVE_RACE);
    }
}

static void race_names_its_causes(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* the server broke its word */
        conversation *c = advertised_5();
        mark *close = fin(c, SERVER, 3.2);
        mark *late = request(c, 3.2, "");
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_KEEPALIVE_RACE, KA_ERROR, KA_FAULT_CONFIG, late);
        assert_true(has_cause(f, KA_CLOSED_EARLY));
        assert_int_equal(f->cause_count, 1);
        assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, close);
    }
    FROM_EVERYWHERE(t)
    { /* the client did not listen */
        conversation *c = advertised_5();
        fin(c, SERVER, 6.2);
        mark *late = request(c, 6.2, "");
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_KEEPALIVE_RACE, KA_ERROR, KA_FAULT_CONFIG, late);
        assert_true(has_cause(f, KA_REUSE_AFTER_EXPIRY));
        assert_holds(&t, KA_REUSE_AFTER_EXPIRY, KA_WARN, KA_FAULT_CLIENT, late);
    }
    FROM_EVERYWHERE(t)
    { /* the server closed right away */
        conversation *c = advertised_5();
        mark *close = fin(c, SERVER, 0.21);
        mark *late = request(c, 0.23, "");
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_KEEPALIVE_RACE, KA_ERROR, KA_FAULT_CONFIG, late);
        assert_true(has_cause(f, KA_CLOSE_UNANNOUNCED));
        assert_holds(&t, KA_CLOSE_UNANNOUNCED, KA_WARN, KA_FAULT_SERVER, close);
        assert_absent(&t, KA_CLOSED_EARLY);
    }
    FROM_EVERYWHERE(t)
    { /* an earlier request was late, not this one */
        conversation *c = advertised_5();
        exchange(c, 6, "", KEEP_5);
        fin(c, SERVER, 9);
        mark *late = request(c, 9, "");
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_KEEPALIVE_RACE, KA_ERROR, KA_FAULT_CONFIG, late);
        assert_true(has_cause(f, KA_CLOSED_EARLY));
        assert_false(has_cause(f, KA_REUSE_AFTER_EXPIRY));
    }
}

static void race_is_not_an_answered_request(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        exchange(c, 3, "", KEEP_5);
        fin(c, SERVER, 8.1);
        fin(c, CLIENT, 8.13);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

static void race_is_not_what_the_client_gave_up(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        request(c, 3, "");
        fin(c, CLIENT, 4);
        fin(c, SERVER, 4.03);
        timeline_play(&t, 20);
        assert_silent(&t);
        assert_int_equal(record_of(&t, c)->close.verdict, KA_VERDICT_BUSY);
    }
}

static void race_is_not_a_pipeline_cut_short(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* sent before the answer that said close had come: retried by any client */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        response(c, 0.2, CLOSE);
        fin(c, SERVER, 0.2);
        request(c, 0.21, "");
        rst(c, SERVER, 0.235);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* the same without a word: the server's close is unannounced, but it never had the second request */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        response(c, 0.2, "");
        fin(c, SERVER, 0.2);
        request(c, 0.21, "");
        rst(c, SERVER, 0.235);
        timeline_play(&t, 20);
        assert_only(&t, KA_CLOSE_UNANNOUNCED, KA_FINDING_COUNT);
    }
}

/* ---- reuse-after-fin ---- */

static void reuse_after_fin(void **state)
{
    (void)state;
    static const struct {
        double sent_s;
        int late;
    } rows[] = {{5.226, 1}, {5.234, 1}, {5.236, 0}, {60, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = advertised_5();
            fin(c, SERVER, 5.2);
            mark *late = request(c, rows[i].sent_s, "");
            rst(c, SERVER, rows[i].sent_s + 0.025);
            timeline_play(&t, 100);
            const ka_finding *f = assert_holds(&t, KA_REUSE_AFTER_FIN, KA_ERROR, KA_FAULT_CLIENT, late);
            assert_int_equal(value_of(f, "late"), rows[i].late);
            assert_value(f, "in_close_wait", rows[i].sent_s - 5.225);
            assert_true(frame_of(f, "fin") != 0 && frame_of(f, "ack") != 0);
            assert_one_lost(KA_REUSE_AFTER_FIN);
        }
    }
}

static void reuse_after_fin_is_the_clients_in_a_restart_too(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c[6];
        for (int i = 0; i < 6; i++) {
            c[i] = connect_at(&t, i);
            exchange(c[i], i + 0.1, "", "");
            fin(c[i], SERVER, 10 + 0.01 * i);
            if (i > 0)
                fin(c[i], CLIENT, 10.03 + 0.01 * i);
        }
        mark *late = request(c[0], 600, "");
        rst(c[0], SERVER, 600.025);
        timeline_play(&t, 700);
        assert_holds(&t, KA_REUSE_AFTER_FIN, KA_ERROR, KA_FAULT_CLIENT, late);
        assert_true(finding_of(&t, KA_MASS_CLOSE) != NULL);
    }
}

/* The first transmission crossed the FIN but was not captured; the second one acknowledges the FIN. */
static void reuse_after_fin_is_unsure_of_a_retransmission(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = advertised_5();
        fin(c, SERVER, 5.2);
        mark *first = request(c, 5.2, "");
        first->uncaptured = true;
        bare_ack(c, CLIENT, 5.3);
        resend(c, 5.5, first);
        fin(c, CLIENT, 5.4);
        timeline_play(&t, 20);
        const ka_finding *f = finding_of(&t, KA_REUSE_AFTER_FIN);
        assert_non_null(f);
        assert_int_equal(f->severity, KA_NOTE);
        assert_true(f->failed_gates & KA_GATE_RETRANSMITTED);
    }
}

/* ---- request-after-close ---- */

static void request_after_close(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* answered, as Node does */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", CLOSE);
        mark *late = request(c, 0.3, "");
        answer(c, 0.4, 503, CLOSE);
        fin(c, SERVER, 0.5);
        fin(c, CLIENT, 0.53);
        timeline_play(&t, 20);
        const ka_finding *f = assert_holds(&t, KA_REQUEST_AFTER_CLOSE, KA_ERROR, KA_FAULT_CLIENT, late);
        assert_int_equal(value_of(f, "request_number"), 2);
        assert_int_equal(value_of(f, "status"), 200);
        assert_only(&t, KA_REQUEST_AFTER_CLOSE, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* lost; close and FIN were both known: only one diagnosis */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", CLOSE);
        fin(c, SERVER, 0.2);
        mark *late = request(c, 0.5, "");
        rst(c, SERVER, 0.525);
        timeline_play(&t, 20);
        assert_holds(&t, KA_REQUEST_AFTER_CLOSE, KA_ERROR, KA_FAULT_CLIENT, late);
        assert_only(&t, KA_REQUEST_AFTER_CLOSE, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* only begun */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", CLOSE);
        mark *late = part(c, CLIENT, 0.5);
        fin(c, SERVER, 0.6);
        timeline_play(&t, 20);
        assert_holds(&t, KA_REQUEST_AFTER_CLOSE, KA_ERROR, KA_FAULT_CLIENT, late);
        assert_one_lost(KA_REQUEST_AFTER_CLOSE);
    }
}

static void request_after_close_is_not_a_pipelined_one(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* sent before the close could be known, received by the server or not */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        request(c, 0.11, "");
        response(c, 0.2, CLOSE);
        fin(c, SERVER, 0.2);
        fin(c, CLIENT, 0.23);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

/* ---- server-closed-in-flight ---- */

static void closed_in_flight(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5);
        mark *dropped = request(c, 1, "");
        fin(c, SERVER, 2);
        fin(c, CLIENT, 2.03);
        timeline_play(&t, 20);
        const ka_finding *f =
            assert_holds(&t, KA_SERVER_CLOSED_IN_FLIGHT, KA_ERROR, KA_FAULT_SERVER, dropped);
        assert_value(f, "after_request", 0.975);
        assert_int_equal(value_of(f, "on_idle_timer"), 0);
        assert_only(&t, KA_SERVER_CLOSED_IN_FLIGHT, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* in the middle of the answer */
        conversation *c = advertised_5();
        mark *dropped = request(c, 1, "");
        part(c, SERVER, 1.5);
        rst(c, SERVER, 2);
        timeline_play(&t, 20);
        assert_holds(&t, KA_SERVER_CLOSED_IN_FLIGHT, KA_ERROR, KA_FAULT_SERVER, dropped);
        assert_one_lost(KA_SERVER_CLOSED_IN_FLIGHT);
    }
    FROM_EVERYWHERE(t)
    { /* the request reached the server just before the FIN left: seen here in whatever order */
        conversation *c = advertised_5();
        mark *dropped = request(c, 5.1745, "");
        fin(c, SERVER, 5.2);
        fin(c, CLIENT, 5.23);
        timeline_play(&t, 20);
        const ka_finding *f =
            assert_holds(&t, KA_SERVER_CLOSED_IN_FLIGHT, KA_ERROR, KA_FAULT_SERVER, dropped);
        assert_int_equal(value_of(f, "on_idle_timer"), 1);
        assert_one_lost(KA_SERVER_CLOSED_IN_FLIGHT);
    }
}

static void closed_in_flight_only_before_a_processing_timeout(void **state)
{
    (void)state;
    static const struct {
        double close_s;
        bool found;
    } rows[] = {{6.02, true}, {6.03, false}, {30, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            request(c, 1, "");
            fin(c, SERVER, rows[i].close_s);
            fin(c, CLIENT, rows[i].close_s + 0.03);
            timeline_play(&t, 60);
            if (rows[i].found)
                assert_only(&t, KA_SERVER_CLOSED_IN_FLIGHT, KA_FINDING_COUNT);
            else
                assert_silent(&t);
        }
    }
    FROM_EVERYWHERE(t)
    { /* on the idle timer, however long the request took */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "Connection: keep-alive\nKeep-Alive: timeout=60");
        mark *dropped = request(c, 1, "");
        fin(c, SERVER, 60.2);
        fin(c, CLIENT, 60.23);
        timeline_play(&t, 90);
        const ka_finding *f =
            assert_holds(&t, KA_SERVER_CLOSED_IN_FLIGHT, KA_ERROR, KA_FAULT_SERVER, dropped);
        assert_int_equal(value_of(f, "on_idle_timer"), 1);
    }
}

static void closed_in_flight_is_not_what_an_answer_voided(void **state)
{
    (void)state;
    static const struct {
        const char *asked;
        uint8_t version;
        uint16_t status;
        const char *answered;
    } rows[] = {{"", 11, 400, ""},
                {"", 11, 200, CLOSE},
                {CLOSE, 11, 200, ""},
                {"", 10, 200, ""},
                {"", 11, 200, KEEP_5 ", max=1"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            request(c, 0.1, rows[i].asked)->version = rows[i].version;
            request(c, 0.1, "");
            answer(c, 0.2, rows[i].status, rows[i].answered);
            fin(c, SERVER, 0.2);
            fin(c, CLIENT, 0.23);
            timeline_play(&t, 20);
            assert_silent(&t);
        }
    }
}

static void closed_in_flight_is_not_a_complete_answer(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* it ends with the close */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        mark *first = part(c, SERVER, 0.2);
        mark *end = fin(c, SERVER, 1);
        end->message_from = first;
        end->status = 200;
        end->framing = KA_FRAMING_UNTIL_CLOSE;
        fin(c, CLIENT, 1.03);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* 413 while the body is still coming */
        conversation *c = connect_at(&t, 0);
        part(c, CLIENT, 0.1);
        answer(c, 0.2, 413, "");
        fin(c, SERVER, 0.2);
        part(c, CLIENT, 0.21);
        rst(c, SERVER, 0.25);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(race_when_they_cross),
        cmocka_unit_test(race_with_a_reset),
        cmocka_unit_test(race_of_a_request_only_begun),
        cmocka_unit_test(race_names_its_causes),
        cmocka_unit_test(race_is_not_an_answered_request),
        cmocka_unit_test(race_is_not_what_the_client_gave_up),
        cmocka_unit_test(race_is_not_a_pipeline_cut_short),
        cmocka_unit_test(reuse_after_fin),
        cmocka_unit_test(reuse_after_fin_is_the_clients_in_a_restart_too),
        cmocka_unit_test(reuse_after_fin_is_unsure_of_a_retransmission),
        cmocka_unit_test(request_after_close),
        cmocka_unit_test(request_after_close_is_not_a_pipelined_one),
        cmocka_unit_test(closed_in_flight),
        cmocka_unit_test(closed_in_flight_only_before_a_processing_timeout),
        cmocka_unit_test(closed_in_flight_is_not_what_an_answer_voided),
        cmocka_unit_test(closed_in_flight_is_not_a_complete_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
