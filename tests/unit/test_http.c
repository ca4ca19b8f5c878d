/* test_http.c - framing of HTTP/1 messages and TLS records, and telling protocols apart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "wire.h"

/* Sends "C..." and "S..." turns over a new connection, each in one segment and then cut after every byte, and
 * expects the same lines of text from all. A turn "F" is the server's FIN. */
static void send_turns(const char *const turns[], size_t at)
{
    uint32_t next[2] = {1, 1};
    wire_handshake();
    for (size_t i = 0; turns[i] != NULL; i++) {
        unsigned d = turns[i][0] == 'C' ? 0 : 1;
        const char *text = turns[i] + 1;
        size_t len = strlen(text);
        size_t cut = at < len ? at : len;
        if (turns[i][0] == 'F') {
            wire_send(1, KA_FIN, next[1], "", 0);
            continue;
        }
        if (cut > 0)
            wire_send(d, 0, next[d], text, cut);
        if (cut < len)
            wire_send(d, 0, next[d] + (uint32_t)cut, text + cut, len - cut);
        next[d] += (uint32_t)len;
        w->ack[!d] = next[d];
    }
}

static void expect_turns(const char *const turns[], const char *expected)
{
    for (size_t at = 0; at < 150; at++) {
        wire_new();
        send_turns(turns, at);
        wire_expect(expected);
        wire_free();
    }
}

#define TALK(expected, ...) expect_turns((const char *const[]){__VA_ARGS__, NULL}, "open 0\n" expected)

static void connect_opens_a_tunnel(void **state)
{
    (void)state;
    TALK("http\n0 CONNECT 11 1+36 none 0\n1 200 11 1+38 tunnel 0\n",
         "CCONNECT example.org:443 HTTP/1.1\r\n\r\n", "SHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
         "Canything at all\r\n", "SHTTP/1.1 200 OK\r\n\r\n");
}

static void what_is_in_the_tunnel_is_read(void **state)
{
    (void)state;
    TALK("http\n0 CONNECT 11 1+24 none 0\n1 200 11 1+19 tunnel 0\nhttp\n0 GET 11 25+18 none 0\n1 204 11 "
         "20+17 none "
         "0\n",
         "CCONNECT a:1 HTTP/1.1\r\n\r\n", "SHTTP/1.1 200 OK\r\n\r\n", "CGET / HTTP/1.1\r\n\r\n",
         "SHTTP/1.1 204 \r\n\r\n");
    TALK("http\n0 CONNECT 11 1+24 none 0\n1 200 11 1+19 tunnel 0\nhttp\n0 CONNECT 11 25+24 none 0\n"
         "1 200 11 20+19 tunnel 0\nhttp\n0 GET 11 49+18 none 0\n",
         "CCONNECT a:1 HTTP/1.1\r\n\r\n", "SHTTP/1.1 200 OK\r\n\r\n", "CCONNECT a:1 HTTP/1.1\r\n\r\n",
         "SHTTP/1.1 200 OK\r\n\r\n", "CGET / HTTP/1.1\r\n\r\n");
    TALK("http\n0 CONNECT 11 1+24 none 0\n1 200 11 1+19 tunnel 0\ntls\n", "CCONNECT a:1 HTTP/1.1\r\n\r\n",
         "SHTTP/1.1 200 OK\r\n\r\n", "C\x16\x03\x01\x01\x03zzz", "S\x16\x03\x03\x01\x02ok");
    /* HTTP that ends being HTTP inside. */
    TALK("http\n0 CONNECT 11 1+24 none 0\n1 200 11 1+19 tunnel 0\nhttp\n0 GET 11 25+18 none 0\ngate 16\n",
         "CCONNECT a:1 HTTP/1.1\r\n\r\n", "SHTTP/1.1 200 OK\r\n\r\n", "CGET / HTTP/1.1\r\n\r\n?\r\n");
}

static void early_bytes_wait_for_the_tunnel(void **state)
{
    (void)state;
    TALK("http\n0 CONNECT 11 1+24 none 0\n1 200 11 1+19 tunnel 0\n",
         "CCONNECT a:1 HTTP/1.1\r\n\r\n\x16\x03\x01", "SHTTP/1.1 200 OK\r\n\r\n");
}

static void declined_connect_goes_on(void **state)
{
    (void)state;
    TALK("http\n0 CONNECT 11 1+26 none 0\n1 407 11 1+47 length 0\n0 GET 11 27+18 none 0\n",
         "CCONNECT a:443 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
         "SHTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n");
}

