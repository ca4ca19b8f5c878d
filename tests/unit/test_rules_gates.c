/* test_rules_gates.c - what the capture cannot show lowers a finding to a note, with the reason beside it, or
 * silences it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

static void client_closes(conversation *c, double at_s)
{
    fin(c, CLIENT, at_s);
    fin(c, SERVER, at_s + 0.03);
}

static mark *server_closes(conversation *c, double at_s)
{
    mark *close = fin(c, SERVER, at_s);
    fin(c, CLIENT, at_s + 0.03);
    return close;
}

static void assert_lowered(ka_finding_id id, uint32_t gates)
{
    const ka_finding *f = finding_of(&t, id);
    assert_non_null(f);
    assert_int_equal(f->severity, KA_NOTE);
    assert_int_equal(f->failed_gates, gates);
    char text[1024];
    ka_sentence(f, text, sizeof text);
    assert_non_null(strstr(text, "uncertain: "));
}

static void assert_capture_note(ka_finding_id id)
{
    assert_holds(&t, id, KA_NOTE, KA_FAULT_CAPTURE, NULL);
}

static void mid_start_lowers_counts_only(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5 ", max=1");
        exchange(c, 0.3, "", KEEP_5 ", max=0");
        exchange(c, 0.5, "", "");
        client_closes(c, 1);
        c->seen_from = 0.08;
        timeline_play(&t, 20);
        assert_lowered(KA_MAX_EXCEEDED, KA_GATE_MID_START);
        assert_capture_note(KA_CAP_MID_START);
        assert_only(&t, KA_MAX_EXCEEDED, KA_CAP_MID_START, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* an idle age needs no beginning; and no cap-* where nothing was lowered */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5);
        mark *close = server_closes(c, 3);
        c->seen_from = 0.08;
        timeline_play(&t, 20);
        assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, close);
        assert_only(&t, KA_CLOSED_EARLY, KA_FINDING_COUNT);
        assert_true(record_of(&t, c)->failed_gates & KA_GATE_MID_START);
    }
    FROM_EVERYWHERE(t)
    { /* the capture begins with the server's answer */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5);
        mark *close = server_closes(c, 3);
        c->seen_from = 0.15;
        timeline_play(&t, 20);
        assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, close);
        assert_int_equal(record_of(&t, c)->server.port, 80);
    }
}

static void one_sided_lowers(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5);
        server_closes(c, 3);
        c->unseen[CLIENT] = true;
        timeline_play(&t, 20);
        assert_lowered(KA_CLOSED_EARLY, KA_GATE_ONE_SIDED);
        assert_capture_note(KA_CAP_ONE_SIDED);
        assert_only(&t, KA_CLOSED_EARLY, KA_CAP_ONE_SIDED, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* the answers were not captured: nothing was lost */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5);
        exchange(c, 1, "", KEEP_5);
        server_closes(c, 3);
        c->unseen[SERVER] = true;
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

static void gap_at_the_end_lowers(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* an exchange that was not captured restarted the timer */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5);
        request(c, 2, "")->uncaptured = true;
        response(c, 2.1, KEEP_5)->uncaptured = true;
        server_closes(c, 4);
        timeline_play(&t, 20);
        assert_lowered(KA_CLOSED_EARLY, KA_GATE_GAP);
        assert_capture_note(KA_CAP_GAP);
    }
    FROM_EVERYWHERE(t)
    { /* long ago: no matter */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "")->uncaptured = true;
        response(c, 0.2, KEEP_5)->uncaptured = true;
        exchange(c, 1, "", KEEP_5);
        mark *close = server_closes(c, 3);
        timeline_play(&t, 20);
        assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, close);
        assert_only(&t, KA_CLOSED_EARLY, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* the answer is what the capture missed */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5);
        request(c, 1, "");
        response(c, 1.1, KEEP_5)->uncaptured = true;
        server_closes(c, 6.1);
        timeline_play(&t, 20);
        const ka_finding *f = finding_of(&t, KA_SERVER_CLOSED_IN_FLIGHT);
        assert_true(f == NULL || f->severity == KA_NOTE);
    }
}

