/* test_connection.c - who closed, what that side knew, how long it was idle; TLS by its bursts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "story.h"

static story s;
static talk t;

/* Captured halfway: 20 ms to the client and back, 30 ms to the server and back. */
static int begin(void **state)
{
    (void)state;
    story_begin(&s);
    t = talk_open(&s, 0, false);
    handshake(&t, 0, 30 * MS, 20 * MS);
    return 0;
}

static int end(void **state)
{
    (void)state;
    story_end(&s);
    return 0;
}

/* One exchange with timeout=5, the response ends at 1 s. */
static void exchange(void)
{
    asks(&t, 0.9);
    advertises(&t, 1, "timeout=5");
    acks(&t, 1.02, CLIENT);
}

static void closed(ka_side by, ka_how how, ka_verdict verdict, int64_t idle_ns)
{
    ka_record r = story_only_record(&s);
    assert_string_equal(ka_side_name(r.close.by), ka_side_name(by));
    assert_string_equal(ka_how_name(r.close.how), ka_how_name(how));
    assert_string_equal(ka_verdict_name(r.close.verdict), ka_verdict_name(verdict));
    assert_int_equal(r.close.idle_ns, idle_ns);
}

#define AFTER(seconds) story_ns(seconds)

/* ---- Verdicts ---- */

static void test_open(void **state)
{
    (void)state;
    exchange();
    acks(&t, 4, SERVER);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.close.by, KA_SIDE_NONE);
    assert_int_equal(r.close.how, KA_HOW_NONE);
    assert_int_equal(r.close.verdict, KA_VERDICT_OPEN);
    assert_int_equal(r.close.idle_ns, KA_NONE);
    assert_int_equal(r.close.at.frame, 0);
    assert_int_equal(r.idle_count, 1);
    assert_int_equal(r.idle_total_ns, 3 * KA_SECOND_NS);
    assert_int_equal(r.rtt_server_ns, 30 * KA_MILLISECOND_NS);
    assert_int_equal(r.rtt_client_ns, 20 * KA_MILLISECOND_NS);
}

typedef struct verdict_row {
    double close_at; /* the response ended at 1 s and advertised 5 s */
    ka_verdict verdict;
} verdict_row;

static void test_early_punctual_late(void **state)
{
    static const verdict_row rows[] = {
        {1.5, KA_VERDICT_EARLY},    {5.949, KA_VERDICT_EARLY},  {5.95, KA_VERDICT_PUNCTUAL},
        {6.0, KA_VERDICT_PUNCTUAL}, {8.1, KA_VERDICT_PUNCTUAL}, {8.101, KA_VERDICT_LATE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int side = CLIENT; side <= SERVER; side++) {
            for (int rst = 0; rst <= 1; rst++) {
                story_end(&s);
                begin(state);
                exchange();
                (rst ? resets : fins)(&t, rows[i].close_at, side);
                closed(side == CLIENT ? KA_SIDE_CLIENT : KA_SIDE_SERVER, rst ? KA_HOW_RST : KA_HOW_FIN,
                       rows[i].verdict, story_ns(rows[i].close_at) - KA_SECOND_NS);
            }
        }
    }
}

static void test_announced(void **state)
{
    (void)state;
    asks(&t, 0.9);
    answers(&t, 1, 200, (words){.connection = "close", .keep_alive = "timeout=5"});
    fins(&t, 1.1, SERVER);
    closed(KA_SIDE_SERVER, KA_HOW_FIN, KA_VERDICT_ANNOUNCED, AFTER(0.1));
}

static void test_announced_by_the_client(void **state)
{
    (void)state;
    line request = sends_message(&t, 0.9, CLIENT, 0, (words){.connection = "close"});
    says(&t, request);
    answers(&t, 1, 200, (words){0});
    fins(&t, 1.1, CLIENT);
    closed(KA_SIDE_CLIENT, KA_HOW_FIN, KA_VERDICT_ANNOUNCED, AFTER(0.1));
}

static void test_unused(void **state)
{
    (void)state;
    fins(&t, 3, SERVER);
    closed(KA_SIDE_SERVER, KA_HOW_FIN, KA_VERDICT_UNUSED, KA_NONE);
}

