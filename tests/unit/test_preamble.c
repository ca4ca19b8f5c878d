/* test_preamble.c - the PROXY protocol: what is a preamble, whom it names, and what the audit makes of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "story.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4        "\313\0\161\007\300\0\002\120\307\070\0\120" /* 203.0.113.7:51000 to 192.0.2.80:80 */
#define OF(text)  text, sizeof(text) - 1

typedef struct preamble_case {
    const char *bytes;
    size_t len_bytes;
    ka_preamble_status status;
    uint32_t preamble_bytes;
    const char *ip; /* NULL: nobody is named */
    uint16_t port;
} preamble_case;

static const preamble_case cases[] = {
    {OF("PROXY TCP4 203.0.113.7 192.0.2.80 51000 80\r\nGET"), KA_PREAMBLE_WHOLE, 44, "203.0.113.7", 51000},
    {OF("PROXY TCP6 2001:db8::7 2001:db8::80 65535 80\r\n"), KA_PREAMBLE_WHOLE, 46, "2001:db8::7", 65535},
    {OF("PROXY UNKNOWN\r\n"), KA_PREAMBLE_WHOLE, 15, NULL, 0},
    {OF("PROXY UNKNOWN ff:: ff:: 1 2\r\n"), KA_PREAMBLE_WHOLE, 29, NULL, 0},
    /* Preambles all the same, but they name nobody. */
    {OF("PROXY TCP4 203.0.113.700 192.0.2.80 51000 80\r\n"), KA_PREAMBLE_WHOLE, 46, NULL, 0},
    {OF("PROXY TCP4 203.0.113.7 192.0.2.80 65536 80\r\n"), KA_PREAMBLE_WHOLE, 44, NULL, 0},
    {OF("PROXY TCP4 203.0.113.7 192.0.2.80 -1 80\r\n"), KA_PREAMBLE_WHOLE, 41, NULL, 0},
    {OF("PROXY TCP4 203.0.113.7 192.0.2.80\r\n"), KA_PREAMBLE_WHOLE, 35, NULL, 0},
    {OF("PROXY TCP4 \r\n"), KA_PREAMBLE_WHOLE, 13, NULL, 0},
    {OF("PROXY TCP4  203.0.113.7 192.0.2.80 1 2\r\n"), KA_PREAMBLE_WHOLE, 40, NULL, 0},
    {OF("PROXY TCP4 2001:db8::7 2001:db8::80 1 2\r\n"), KA_PREAMBLE_WHOLE, 41, NULL, 0},
    /* Not. */
    {OF("PROXY TCP4 203.0.113.7 192.0.2.80 51000 80\n"), KA_PREAMBLE_NONE, 0, NULL, 0},
    {OF("PROXY TCP5 "), KA_PREAMBLE_NONE, 0, NULL, 0},
    {OF("PROXY / HTTP/1.1\r\n"), KA_PREAMBLE_NONE, 0, NULL, 0},
    {OF("POST / HTTP/1.1\r\n"), KA_PREAMBLE_NONE, 0, NULL, 0},
    {OF("PRI * HTTP/2.0\r\n"), KA_PREAMBLE_NONE, 0, NULL, 0},
    {OF("\r\nGET / HTTP/1.1\r\n"), KA_PREAMBLE_NONE, 0, NULL, 0},
    {OF("\r\n\r\n\r\n"), KA_PREAMBLE_NONE, 0, NULL, 0},
    {OF(SIGNATURE "\x11\x11\0\0"), KA_PREAMBLE_NONE, 0, NULL, 0}, /* version 1 */
    {OF(SIGNATURE "\x22\x11\0\0"), KA_PREAMBLE_NONE, 0, NULL, 0}, /* no such command */
    /* Not yet. */
    {OF("P"), KA_PREAMBLE_MORE, 0, NULL, 0},
    {OF("PROXY TCP4 203.0.113.7 192.0.2.80 51000 80\r"), KA_PREAMBLE_MORE, 0, NULL, 0},
    {OF("\r\n\r\n"), KA_PREAMBLE_MORE, 0, NULL, 0},
    {OF(SIGNATURE "\x21\x11\0"), KA_PREAMBLE_MORE, 0, NULL, 0},
    {OF(SIGNATURE "\x21\x11\0\014\313\0\161\007\300\0\002\120\307\070\0"), KA_PREAMBLE_MORE, 0, NULL, 0},
    /* Binary. */
    {OF(SIGNATURE "\x21\x11\0\014" V4), KA_PREAMBLE_WHOLE, 28, "203.0.113.7", 51000},
    {OF(SIGNATURE "\x21\x12\377\377" V4), KA_PREAMBLE_WHOLE, 65551, "203.0.113.7", 51000},
    {OF(SIGNATURE "\x21\x21\0\044"
                  "\040\001\015\270\0\0\0\0\0\0\0\0\0\0\0\007"
                  "0123456789abcdef\001\002\0\120"),
     KA_PREAMBLE_WHOLE, 52, "2001:db8::7", 258},
    {OF(SIGNATURE "\x20\0\0\0"), KA_PREAMBLE_WHOLE, 16, NULL, 0},
    {OF(SIGNATURE "\x20\x11\0\014" V4), KA_PREAMBLE_WHOLE, 28, NULL, 0}, /* LOCAL: addresses mean nothing */
    {OF(SIGNATURE "\x21\x11\0\013" V4), KA_PREAMBLE_WHOLE, 27, NULL, 0}, /* too short for them */
    {OF(SIGNATURE "\x21\x31\0\330"), KA_PREAMBLE_WHOLE, 232, NULL, 0},   /* Unix sockets */
    {OF(SIGNATURE "\x21\0\0\005"), KA_PREAMBLE_WHOLE, 21, NULL, 0},      /* UNSPEC */
};

