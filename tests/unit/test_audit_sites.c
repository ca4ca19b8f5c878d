/* test_audit_sites.c - which site a connection belongs to, and that the audit tells of sites whatever memory
 * there is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include <stdio.h>

#include "story.h"

/* The only server's. */
static const ka_endpoint *server_of(const story *s)
{
    assert_int_equal(s->audit->endpoints.count, 1);
    return s->audit->endpoints.at[0];
}

static talk open_at(story *s, uint32_t stream, double at)
{
    talk t = talk_open(s, stream, false);
    handshake(&t, at, 10 * MS, 10 * MS);
    return t;
}

static void asks_for(talk *t, double at, const char *host, bool to_origin)
{
    line l = sends_message(t, at, CLIENT, 0, (words){0});
    l.say = (words){.host = host, .to_origin = to_origin};
    says(t, l);
}

/* One request, and the server's close so long after its answer. */
static void visit(story *s, uint32_t stream, double at, const char *host, double idle)
{
    talk t = open_at(s, stream, at);
    asks_for(&t, at + 0.1, host, true);
    answers(&t, at + 0.2, 200, (words){0});
    fins(&t, at + 0.2 + idle, SERVER);
    fins(&t, at + 0.3 + idle, CLIENT);
}

static void visits(story *s)
{
    for (uint32_t i = 0; i < 10; i++)
        visit(s, i, 20 * i, i % 2 == 0 ? "a.example" : "b.example:80", i % 2 == 0 ? 2 : 6);
}

/* ---- What is told ---- */

typedef struct told {
    unsigned count; /* servers */
    ka_endpoint_record server;
    ka_site_record sites[KA_SITES_MAX];
    char names[KA_SITES_MAX][16];
} told;

static void keep(void *user, const ka_endpoint_record *record)
{
    told *out = user;
    out->count++;
    out->server = *record;
    for (uint32_t i = 0; i < record->site_count; i++) {
        out->sites[i] = record->sites[i];
        snprintf(out->names[i], sizeof out->names[i], "%s", record->sites[i].name);
    }
}

static ka_status report(const story *s, told *out)
{
    memset(out, 0, sizeof *out);
    const ka_sink sink = {.user = out, .endpoint = keep};
    return ka_audit_report(s->audit, &sink);
}

static void assert_by_site(const told *t)
{
    assert_int_equal(t->count, 1);
    assert_int_equal(t->server.connections, 10);
    assert_int_equal(t->server.server_timer.kind, KA_TIMER_SEVERAL);
    assert_true(t->server.server_timer.by_site);
    assert_int_equal(t->server.site_count, 2);
    assert_string_equal(t->names[0], "a.example");
    assert_string_equal(t->names[1], "b.example:80");
    for (unsigned i = 0; i < 2; i++) {
        const ka_site_record *site = &t->sites[i];
        assert_int_equal(site->connections, 5);
        assert_int_equal(site->requests, 5);
        assert_int_equal(site->server_timer.kind, KA_TIMER_FIXED);
        assert_in_range(site->server_timer.median_ns, story_ns(i == 0 ? 1.99 : 5.98),
                        story_ns(i == 0 ? 2.01 : 6.02));
    }
}

static void each_site_has_its_timer(void **state)
{
    story s;
    told t;
    (void)state;
    story_begin(&s);
    visits(&s);
    assert_int_equal(s.status, KA_OK);
    assert_int_equal(report(&s, &t), KA_OK);
    assert_by_site(&t);
    assert_int_equal(report(&s, &t), KA_OK); /* asked again */
    assert_by_site(&t);
    story_end(&s);
}