static void test_unadvertised(void **state)
{
    (void)state;
    exchange();
    asks(&t, 2);
    answers(&t, 2.1, 200, (words){0}); /* the latest one has no timeout */
    fins(&t, 4.1, SERVER);
    closed(KA_SIDE_SERVER, KA_HOW_FIN, KA_VERDICT_UNADVERTISED, AFTER(2));
    assert_int_equal(s.records[0].timeout_s, KA_NONE);
}

static void test_busy(void **state)
{
    (void)state;
    exchange();
    asks(&t, 3);
    fins(&t, 3.1, SERVER);
    closed(KA_SIDE_SERVER, KA_HOW_FIN, KA_VERDICT_BUSY, KA_NONE);
    assert_int_equal(s.records[0].idle_count, 1);
    assert_int_equal(s.records[0].idle_total_ns, 2 * KA_SECOND_NS);
}

static void test_busy_by_the_beginning_of_a_request(void **state)
{
    (void)state;
    exchange();
    sends(&t, 3, CLIENT, KA_ACK, 10);
    resets(&t, 3.1, SERVER);
    closed(KA_SIDE_SERVER, KA_HOW_RST, KA_VERDICT_BUSY, KA_NONE);
}

static void test_client_gives_up(void **state)
{
    (void)state;
    exchange();
    asks(&t, 3);
    resets(&t, 4, CLIENT);
    closed(KA_SIDE_CLIENT, KA_HOW_RST, KA_VERDICT_BUSY, KA_NONE);
}

/* ---- As the closing side knew it ---- */

/* The server's FIN does not acknowledge the request: to the server the connection was idle, whichever of the
 * two the capture holds first. */
static void test_request_crosses_the_fin(void **state)
{
    for (int request_first = 0; request_first <= 1; request_first++) {
        story_end(&s);
        begin(state);
        exchange();
        t.deaf[CLIENT] = true;
        t.deaf[SERVER] = true;
        segment_of(&t, 0, SERVER, KA_ACK, 0);
        if (request_first)
            asks(&t, 5.999);
        fins(&t, 6, SERVER);
        if (!request_first)
            asks(&t, 6.001);
        closed(KA_SIDE_SERVER, KA_HOW_FIN, KA_VERDICT_PUNCTUAL, AFTER(5));
        ka_record *r = &s.records[0];
        assert_int_equal(r->requests, 2);
        assert_int_equal(r->idle_count, 1);
        assert_int_equal(r->idle_total_ns, story_ns(request_first ? 4.999 : 5));
        assert_true(story_has(&s, KA_KEEPALIVE_RACE));
    }
}

/* A half-close: the client had sent its request and closed before it had the response. */
static void test_half_close(void **state)
{
    (void)state;
    asks(&t, 0.9);
    fins(&t, 0.91, CLIENT);
    acks(&t, 0.95, SERVER);
    advertises(&t, 1.5, "timeout=5");
    fins(&t, 1.6, SERVER);
    acks(&t, 1.61, CLIENT);
    closed(KA_SIDE_CLIENT, KA_HOW_FIN, KA_VERDICT_BUSY, KA_NONE);
    assert_int_equal(s.records[0].responses, 1);
    assert_int_equal(s.records[0].idle_count, 0);
}

static void test_half_close_of_an_until_close_response(void **state)
{
    (void)state;
    asks(&t, 0.9);
    fins(&t, 0.91, CLIENT);
    acks(&t, 0.95, SERVER);
    line body = sends_message(&t, 1.5, SERVER, 200, (words){.framing = KA_FRAMING_UNTIL_CLOSE});
    body.last = fins(&t, 1.6, SERVER);
    says(&t, body);
    acks(&t, 1.61, CLIENT);
    closed(KA_SIDE_CLIENT, KA_HOW_FIN, KA_VERDICT_BUSY, KA_NONE);
}

