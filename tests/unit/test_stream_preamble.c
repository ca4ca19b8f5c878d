/* test_stream_preamble.c - what a proxy says before the first byte of HTTP or TLS, however it is sent.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "wire.h"

#define LINE "PROXY TCP4 203.0.113.7 192.0.2.80 51000 80\r\n" /* 44 bytes */
#define BINARY                                                                                               \
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\024\313\0\161\007\300\0\002\120\307\070\0\120\356\0\005abcde" /* 36 */
#define GET   "GET / HTTP/1.1\r\n\r\n"
#define ALERT "\026\003\001\0\002hi"

typedef struct talk {
    const char *bytes;
    size_t len_bytes;
    const char *expected;
} talk;

#define TALK(text, expected)                                                                                 \
    {                                                                                                        \
        text, sizeof(text) - 1, expected                                                                     \
    }

static const talk talks[] = {
    TALK(LINE GET, "for 203.0.113.7 port 51000: 0 preamble 1+44\nhttp\n0 GET 11 45+18 none 0\n"),
    TALK(BINARY GET, "for 203.0.113.7 port 51000: 0 preamble 1+36\nhttp\n0 GET 11 37+18 none 0\n"),
    TALK(BINARY LINE GET, "for 203.0.113.7 port 51000: 0 preamble 1+36\n"
                          "for 203.0.113.7 port 51000: 0 preamble 37+44\nhttp\n0 GET 11 81+18 none 0\n"),
    TALK(BINARY ALERT, "for 203.0.113.7 port 51000: 0 preamble 1+36\ntls\n0 tls22 37+7\n"),
    /* What only begins like one. */
    TALK("PROPFIND / HTTP/1.1\r\n\r\n", "http\n0 PROPFIND 11 1+23 none 0\n"),
    TALK("PROXY / HTTP/1.1\r\n\r\n", "http\n0 PROXY 11 1+20 none 0\n"),
    TALK("\r\n" GET, "0 stray 1+2\nhttp\n0 GET 11 3+18 none 0\n"),
    TALK("\r\n\r\n" GET, "0 stray 1+2\n0 stray 3+2\nhttp\n0 GET 11 5+18 none 0\n"),
    /* Behind the first message it is none. */
    TALK(GET LINE, "http\n0 GET 11 1+18 none 0\ngate 16\n"),
};

static void in_any_segments(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof talks / sizeof talks[0]; i++) {
        for (size_t at = 0; at <= talks[i].len_bytes; at++) {
            char expected[256];
            wire_new();
            w->check_moments = at == talks[i].len_bytes;
            wire_handshake();
            wire_send(0, 0, 1, talks[i].bytes, at);
            if (at < talks[i].len_bytes)
                wire_send(0, 0, 1 + (uint32_t)at, talks[i].bytes + at, talks[i].len_bytes - at);
            snprintf(expected, sizeof expected, "open 0\n%s", talks[i].expected);
            wire_expect(expected);
            wire_free();
        }
    }
}

static void a_byte_at_a_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof talks / sizeof talks[0]; i++) {
        char expected[256];
        wire_new();
        w->check_moments = false;
        wire_handshake();
        for (uint32_t at = 0; at < talks[i].len_bytes; at++)
            wire_send(0, 0, 1 + at, talks[i].bytes + at, 1);
        snprintf(expected, sizeof expected, "open 0\n%s", talks[i].expected);
        wire_expect(expected);
        wire_free();
    }
}

/* 60,000 bytes behind the header are counted, not kept; missing ones among them do not matter. */
static void a_long_one_with_a_hole(void **state)
{
    enum { HEADER = 16, REST = 60000, PART = 1000 };
    static const char header[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\352\140";
    static char filler[PART];
    (void)state;
    wire_new();
    w->check_moments = false;
    wire_handshake();
    wire_send(0, 0, 1, header, HEADER);
    for (uint32_t at = 0; at < REST; at += PART) {
        uint32_t some = REST - at < PART ? REST - at : PART;
        if (at != 5 * PART)
            wire_send(0, 0, 1 + HEADER + at, filler, some);
        w->ack[1] = 1 + HEADER + at + some;
        wire_send(1, 0, 1, "", 0);
        wire_wait(at == 6 * PART ? 60 : 1);
    }
    wire_text(0, 1 + HEADER + REST, GET);
    wire_expect("open 0\nfor nobody port 0: 0 preamble 1+60016\nhttp\n0 GET 11 60017+18 none 0\n");
    wire_free();
}

static void a_hole_where_it_matters(void **state)
{
    (void)state;
    wire_new();
    wire_handshake();
    wire_send(0, 0, 1, BINARY, 14);
    wire_send(0, 0, 17, &(BINARY GET)[16], 20);
    w->ack[1] = 37;
    wire_send(1, 0, 1, "", 0);
    wire_wait(60);
    wire_text(0, 37, GET);
    wire_expect("open 0\nhttp\n0 GET 11 37+18 none 0\n");
    wire_free();
}

/* Undecided when the connection or the capture ends: nothing is told, and no memory is lost. */
static void only_the_beginning(void **state)
{
    (void)state;
    for (int fin = 0; fin < 2; fin++) {
        wire_new();
        wire_handshake();
        wire_text(0, 1, "PROXY TCP4 203.");
        if (fin)
            wire_send(0, KA_FIN, 16, "", 0);
        stream_finish(w->table);
        wire_expect("open 0\n");
        wire_free();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_any_segments),        cmocka_unit_test(a_byte_at_a_time),
        cmocka_unit_test(a_long_one_with_a_hole), cmocka_unit_test(a_hole_where_it_matters),
        cmocka_unit_test(only_the_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
