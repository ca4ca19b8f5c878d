/* test_stream_h2.c - HTTP/2 in clear: how it begins, where its frames begin and end, what holes do.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "wire.h"

#define PREFACE      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS     "\0\0\0\x04\0\0\0\0\0"
#define SETTINGS_ACK "\0\0\0\x04\x01\0\0\0\0"

/* Octal escapes end after three digits, so that text may follow. */
static const char client_bytes[] = PREFACE SETTINGS "\0\0\005\001\005\0\0\0\001block"
                                                    "\0\0\010\006\0\0\0\0\0pingping"
                                                    "\0\0\002\252\0\377\377\377\377??";
static const char server_bytes[] = SETTINGS SETTINGS_ACK "\0\0\003\001\004\0\0\0\001abc"
                                                         "\0\0\004\0\001\0\0\0\001body"
                                                         "\0\0\013\007\0\0\0\0\0\200\0\0\001\0\0\0\0why";

static const char talk[] = "open 0\nh2c\n"
                           "0 h2 type 4 flags 0 stream 0 25+9\n"
                           "0 h2 type 1 flags 5 stream 1 34+14\n"
                           "0 h2 type 6 flags 0 stream 0 48+17\n"
                           "0 h2 type 170 flags 0 stream 2147483647 65+11\n"
                           "1 h2 type 4 flags 0 stream 0 1+9\n"
                           "1 h2 type 4 flags 1 stream 0 10+9\n"
                           "1 h2 type 1 flags 4 stream 1 19+12\n"
                           "1 h2 type 0 flags 1 stream 1 31+13\n"
                           "1 h2 type 7 flags 0 stream 0 last 1 44+20\n";

static void send_cut(unsigned direction, uint32_t offset, const char *bytes, size_t len, size_t at)
{
    size_t cut = at < len ? at : len;
    if (cut > 0)
        wire_send(direction, 0, offset, bytes, cut);
    if (cut < len)
        wire_send(direction, 0, offset + (uint32_t)cut, bytes + cut, len - cut);
    w->ack[!direction] = offset + (uint32_t)len;
}

static void frames_in_any_segments(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof client_bytes; at++) {
        wire_new();
        wire_handshake();
        send_cut(0, 1, client_bytes, sizeof client_bytes - 1, at);
        send_cut(1, 1, server_bytes, sizeof server_bytes - 1, at);
        wire_expect(talk);
        wire_free();
    }
}

static void a_byte_at_a_time(void **state)
{
    (void)state;
    wire_new();
    wire_handshake();
    for (uint32_t i = 0; i < sizeof client_bytes - 1; i++)
        wire_send(0, 0, 1 + i, client_bytes + i, 1);
    for (uint32_t i = 0; i < sizeof server_bytes - 1; i++)
        wire_send(1, 0, 1 + i, server_bytes + i, 1);
    wire_expect(talk);
    wire_free();
}

static void the_server_need_not_wait(void **state)
{
    (void)state;
    wire_new();
    wire_handshake();
    wire_send(1, 0, 1, SETTINGS, 9);
    wire_send(0, 0, 1, PREFACE SETTINGS, 33);
    wire_send(1, 0, 10, SETTINGS_ACK, 9);
    wire_expect("open 0\nh2c\n0 h2 type 4 flags 0 stream 0 25+9\n1 h2 type 4 flags 1 stream 0 10+9\n");
    wire_free();

    wire_new();
    wire_handshake();
    wire_send(1, 0, 1, SETTINGS, 9);
    wire_text(0, 1, "GET / HTTP/1.1\r\n\r\n");
    wire_expect("open 0\nhttp\n0 GET 11 1+18 none 0\n");
    wire_free();
}

#define ASK    "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
#define SWITCH "HTTP/1.1 101 \r\nUpgrade: H2C\r\n\r\n"

static void upgrade(void **state)
{
    static const char server[] = SWITCH SETTINGS "\0\0\001\001\005\0\0\0\001x";
    static const char client[] = PREFACE SETTINGS "\0\0\001\001\005\0\0\0\003x";
    enum { ASKED = sizeof ASK - 1 };
    (void)state;
    for (size_t at = 0; at < sizeof server; at++) {
        wire_new();
        wire_handshake();
        wire_send(0, 0, 1, ASK, ASKED);
        w->ack[1] = 1 + ASKED;
        send_cut(1, 1, server, sizeof server - 1, at);
        send_cut(0, 1 + ASKED, client, sizeof client - 1, at);
        wire_expect(
            "open 0\nhttp\n0 GET 11 1+53 none 0 0[upgrade] 4[h2c]\n1 101 11 1+31 tunnel 0 4[H2C]\nh2c\n"
            "1 h2 type 4 flags 0 stream 0 32+9\n1 h2 type 1 flags 5 stream 1 41+10\n"
            "0 h2 type 4 flags 0 stream 0 78+9\n0 h2 type 1 flags 5 stream 3 87+10\n");
        wire_free();
    }
}