/* The client closes on the last byte of the response: it had it. */
static void test_client_closes_with_the_ack(void **state)
{
    (void)state;
    asks(&t, 0.9);
    advertises(&t, 1, "timeout=5");
    fins(&t, 1.02, CLIENT);
    closed(KA_SIDE_CLIENT, KA_HOW_FIN, KA_VERDICT_EARLY, AFTER(0.02));
}

/* ---- FINs that cross ---- */

typedef struct cross_row {
    double client_fin; /* as captured; sent 10 ms (half of RTTc) before */
    double server_fin; /* sent 15 ms before */
    ka_side by;
} cross_row;

static void test_fins_cross(void **state)
{
    static const cross_row rows[] = {
        {6.000, 6.004, KA_SIDE_SERVER}, /* 5.990 against 5.989, though captured later */
        {6.000, 6.006, KA_SIDE_CLIENT},
        {6.004, 6.000, KA_SIDE_SERVER},
        {6.000, 5.999, KA_SIDE_SERVER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const cross_row *row = &rows[i];
        bool client_first = row->client_fin < row->server_fin;
        story_end(&s);
        begin(state);
        exchange();
        acks(&t, 1.03, SERVER);
        t.deaf[CLIENT] = t.deaf[SERVER] = true;
        fins(&t, client_first ? row->client_fin : row->server_fin, client_first ? CLIENT : SERVER);
        fins(&t, client_first ? row->server_fin : row->client_fin, client_first ? SERVER : CLIENT);
        t.deaf[CLIENT] = t.deaf[SERVER] = false;
        acks(&t, 6.02, CLIENT);
        acks(&t, 6.03, SERVER);
        double at = row->by == KA_SIDE_SERVER ? row->server_fin : row->client_fin;
        closed(row->by, KA_HOW_FIN, KA_VERDICT_PUNCTUAL, story_ns(at) - KA_SECOND_NS);
    }
}

/* The second FIN acknowledges the first: an answer, however near. */
static void test_fin_answers_fin(void **state)
{
    (void)state;
    exchange();
    fins(&t, 6, CLIENT);
    fins(&t, 6.001, SERVER);
    acks(&t, 6.002, CLIENT);
    closed(KA_SIDE_CLIENT, KA_HOW_FIN, KA_VERDICT_PUNCTUAL, AFTER(5));
}

static void test_rst_after_fin(void **state)
{
    (void)state;
    exchange();
    fins(&t, 6, SERVER);
    resets(&t, 6.02, CLIENT);
    closed(KA_SIDE_SERVER, KA_HOW_FIN, KA_VERDICT_PUNCTUAL, AFTER(5));
}

/* A FIN captured after the response's last byte but with an earlier time: no negative durations. */
static void test_no_negative_idle(void **state)
{
    (void)state;
    exchange();
    ka_segment fin = segment_of(&t, 0.9999, SERVER, KA_FIN | KA_ACK, 0);
    moved_on(&t, SERVER, &fin);
    tell(&t, fin);
    closed(KA_SIDE_SERVER, KA_HOW_FIN, KA_VERDICT_EARLY, 0);
    assert_int_equal(s.records[0].idle_total_ns, 0);
    assert_int_equal(s.records[0].idle_longest_ns, 0);
}

static void test_unasked_408_is_a_response(void **state)
{
    (void)state;
    exchange();
    answers(&t, 6, 408, (words){.connection = "close"});
    fins(&t, 6.5, SERVER);
    closed(KA_SIDE_SERVER, KA_HOW_FIN, KA_VERDICT_ANNOUNCED, AFTER(5.5) - AFTER(5));
}

/* ---- Gates ---- */

static void test_front_end_gates(void **state)
{
    (void)state;
    ka_gate_failed(t.connection, KA_GATE_UNFRAMED);
    exchange();
    ka_record r = story_only_record(&s);
    assert_int_equal(r.failed_gates, KA_GATE_UNFRAMED);
}

static void test_lone_syn(void **state)
{
    (void)state;
    story_end(&s);
    story_begin(&s);
    t = talk_open(&s, 0, false);
    sends(&t, 1, CLIENT, KA_SYN, 0);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.failed_gates, 0);
    assert_string_equal(r.protocol, "none");
    assert_int_equal(r.first.frame, 1);
    assert_int_equal(r.close.verdict, KA_VERDICT_OPEN);
}

