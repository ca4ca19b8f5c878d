/* test_rules_tls.c - closure alerts, and what TLS records tell of requests without keys.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

enum { ALERT = 21, HANDSHAKE = 22, DATA = 23 };
enum { ALERT_12_BYTES = 31, ALERT_13_BYTES = 24, REQUEST_BYTES = 300 };

typedef enum version { TLS_12, TLS_13, VERSION_COUNT } version;

/* The handshake is over at 0.25. */
static conversation *shake_hands(version v, unsigned alpn)
{
    conversation *c = connect_at(&t, 0);
    c->said_hello = true;
    c->alpn = alpn;
    tls_record(c, CLIENT, 0.06, HANDSHAKE, 200);
    tls_record(c, SERVER, 0.10, HANDSHAKE, 120);
    if (v == TLS_12) {
        tls_record(c, SERVER, 0.10, HANDSHAKE, 2000);
        tls_record(c, CLIENT, 0.14, HANDSHAKE, 100);
        tls_record(c, SERVER, 0.18, HANDSHAKE, 50);
    } else {
        tls_record(c, SERVER, 0.10, DATA, 2000);
        tls_record(c, CLIENT, 0.14, DATA, 74);  /* Finished */
        tls_record(c, SERVER, 0.18, DATA, 255); /* session tickets */
        tls_record(c, SERVER, 0.18, DATA, 255);
    }
    return c;
}

static mark *asks(conversation *c, double at_s)
{
    return tls_record(c, CLIENT, at_s, DATA, REQUEST_BYTES);
}

static void exchanged(conversation *c, double at_s)
{
    asks(c, at_s);
    tls_record(c, SERVER, at_s + 0.1, DATA, 1000);
}

static mark *alerts(conversation *c, version v, double at_s)
{
    return tls_record(c, SERVER, at_s, v == TLS_12 ? ALERT : DATA,
                      v == TLS_12 ? ALERT_12_BYTES : ALERT_13_BYTES);
}

#define FOR_EACH_VERSION(v) for (version v = TLS_12; v < VERSION_COUNT; v++)

/* ---- Healthy ---- */

static void healthy(void **state)
{
    (void)state;
    FOR_EACH_VERSION(v)
    FROM_EVERYWHERE(t)
    {
        conversation *c = shake_hands(v, KA_ALPN_HTTP1);
        exchanged(c, 1);
        exchanged(c, 4);
        alerts(c, v, 9.1);
        fin(c, SERVER, 9.1);
        tls_record(c, CLIENT, 9.13, v == TLS_12 ? ALERT : DATA,
                   v == TLS_12 ? ALERT_12_BYTES : ALERT_13_BYTES);
        fin(c, CLIENT, 9.13);
        timeline_play(&t, 30);
        assert_silent(&t);
        assert_int_equal(record_of(&t, c)->idle_count, 2);
    }
}

/* The client closes: alert and FIN, then answers by RST or not at all. */
static void client_closes_first(void **state)
{
    (void)state;
    FOR_EACH_VERSION(v)
    FROM_EVERYWHERE(t)
    {
        conversation *c = shake_hands(v, KA_ALPN_HTTP1);
        exchanged(c, 1);
        tls_record(c, CLIENT, 3, v == TLS_12 ? ALERT : DATA, v == TLS_12 ? ALERT_12_BYTES : ALERT_13_BYTES);
        fin(c, CLIENT, 3);
        fin(c, SERVER, 3.03);
        timeline_play(&t, 30);
        assert_silent(&t);
    }
}

/* ---- keepalive-race ---- */

/* The server closes at 6.1; what the client sends from 6.075 on crosses it. */
static void race(void **state)
{
    (void)state;
    static const struct {
        double at_s;
        bool found;
    } rows[] = {{6.074, false}, {6.076, true}, {6.124, true}};
    FOR_EACH_VERSION(v)
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = shake_hands(v, KA_ALPN_HTTP1);
            exchanged(c, 1);
            mark *lost = asks(c, rows[i].at_s);
            if (rows[i].found) {
                alerts(c, v, 6.1);
                fin(c, SERVER, 6.1);
            } else {
                tls_record(c, SERVER, 6.15, DATA, 1000);
            }
            timeline_play(&t, 8);
            if (!rows[i].found) {
                assert_silent(&t);
                continue;
            }
            const ka_finding *f = assert_holds(&t, KA_KEEPALIVE_RACE, KA_ERROR, KA_FAULT_CONFIG, lost);
            assert_value(f, "server_idle", 5);
            assert_only(&t, KA_KEEPALIVE_RACE, KA_TLS_IDLE_INFERENCE, KA_FINDING_COUNT);
            assert_int_equal(finding_of(&t, KA_TLS_IDLE_INFERENCE)->severity, KA_NOTE);
        }
    }
}