/* The gap of a connection that is open when the capture ends is its site's, too. */
static void open_connections_count(void **state)
{
    story s;
    told t;
    (void)state;
    story_begin(&s);
    visits(&s);
    talk last = open_at(&s, 10, 200);
    asks_for(&last, 200.1, "b.example", true);
    answers(&last, 200.2, 200, (words){0});
    acks(&last, 203.2, CLIENT);
    assert_int_equal(report(&s, &t), KA_OK);
    assert_int_equal(t.sites[0].server_timer.lasted, 0);
    assert_int_equal(t.sites[1].server_timer.lasted, 1);
    assert_int_equal(t.server.server_timer.lasted, 1);
    assert_int_equal(t.sites[1].connections, 6);
    story_end(&s);
}

/* The gap before the other request is the first site's, what follows nobody's. */
static void a_connection_for_two_sites_belongs_to_none(void **state)
{
    story s;
    told t;
    (void)state;
    story_begin(&s);
    visits(&s);
    talk both = open_at(&s, 10, 200);
    asks_for(&both, 200.1, "a.example", true);
    answers(&both, 200.2, 200, (words){0});
    asks_for(&both, 201.2, "A.example:80", true);
    answers(&both, 201.3, 200, (words){0});
    asks_for(&both, 204.3, "b.example", true);
    answers(&both, 204.4, 200, (words){0});
    fins(&both, 210.4, SERVER);
    assert_int_equal(both.connection->site, 0);
    assert_int_equal(report(&s, &t), KA_OK);
    assert_in_range(t.sites[0].server_timer.longest_worked_ns, story_ns(0.9), story_ns(1.1));
    assert_int_equal(ka_histogram_count(&server_of(&s)->sites->at[0]->gaps), 2);
    assert_int_equal(t.sites[1].server_timer.longest_worked_ns, KA_NONE);
    assert_int_equal(t.sites[0].server_timer.closes, 5);
    assert_int_equal(t.sites[1].server_timer.closes, 5);
    assert_int_equal(t.server.server_timer.closes, 11);
    assert_int_equal(t.server.idle_gaps.count, 2);
    story_end(&s);
}

/* ---- Who is no site ---- */

static void a_forward_proxy_has_none(void **state)
{
    static const char *const hosts[] = {"a.example", "b.example", "c.example"};
    story s;
    told t;
    (void)state;
    story_begin(&s);
    for (uint32_t i = 0; i < 9; i++) {
        talk c = open_at(&s, i, 10 * i);
        asks_for(&c, 10 * i + 0.1, hosts[i % 3], false);
        answers(&c, 10 * i + 0.2, 200, (words){0});
        fins(&c, 10 * i + 5.2, SERVER);
    }
    assert_null(server_of(&s)->sites);
    assert_int_equal(report(&s, &t), KA_OK);
    assert_int_equal(t.server.site_count, 0);
    assert_int_equal(t.server.server_timer.kind, KA_TIMER_FIXED);
    story_end(&s);
}

static void without_a_host_there_is_none(void **state)
{
    story s;
    told t;
    (void)state;
    story_begin(&s);
    visits(&s);
    visit(&s, 10, 200, NULL, 30);
    visit(&s, 11, 300, "", 30);
    assert_int_equal(report(&s, &t), KA_OK);
    assert_int_equal(t.server.connections, 12);
    assert_int_equal(t.server.site_count, 2);
    assert_int_equal(t.sites[0].connections + t.sites[1].connections, 10);
    assert_int_equal(t.server.server_timer.closes, 12);
    story_end(&s);
}

/* ---- By the name in a TLS hello ---- */

static void says_hello(talk *t, double at, const char *name)
{
    enum { HANDSHAKE = 22 };
    uint32_t seq = t->next[CLIENT];
    ka_moment when = sends(t, at, CLIENT, KA_ACK | KA_PSH, 200);
    const ka_bytes record = {.direction = talk_direction(t, CLIENT),
                             .tls_type = HANDSHAKE,
                             .seq = seq,
                             .len_bytes = 200,
                             .first = when,
                             .last = when};
    assert_int_equal(ka_tls_record_seen(t->story->audit, t->connection, &record), KA_OK);
    assert_int_equal(ka_tls_name_seen(t->story->audit, t->connection, talk_direction(t, CLIENT),
                                      (ka_slice){name, strlen(name)}),
                     KA_OK);
}

