/* test_rules_client.c - how the clients of a server use their connections: not again, not any more, without
 * end, or all at one server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

#include <stdio.h>

static timeline t;

#define KEEP "Connection: keep-alive"
#define HOST "Host: api.example"

static void server_closes(conversation *c, double at_s)
{
    fin(c, SERVER, at_s);
    fin(c, CLIENT, at_s + 0.03);
}

static void client_closes(conversation *c, double at_s)
{
    fin(c, CLIENT, at_s);
    fin(c, SERVER, at_s + 0.03);
}

/* ---- abandoned-connection ---- */

typedef struct left {
    int count;
    double apart_s; /* between connections */
    int requests;   /* on each */
    bool by_client; /* closes */
    int reused;     /* further connections that are used again and again */
} left;

static void leave(left l)
{
    for (int i = 0; i < l.count + l.reused; i++) {
        double at_s = l.apart_s * i;
        conversation *c = connect_at(&t, at_s);
        for (int k = 0; k < (i < l.count ? l.requests : 5); k++)
            exchange(c, at_s + 0.1 + 0.15 * k, "", KEEP);
        (l.by_client ? client_closes : server_closes)(c, at_s + 0.1 + 0.15 * l.requests + 5.6);
    }
    timeline_play(&t, 100);
}

static void connections_left_behind(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        leave((left){.count = 5, .apart_s = 1.5, .requests = 2});
        const ka_finding *f = assert_holds(&t, KA_ABANDONED_CONNECTION, KA_NOTE, KA_FAULT_CLIENT, NULL);
        assert_false(f->has_stream);
        assert_int_equal(f->client.ip[0], 192);
        assert_int_equal(value_of(f, "abandoned"), 4); /* no other came after the last */
        assert_int_equal(value_of(f, "connections"), 5);
        assert_only(&t, KA_ABANDONED_CONNECTION, KA_FINDING_COUNT);
    }
}

static void nothing_left_behind(void **state)
{
    static const left rows[] = {
        {3, 1.5, 2, false, 0},  /* two and the last: too few */
        {12, 0.1, 2, false, 0}, /* one burst */
        {5, 6, 2, false, 0},    /* the next is opened when the one before is closed */
        {5, 1.5, 3, false, 0},  /* used */
        {5, 1.5, 2, true, 0},   /* the client closes by its own timer */
        {4, 1.5, 2, false, 2},  /* less than four fifths */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            leave(rows[i]);
            assert_silent(&t);
        }
    }
}

#define SITES 24

/* Hosts of the same address: connections of one site are no use for another. */
static const char *site(int i)
{
    static char hosts[SITES][32];
    snprintf(hosts[i], sizeof hosts[i], "Host: site%d.example", i);
    return hosts[i];
}

static void sites_share_no_pool(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        for (int i = 0; i < SITES; i++) {
            conversation *c = connect_at(&t, 1.5 * i);
            exchange(c, 1.5 * i + 0.1, site(i), KEEP);
            server_closes(c, 1.5 * i + 5.6);
        }
        timeline_play(&t, 100);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    {
        for (int i = 0; i < SITES; i++) {
            conversation *c = connect_at(&t, 0.5 * i);
            exchange(c, 0.5 * i + 0.1, site(i), KEEP);
            client_closes(c, 0.5 * i + 0.3);
        }
        timeline_play(&t, 100);
        assert_silent(&t);
    }
}

static void a_restart_abandons_nothing(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        for (int i = 0; i < 6; i++) {
            conversation *c = connect_at(&t, 1.5 * i);
            exchange(c, 1.5 * i + 0.1, "", "");
            server_closes(c, 12 + 0.01 * i);
        }
        timeline_play(&t, 60);
        assert_only(&t, KA_MASS_CLOSE, KA_FINDING_COUNT);
    }
}

/* ---- no-reuse-churn ---- */

typedef struct churn {
    int count;
    double apart_s;
    const char *asks;
    const char *answer;
    int second;      /* so many of them have a second request */
    uint8_t version; /* of requests */
} churn;