static void upgrade_not_captured(void **state)
{
    enum { ASKED = sizeof ASK - 1, SWITCHED = sizeof SWITCH - 1 };
    (void)state;
    wire_new();
    w->check_moments = false;
    wire_handshake();
    wire_send(0, 0, 1, ASK, ASKED);
    w->ack[0] = 1 + SWITCHED;
    wire_send(0, 0, 1 + ASKED, PREFACE SETTINGS, 33);
    wire_wait(60);
    w->ack[1] = 34 + ASKED;
    wire_send(1, 0, 1 + SWITCHED, SETTINGS "\0\0\001\001\005\0\0\0\001x", 19);
    wire_wait(60);
    wire_send(0, 0, 34 + ASKED, SETTINGS_ACK, 9);
    wire_expect(
        "open 0\nhttp\n0 GET 11 1+53 none 0 0[upgrade] 4[h2c]\nh2c\n0 h2 type 4 flags 0 stream 0 78+9\n"
        "0 h2 type 4 flags 1 stream 0 87+9\ngate 4\n"
        "1 h2 type 4 flags 0 stream 0 32+9\n1 h2 type 1 flags 5 stream 1 41+10\n");
    wire_free();
}

static void another_upgrade_is_a_tunnel(void **state)
{
    (void)state;
    wire_new();
    wire_handshake();
    wire_text(0, 1, "GET / HTTP/1.1\r\nUpgrade: h2c, x\r\n\r\n");
    w->ack[1] = 36;
    wire_text(1, 1, "HTTP/1.1 101 \r\nUpgrade: x\r\n\r\n");
    wire_send(1, 0, 30, SETTINGS, 9);
    wire_expect("open 0\nhttp\n0 GET 11 1+35 none 0 4[h2c, x]\n1 101 11 1+29 tunnel 0 4[x]\n");
    wire_free();
}

typedef struct nonsense {
    const char *bytes;
    size_t len;
} nonsense;

#define BYTES(text)                                                                                          \
    {                                                                                                        \
        text, sizeof(text) - 1                                                                               \
    }