static void test_token_missing(void **state)
{
    (void)state;
    asks(&t, 0.9);
    answers(&t, 1, 200, (words){.keep_alive = "timeout=5"});
    ka_record r = story_only_record(&s);
    assert_int_equal(r.failed_gates, KA_GATE_TOKEN_MISSING);
}

static void test_protocol_is_that_of_the_first_request(void **state)
{
    (void)state;
    line request = sends_message(&t, 0.9, CLIENT, 0, (words){.version = 10});
    says(&t, request);
    answers(&t, 1, 200, (words){.version = 11});
    ka_record r = story_only_record(&s);
    assert_string_equal(r.protocol, "http/1.0");
}

/* ---- TLS ---- */

enum { CCS = 20, ALERT = 21, HANDSHAKE = 22, DATA = 23 };

static void record(double at, int side, uint8_t type, uint32_t len_bytes)
{
    ka_segment segment = segment_of(&t, at, side, KA_PSH | KA_ACK, len_bytes);
    moved_on(&t, side, &segment);
    ka_moment now = tell(&t, segment);
    ka_bytes bytes = {talk_direction(&t, side), type, segment.seq, len_bytes, now, now};
    if (s.status == KA_OK)
        s.status = ka_tls_record_seen(s.audit, t.connection, &bytes);
}

static void tls12_handshake(void)
{
    record(0.10, CLIENT, HANDSHAKE, 200); /* ClientHello */
    record(0.15, SERVER, HANDSHAKE, 3000);
    record(0.20, CLIENT, HANDSHAKE, 100); /* ClientKeyExchange */
    record(0.20, CLIENT, CCS, 6);
    record(0.20, CLIENT, HANDSHAKE, 45); /* Finished */
    record(0.25, SERVER, CCS, 6);
    record(0.25, SERVER, HANDSHAKE, 45);
}

static void tls13_handshake(bool retry)
{
    record(0.10, CLIENT, HANDSHAKE, 200);
    if (retry) { /* HelloRetryRequest */
        record(0.11, SERVER, HANDSHAKE, 90);
        record(0.11, SERVER, CCS, 6);
        record(0.12, CLIENT, CCS, 6);
        record(0.12, CLIENT, HANDSHAKE, 250);
    }
    record(0.15, SERVER, HANDSHAKE, 120); /* ServerHello */
    record(0.15, SERVER, DATA, 2500);     /* EncryptedExtensions to Finished */
    record(0.20, CLIENT, DATA, 74);       /* Finished */
    record(0.25, SERVER, DATA, 255);      /* session tickets */
    record(0.25, SERVER, DATA, 255);
}

static void tls_exchanges(void)
{
    record(1, CLIENT, DATA, 300);
    record(1.1, SERVER, DATA, 1000);
    record(1.2, SERVER, DATA, 1000);
    record(3.2, CLIENT, DATA, 300);
    record(3.3, SERVER, DATA, 1000);
}

static void is_tls(int how, void (*closing)(void))
{
    static void *no_state[1];
    story_end(&s);
    begin(no_state);
    if (how == 12)
        tls12_handshake();
    else
        tls13_handshake(how == 14);
    tls_exchanges();
    closing();
    ka_record r = story_only_record(&s);
    assert_string_equal(r.protocol, "tls");
    assert_int_equal(r.requests, 0);
    assert_int_equal(r.responses, 0);
    assert_int_equal(r.idle_count, 2);
    assert_int_equal(r.idle_longest_ns, story_ns(5));
    assert_int_equal(r.idle_total_ns, story_ns(7));
    assert_int_equal(r.close.by, KA_SIDE_SERVER);
    assert_int_equal(r.close.idle_ns, story_ns(5));
    assert_int_equal(r.close.verdict, KA_VERDICT_UNADVERTISED);
}

static void close_notify_12(void)
{
    record(8.299, SERVER, ALERT, 31);
    fins(&t, 8.3, SERVER);
}