static void backward_time_lowers(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5);
        bare_ack(c, CLIENT, 5);
        mark *close = server_closes(c, 5.2);
        close->clock_ns = -KA_SECOND_NS; /* the clock was set back while it was idle */
        timeline_play(&t, 20);
        assert_lowered(KA_CLOSED_EARLY, KA_GATE_CLOCK);
        assert_capture_note(KA_CAP_CLOCK);
    }
}

static void what_the_front_end_knows_lowers(void **state)
{
    (void)state;
    static const struct {
        ka_gate gate;
        ka_finding_id beside; /* KA_FINDING_COUNT: only the reason */
    } rows[] = {{KA_GATE_SNAPLEN, KA_CAP_SNAPLEN},
                {KA_GATE_UNFRAMED, KA_FINDING_COUNT},
                {KA_GATE_LOST_STATE, KA_FINDING_COUNT}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchange(c, 0.1, "", KEEP_5);
            server_closes(c, 3);
            c->gates = rows[i].gate;
            timeline_play(&t, 20);
            assert_lowered(KA_CLOSED_EARLY, rows[i].gate);
            assert_only(&t, KA_CLOSED_EARLY, rows[i].beside, KA_FINDING_COUNT);
        }
    }
    static const ka_gate harmless[] = {KA_GATE_DUPLICATE, KA_GATE_OFFLOAD, KA_GATE_NO_RTT};
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchange(c, 0.1, "", KEEP_5);
            mark *close = server_closes(c, 3);
            c->gates = harmless[i];
            timeline_play(&t, 20);
            assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, close);
            assert_only(&t, KA_CLOSED_EARLY, KA_FINDING_COUNT);
        }
    }
}

static void only_a_retransmission_captured_lowers(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        mark *lost = response(c, 0.2, KEEP_5);
        lost->uncaptured = true;
        resend(c, 1.2, lost);
        server_closes(c, 5.2); /* punctual by the first transmission */
        timeline_play(&t, 20);
        assert_lowered(KA_CLOSED_EARLY, KA_GATE_RETRANSMITTED);
    }
    FROM_EVERYWHERE(t)
    { /* both captured: the first one counts */
        conversation *c = connect_at(&t, 0);
        request(c, 0.1, "");
        resend(c, 1.2, response(c, 0.2, KEEP_5));
        server_closes(c, 5.2);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

static void lost_requests_are_lowered_too(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchange(c, 0.1, "", i == 0 ? CLOSE : "");
            static const double sent_s[] = {0.5, 2.5, 2, 1.5}; /* the server closes at 2 */
            request(c, sent_s[i], "");
            fin(c, SERVER, 2);
            rst(c, SERVER, 2.6);
            c->gates = KA_GATE_UNFRAMED;
            timeline_play(&t, 20);
            static const ka_finding_id ids[] = {KA_REQUEST_AFTER_CLOSE, KA_REUSE_AFTER_FIN, KA_KEEPALIVE_RACE,
                                                KA_SERVER_CLOSED_IN_FLIGHT};
            assert_lowered(ids[i], KA_GATE_UNFRAMED);
        }
    }
}

static void token_missing_lowers(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "Keep-Alive: timeout=5");
        server_closes(c, 3);
        timeline_play(&t, 20);
        assert_lowered(KA_CLOSED_EARLY, KA_GATE_TOKEN_MISSING);
        assert_only(&t, KA_CLOSED_EARLY, KA_TOKEN_MISSING, KA_FINDING_COUNT);
    }
}