static void what_is_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const preamble_case *c = &cases[i];
        const char *bytes = unit_at_page_end(c->bytes, c->len_bytes);
        ka_preamble got = {.len_bytes = 7};
        char ip[KA_IP_TEXT_BYTES];
        assert_int_equal(ka_preamble_read((ka_slice){bytes, c->len_bytes}, &got), c->status);
        assert_int_equal(got.len_bytes, c->status == KA_PREAMBLE_WHOLE ? c->preamble_bytes : 7);
        assert_int_equal(got.client.version != 0, c->ip != NULL);
        if (c->ip == NULL)
            continue;
        ka_ip_text(&got.client, ip);
        assert_string_equal(ip, c->ip);
        assert_int_equal(got.client.port, c->port);
    }
}

/* With every byte less it may become one, or already is one. */
static void it_grows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t n = 1; cases[i].status == KA_PREAMBLE_WHOLE && n <= cases[i].len_bytes; n++) {
            ka_preamble got;
            const char *bytes = unit_at_page_end(cases[i].bytes, n);
            assert_int_not_equal(ka_preamble_read((ka_slice){bytes, n}, &got), KA_PREAMBLE_NONE);
        }
    }
}

static void a_line_has_an_end(void **state)
{
    char text[KA_PREAMBLE_BYTES_MAX + 1];
    ka_preamble got;
    (void)state;
    memset(text, ' ', sizeof text);
    memcpy(text, "PROXY UNKNOWN", 13);
    memcpy(text + sizeof text - 3, "\r\n", 2);
    assert_int_equal(ka_preamble_read((ka_slice){text, sizeof text - 2}, &got), KA_PREAMBLE_MORE);
    assert_int_equal(ka_preamble_read((ka_slice){text, sizeof text}, &got), KA_PREAMBLE_WHOLE);
    assert_int_equal(got.len_bytes, KA_PREAMBLE_BYTES_MAX);
    memcpy(text + sizeof text - 3, " \r\n", 3);
    assert_int_equal(ka_preamble_read((ka_slice){text, KA_PREAMBLE_BYTES_MAX}, &got), KA_PREAMBLE_NONE);
}

/* ---- In the audit ---- */

enum { PREAMBLE_BYTES = 44 };

static void say_preamble(talk *t, double at, uint8_t host)
{
    uint32_t seq = t->next[CLIENT];
    ka_address client = story_address(host, 51000);
    client.version = host != 0 ? 4 : 0;
    ka_moment when = sends(t, at, CLIENT, KA_ACK | KA_PSH, PREAMBLE_BYTES);
    ka_bytes bytes = {.direction = talk_direction(t, CLIENT),
                      .seq = seq,
                      .len_bytes = PREAMBLE_BYTES,
                      .first = when,
                      .last = when};
    if (t->story->status == KA_OK)
        t->story->status = ka_preamble_seen(t->story->audit, t->connection, &bytes, &client);
}

static void the_record_names_the_first_one(void **state)
{
    story s;
    (void)state;
    story_begin(&s);
    talk t = talk_open(&s, 0, false);
    handshake(&t, 0, 40 * MS, 10 * MS);
    say_preamble(&t, 0.1, 7);
    say_preamble(&t, 0.2, 8);
    ka_record record = story_only_record(&s);
    assert_int_equal(record.proxied_for.ip[3], 7);
    assert_int_equal(record.proxied_for.port, 51000);
    assert_int_equal(record.requests, 0);
    assert_string_equal(record.protocol, "none");
}

static void nobody_is_told_of_nobody(void **state)
{
    story s;
    page told;
    ka_writer writer = page_writer(&told);
    (void)state;
    story_begin(&s);
    talk t = talk_open(&s, 0, false);
    handshake(&t, 0, 40 * MS, 10 * MS);
    say_preamble(&t, 0.1, 0);
    ka_record record = story_only_record(&s);
    assert_int_equal(record.proxied_for.version, 0);
    assert_true(ka_write_connection(&writer, &record));
    assert_null(strstr(told.text, "proxied_for"));
}

static void allocations_fail(void **state)
{
    (void)state;
    for (long refuse = 1;; refuse++) {
        story s;
        story_begin_refusing(&s, refuse);
        talk t = talk_open(&s, 0, false);
        handshake(&t, 0, 40 * MS, 10 * MS);
        say_preamble(&t, 0.1, 7);
        bool all = s.taken < refuse;
        assert_int_equal(s.status, all ? KA_OK : KA_NO_MEMORY);
        story_end(&s);
        if (all)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_one),
        cmocka_unit_test(it_grows),
        cmocka_unit_test(a_line_has_an_end),
        cmocka_unit_test(the_record_names_the_first_one),
        cmocka_unit_test(nobody_is_told_of_nobody),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
