/* test_stream.c - the order of bytes, and what the core is told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "wire.h"

#define GET   "GET / HTTP/1.1\r\n\r\n"                        /* 18 bytes */
#define OK_0  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"  /* 38 bytes */
#define OK_10 "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" /* 39 bytes, and 10 of body */

/* ---- One conversation, sent in many ways ------------------------------------------------------ */

typedef struct turn {
    unsigned direction;
    const char *text;
} turn;

static const turn long_talk[] = {
    {0, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"},
    {1, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nKeep-Alive: timeout=5, \r\n max=7\r\n\r\n0123456789"},
    {0, "\r\nHEAD /b HTTP/1.1\r\n\r\n"},
    {1, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\nServer:\r\n\r\n"},
    {0,
     "POST /c HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
    {1, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
        "chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\n"
        "Host: trailer\r\n\r\n"},
    {0, "GET /d HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nBREW /e HTTP/1.1\r\nContent-Length: "
        "3\r\n\r\nxyz"},
    {1, "HTTP/1.1 204 No Content\r\nVia: 1\r\nVia: 2\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: "
        "9\r\n\r\n"},
    {0, "GET /f HTTP/1.0\r\n\r\n"},
    {1, "HTTP/1.0 200 OK\r\n\r\nuntil the end"},
};
enum { LONG_TURNS = sizeof long_talk / sizeof long_talk[0] };

static const char long_expected[] = "0 GET 11 1+52 none 0 5[x] 0[keep-alive]\n"
                                    "1 200 11 1+82 length 10 1[timeout=5,    max=7]\n"
                                    "0 stray 53+2\n"
                                    "0 HEAD 11 55+20 none 0\n"
                                    "1 200 11 83+49 none 0 8[]\n"
                                    "0 POST 11 75+83 chunked 3 3[100-continue]\n"
                                    "1 100 11 132+25 none 0\n"
                                    "1 200 11 157+81 chunked 5\n"
                                    "0 GET 11 158+54 none 0 4[h2c] 0[upgrade]\n"
                                    "0 BREW 11 212+42 length 3\n"
                                    "1 204 11 238+43 none 0 7[1] 7[2]\n"
                                    "1 304 11 281+48 none 0\n"
                                    "0 GET 10 254+19 none 0\n"
                                    "1 200 10 329+32 until-close 13\n";

typedef enum manner {
    MANNER_SPLIT,    /* each turn in two segments, cut at `at` */
    MANNER_REVERSED, /* the second half first */
    MANNER_TWICE,    /* every segment again, with other bytes */
    MANNER_OVERLAP,  /* the second segment repeats the first's last bytes, spoilt */
    MANNER_BYTES,    /* a segment for every byte; `at` in a window sent backward */
    MANNER_COUNT,
} manner;

static void send_spoilt(unsigned direction, uint32_t offset, const char *text, size_t len, size_t spoilt)
{
    char copy[512];
    memcpy(copy, text, len);
    memset(copy, '#', spoilt);
    wire_send(direction, 0, offset, copy, len);
}

static void send_bytes(unsigned direction, uint32_t offset, const char *text, size_t len, size_t window)
{
    for (size_t from = 0; from < len; from += window)
        for (size_t i = from + window < len ? from + window : len; i-- > from;)
            wire_send(direction, 0, offset + (uint32_t)i, text + i, 1);
}

static void send_turn(manner how, unsigned direction, uint32_t offset, const char *text, size_t at)
{
    size_t len = strlen(text);
    size_t cut = at < len ? at : len;
    switch (how) {
    case MANNER_REVERSED:
        if (cut < len)
            wire_send(direction, 0, offset + (uint32_t)cut, text + cut, len - cut);
        wire_send(direction, 0, offset, text, cut);
        break;
    case MANNER_TWICE:
        wire_send(direction, 0, offset, text, cut);
        send_spoilt(direction, offset, text, cut, cut);
        wire_send(direction, 0, offset + (uint32_t)cut, text + cut, len - cut);
        send_spoilt(direction, offset, text, len, len);
        wire_send(direction, 0, offset + (uint32_t)len - 1, "#", 1); /* a keepalive probe */
        break;
    case MANNER_OVERLAP: {
        size_t back = cut < 5 ? cut : 5;
        wire_send(direction, 0, offset, text, cut);
        send_spoilt(direction, offset + (uint32_t)(cut - back), text + cut - back, len - cut + back, back);
        break;
    }
    case MANNER_BYTES:
        send_bytes(direction, offset, text, len, at + 1);
        break;
    default:
        wire_send(direction, 0, offset, text, cut);
        if (cut < len)
            wire_send(direction, 0, offset + (uint32_t)cut, text + cut, len - cut);
    }
}

static void send_talk(manner how, size_t at, bool fin_early)
{
    uint32_t next[2] = {1, 1};
    wire_handshake();
    for (size_t i = 0; i < LONG_TURNS; i++) {
        unsigned d = long_talk[i].direction;
        bool last = i + 1 == LONG_TURNS;
        uint32_t end = next[d] + (uint32_t)strlen(long_talk[i].text);
        if (last && fin_early)
            wire_send(d, KA_FIN, end, "", 0);
        send_turn(how, d, next[d], long_talk[i].text, at);
        if (last && !fin_early)
            wire_send(d, KA_FIN, end, "", 0);
        next[d] = end;
        w->ack[!d] = end;
    }
    wire_send(0, KA_FIN, next[0], "", 0);
}

static void talk_however_it_is_sent(void **state)
{
    static const uint32_t isns[][2] = {{1000, 5000}, {0xffffffff, 0xfffffff0}, {0xffffffb0, 0xffffff10}};
    (void)state;
    for (manner how = MANNER_SPLIT; how < MANNER_COUNT; how++)
        for (size_t i = 0; i < 3; i++)
            for (size_t at = 0; at < 112; at += how == MANNER_BYTES ? 7 : 1) {
                wire_new();
                w->quiet = true;
                memcpy(w->isn, isns[i], sizeof w->isn);
                send_talk(how, at, at % 2 == 1);
                wire_expect(long_expected);
                assert_int_equal(stream_table_counts(w->table)->holes, 0);
                wire_free();
            }
}

/* ---- Holes -------------------------------------------------------------------------------------- */

static void hole_in_a_counted_body_keeps_the_framing(void **state)
{
    (void)state;
    wire_new();
    wire_handshake();
    wire_text(0, 1, GET);
    w->ack[1] = 19;
    wire_text(1, 1, OK_10 "012");
    wire_text(1, 47, "789" OK_0); /* four bytes were not captured */
    wire_expect("open 0\nhttp\n0 GET 11 1+18 none 0\n");
    w->ack[0] = 88;
    wire_send(0, 0, 19, "", 0);
    wire_wait(49);
    wire_send(0, 0, 19, "", 0);
    wire_expect("open 0\nhttp\n0 GET 11 1+18 none 0\n1 200 11 1+49 length 10\n1 200 11 50+38 length 0\n");
    assert_int_equal(stream_table_counts(w->table)->hole_bytes, 4);
    wire_free();
}

static void hole_waits_for_the_ack_and_then_a_little(void **state)
{
    (void)state;
    wire_new();
    w->quiet = true;
    wire_handshake();
    wire_text(0, 1, GET);
    wire_text(1, 10, "later");
    wire_wait(10000);
    w->ack[0] = 9;
    wire_send(0, 0, 19, "", 0); /* does not cover the hole */
    wire_wait(10000);
    wire_send(0, 0, 19, "", 0);
    w->ack[0] = 15;
    wire_send(0, 0, 19, "", 0);
    wire_wait(48);
    wire_send(0, 0, 19, "", 0);
    assert_int_equal(stream_table_counts(w->table)->holes, 0);
    wire_wait(1);
    wire_send(0, 0, 19, "", 0);
    assert_int_equal(stream_table_counts(w->table)->holes, 1);
    wire_expect("0 GET 11 1+18 none 0\ngate 4\n");
    wire_free();
}

static void hole_waits_for_many_segments_at_most(void **state)
{
    (void)state;
    wire_new();
    w->step_ns = 1000;
    wire_handshake();
    wire_text(0, 1, GET);
    wire_text(1, 10, "later");
    w->ack[0] = 15;
    for (unsigned i = 0; i < 256; i++)
        wire_send(0, 0, 19, "", 0);
    assert_int_equal(stream_table_counts(w->table)->holes, 0);
    wire_send(0, 0, 19, "", 0);
    assert_int_equal(stream_table_counts(w->table)->holes, 1);
    wire_free();
}

static void hole_elsewhere_is_followed_by_a_new_start(void **state)
{
    (void)state;
    wire_new();
    w->quiet = true;
    wire_handshake();
    wire_text(0, 1, GET);
    wire_text(1, 1, "HTTP/1.1 200 OK\r\nContent-Le");
    wire_text(1, 51, "garbage " OK_0); /* not at the segment's start */
    wire_text(1, 97, OK_10);
    wire_text(1, 136,
              "HTTP/1.1 "
              "1");
    w->ack[0] = 146;
    wire_send(0, KA_FIN, 19, "", 0);
    wire_wait(60);
    wire_send(1, 0, 146, "", 0);
    /* Whose response it is was lost, so it may have answered a HEAD: it is followed by "HTTP/1.". */
    wire_expect("0 GET 11 1+18 none 0\ngate 4\n1 200 11 97+39 none 0\n");
    wire_free();
}

static void buffer_limit_steps_over_the_hole(void **state)
{
    (void)state;
    stream_limits limits = stream_limits_default;
    limits.direction_bytes = 4096;
    wire_new_with(&limits, &memory_heap);
    w->quiet = true;
    wire_handshake();
    wire_text(0, 1, GET);
    for (uint32_t i = 0; i < 100; i++)
        wire_text(1, 100 + i * 38, OK_0);
    assert_int_equal(stream_table_counts(w->table)->buffer_drops, 1);
    assert_int_equal(stream_table_counts(w->table)->holes, 1);
    assert_int_equal(stream_table_counts(w->table)->hole_bytes, 99);
    assert_non_null(strstr(w->log, "1 200 11 3862+38 length 0\n"));
    wire_free();
}

static void total_limit_is_shared(void **state)
{
    (void)state;
    stream_limits limits = stream_limits_default;
    limits.total_bytes = 1000;
    wire_new_with(&limits, &memory_heap);
    char bulk[800] = {0};
    wire_handshake();
    wire_send(1, 0, 100, bulk, sizeof bulk - 100);
    w->client_port++;
    w->ack[0] = w->ack[1] = 0;
    wire_handshake();
    wire_send(1, 0, 100, bulk, sizeof bulk);
    assert_int_equal(stream_table_counts(w->table)->buffer_drops, 1);
    assert_int_equal(stream_table_counts(w->table)->holes, 1);
    wire_free();
}

static void one_sided_capture(void **state)
{
    (void)state;
    wire_new();
    w->check_moments = false; /* direction 0 is the server here */
    w->isn[0] = w->isn[1];
    w->ack[1] = 1;
    wire_send(1, KA_SYN, 0, "", 0);
    w->ack[1] = 19;
    wire_text(1, 1, OK_10 "0123456789");
    w->ack[1] = 37;
    wire_text(1, 88, OK_0); /* 38 bytes missing */
    wire_wait(60);
    wire_text(1, 126, "HTTP/1.1 204 No Content\r\n\r\n");
    assert_int_equal(stream_table_counts(w->table)->holes, 1);
    wire_expect("open 0\nhttp\n0 200 11 1+49 length 10\ngate 4\n0 200 11 88+38 length 0\n"
                "0 204 11 126+27 none 0\n");
    wire_free();
}

static void mid_stream_start(void **state)
{
    (void)state;
    wire_new();
    w->quiet = true;
    w->ack[0] = 500;
    wire_send(0, 0, 99, "x", 1); /* a keepalive probe */
    wire_text(1, 500, "rest of a body");
    wire_text(1, 514, OK_10); /* nobody knows what it answers, and its body may not exist */
    wire_text(0, 100, GET);
    wire_text(1, 553, "0123456789");
    wire_text(1, 563, OK_10 "0123456789");
    wire_expect("0 GET 11 100+18 none 0\n1 200 11 514+49 length 10\n1 200 11 563+49 length 10\n");
    wire_free();
}

/* What was under way when the capture began is not missed, but an answer is. */
static void answer_in_mid_stream_that_cannot_be_followed(void **state)
{
    (void)state;
    wire_new();
    wire_send(0, 0, 99, "x", 1); /* a keepalive probe */
    wire_text(1, 500, "rest of a body");
    wire_text(0, 100, GET);
    wire_text(1, 514, "H");
    wire_text(1, 515, "TTP/1.1 204\r\n\r\n");
    wire_expect("open 0\nhttp\n0 GET 11 100+18 none 0\ngate 16\ngate 16\n");
    wire_free();
}

static void wrong_guess_in_mid_stream(void **state)
{
    (void)state;
    wire_new();
    wire_text(0, 1, "GET / HTTP/1.1\r\nno field\n" GET);
    wire_text(0, 44, GET);
    wire_expect("open 0\nhttp\n0 GET 11 44+18 none 0\n");
    wire_free();
}

static void end_of_capture_flushes(void **state)
{
    (void)state;
    wire_new();
    w->quiet = true;
    wire_handshake();
    wire_text(0, 1, GET);
    wire_text(1, 1, OK_10 "01");
    wire_text(1, 44, "456789");
    w->ack[0] = 50;
    wire_send(0, 0, 19, "", 0);
    wire_expect("0 GET 11 1+18 none 0\n");
    assert_int_equal(stream_finish(w->table), KA_OK);
    wire_expect("0 GET 11 1+18 none 0\n1 200 11 1+49 length 10\n");
    wire_free();
}

static void hole_at_a_bodys_end_has_the_last_captured_moment(void **state)
{
    (void)state;
    wire_new();
    w->quiet = true;
    w->check_moments = false;
    wire_handshake();
    wire_text(0, 1, GET);
    wire_text(1, 1, OK_10 "01");
    w->ack[0] = 50;
    wire_send(1, KA_FIN, 50, "", 0);
    wire_send(0, 0, 19, "", 0);
    wire_expect("0 GET 11 1+18 none 0\n1 200 11 1+49 length 10\n");
    wire_free();
}

/* ---- Ends --------------------------------------------------------------------------------------- */

static void until_close_ends_with_fin_not_rst(void **state)
{
    (void)state;
    wire_new();
    w->quiet = true;
    wire_handshake();
    wire_text(0, 1, GET);
    wire_text(1, 1, "HTTP/1.1 200 OK\r\n\r\nsome");
    wire_send(1, KA_RST, 24, "reason", 6);
    wire_expect("0 GET 11 1+18 none 0\n");
    wire_free();
    wire_new();
    w->quiet = true;
    wire_handshake();
    wire_text(0, 1, GET);
    wire_text(1, 1, "HTTP/1.1 200 OK\r\n\r\nsome");
    wire_send(1, KA_FIN, 24, "more", 4);
    wire_text(1, 28, "nothing counts here");
    wire_expect("0 GET 11 1+18 none 0\n1 200 11 1+27 until-close 8\n");
    wire_free();
}

/* Its bytes were never received, nor what is behind it; unless they were acknowledged. */
static void reset_behind_a_hole(void **state)
{
    (void)state;
    wire_new();
    w->quiet = true;
    wire_handshake();
    wire_text(0, 19, GET);
    wire_send(1, KA_RST, 1, "", 0);
    wire_expect("");
    w->ack[1] = 37;
    wire_send(1, 0, 1, "", 0);
    wire_expect("0 GET 11 19+18 none 0\n");
    wire_free();
}

static void syn_with_data(void **state)
{
    (void)state;
    wire_new();
    w->quiet = true;
    wire_send(0, KA_SYN, 0, GET, 18);
    wire_expect("0 GET 11 1+18 none 0\n");
    wire_free();
}

static void syn_ack_not_captured(void **state)
{
    (void)state;
    wire_new();
    w->quiet = true;
    wire_send(0, KA_SYN, 0, "", 0);
    w->ack[0] = 1;
    wire_send(0, 0, 1, "", 0);
    wire_text(0, 1, GET);
    wire_text(1, 3, "TP/1.1 200 OK\r\n"); /* so this is behind a hole */
    wire_text(1, 1, "HT");
    wire_text(1, 18, "Content-Length: 0\r\n\r\n");
    wire_expect("0 GET 11 1+18 none 0\n1 200 11 1+38 length 0\n");
    wire_free();
}

static void cut_segments(void **state)
{
    (void)state;
    wire_new();
    wire_handshake();
    wire_text(0, 1, GET);
    w->cut_bytes = 45;
    wire_text(1, 1, OK_10 "0123456789"); /* cut in the body: all is known */
    wire_expect("open 0\nhttp\n0 GET 11 1+18 none 0\n1 200 11 1+49 length 10\n");
    wire_clear();
    w->cut_bytes = 60;
    w->ack[0] = 50;
    wire_text(0, 19, GET);
    wire_text(1, 50, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n");
    w->cut_bytes = 0;
    wire_expect("0 GET 11 19+18 none 0\ngate 8\n"); /* cut behind the chunk */
    wire_clear();
    wire_text(1, 123, OK_0);
    wire_expect("1 200 11 123+38 length 0\n");
    wire_free();
}

static void cut_inside_a_chunk(void **state)
{
    (void)state;
    wire_new();
    w->quiet = true;
    wire_handshake();
    wire_text(0, 1, GET);
    w->cut_bytes = 60;
    wire_text(1, 1, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n0123456789");
    wire_text(1, 62, "0123456789\r\n0\r\n\r\n");
    wire_expect("0 GET 11 1+18 none 0\n1 200 11 1+78 chunked 20\n");
    wire_free();
}

static void origin_form_is_a_path(void **state)
{
    static const struct {
        const char *request;
        bool origin_form;
    } rows[] = {{"GET / HTTP/1.1\r\n\r\n", true},          {"GET  /x HTTP/1.1\r\n\r\n", true},
                {"BREW /pot HTTP/1.1\r\n\r\n", true},      {"GET http://a/ HTTP/1.1\r\n\r\n", false},
                {"CONNECT a:443 HTTP/1.1\r\n\r\n", false}, {"OPTIONS * HTTP/1.1\r\n\r\n", false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wire_new();
        w->quiet = true;
        wire_handshake();
        w->origin_form = !rows[i].origin_form;
        wire_text(0, 1, rows[i].request);
        assert_int_equal(w->origin_form, rows[i].origin_form);
        wire_free();
    }
}

/* ---- Memory ------------------------------------------------------------------------------------- */

static size_t allocations_left;

static void *failing_resize(void *user, void *old, size_t new_bytes)
{
    (void)user;
    if (new_bytes != 0 && allocations_left-- == 0) {
        allocations_left = 0;
        return NULL;
    }
    return memory_heap.resize(NULL, old, new_bytes);
}

/* Every allocation fails once: the call says so, and nothing leaks or breaks. */
static void allocations_fail(void **state)
{
    static const ka_allocator failing = {NULL, failing_resize};
    (void)state;
    for (size_t fail_at = 1; fail_at < 12; fail_at++) {
        allocations_left = 100;
        wire_new_with(&stream_limits_default, &failing);
        allocations_left = fail_at;
        bool failed = false;
        for (unsigned i = 0; i < 4; i++) {
            packet_tcp packet = {.payload = (const uint8_t *)GET};
            wire_addresses(&packet, 0);
            packet.segment =
                (ka_segment){.seq = 1 + i * 5, .len_bytes = 3, .captured_bytes = 3, .frame = i + 1};
            packet.segment.flags = i == 0 ? KA_SYN : 0;
            ka_status status = stream_segment(w->table, &packet);
            failed |= status == KA_NO_MEMORY;
        }
        assert_true(failed || fail_at > 6);
        wire_free();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(talk_however_it_is_sent),
        cmocka_unit_test(hole_in_a_counted_body_keeps_the_framing),
        cmocka_unit_test(hole_waits_for_the_ack_and_then_a_little),
        cmocka_unit_test(hole_waits_for_many_segments_at_most),
        cmocka_unit_test(hole_elsewhere_is_followed_by_a_new_start),
        cmocka_unit_test(buffer_limit_steps_over_the_hole),
        cmocka_unit_test(total_limit_is_shared),
        cmocka_unit_test(one_sided_capture),
        cmocka_unit_test(mid_stream_start),
        cmocka_unit_test(answer_in_mid_stream_that_cannot_be_followed),
        cmocka_unit_test(wrong_guess_in_mid_stream),
        cmocka_unit_test(end_of_capture_flushes),
        cmocka_unit_test(hole_at_a_bodys_end_has_the_last_captured_moment),
        cmocka_unit_test(until_close_ends_with_fin_not_rst),
        cmocka_unit_test(reset_behind_a_hole),
        cmocka_unit_test(syn_with_data),
        cmocka_unit_test(syn_ack_not_captured),
        cmocka_unit_test(cut_segments),
        cmocka_unit_test(cut_inside_a_chunk),
        cmocka_unit_test(origin_form_is_a_path),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