typedef struct doubt_row {
    unsigned alpn;
    bool said_hello;
    uint32_t len_bytes;
    bool found;
    ka_severity severity;
} doubt_row;

static void race_in_doubt(void **state)
{
    (void)state;
    static const doubt_row rows[] = {
        {KA_ALPN_HTTP1, true, 40, true, KA_ERROR},
        {KA_ALPN_HTTP1, true, 39, false, KA_ERROR}, /* no request is so short */
        {KA_ALPN_HTTP1 | KA_ALPN_H2, true, 100, true, KA_NOTE},
        {KA_ALPN_HTTP1 | KA_ALPN_H2, true, 99, false, KA_NOTE}, /* PING and WINDOW_UPDATE, perhaps */
        {KA_ALPN_OTHER, true, 300, false, KA_NOTE},
        {0, true, 300, true, KA_NOTE}, /* no ALPN, port 80 */
        {0, false, 300, true, KA_NOTE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = shake_hands(TLS_13, rows[i].alpn);
            c->said_hello = rows[i].said_hello;
            exchanged(c, 1);
            mark *lost = asks(c, 6.09);
            lost->len_bytes = rows[i].len_bytes;
            alerts(c, TLS_13, 6.1);
            fin(c, SERVER, 6.1);
            timeline_play(&t, 8);
            if (rows[i].found)
                assert_holds(&t, KA_KEEPALIVE_RACE, rows[i].severity, KA_FAULT_CONFIG, lost);
            else
                assert_silent(&t);
        }
    }
}

/* HTTPS on its own port needs no ALPN. */
static void no_alpn_on_443(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = shake_hands(TLS_13, 0);
        c->ends[SERVER].port = 443;
        exchanged(c, 1);
        mark *lost = asks(c, 6.09);
        alerts(c, TLS_13, 6.1);
        fin(c, SERVER, 6.1);
        timeline_play(&t, 8);
        assert_holds(&t, KA_KEEPALIVE_RACE, KA_ERROR, KA_FAULT_CONFIG, lost);
    }
}

/* The client says goodbye while the server does: its alert is no request. */
static void closes_cross(void **state)
{
    (void)state;
    FOR_EACH_VERSION(v)
    FROM_EVERYWHERE(t)
    {
        conversation *c = shake_hands(v, KA_ALPN_HTTP1);
        exchanged(c, 1);
        tls_record(c, CLIENT, 6.09, v == TLS_12 ? ALERT : DATA,
                   v == TLS_12 ? ALERT_12_BYTES : ALERT_13_BYTES);
        fin(c, CLIENT, 6.09);
        alerts(c, v, 6.1);
        fin(c, SERVER, 6.1);
        timeline_play(&t, 8);
        assert_silent(&t);
    }
}

/* Something short, an alert, a FIN, all at once: a client that says goodbye, unless it can only be HTTP/1. */
static void goodbye(void **state)
{
    (void)state;
    for (int http1 = 0; http1 <= 1; http1++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = shake_hands(TLS_12, http1 ? KA_ALPN_HTTP1 : 0);
            exchanged(c, 1);
            fin(c, SERVER, 6.1);
            mark *last = asks(c, 6.13);
            tls_record(c, CLIENT, 6.13, ALERT, ALERT_12_BYTES);
            fin(c, CLIENT, 6.13);
            rst(c, SERVER, 6.16);
            timeline_play(&t, 10);
            if (http1)
                assert_holds(&t, KA_REUSE_AFTER_FIN, KA_ERROR, KA_FAULT_CLIENT, last);
            else
                assert_silent(&t);
        }
    }
}

/* The rest of an upload behind an early answer: no request. */
static void upload_goes_on(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = shake_hands(TLS_13, KA_ALPN_HTTP1);
        exchanged(c, 1);
        for (int i = 0; i < 10; i++)
            tls_record(c, CLIENT, 2 + i * 0.02, DATA, 1400);
        tls_record(c, SERVER, 2.1, DATA, 300); /* 413 */
        alerts(c, TLS_13, 2.15);
        fin(c, SERVER, 2.15);
        timeline_play(&t, 5);
        assert_absent(&t, KA_KEEPALIVE_RACE);
        assert_absent(&t, KA_SERVER_CLOSED_IN_FLIGHT);
    }
}