static void upgrade_accepted_and_declined(void **state)
{
    (void)state;
    TALK("http\n0 GET 11 1+59 none 0 0[upgrade] 4[websocket]\n1 101 11 1+36 tunnel 0\n",
         "CGET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
         "SHTTP/1.1 101 Switching Protocols\r\n\r\n", "C\x81\x05hello", "S\x81\x05hello");
    TALK("http\n0 POST 11 1+81 length 2 0[upgrade] 4[websocket]\n1 204 11 1+17 none 0\n"
         "0 GET 11 82+18 none 0\n1 204 11 18+17 none 0\n",
         "CPOST / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi",
         "SHTTP/1.1 204 \r\n\r\n", "CGET / HTTP/1.1\r\n\r\n", "SHTTP/1.1 204 \r\n\r\n");
}

/* llhttp would end the status line there and begin a field that lasts beyond it. */
static void bare_cr_is_no_line_break(void **state)
{
    (void)state;
    TALK("http\n0 GET 11 1+18 none 0\ngate 16\n", "CGET / HTTP/1.1\r\n\r\n",
         "SHTTP/1.1 200 OK\rConnection: x\r\nServer: y\r\n\r\n");
}

static void unsolicited_408(void **state)
{
    (void)state;
    TALK("http\n0 GET 11 1+18 none 0\n1 204 11 1+17 none 0\n1 408 11 18+60 length 4 0[close]\n",
         "CGET / HTTP/1.1\r\n\r\n", "SHTTP/1.1 204 \r\n\r\n",
         "SHTTP/1.1 408 x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlate", "F");
}

static void bytes_after_connection_close_are_seen(void **state)
{
    (void)state;
    TALK("http\n0 GET 11 1+37 none 0 0[close]\n1 204 11 1+36 none 0 0[close]\n"
         "0 GET 11 38+18 none 0\n1 204 11 37+17 none 0\n",
         "CGET / HTTP/1.1\r\nConnection: close\r\n\r\n", "SHTTP/1.1 204 \r\nConnection: close\r\n\r\n",
         "CGET / HTTP/1.1\r\n\r\n", "SHTTP/1.1 204 \r\n\r\n");
}

static void transfer_encoding_wins(void **state)
{
    (void)state;
    TALK("http\n0 GET 11 1+18 none 0\n1 200 11 1+71 chunked 0\n", "CGET / HTTP/1.1\r\n\r\n",
         "SHTTP/1.1 200 \r\nContent-Length: 999\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    TALK("http\n0 GET 11 1+18 none 0\n1 200 11 1+48 until-close 6\n", "CGET / HTTP/1.1\r\n\r\n",
         "SHTTP/1.1 200 \r\nTransfer-Encoding: gzip\r\n\r\nzipped", "F");
}

static void malformed_is_no_guess(void **state)
{
    (void)state;
    TALK("other\n", "CGET / HTTP/1.1\nHost: x\n\n");
    TALK("other\n", "CEHLO there\r\n");
    TALK("other\n", "S220 mail ready\r\n", "CGET / HTTP/1.1\r\n\r\n");
    TALK("other\n", "CGET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n");
    TALK("other\n", "CGET /\r\n\r\n");
    TALK("http\n0 GET 11 1+18 none 0\ngate 16\n", "CGET / HTTP/1.1\r\n\r\n}garbage");
    TALK("http\n0 GET 11 1+18 none 0\n1 200 11 1+38 length 2\ngate 16\n", "CGET / HTTP/1.1\r\n\r\n",
         "SHTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi !");
}