static void close_notify_13(void)
{
    record(8.299, SERVER, DATA, 24);
    fins(&t, 8.3, SERVER);
}

/* The client's request and the server's FIN cross: the server did not know of the request. */
static void crossing_request(void)
{
    t.deaf[SERVER] = true;
    segment_of(&t, 0, SERVER, KA_ACK, 0);
    fins(&t, 8.3, SERVER);
    record(8.301, CLIENT, DATA, 300);
}

static void test_tls(void **state)
{
    (void)state;
    is_tls(12, close_notify_12);
    is_tls(13, close_notify_13);
    is_tls(14, close_notify_13);
}

static void test_tls_request_crosses_the_fin(void **state)
{
    (void)state;
    is_tls(12, crossing_request);
    is_tls(13, crossing_request);
}

static void test_tls_busy(void **state)
{
    (void)state;
    tls12_handshake();
    tls_exchanges();
    record(5.3, CLIENT, DATA, 300);
    fins(&t, 5.4, SERVER);
    closed(KA_SIDE_SERVER, KA_HOW_FIN, KA_VERDICT_BUSY, KA_NONE);
    assert_int_equal(s.records[0].idle_count, 2);
}

static void test_tls_unused(void **state)
{
    (void)state;
    for (int how = 12; how <= 13; how++) {
        story_end(&s);
        begin(state);
        how == 12 ? tls12_handshake() : tls13_handshake(false);
        fins(&t, 60, SERVER);
        closed(KA_SIDE_SERVER, KA_HOW_FIN, KA_VERDICT_UNUSED, KA_NONE);
        assert_int_equal(s.records[0].idle_count, 0);
    }
}

/* No handshake was captured: the first burst is a request already. */
static void test_tls_mid_start(void **state)
{
    (void)state;
    story_end(&s);
    story_begin(&s);
    t = talk_open(&s, 0, false);
    tls_exchanges();
    acks(&t, 4.3, CLIENT);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.idle_count, 2);
    assert_int_equal(r.idle_total_ns, story_ns(3));
}

/* ---- The end of the capture ---- */

static void cut_short(bool expected)
{
    ka_record r = story_only_record(&s);
    assert_int_equal((r.failed_gates & KA_GATE_SHORT_TAIL) != 0, expected);
}

/* Open and idle, nothing is awaited. */
static void test_not_cut_short(void **state)
{
    (void)state;
    exchange();
    acks(&t, 9, SERVER);
    cut_short(false);
}

static void test_cut_short_before_the_answer(void **state)
{
    (void)state;
    exchange();
    asks(&t, 2);
    cut_short(true);
}

static void test_cut_short_half_closed(void **state)
{
    (void)state;
    exchange();
    fins(&t, 6, SERVER);
    acks(&t, 10.9, CLIENT);
    cut_short(true);
}

/* Held long enough to be judged: nothing is missing. */
static void test_half_closed_for_long(void **state)
{
    (void)state;
    exchange();
    fins(&t, 6, SERVER);
    acks(&t, 11.1, CLIENT);
    cut_short(false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(open),
        TEST(early_punctual_late),
        TEST(announced),
        TEST(announced_by_the_client),
        TEST(unused),
        TEST(unadvertised),
        TEST(busy),
        TEST(busy_by_the_beginning_of_a_request),
        TEST(client_gives_up),
        TEST(request_crosses_the_fin),
        TEST(half_close),
        TEST(half_close_of_an_until_close_response),
        TEST(client_closes_with_the_ack),
        TEST(fins_cross),
        TEST(fin_answers_fin),
        TEST(rst_after_fin),
        TEST(no_negative_idle),
        TEST(unasked_408_is_a_response),
        TEST(front_end_gates),
        TEST(lone_syn),
        TEST(token_missing),
        TEST(protocol_is_that_of_the_first_request),
        TEST(tls),
        TEST(tls_request_crosses_the_fin),
        TEST(tls_busy),
        TEST(tls_unused),
        TEST(tls_mid_start),
        TEST(not_cut_short),
        TEST(cut_short_before_the_answer),
        TEST(cut_short_half_closed),
        TEST(half_closed_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