/* ---- server-closed-in-flight ---- */

static void closed_in_flight(void **state)
{
    (void)state;
    FOR_EACH_VERSION(v)
    FROM_EVERYWHERE(t)
    {
        conversation *c = shake_hands(v, KA_ALPN_HTTP1);
        exchanged(c, 1);
        asks(c, 4);
        fin(c, SERVER, 4.5);
        timeline_play(&t, 8);
        assert_only(&t, KA_SERVER_CLOSED_IN_FLIGHT, KA_TLS_IDLE_INFERENCE, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* the first request: TLS may have reasons of its own */
        conversation *c = shake_hands(TLS_13, KA_ALPN_HTTP1);
        asks(c, 4);
        fin(c, SERVER, 4.5);
        timeline_play(&t, 8);
        assert_silent(&t);
    }
}

/* ---- tls-close-notify-ignored, reuse-after-fin ---- */

/* The alert of 6.1 has reached the client at 6.125. */
static void close_notify_ignored(void **state)
{
    (void)state;
    FOR_EACH_VERSION(v)
    for (int late = 0; late <= 1; late++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = shake_hands(v, KA_ALPN_HTTP1);
            exchanged(c, 1);
            alerts(c, v, 6.1);
            fin(c, SERVER, 6.1);
            mark *lost = asks(c, late ? 6.13 : 9);
            rst(c, SERVER, late ? 6.16 : 9.03);
            timeline_play(&t, 12);
            const ka_finding *f =
                assert_holds(&t, KA_TLS_CLOSE_NOTIFY_IGNORED, KA_ERROR, KA_FAULT_CLIENT, lost);
            assert_int_equal(value_of(f, "late"), late);
            assert_int_equal(value_of(f, "fin_known"), 1);
            assert_only(&t, KA_TLS_CLOSE_NOTIFY_IGNORED, KA_TLS_IDLE_INFERENCE, KA_FINDING_COUNT);
        }
    }
}

/* Alert first, FIN only when the client asks: the request was lost all the same. */
static void close_notify_before_the_fin(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = shake_hands(TLS_12, KA_ALPN_HTTP1);
        exchanged(c, 1);
        alerts(c, TLS_12, 6.1);
        mark *lost = asks(c, 7);
        fin(c, SERVER, 7.03);
        timeline_play(&t, 9);
        assert_holds(&t, KA_TLS_CLOSE_NOTIFY_IGNORED, KA_ERROR, KA_FAULT_CLIENT, lost);
        assert_absent(&t, KA_KEEPALIVE_RACE);
        assert_absent(&t, KA_SERVER_CLOSED_IN_FLIGHT);
    }
}

/* Two bytes of a body look like an alert of TLS 1.3; the answer behind them shows that they were none. */
static void two_bytes_are_no_alert(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = shake_hands(TLS_13, KA_ALPN_HTTP1);
        for (int i = 0; i < 3; i++) {
            exchanged(c, 1 + i);
            tls_record(c, SERVER, 1.11 + i, DATA, ALERT_13_BYTES);
        }
        mark *lost = asks(c, 8.09);
        fin(c, SERVER, 8.1);
        timeline_play(&t, 10);
        assert_holds(&t, KA_KEEPALIVE_RACE, KA_ERROR, KA_FAULT_CONFIG, lost);
        assert_absent(&t, KA_TLS_CLOSE_NOTIFY_IGNORED);
    }
}

static void reuse_after_fin_without_alert(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = shake_hands(TLS_13, KA_ALPN_HTTP1);
        exchanged(c, 1);
        fin(c, SERVER, 6.1);
        mark *lost = asks(c, 9);
        rst(c, SERVER, 9.03);
        timeline_play(&t, 12);
        assert_holds(&t, KA_REUSE_AFTER_FIN, KA_ERROR, KA_FAULT_CLIENT, lost);
        assert_only(&t, KA_REUSE_AFTER_FIN, KA_TLS_IDLE_INFERENCE, KA_TLS_NO_CLOSE_NOTIFY, KA_FINDING_COUNT);
    }
}

/* ---- tls-no-close-notify ---- */

