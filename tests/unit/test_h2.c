/* test_h2.c - HTTP/2 as the core sees it: streams for exchanges, idle gaps, GOAWAY, forbidden fields.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "story.h"

#include "h2.h"

enum {
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION
};
enum { END_STREAM = 1, END_HEADERS = 4, BOTH = 5 };

static story s;
static talk t;

static int begin(void **state)
{
    (void)state;
    story_begin(&s);
    t = talk_open(&s, 0, false);
    handshake(&t, 0, 0.03, 0.02);
    ka_protocol_seen(t.connection, KA_PROTOCOL_H2C);
    return 0;
}

static int end(void **state)
{
    (void)state;
    story_end(&s);
    return 0;
}

/* One frame, one segment. */
static ka_moment frame(double at, int side, uint8_t type, uint8_t flags, uint32_t stream)
{
    uint32_t seq = t.next[side];
    ka_moment now = sends(&t, at, side, KA_PSH | KA_ACK, 20);
    ka_h2_frame f = {.direction = talk_direction(&t, side),
                     .type = type,
                     .flags = flags,
                     .stream_id = stream,
                     .last_stream = type == GOAWAY ? 2147483647 : 0,
                     .seq = seq,
                     .len_bytes = 20,
                     .first = now,
                     .last = now};
    if (s.status == KA_OK)
        s.status = ka_h2_frame_seen(s.audit, t.connection, &f);
    return now;
}

static void exchange(double at, uint32_t stream)
{
    frame(at, CLIENT, HEADERS, BOTH, stream);
    frame(at + 0.1, SERVER, HEADERS, END_HEADERS, stream);
    frame(at + 0.2, SERVER, DATA, END_STREAM, stream);
}

static void closed(const ka_record *r, ka_side by, ka_verdict verdict, int64_t idle_ns)
{
    assert_string_equal(ka_side_name(r->close.by), ka_side_name(by));
    assert_string_equal(ka_verdict_name(r->close.verdict), ka_verdict_name(verdict));
    assert_int_equal(r->close.idle_ns, idle_ns);
}

static void counted(const ka_record *r, uint64_t requests, uint64_t responses, uint64_t gaps, double total)
{
    assert_int_equal(r->requests, requests);
    assert_int_equal(r->responses, responses);
    assert_int_equal(r->idle_count, gaps);
    assert_int_equal(r->idle_total_ns, story_ns(total));
}

static void gaps_lie_between_the_last_end_and_the_next_headers(void **state)
{
    (void)state;
    frame(0.5, CLIENT, SETTINGS, 0, 0);
    frame(0.6, SERVER, SETTINGS, 0, 0);
    exchange(1, 1);
    for (uint8_t type = 0; type < 5; type++)
        frame(2, CLIENT, (uint8_t[]){PING, WINDOW_UPDATE, PRIORITY, SETTINGS, 77}[type], 0, type == 2);
    exchange(4.2, 3);
    fins(&t, 9.4, SERVER);
    ka_record r = story_only_record(&s);
    assert_string_equal(r.protocol, "h2c");
    counted(&r, 2, 2, 2, 8);
    assert_int_equal(r.idle_longest_ns, story_ns(5));
    closed(&r, KA_SIDE_SERVER, KA_VERDICT_UNADVERTISED, story_ns(5));
    assert_int_equal(r.timeout_s, KA_NONE);
    assert_int_equal(r.goaway.by, KA_SIDE_NONE);
    assert_int_equal(s.finding_count, 1);
    assert_true(story_has(&s, KA_H2_CLOSE_WITHOUT_GOAWAY));
}

static void streams_overlap(void **state)
{
    (void)state;
    frame(1, CLIENT, HEADERS, BOTH, 1);
    frame(1.1, CLIENT, HEADERS, BOTH, 3);
    frame(1.2, SERVER, HEADERS, BOTH, 3);
    frame(1.3, CLIENT, HEADERS, BOTH, 5);
    frame(1.4, SERVER, HEADERS, BOTH, 1);
    frame(2, SERVER, HEADERS, BOTH, 5);
    acks(&t, 5, CLIENT);
    ka_record r = story_only_record(&s);
    counted(&r, 3, 3, 1, 3);
    closed(&r, KA_SIDE_NONE, KA_VERDICT_OPEN, KA_NONE);
}