static void implausible_frames(void **state)
{
    static const nonsense cases[] = {
        BYTES("\0\0\001\0\0\0\0\0\0x"),        BYTES("\0\0\001\001\0\0\0\0\0x"),
        BYTES("\0\0\004\002\0\0\0\0\001wxyz"), BYTES("\0\0\005\003\0\0\0\0\001vwxyz"),
        BYTES("\0\0\005\004\0\0\0\0\0vwxyz"),  BYTES("\0\0\006\004\0\0\0\0\001uvwxyz"),
        BYTES("\0\0\003\005\0\0\0\0\001xyz"),  BYTES("\0\0\007\006\0\0\0\0\0tuvwxyz"),
        BYTES("\0\0\004\007\0\0\0\0\0wxyz"),   BYTES("\0\0\010\007\0\0\0\0\001wxyzwxyz"),
        BYTES("\0\0\003\010\0\0\0\0\0xyz"),    BYTES("\0\0\001\011\0\0\0\0\0x"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wire_new();
        wire_handshake();
        wire_send(0, 0, 1, PREFACE SETTINGS, 33);
        wire_send(0, 0, 34, cases[i].bytes, cases[i].len);
        wire_expect("open 0\nh2c\n0 h2 type 4 flags 0 stream 0 25+9\ngate 16\n");
        wire_send(0, 0, 34 + (uint32_t)cases[i].len, SETTINGS, 9);
        wire_expect("open 0\nh2c\n0 h2 type 4 flags 0 stream 0 25+9\ngate 16\n");
        wire_free();
    }
}

static void settings_come_first(void **state)
{
    (void)state;
    wire_new();
    wire_handshake();
    wire_send(0, 0, 1, PREFACE "\0\0\005\001\005\0\0\0\001block", 38);
    wire_expect("open 0\nh2c\ngate 16\n");
    wire_free();

    wire_new();
    wire_handshake();
    wire_text(0, 1, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r?");
    wire_expect("open 0\nh2c\ngate 16\n");
    wire_free();

    wire_new();
    wire_handshake();
    wire_send(1, 0, 1, "\0binary protocol", 16);
    wire_expect("open 0\nother\n");
    wire_free();
}

/* A DATA frame of 30 bytes, 10 of which are missing. */
static void holes_in_bodies_do_not_matter(void **state)
{
    (void)state;
    wire_new();
    w->check_moments = false;
    wire_handshake();
    wire_send(0, 0, 1, PREFACE SETTINGS "\0\0\036\0\001\0\0\0\001tenbytes10", 52);
    wire_send(0, 0, 63, "tenbytes30" SETTINGS_ACK, 19);
    w->ack[1] = 82;
    wire_send(1, 0, 1, "", 0);
    stream_finish(w->table);
    wire_expect("open 0\nh2c\n0 h2 type 4 flags 0 stream 0 25+9\n0 h2 type 0 flags 1 stream 1 34+39\n"
                "0 h2 type 4 flags 1 stream 0 73+9\n");
    wire_free();
}

static void holes_in_headers_do(void **state)
{
    (void)state;
    wire_new();
    wire_handshake();
    wire_send(0, 0, 1, PREFACE SETTINGS, 33);
    wire_send(0, 0, 40, SETTINGS_ACK, 9);
    w->ack[1] = 49;
    wire_send(1, 0, 1, "", 0);
    stream_finish(w->table);
    wire_expect("open 0\nh2c\n0 h2 type 4 flags 0 stream 0 25+9\ngate 16\n");
    wire_free();
}

static void cut_packets(void **state)
{
    (void)state;
    wire_new();
    wire_handshake();
    wire_send(0, 0, 1, PREFACE SETTINGS, 33);
    w->cut_bytes = 12;
    wire_send(0, 0, 34, "\0\0\036\0\001\0\0\0\001all of the thirty bytes of it", 39);
    wire_send(0, 0, 73, "\0\0\001\0\0\0\0\0\001x" SETTINGS_ACK, 19);
    wire_expect("open 0\nh2c\n0 h2 type 4 flags 0 stream 0 25+9\n0 h2 type 0 flags 1 stream 1 34+39\n"
                "0 h2 type 0 flags 0 stream 1 73+10\ngate 16\n");
    wire_free();
}

static void the_end_amid_a_frame(void **state)
{
    (void)state;
    for (size_t len = 1; len < sizeof client_bytes - 1; len++) {
        wire_new();
        w->quiet = true;
        wire_handshake();
        wire_send(0, 0, 1, client_bytes, len);
        wire_send(0, KA_FIN, 1 + (uint32_t)len, "", 0);
        stream_finish(w->table);
        assert_null(strstr(w->log, "gate"));
        wire_free();
    }
}

static uint64_t random_state = 0x2545f4914f6cdd1d;

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

/* Bytes changed, segments missing, cut, repeated and swapped, a second SYN. */
static void damaged(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 5000; round++) {
        uint32_t next[2] = {1, 1};
        uint32_t len[2] = {sizeof client_bytes - 1, sizeof server_bytes - 1};
        wire_new();
        w->check_moments = false;
        if (pick(4) > 0)
            wire_handshake();
        w->cut_bytes = pick(8) == 0 ? 1 + pick(40) : 0;
        for (unsigned i = 0; i < 24; i++) {
            unsigned d = pick(2);
            uint32_t offset = pick(8) == 0 ? 1 + pick(len[d]) : next[d];
            uint32_t left = offset <= len[d] ? len[d] + 1 - offset : 0;
            uint32_t some = left > 0 ? 1 + pick(left) : 0;
            char bytes[sizeof client_bytes + sizeof server_bytes];
            memcpy(bytes, (d == 0 ? client_bytes : server_bytes) + offset - 1, some);
            if (some > 0 && pick(12) == 0)
                bytes[pick(some)] = (char)pick(256);
            next[d] = offset + some;
            w->ack[!d] = pick(3) > 0 ? next[d] : w->ack[!d];
            if (pick(8) > 0)
                wire_send(d, pick(40) == 0 ? KA_SYN : 0, offset, bytes, some);
        }
        stream_finish(w->table);
        wire_free();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_in_any_segments),
        cmocka_unit_test(a_byte_at_a_time),
        cmocka_unit_test(the_server_need_not_wait),
        cmocka_unit_test(upgrade),
        cmocka_unit_test(upgrade_not_captured),
        cmocka_unit_test(another_upgrade_is_a_tunnel),
        cmocka_unit_test(implausible_frames),
        cmocka_unit_test(settings_come_first),
        cmocka_unit_test(holes_in_bodies_do_not_matter),
        cmocka_unit_test(holes_in_headers_do),
        cmocka_unit_test(cut_packets),
        cmocka_unit_test(the_end_amid_a_frame),
        cmocka_unit_test(damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