static void open_anew(churn w)
{
    for (int i = 0; i < w.count; i++) {
        double at_s = w.apart_s * i;
        conversation *c = connect_at(&t, at_s);
        request(c, at_s + 0.05, w.asks)->version = w.version;
        mark *answer = response(c, at_s + 0.1, w.answer);
        answer->version = w.version;
        if (i < w.second)
            exchange(c, at_s + 0.15, w.asks, w.answer);
        if (strcmp(w.asks, CLOSE) == 0 || strcmp(w.answer, CLOSE) == 0 || w.version == 10)
            server_closes(c, at_s + 0.11);
        else
            client_closes(c, at_s + 0.3);
    }
    timeline_play(&t, 1000);
}

static void a_connection_for_every_request(void **state)
{
    static const churn rows[] = {
        {20, 0.5, "", KEEP, 0, 11},     /* the client closes */
        {20, 0.5, CLOSE, CLOSE, 0, 11}, /* or lets the server close */
        {20, 0.5, CLOSE, CLOSE, 0, 10}, /* nginx as a proxy, as it comes */
        {20, 0.5, "", KEEP, 3, 11},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            open_anew(rows[i]);
            const ka_finding *f = assert_holds(&t, KA_NO_REUSE_CHURN, KA_WARN, KA_FAULT_CLIENT, NULL);
            assert_int_equal(value_of(f, "connections"), 20);
            assert_int_equal(value_of(f, "requests"), 20 + rows[i].second);
            assert_int_equal(value_of(f, "churned"), 19);
            assert_only(&t, KA_NO_REUSE_CHURN, KA_FINDING_COUNT);
        }
    }
}

static void no_churn(void **state)
{
    static const churn rows[] = {
        {19, 0.5, "", KEEP, 0, 11},                                   /* too few */
        {20, 0.5, "", KEEP, 4, 11},                                   /* 1.2 requests a connection */
        {20, 0.5, "", CLOSE, 0, 11},                                  /* the server does not keep alive */
        {20, 0.5, "", "", 0, 10},                                     /* ab: HTTP/1.0 and not a word */
        {20, 2.0, CLOSE, CLOSE, 0, 11},                               /* a health check every 2 s */
        {20, 5.0, "", KEEP, 0, 11},     {30, 0.001, "", KEEP, 0, 11}, /* one burst: none was there to reuse */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            open_anew(rows[i]);
            assert_silent(&t);
        }
    }
}

/* ---- pool-growth ---- */

typedef struct growth {
    int opened;
    double over_s;
    int closed;
    double until_s;
    double faster; /* from the second half on */
} growth;

static void pile_up(growth g)
{
    conversation *busy = connect_at(&t, 0);
    for (double at_s = 1; at_s < g.until_s - 10; at_s += at_s < g.until_s / 2 ? 10 : 10 / g.faster)
        exchange(busy, at_s, "", KEEP);
    for (int i = 0; i < g.opened; i++) {
        double at_s = 2 + g.over_s * i / g.opened;
        conversation *c = connect_at(&t, at_s);
        exchange(c, at_s + 0.1, "", KEEP);
        if (i < g.closed)
            client_closes(c, at_s + 20);
    }
    timeline_play(&t, g.until_s);
}

static void connections_pile_up(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        t.limits.idle_forever_ns = 100000 * KA_SECOND_NS;
        pile_up((growth){.opened = 40, .over_s = 650, .closed = 4, .until_s = 660, .faster = 1});
        const ka_finding *f = assert_holds(&t, KA_POOL_GROWTH, KA_ERROR, KA_FAULT_CLIENT, NULL);
        assert_int_equal(value_of(f, "opened"), 41);
        assert_int_equal(value_of(f, "closed"), 4);
        assert_int_equal(value_of(f, "by_one_client"), 41);
        assert_in_range(value_of(f, "per_hour"), 195, 225); /* 40 opened in 650 s, 4 closed soon */
        assert_int_equal(value_of(f, "open"), 37);
        char text[1024];
        ka_sentence(f, text, sizeof text);
        assert_non_null(strstr(text, " more every hour."));
        assert_null(strpbrk(text, "[]?")); /* nobody told a limit */
    }
}