static void a_stream_ends_once(void **state)
{
    (void)state;
    frame(1, CLIENT, HEADERS, END_HEADERS, 1);
    frame(1.1, SERVER, HEADERS, BOTH, 1);
    frame(1.2, SERVER, RST_STREAM, 0, 1); /* it does not want the rest of the body */
    frame(1.3, CLIENT, RST_STREAM, 0, 1);
    frame(1.4, CLIENT, DATA, END_STREAM, 1);
    frame(1.5, SERVER, DATA, END_STREAM, 1);
    frame(2.1, CLIENT, HEADERS, BOTH, 3);
    ka_record r = story_only_record(&s);
    counted(&r, 2, 1, 1, 1);
}

static void a_reset_ends_a_stream_without_response(void **state)
{
    (void)state;
    for (int side = CLIENT; side <= SERVER; side++) {
        story_end(&s);
        begin(state);
        frame(1, CLIENT, HEADERS, BOTH, 1);
        frame(2, side, RST_STREAM, 0, 1);
        fins(&t, 5, SERVER);
        ka_record r = story_only_record(&s);
        counted(&r, 1, 0, 1, 3);
        closed(&r, KA_SIDE_SERVER, KA_VERDICT_UNADVERTISED, story_ns(3));
    }
}

static void continuation_ends_the_block(void **state)
{
    (void)state;
    frame(1, CLIENT, HEADERS, END_STREAM, 1);
    frame(1.1, CLIENT, CONTINUATION, END_HEADERS, 1);
    frame(1.2, SERVER, HEADERS, END_STREAM, 1);
    frame(1.3, SERVER, CONTINUATION, 0, 1);
    frame(2, SERVER, CONTINUATION, END_HEADERS, 1);
    fins(&t, 5, CLIENT);
    ka_record r = story_only_record(&s);
    counted(&r, 1, 1, 1, 3);
}

static void trailers_and_pushes_are_no_requests(void **state)
{
    (void)state;
    frame(1, CLIENT, HEADERS, END_HEADERS, 1);
    frame(1.1, CLIENT, HEADERS, BOTH, 1);
    frame(1.2, SERVER, PUSH_PROMISE, END_HEADERS, 1);
    frame(1.3, SERVER, HEADERS, BOTH, 2);
    frame(2, SERVER, HEADERS, BOTH, 1);
    fins(&t, 3, CLIENT);
    ka_record r = story_only_record(&s);
    counted(&r, 1, 1, 1, 1);
}

static void busy_as_the_closer_knew(void **state)
{
    ka_record r;
    exchange(1, 1);
    frame(2, CLIENT, HEADERS, BOTH, 3);
    fins(&t, 3, SERVER);
    r = story_only_record(&s);
    closed(&r, KA_SIDE_SERVER, KA_VERDICT_BUSY, KA_NONE);

    begin(state);
    exchange(1, 1);
    acks(&t, 1.3, CLIENT);
    t.deaf[SERVER] = true;
    frame(2.2, CLIENT, HEADERS, BOTH, 3);
    fins(&t, 2.21, SERVER);
    r = story_only_record(&s);
    closed(&r, KA_SIDE_SERVER, KA_VERDICT_UNADVERTISED, story_ns(1.01));

    begin(state);
    frame(1, CLIENT, HEADERS, BOTH, 1);
    t.deaf[CLIENT] = true;
    frame(2, SERVER, HEADERS, BOTH, 1);
    fins(&t, 2.01, CLIENT);
    r = story_only_record(&s);
    closed(&r, KA_SIDE_CLIENT, KA_VERDICT_BUSY, KA_NONE);
    t.deaf[CLIENT] = t.deaf[SERVER] = false;
}

static void unused(void **state)
{
    (void)state;
    frame(1, CLIENT, SETTINGS, 0, 0);
    fins(&t, 3, SERVER);
    ka_record r = story_only_record(&s);
    counted(&r, 0, 0, 0, 0);
    closed(&r, KA_SIDE_SERVER, KA_VERDICT_UNUSED, KA_NONE);
}