static void a_hello_names_the_site(void **state)
{
    story s;
    (void)state;
    story_begin(&s);
    talk a = open_at(&s, 0, 0), b = open_at(&s, 1, 1), again = open_at(&s, 2, 2), none = open_at(&s, 3, 3);
    says_hello(&a, 0.1, "a.example");
    assert_null(server_of(&s)->sites);
    says_hello(&b, 1.1, "b.example");
    says_hello(&again, 2.1, "A.EXAMPLE");
    says_hello(&none, 3.1, "");
    says_hello(&b, 4.1, "c.example"); /* the first stands */
    assert_int_equal(a.connection->site, 1);
    assert_int_equal(b.connection->site, 2);
    assert_int_equal(again.connection->site, 1);
    assert_int_equal(none.connection->site, 0);
    assert_int_equal(server_of(&s)->sites->count, 2);
    asks_for(&again, 4.5, "a.example:8443", true); /* with keys, what is inside */
    assert_int_equal(again.connection->site, 1);
    asks_for(&b, 5, "d.example", true);
    assert_int_equal(b.connection->site, 0);
    assert_int_equal(server_of(&s)->sites->count, 2);
    story_end(&s);
}

/* ---- Memory ---- */

static void without_memory(void **state)
{
    (void)state;
    for (long refuse = 1;; refuse++) {
        story s;
        story_begin_refusing(&s, refuse);
        if (s.status == KA_OK)
            visits(&s);
        told t;
        ka_status status = s.status == KA_OK ? report(&s, &t) : s.status;
        bool refused = s.taken >= refuse;
        assert_int_equal(status, refused ? KA_NO_MEMORY : KA_OK);
        story_end(&s);
        if (!refused)
            break;
    }
}

/* Where memory for ledgers has a limit the audit goes on, and says nothing that is not so. */
static void with_little_memory_for_ledgers(void **state)
{
    unsigned fewer = 0; /* times that the first connection of the second site belongs to none */
    (void)state;
    for (long refuse = 1;; refuse++) {
        story s, ledgers = {.refuse = refuse};
        told t;
        memset(&s, 0, sizeof s);
        ka_config config = {.allocator = story_allocator(&s),
                            .ledgers = story_allocator(&ledgers),
                            .settled = story_settled,
                            .settled_user = &s};
        ka_thresholds_init(&config.thresholds);
        assert_int_equal(ka_audit_new(&config, &s.audit), KA_OK);
        visits(&s);
        assert_int_equal(s.status, KA_OK);
        bool refused = ledgers.taken >= refuse;
        bool left_out = ka_audit_observations_left_out(s.audit) + ka_audit_servers_left_out(s.audit) +
                            ka_audit_clients_left_out(s.audit) >
                        0;
        assert_true(left_out || !refused);
        assert_int_equal(report(&s, &t), KA_OK);
        for (uint32_t i = 0; i < t.server.site_count; i++) {
            const ka_inferred *timer = &t.sites[i].server_timer;
            assert_true(timer->closes <= 5 && timer->kind <= KA_TIMER_FIXED);
        }
        fewer += t.server.site_count == 2 && t.names[1][0] == 'b' && t.sites[1].connections == 4;
        if (!refused)
            assert_by_site(&t);
        story_end(&s);
        assert_int_equal(ledgers.blocks, 0);
        if (!refused)
            break;
    }
    assert_int_equal(fewer, 3); /* allocations of the second site */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_site_has_its_timer),
        cmocka_unit_test(open_connections_count),
        cmocka_unit_test(a_connection_for_two_sites_belongs_to_none),
        cmocka_unit_test(a_forward_proxy_has_none),
        cmocka_unit_test(without_a_host_there_is_none),
        cmocka_unit_test(a_hello_names_the_site),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(with_little_memory_for_ledgers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
