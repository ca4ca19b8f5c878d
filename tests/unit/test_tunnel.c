/* test_tunnel.c - what CONNECT opens, and what goes on inside.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "story.h"

#define TUNNEL ((words){.connection = "close", .framing = KA_FRAMING_TUNNEL})

static talk open_tunnel(story *s)
{
    story_begin(s);
    talk t = talk_open(s, 0, false);
    handshake(&t, 0, 40 * MS, 10 * MS);
    asks(&t, 0.1);
    answers(&t, 0.2, 200, TUNNEL);
    return t;
}

static const ka_finding *found(const story *s, ka_finding_id id)
{
    for (unsigned i = 0; i < s->finding_count; i++)
        if (s->findings[i].id == id)
            return &s->findings[i];
    return NULL;
}

static void promises_inside_count(void **state)
{
    story s;
    (void)state;
    talk t = open_tunnel(&s);
    asks(&t, 1);
    advertises(&t, 1.1, "timeout=5");
    asks(&t, 2.1);
    advertises(&t, 2.2, "timeout=5");
    fins(&t, 5.2, SERVER);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.tunnel, KA_TUNNEL_CONNECT);
    assert_string_equal(r.protocol, "http/1.1");
    assert_int_equal(r.requests, 3);
    assert_int_equal(r.responses, 3);
    assert_int_equal(r.timeout_s, 5);
    assert_int_equal(r.idle_count, 2);
    assert_int_equal(r.failed_gates & KA_GATE_TUNNEL, 0);
    assert_int_equal(r.close.verdict, KA_VERDICT_EARLY);
    assert_non_null(found(&s, KA_CLOSED_EARLY));
    assert_null(found(&s, KA_REQUEST_AFTER_CLOSE)); /* the proxy's close was about the tunnel */
    assert_int_equal(s.exchanges[1].number, 1);     /* the first inside */
    /* They are promises of who is behind the proxy, not the proxy's. */
    assert_int_equal(s.endpoints[0].timeout_s, KA_NONE);
    assert_int_equal(s.endpoints[0].idle_closes_by_server, 0);
    assert_int_equal(s.endpoints[0].requests, 3);
}

/* Its end tells nothing: the tunnel's own. */
static void nothing_understood_inside(void **state)
{
    story s;
    (void)state;
    talk t = open_tunnel(&s);
    sends(&t, 1, CLIENT, KA_ACK | KA_PSH, 100);
    sends(&t, 1.1, SERVER, KA_ACK | KA_PSH, 100);
    fins(&t, 5.2, SERVER);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.tunnel, KA_TUNNEL_CONNECT);
    assert_int_equal(r.requests, 1);
    assert_true(r.failed_gates & KA_GATE_TUNNEL);
    assert_int_equal(r.close.idle_ns, KA_NONE);
    assert_int_equal(s.finding_count, 0);
}

static void tell_record(talk *t, double at, int side, uint8_t type, uint32_t len_bytes)
{
    uint32_t seq = t->next[side];
    ka_moment when = sends(t, at, side, KA_ACK | KA_PSH, len_bytes);
    ka_bytes record = {.direction = talk_direction(t, side),
                       .tls_type = type,
                       .seq = seq,
                       .len_bytes = len_bytes,
                       .first = when,
                       .last = when};
    if (t->story->status == KA_OK)
        t->story->status = ka_tls_record_seen(t->story->audit, t->connection, &record);
}

enum { CHANGE_CIPHER_SPEC = 20, HANDSHAKE = 22, DATA = 23 };

/* The server's name behind such a hello. */
static const char *name_told(talk *t, const char *name, unsigned direction)
{
    assert_int_equal(
        ka_tls_name_seen(t->story->audit, t->connection, direction, (ka_slice){name, strlen(name)}), KA_OK);
    return t->story->audit->endpoints.at[0]->name;
}