static void goaway_announces(void **state)
{
    (void)state;
    exchange(1, 1);
    ka_moment first = frame(2, SERVER, GOAWAY, 0, 0);
    frame(2.1, SERVER, GOAWAY, 0, 0);
    frame(2.2, CLIENT, GOAWAY, 0, 0);
    fins(&t, 3.2, CLIENT);
    ka_record r = story_only_record(&s);
    closed(&r, KA_SIDE_CLIENT, KA_VERDICT_ANNOUNCED, story_ns(2));
    assert_int_equal(r.goaway.by, KA_SIDE_SERVER);
    assert_int_equal(r.goaway.at.frame, first.frame);
    assert_int_equal(r.goaway.last_stream, 2147483647);
}

static void goaway_after_the_close_announces_nothing(void **state)
{
    (void)state;
    exchange(1, 1);
    fins(&t, 3.2, CLIENT);
    frame(3.3, SERVER, GOAWAY, 0, 0);
    ka_record r = story_only_record(&s);
    closed(&r, KA_SIDE_CLIENT, KA_VERDICT_UNADVERTISED, story_ns(2));
    assert_int_equal(r.goaway.by, KA_SIDE_SERVER);
}

static void more_streams_than_are_kept(void **state)
{
    enum { COUNT = KA_H2_STREAMS_MAX + 50 };
    (void)state;
    for (uint32_t i = 0; i < COUNT; i++)
        frame(1, CLIENT, HEADERS, BOTH, 2 * i + 1);
    for (uint32_t i = 0; i < COUNT - 1; i++)
        frame(2, SERVER, HEADERS, BOTH, 2 * i + 1);
    frame(3, SERVER, HEADERS, BOTH, 2 * COUNT - 1);
    fins(&t, 5, SERVER);
    ka_record r = story_only_record(&s);
    counted(&r, COUNT, COUNT, 1, 2);
    closed(&r, KA_SIDE_SERVER, KA_VERDICT_UNADVERTISED, story_ns(2));
}

static void an_answer_to_an_uncaptured_request(void **state)
{
    (void)state;
    frame(1, SERVER, HEADERS, BOTH, 7);
    frame(2, CLIENT, HEADERS, BOTH, 9);
    frame(3, SERVER, HEADERS, BOTH, 9);
    fins(&t, 4, SERVER);
    ka_record r = story_only_record(&s);
    counted(&r, 1, 2, 2, 2);
}

static void an_upgrade_is_stream_1(void **state)
{
    (void)state;
    ka_protocol_seen(t.connection, KA_PROTOCOL_HTTP);
    asks(&t, 0.5);
    answers(&t, 0.6, 101,
            (words){.connection = "upgrade", .keep_alive = "timeout=5", .framing = KA_FRAMING_TUNNEL});
    ka_protocol_seen(t.connection, KA_PROTOCOL_H2C);
    frame(0.7, SERVER, SETTINGS, 0, 0);
    frame(0.8, CLIENT, SETTINGS, 0, 0);
    frame(1, SERVER, HEADERS, BOTH, 1);
    exchange(3, 3);
    fins(&t, 4.2, SERVER);
    ka_record r = story_only_record(&s);
    assert_string_equal(r.protocol, "h2c");
    counted(&r, 2, 2, 2, 3);
    closed(&r, KA_SIDE_SERVER, KA_VERDICT_UNADVERTISED, story_ns(1));
    assert_int_equal(r.timeout_s, KA_NONE);
    assert_int_equal(r.failed_gates & KA_GATE_TUNNEL, 0);
}

static void decrypted_records_are_forgotten(void **state)
{
    (void)state;
    for (int side = CLIENT; side <= SERVER; side++) {
        uint32_t seq = t.next[side];
        ka_moment now = sends(&t, 0.2 + side, side, KA_PSH | KA_ACK, 100);
        ka_bytes record = {talk_direction(&t, side), 23, seq, 100, now, now};
        assert_int_equal(ka_tls_record_seen(s.audit, t.connection, &record), KA_OK);
    }
    ka_protocol_seen(t.connection, KA_PROTOCOL_H2);
    exchange(3, 1);
    fins(&t, 4.2, SERVER);
    ka_record r = story_only_record(&s);
    assert_string_equal(r.protocol, "h2");
    counted(&r, 1, 1, 1, 1);
}