static void no_close_notify(void **state)
{
    (void)state;
    FOR_EACH_VERSION(v)
    FROM_EVERYWHERE(t)
    {
        conversation *c = shake_hands(v, KA_ALPN_HTTP1);
        exchanged(c, 1);
        mark *close = fin(c, SERVER, 6.1);
        fin(c, CLIENT, 6.14);
        timeline_play(&t, 12);
        assert_holds(&t, KA_TLS_NO_CLOSE_NOTIFY, KA_NOTE, KA_FAULT_SERVER, close);
        assert_only(&t, KA_TLS_NO_CLOSE_NOTIFY, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* the alert was not captured */
        conversation *c = shake_hands(TLS_12, KA_ALPN_HTTP1);
        exchanged(c, 1);
        alerts(c, TLS_12, 6.1)->uncaptured = true;
        fin(c, SERVER, 6.1);
        fin(c, CLIENT, 6.14);
        timeline_play(&t, 12);
        assert_absent(&t, KA_TLS_NO_CLOSE_NOTIFY);
    }
    FROM_EVERYWHERE(t)
    { /* not HTTP, as far as is known */
        conversation *c = shake_hands(TLS_12, KA_ALPN_OTHER);
        exchanged(c, 1);
        fin(c, SERVER, 6.1);
        fin(c, CLIENT, 6.14);
        timeline_play(&t, 12);
        assert_silent(&t);
    }
}

/* ---- What stays open ---- */

static void leaks(void **state)
{
    (void)state;
    FOR_EACH_VERSION(v)
    FROM_EVERYWHERE(t)
    {
        conversation *c = shake_hands(v, KA_ALPN_HTTP1);
        exchanged(c, 1);
        alerts(c, v, 6.1);
        mark *close = fin(c, SERVER, 6.1);
        timeline_play(&t, 20);
        assert_holds(&t, KA_CLIENT_CLOSE_WAIT, KA_WARN, KA_FAULT_CLIENT, close);
        assert_only(&t, KA_CLIENT_CLOSE_WAIT, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    {
        conversation *c = shake_hands(TLS_13, KA_ALPN_HTTP1);
        exchanged(c, 1);
        mark *close = fin(c, CLIENT, 6.1);
        timeline_play(&t, 70);
        assert_holds(&t, KA_SERVER_CLOSE_WAIT, KA_ERROR, KA_FAULT_SERVER, close);
    }
}

/* 600 s since the answer of 1.1. Never more than a note: it may be a WebSocket. */
static void idle_forever(void **state)
{
    (void)state;
    static const struct {
        unsigned alpn;
        double until_s;
        bool found;
    } rows[] = {
        {KA_ALPN_HTTP1, 600, false}, {KA_ALPN_HTTP1, 602, true}, {KA_ALPN_HTTP1 | KA_ALPN_H2, 602, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *c = shake_hands(TLS_13, rows[i].alpn);
            exchanged(c, 1);
            timeline_play(&t, rows[i].until_s);
            if (!rows[i].found) {
                assert_silent(&t);
                continue;
            }
            assert_only(&t, KA_IDLE_FOREVER, KA_TLS_IDLE_INFERENCE, KA_FINDING_COUNT);
            assert_int_equal(finding_of(&t, KA_IDLE_FOREVER)->severity, KA_NOTE);
        }
    }
}

/* Five connections of different age, all closed at 10 s. */
static void mass_close(void **state)
{
    (void)state;
    for (int h2 = 0; h2 <= 1; h2++) {
        FROM_EVERYWHERE(t)
        {
            for (int i = 0; i < 5; i++) {
                conversation *c = shake_hands(TLS_13, KA_ALPN_HTTP1 | (h2 ? KA_ALPN_H2 : 0));
                exchanged(c, 1 + i);
                alerts(c, TLS_13, 10 + i * 0.01);
                fin(c, SERVER, 10 + i * 0.01);
                fin(c, CLIENT, 10.1 + i * 0.01);
            }
            timeline_play(&t, 20);
            if (h2) /* PINGs and the like make its idle times too short */
                assert_silent(&t);
            else
                assert_only(&t, KA_MASS_CLOSE, KA_FINDING_COUNT);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy),
        cmocka_unit_test(client_closes_first),
        cmocka_unit_test(race),
        cmocka_unit_test(race_in_doubt),
        cmocka_unit_test(no_alpn_on_443),
        cmocka_unit_test(closes_cross),
        cmocka_unit_test(goodbye),
        cmocka_unit_test(upload_goes_on),
        cmocka_unit_test(closed_in_flight),
        cmocka_unit_test(close_notify_ignored),
        cmocka_unit_test(close_notify_before_the_fin),
        cmocka_unit_test(two_bytes_are_no_alert),
        cmocka_unit_test(reuse_after_fin_without_alert),
        cmocka_unit_test(no_close_notify),
        cmocka_unit_test(leaks),
        cmocka_unit_test(idle_forever),
        cmocka_unit_test(mass_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