static void tls_outside(void **state)
{
    story s;
    (void)state;
    story_begin(&s);
    talk t = talk_open(&s, 0, false);
    handshake(&t, 0, 40 * MS, 10 * MS);
    ka_tls_name_seen(s.audit, t.connection, CLIENT, (ka_slice){"early", 5}); /* no server is known yet */
    tell_record(&t, 1, CLIENT, HANDSHAKE, 200);
    assert_string_equal(name_told(&t, "", CLIENT), "");
    assert_string_equal(name_told(&t, "a b", CLIENT), "");
    assert_string_equal(name_told(&t, "k\xc3\xa4se.example", CLIENT), "");
    assert_string_equal(name_told(&t, "del\x7f", CLIENT), "");
    assert_string_equal(name_told(&t, "server.example", SERVER), "");
    assert_string_equal(name_told(&t, "shop.example", CLIENT), "shop.example");
    assert_string_equal(name_told(&t, "other.example", CLIENT), "shop.example"); /* the first stands */
    story_only_record(&s);
}

static void tls_inside(void **state)
{
    story s;
    (void)state;
    talk t = open_tunnel(&s);
    assert_int_equal(ka_tls_alpn_seen(s.audit, t.connection, true, KA_ALPN_HTTP1), KA_OK);
    tell_record(&t, 1, CLIENT, HANDSHAKE, 200);
    assert_string_equal(name_told(&t, "origin.example", CLIENT), ""); /* the server is the proxy */
    tell_record(&t, 1.1, SERVER, HANDSHAKE, 900);
    tell_record(&t, 1.2, CLIENT, CHANGE_CIPHER_SPEC, 6);
    tell_record(&t, 1.3, CLIENT, DATA, 60);
    tell_record(&t, 1.4, CLIENT, DATA, 300);
    tell_record(&t, 1.5, SERVER, DATA, 300);
    tell_record(&t, 3.5, CLIENT, DATA, 300);
    tell_record(&t, 3.6, SERVER, DATA, 300);
    fins(&t, 7.6, SERVER);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.tunnel, KA_TUNNEL_CONNECT);
    assert_string_equal(r.protocol, "tls");
    assert_int_equal(r.requests, 1);
    assert_int_equal(r.failed_gates & KA_GATE_TUNNEL, 0);
    assert_int_equal(r.close.idle_ns, 4 * KA_SECOND_NS);
    assert_int_equal(s.endpoints[0].idle_closes_by_server, 0);
}

/* Behind a 101 nothing that looks like HTTP is any: front ends do not tell it, and it would not count. */
static void an_upgrade_is_no_tunnel_to_look_into(void **state)
{
    story s;
    (void)state;
    story_begin(&s);
    talk t = talk_open(&s, 0, false);
    handshake(&t, 0, 40 * MS, 10 * MS);
    asks(&t, 0.1);
    answers(&t, 0.2, 101, (words){.connection = "upgrade", .framing = KA_FRAMING_TUNNEL});
    sends(&t, 1, CLIENT, KA_ACK | KA_PSH, 100);
    fins(&t, 9, SERVER);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.tunnel, KA_TUNNEL_UPGRADE);
    assert_true(r.failed_gates & KA_GATE_TUNNEL);
    assert_int_equal(s.finding_count, 0);
}

static void a_tunnel_in_a_tunnel(void **state)
{
    story s;
    (void)state;
    talk t = open_tunnel(&s);
    asks(&t, 1);
    answers(&t, 1.1, 200, TUNNEL);
    asks(&t, 2);
    advertises(&t, 2.1, "timeout=5");
    fins(&t, 5.1, SERVER);
    ka_record r = story_only_record(&s);
    assert_int_equal(r.requests, 3);
    assert_int_equal(r.close.verdict, KA_VERDICT_EARLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promises_inside_count),
        cmocka_unit_test(nothing_understood_inside),
        cmocka_unit_test(tls_outside),
        cmocka_unit_test(tls_inside),
        cmocka_unit_test(an_upgrade_is_no_tunnel_to_look_into),
        cmocka_unit_test(a_tunnel_in_a_tunnel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