static void tells_when_a_limit_is_reached(void **state)
{
    static const growth leak = {.opened = 40, .over_s = 650, .closed = 4, .until_s = 660, .faster = 1};
    char text[1024];
    (void)state;
    FROM_EVERYWHERE(t)
    {
        t.limits.idle_forever_ns = 100000 * KA_SECOND_NS;
        t.limits.fd_limit = 1024;
        pile_up(leak);
        const ka_finding *f = assert_holds(&t, KA_POOL_GROWTH, KA_ERROR, KA_FAULT_CLIENT, NULL);
        int64_t per_hour = value_of(f, "per_hour");
        assert_int_equal(value_of(f, "fd_limit"), 1024);
        int64_t left_s = value_of(f, "limit_reached_in") / KA_SECOND_NS;
        assert_in_range(left_s * per_hour / 3600, 1024 - 37 - 1, 1024 - 37);
        ka_sentence(f, text, sizeof text);
        assert_non_null(strstr(text, ", so that the limit of 1024 is reached in "));
    }
    FROM_EVERYWHERE(t)
    {
        t.limits.idle_forever_ns = 100000 * KA_SECOND_NS;
        t.limits.fd_limit = 30; /* reached already */
        pile_up(leak);
        assert_int_equal(
            value_of(assert_holds(&t, KA_POOL_GROWTH, KA_ERROR, KA_FAULT_CLIENT, NULL), "limit_reached_in"),
            0);
    }
}

static void nothing_piles_up(void **state)
{
    static const growth rows[] = {
        {40, 580, 4, 590, 1},  /* too short to say */
        {15, 650, 0, 660, 1},  /* few */
        {40, 650, 10, 660, 1}, /* they come and go */
        {40, 60, 0, 660, 1},   /* a pool that fills once */
        {40, 650, 4, 660, 3},  /* the load grows */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            t.limits.idle_forever_ns = 100000 * KA_SECOND_NS;
            pile_up(rows[i]);
            assert_absent(&t, KA_POOL_GROWTH);
        }
    }
}

static void used_connections_do_not_pile_up(void **state)
{
    (void)state;
    for (int used = 0; used < 2; used++) {
        FROM_EVERYWHERE(t)
        { /* clients are added, and each goes on using its connection, or does not */
            t.limits.idle_forever_ns = 100000 * KA_SECOND_NS;
            for (int i = 0; i < 40; i++) {
                conversation *c = connect_at(&t, 16 * i);
                c->ends[CLIENT].ip[3] = (uint8_t)i;
                exchange(c, 16 * i + 0.1, "", KEEP);
                for (int k = 0; used && i + k < 36; k += 8)
                    exchange(c, 16 * (i + k) + 64, "", KEEP);
            }
            exchange(connect_at(&t, 1), 2, "", KEEP);
            timeline_play(&t, 660);
            if (used)
                assert_absent(&t, KA_POOL_GROWTH);
            else
                assert_holds(&t, KA_POOL_GROWTH, KA_ERROR, KA_FAULT_SERVER, NULL);
        }
    }
}

static void an_advertised_timeout_may_come_yet(void **state)
{
    (void)state;
    for (int timeout_s = 320; timeout_s < 360; timeout_s += 20) {
        FROM_EVERYWHERE(t)
        {
            char keep[64];
            snprintf(keep, sizeof keep, KEEP "\nKeep-Alive: timeout=%d", timeout_s);
            for (int i = 0; i < 40; i++)
                exchange(connect_at(&t, 16 * i), 16 * i + 0.1, "", keep);
            timeline_play(&t, 660);
            bool told = finding_of(&t, KA_POOL_GROWTH) != NULL;
            assert_int_equal(told, timeout_s * 2 < 660);
        }
    }
}

/* ---- connection-imbalance ---- */

static conversation *uses(uint8_t server, double from_s, int requests, const char *host)
{
    conversation *c = connect_to(&t, from_s, server);
    for (int i = 0; i < requests; i++)
        exchange(c, from_s + 0.1 + 0.5 * i, host, KEEP);
    return c;
}