static void http2_in_clear(void **state)
{
    (void)state;
    TALK("h2c\n", "CPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
}

static void tls_records(void **state)
{
    static const char hello[] = "\x16\x03\x01\x00\x03"
                                "abc\x14\x03\x03\x00\x01"
                                "x\x18\x03\x03\x00\x01y";
    static const char answer[] = "\x16\x03\x03\x00\x02hi\x17\x03\x03\x00\x01"
                                 "d\x15\x03\x03\x00\x02zzGET";
    (void)state;
    for (size_t at = 1; at < 20; at++) {
        wire_new();
        wire_handshake();
        wire_send(0, 0, 1, hello, at);
        wire_send(0, 0, 1 + (uint32_t)at, hello + at, sizeof hello - 1 - at);
        wire_send(1, 0, 1, answer, at);
        wire_send(1, 0, 1 + (uint32_t)at, answer + at, sizeof answer - 1 - at);
        wire_expect("open 0\ntls\n0 tls22 1+8\n0 tls20 9+6\n1 tls22 1+7\n1 tls23 8+6\n1 tls21 14+7\n");
        wire_free();
    }
}

static void tls_in_mid_stream(void **state)
{
    (void)state;
    wire_new();
    wire_send(0, 0, 50, "\x17\x03\x03\x00\x09half of", 12);
    wire_send(0, 0, 64, "\x17\x03\x03\x00\x02hi\x17\x03\x03\x00\x01h", 13);
    wire_send(0, 0, 77, "\x17\x03\x03\x00\x04", 5);
    wire_send(0, 0, 82, "four", 4);
    stream_finish(w->table);
    wire_expect("open 0\ntls\n0 tls23 64+7\n0 tls23 71+6\n0 tls23 77+9\n");
    wire_free();
}

/* When the request is unknown, "HTTP/1." right behind the head tells that there was no body. */
static void unknown_request_may_have_been_head(void **state)
{
    static const char responses[] = "HTTP/1.1 200 \r\nContent-Length: 100\r\n\r\n"        /* 38 bytes */
                                    "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n" /* 45 */
                                    "HTTP/1.1 200 \r\nContent-Length: 7\r\n\r\nHTTP/2."   /* 36 + 7 */
                                    "HTTP/1.1 200 \r\n\r\nHTTP, says this";               /* 17 + 15 */
    (void)state;
    for (size_t at = 1; at < sizeof responses - 1; at++) {
        wire_new();
        wire_send(0, 0, 1, responses, at);
        wire_send(0, 0, 1 + (uint32_t)at, responses + at, sizeof responses - 1 - at);
        wire_send(0, KA_FIN, sizeof responses, "", 0);
        if (at >= 8) /* else the first segment does not look like a start */
            wire_expect("open 0\nhttp\n0 200 11 1+38 none 0\n0 200 11 39+45 none 0\n0 200 11 84+43 length 7\n"
                        "0 200 11 127+32 until-close 15\n");
        wire_free();
    }
}

static void a_long_pipeline_stays_in_step(void **state)
{
    (void)state;
    wire_new();
    w->check_moments = false;
    w->quiet = true;
    wire_handshake();
    for (uint32_t i = 0; i < 64; i++)
        wire_text(0, 1 + i * 19, i % 3 == 0 ? "HEAD / HTTP/1.1\r\n\r\n" : "GET /x HTTP/1.1\r\n\r\n");
    w->ack[1] = 1 + 64 * 19;
    wire_clear();
    for (uint32_t i = 0, next = 1; i < 64; i++) {
        const char *text = "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi";
        size_t len = strlen(text) - (i % 3 == 0 ? 2 : 0);
        wire_send(1, 0, next, text, len);
        next += (uint32_t)len;
    }
    size_t none = 0, length = 0;
    for (const char *at = w->log; (at = strchr(at, '\n')) != NULL; at++) {
        none += at - w->log > 6 && memcmp(at - 6, "none 0", 6) == 0;
        length += at - w->log > 8 && memcmp(at - 8, "length 2", 8) == 0;
    }
    assert_int_equal(none, 22);
    assert_int_equal(length, 42);
    wire_free();
}

static void heads_have_a_limit(void **state)
{
    static char line[1000];
    (void)state;
    wire_new();
    wire_handshake();
    memset(line, 'a', sizeof line);
    wire_text(0, 1, "GET / HTTP/1.1\r\nX: ");
    for (uint32_t i = 0; i < 70; i++)
        wire_send(0, 0, 20 + i * 1000, line, sizeof line);
    assert_int_equal(stream_table_counts(w->table)->heads_too_long, 1);
    wire_expect("open 0\ngate 16\n");
    wire_free();
}

static void fields_have_a_limit(void **state)
{
    char head[1024] = "GET / HTTP/1.1\r\n";
    (void)state;
    for (unsigned i = 0; i < 40; i++)
        strcat(head, "Via: x\r\n");
    strcat(head, "\r\n");
    wire_new();
    wire_handshake();
    wire_text(0, 1, head);
    unsigned count = 0;
    for (const char *at = w->log; (at = strstr(at, "7[x]")) != NULL; at++)
        count++;
    assert_int_equal(count, 32);
    wire_free();
}

static void field_names_and_values(void **state)
{
    (void)state;
    TALK("http\n0 GET 11 1+222 none 0 2[a] 1[b  c] 5[] 6[d] 9[Basic] 9[e] 10[f] 10[g] 7[h] 9[i]\n",
         "CGET / HTTP/1.1\r\nPROXY-Connection:a\r\nkeep-alive: \t b  c \t \r\nhost:\r\nContent-Type: d\r\n"
         "Authorization: Basic\r\nWWW-Authenticate: e\r\nX-Request-ID: f\r\ntraceparent: g\r\nVia: h\r\n"
         "Proxy-Authorization: i\r\nConnectionx: no\r\nCookie: no\r\n\r\n");
}

/* ---- Fuzzing ------------------------------------------------------------------------------------ */

static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

static const char *const snippets[] = {
    "GET / HTTP/1.1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "0\r\n\r\n",
    "CONNECT a:1 HTTP/1.1\r\n\r\n",
    "HEAD / HTTP/1.1\r\nKeep-Alive: 5,\r\n 6\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\n",
    "HTTP/1.1 101 x\r\n\r\n",
    "HTTP/1.1 101 x\r\nUpgrade: h2c\r\n\r\n",
    "\x16\x03\x01\x00\x04xxxx\x17\x03\x03\x00\x02yy",
    "\r\n",
    "0123456789",
    "PRI * HTTP/2.0\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.",
};

static void send_random(void)
{
    static const uint8_t flags[] = {0, 0, 0, 0, 0, 0, 0, 0, KA_SYN, KA_FIN, KA_RST, KA_SYN | KA_FIN};
    static uint32_t next[2];
    unsigned d = pick(2);
    char bytes[256];
    size_t len = 0;
    for (uint32_t i = pick(4); i > 0; i--) {
        const char *snippet = snippets[pick(sizeof snippets / sizeof snippets[0])];
        size_t snippet_bytes = strlen(snippet);
        memcpy(bytes + len, snippet, snippet_bytes);
        len += snippet_bytes;
    }
    if (len > 0 && pick(4) == 0)
        bytes[pick((uint32_t)len)] = (char)pick(256);
    uint32_t offset = next[d] + (pick(8) == 0 ? pick(200) - 100 : 0u);
    if (pick(3000) == 0)
        offset = pick(UINT32_MAX);
    w->ack[d] = pick(4) == 0 ? next[!d] + pick(100) : w->ack[d];
    w->cut_bytes = pick(16) == 0 ? 1 + pick(60) : 0;
    w->client_port = (uint16_t)(40000 + (pick(16) == 0 ? pick(8) : w->client_port - 40000u));
    wire_send(d, pick(4) == 0 ? flags[pick(sizeof flags)] : 0, offset, bytes, len);
    next[d] = offset + (uint32_t)len;
    if (pick(64) == 0)
        wire_wait(pick(400000));
}

static void anything_goes(void **state)
{
    stream_limits limits = stream_limits_default;
    (void)state;
    limits.direction_bytes = 3000;
    limits.total_bytes = 20000;
    limits.head_bytes = 600;
    limits.connections = 5;
    random_state = 0x2545f4914f6cdd1d;
    wire_new_with(&limits, &memory_heap);
    w->check_moments = false;
    for (unsigned i = 0; i < 200000; i++) {
        send_random();
        wire_clear();
        if (pick(200) == 0 && !w->connections[pick(WIRE_CONNECTIONS)].over) {
            ka_connection *some = &w->connections[(w->connection_count - 1) % WIRE_CONNECTIONS];
            if (!some->over) {
                some->over = true;
                stream_settled(&w->table, some->owner);
            }
        }
    }
    stream_finish(w->table);
    assert_true(stream_table_counts(w->table)->holes > 100);
    wire_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_opens_a_tunnel),
        cmocka_unit_test(what_is_in_the_tunnel_is_read),
        cmocka_unit_test(early_bytes_wait_for_the_tunnel),
        cmocka_unit_test(declined_connect_goes_on),
        cmocka_unit_test(upgrade_accepted_and_declined),
        cmocka_unit_test(bare_cr_is_no_line_break),
        cmocka_unit_test(unsolicited_408),
        cmocka_unit_test(bytes_after_connection_close_are_seen),
        cmocka_unit_test(transfer_encoding_wins),
        cmocka_unit_test(malformed_is_no_guess),
        cmocka_unit_test(http2_in_clear),
        cmocka_unit_test(tls_records),
        cmocka_unit_test(tls_in_mid_stream),
        cmocka_unit_test(unknown_request_may_have_been_head),
        cmocka_unit_test(a_long_pipeline_stays_in_step),
        cmocka_unit_test(heads_have_a_limit),
        cmocka_unit_test(fields_have_a_limit),
        cmocka_unit_test(field_names_and_values),
        cmocka_unit_test(anything_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