/* ---- Forbidden fields ---- */

static void field(ka_moment at, int side, const char *name)
{
    s.status =
        ka_h2_field_seen(s.audit, t.connection, talk_direction(&t, side), (ka_slice){name, strlen(name)}, at);
    assert_int_equal(s.status, KA_OK);
}

static void forbidden_fields(void **state)
{
    static const char *const names[] = {"connection", "keep-alive", "proxy-connection", "Keep-Alive"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (int side = CLIENT; side <= SERVER; side++) {
            story_end(&s);
            begin(state);
            frame(1, CLIENT, HEADERS, BOTH, 1);
            ka_moment at = frame(2, side, side == CLIENT ? DATA : HEADERS, BOTH, 1);
            field(at, side, "content-length");
            field(at, side, names[i]);
            field(at, side, names[i]);
            story_report(&s);
            assert_int_equal(s.finding_count, 1);
            const ka_finding *f = &s.findings[0];
            assert_int_equal(f->id, KA_H2_CONNECTION_FIELD);
            assert_int_equal(f->severity, KA_ERROR);
            assert_int_equal(f->fault, side == CLIENT ? KA_FAULT_CLIENT : KA_FAULT_SERVER);
            assert_int_equal(f->at.frame, at.frame);
            assert_int_equal(f->values[0].number, 2);
            assert_memory_equal(f->detail, names[i], strlen(names[i]));
        }
    }
}

static void allowed_fields(void **state)
{
    static const char *const names[] = {"",      ":status", "te",        "content-type", "keep-alives",
                                        "alive", "upgrade", "connectio", "x-connection", "server"};
    (void)state;
    ka_moment at = frame(1, CLIENT, HEADERS, BOTH, 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        field(at, SERVER, names[i]);
    story_report(&s);
    assert_int_equal(s.finding_count, 0);
}

/* ---- No memory ---- */

static void no_memory(void **state)
{
    (void)state;
    for (long refuse = 1; s.status != KA_OK || refuse < 100; refuse++) {
        story_end(&s);
        story_begin_refusing(&s, refuse);
        t = talk_open(&s, 0, false);
        if (s.status != KA_OK)
            continue;
        handshake(&t, 0, 0.03, 0.02);
        for (uint32_t i = 0; i < 9; i++)
            frame(1, CLIENT, HEADERS, BOTH, 2 * i + 1);
        fins(&t, 2, SERVER);
        story_report(&s);
        if (s.status == KA_OK)
            break;
        assert_int_equal(s.status, KA_NO_MEMORY);
    }
    assert_int_equal(s.status, KA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gaps_lie_between_the_last_end_and_the_next_headers, begin, end),
        cmocka_unit_test_setup_teardown(streams_overlap, begin, end),
        cmocka_unit_test_setup_teardown(a_stream_ends_once, begin, end),
        cmocka_unit_test_setup_teardown(a_reset_ends_a_stream_without_response, begin, end),
        cmocka_unit_test_setup_teardown(continuation_ends_the_block, begin, end),
        cmocka_unit_test_setup_teardown(trailers_and_pushes_are_no_requests, begin, end),
        cmocka_unit_test_setup_teardown(busy_as_the_closer_knew, begin, end),
        cmocka_unit_test_setup_teardown(unused, begin, end),
        cmocka_unit_test_setup_teardown(goaway_announces, begin, end),
        cmocka_unit_test_setup_teardown(goaway_after_the_close_announces_nothing, begin, end),
        cmocka_unit_test_setup_teardown(more_streams_than_are_kept, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_to_an_uncaptured_request, begin, end),
        cmocka_unit_test_setup_teardown(an_upgrade_is_stream_1, begin, end),
        cmocka_unit_test_setup_teardown(decrypted_records_are_forgotten, begin, end),
        cmocka_unit_test_setup_teardown(forbidden_fields, begin, end),
        cmocka_unit_test_setup_teardown(allowed_fields, begin, end),
        cmocka_unit_test_setup_teardown(no_memory, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