static void one_server_gets_most(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *busy = uses(1, 0, 121, HOST);
        for (uint8_t server = 2; server < 5; server++) {
            conversation *c = uses(server, server, 39, HOST);
            exchange(c, 55, HOST, KEEP);
        }
        timeline_play(&t, 61);
        const ka_finding *f = assert_holds(&t, KA_CONNECTION_IMBALANCE, KA_NOTE, KA_FAULT_CONFIG, NULL);
        assert_int_equal(f->server.ip[3], busy->ends[SERVER].ip[3]);
        assert_int_equal(value_of(f, "requests"), 121);
        assert_int_equal(value_of(f, "requests_median"), 40);
        assert_int_equal(value_of(f, "servers"), 4);
        assert_only(&t, KA_CONNECTION_IMBALANCE, KA_FINDING_COUNT);
    }
}

static void no_imbalance(void **state)
{
    enum {
        JUST_THREE_TIMES,
        TWO_SERVERS,
        OTHER_NAMES,
        OTHER_TIME,
        MANY_CONNECTIONS,
        OTHER_CLIENTS,
        HEALTH,
        CASES
    };
    (void)state;
    for (int k = 0; k < CASES; k++) {
        FROM_EVERYWHERE(t)
        {
            int connections = k == MANY_CONNECTIONS ? 15 : 1;
            for (int i = 0; i < connections; i++)
                uses(1, 0.01 * i, (k == JUST_THREE_TIMES ? 120 : 135) / connections, HOST);
            for (uint8_t server = 2; server < (k == TWO_SERVERS ? 3 : 5); server++) {
                const char *host = k == OTHER_NAMES ? "Host: other.example" : HOST;
                if (k == HEALTH) { /* a connection for each check, and often enough to be contemporary */
                    uses(server, server, 1, HOST);
                    uses(server, 60, 1, HOST);
                    continue;
                }
                conversation *c = uses(server, k == OTHER_TIME ? 70 : server, 39, host);
                exchange(c, k == OTHER_TIME ? 100 : 60, host, KEEP);
                if (k == OTHER_CLIENTS)
                    c->ends[CLIENT].ip[3] = 99;
            }
            timeline_play(&t, 110);
            assert_silent(&t);
        }
    }
}

static void a_second_site_is_no_imbalance(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        for (uint8_t server = 1; server < 5; server++)
            exchange(uses(server, 0.1 * server, 39, HOST), 70, HOST, KEEP);
        uses(1, 0.5, 135, "Host: other.example");
        timeline_play(&t, 110);
        assert_silent(&t);
    }
}

/* Clusters of one name without a common client: each is a set, and the busier one hides none. */
static void two_sets_of_one_name(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        for (uint8_t server = 1; server < 9; server++) {
            conversation *c = uses(server, 0.1 * server, server == 1 ? 130 : server == 5 ? 120 : 39, HOST);
            c->ends[CLIENT].ip[3] = server < 5 ? 1 : 2;
            exchange(c, 70, HOST, KEEP);
        }
        timeline_play(&t, 110);
        assert_int_equal(t.finding_count, 2);
        assert_int_equal(value_of(&t.findings[0], "servers"), 4);
        assert_int_equal(value_of(&t.findings[0], "requests") + value_of(&t.findings[1], "requests"), 252);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_left_behind),
        cmocka_unit_test(nothing_left_behind),
        cmocka_unit_test(sites_share_no_pool),
        cmocka_unit_test(a_restart_abandons_nothing),
        cmocka_unit_test(a_connection_for_every_request),
        cmocka_unit_test(no_churn),
        cmocka_unit_test(connections_pile_up),
        cmocka_unit_test(tells_when_a_limit_is_reached),
        cmocka_unit_test(nothing_piles_up),
        cmocka_unit_test(used_connections_do_not_pile_up),
        cmocka_unit_test(an_advertised_timeout_may_come_yet),
        cmocka_unit_test(one_server_gets_most),
        cmocka_unit_test(no_imbalance),
        cmocka_unit_test(a_second_site_is_no_imbalance),
        cmocka_unit_test(two_sets_of_one_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