static void reused_ports_silence_what_stayed_open(void **state)
{
    (void)state;
    static const char *const fields[] = {KEEP_5, CLOSE};
    for (int i = 0; i < 2; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = connect_at(&t, 0);
            exchange(c, 0.1, "", fields[i]);
            connect_to(&t, 699, 2); /* time goes on */
            ports_reused(c, 700);
            timeline_play(&t, 710);
            assert_silent(&t);
            assert_true(record_of(&t, c)->failed_gates & KA_GATE_PORT_REUSE);
        }
    }
    FROM_EVERYWHERE(t)
    { /* the server closed in time; what became of the client's side nobody saw */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", KEEP_5);
        fin(c, SERVER, 5.2);
        connect_to(&t, 99, 2);
        ports_reused(c, 100);
        timeline_play(&t, 110);
        assert_silent(&t);
    }
}

/* ---- Tunnels: no HTTP, no idle timers ---- */

static conversation *tunnel(double at_s, const char *method, uint16_t status)
{
    conversation *c = connect_at(&t, at_s);
    request(c, at_s + 0.1, "Connection: Upgrade\nUpgrade: websocket")->method = method;
    answer(c, at_s + 0.2, status, "Connection: Upgrade\nUpgrade: websocket")->framing = KA_FRAMING_TUNNEL;
    return c;
}

static void tunnels_are_silent(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        for (int i = 0; i < 2; i++) {
            const char *method = i == 0 ? "GET" : "CONNECT";
            uint16_t status = i == 0 ? 101 : 200;
            server_closes(tunnel(0, method, status), 0.21);
            conversation *busy = tunnel(0, method, status);
            part(busy, CLIENT, 5);
            part(busy, SERVER, 6);
            part(busy, CLIENT, 7);
            server_closes(busy, 8);
            conversation *crossing = tunnel(0, method, status);
            part(crossing, CLIENT, 5);
            server_closes(crossing, 5);
            conversation *half = tunnel(0, method, status);
            fin(half, SERVER, 5);
            conversation *other_half = tunnel(0, method, status);
            fin(other_half, CLIENT, 5);
            tunnel(0, method, status); /* open to the end */
        }
        timeline_play(&t, 2000);
        assert_silent(&t);
    }
}

static void event_streams_are_silent(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        static const char fields[] = KEEP_5 "\nContent-Type: text/event-stream; charset=utf-8";
        conversation *ended = connect_at(&t, 0); /* the stream was chunked and came to its end */
        request(ended, 0.1, "");
        response_end(ended, 30, part(ended, SERVER, 0.2), fields)->framing = KA_FRAMING_CHUNKED;
        server_closes(ended, 30.01);
        conversation *brief = connect_at(&t, 0);
        exchange(brief, 0.1, "", fields);
        server_closes(brief, 0.21);
        conversation *until = connect_at(&t, 0);
        request(until, 0.1, "");
        mark *first = part(until, SERVER, 0.2);
        mark *close = fin(until, SERVER, 60);
        close->message_from = first;
        close->status = 200;
        close->fields = fields;
        close->framing = KA_FRAMING_UNTIL_CLOSE;
        fin(until, CLIENT, 60.03);
        conversation *open = connect_at(&t, 0);
        request(open, 0.1, "");
        for (int i = 0; i < 20; i++)
            part(open, SERVER, 0.2 + 40 * i);
        timeline_play(&t, 2000);
        assert_silent(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mid_start_lowers_counts_only),
        cmocka_unit_test(one_sided_lowers),
        cmocka_unit_test(gap_at_the_end_lowers),
        cmocka_unit_test(backward_time_lowers),
        cmocka_unit_test(what_the_front_end_knows_lowers),
        cmocka_unit_test(only_a_retransmission_captured_lowers),
        cmocka_unit_test(lost_requests_are_lowered_too),
        cmocka_unit_test(token_missing_lowers),
        cmocka_unit_test(reused_ports_silence_what_stayed_open),
        cmocka_unit_test(tunnels_are_silent),
        cmocka_unit_test(event_streams_are_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
