/* test_budget.c - memory is short: what is given up, and that it is enough.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "budget.h"

/* A run of segments, with the smallest budget there is. */
typedef struct crowd {
    budget memory;
    ka_audit *audit;
    stream_table *streams;
    uint64_t frame;
    uint64_t records;
    uint64_t evicted;
    uint64_t peak_bytes;
    ka_finding finding; /* the latest */
} crowd;

static crowd all;

static void on_connection(void *user, const ka_record *record)
{
    crowd *c = user;
    c->records++;
    c->evicted += (record->failed_gates & KA_GATE_LOST_STATE) != 0;
}

static void on_finding(void *user, const ka_finding *finding)
{
    ((crowd *)user)->finding = *finding;
}

static int begin(void **state)
{
    (void)state;
    memset(&all, 0, sizeof all);
    budget_init(&all.memory, MEMORY_LEAST_BYTES, false);
    ka_config config = {.allocator = blocks_allocator(&all.memory.small),
                        .ledgers = memory_allocator(&all.memory.ledgers),
                        .sink = {.user = &all, .connection = on_connection, .finding = on_finding},
                        .settled = stream_settled,
                        .settled_user = &all.streams};
    ka_thresholds_init(&config.thresholds);
    assert_int_equal(ka_audit_new(&config, &all.audit), KA_OK);
    all.streams = stream_table_new(all.audit, &all.memory.heap, &all.memory.limits);
    assert_non_null(all.streams);
    return 0;
}

static int end(void **state)
{
    (void)state;
    stream_table_free(all.streams);
    ka_audit_free(all.audit);
    budget_fini(&all.memory);
    assert_int_equal(all.memory.whole.used_bytes, 0);
    assert_int_equal(all.memory.ledgers.used_bytes, 0);
    return 0;
}

/* As the run does it between two packets. */
static void make_room(void)
{
    if (budget_is_short(&all.memory))
        budget_relieve(&all.memory, all.streams);
    if (all.memory.whole.used_bytes > all.peak_bytes)
        all.peak_bytes = all.memory.whole.used_bytes;
}

static void send_text(uint32_t client, uint16_t server, uint8_t flags, uint32_t seq, const char *text)
{
    uint32_t len_bytes = (uint32_t)strlen(text);
    packet_tcp packet = {.source = {.port = 2000, .version = 4},
                         .target = {.ip = {10}, .port = server, .version = 4},
                         .payload = (const uint8_t *)text,
                         .segment = {.time_ns = (int64_t)++all.frame * 1000,
                                     .frame = all.frame,
                                     .seq = seq,
                                     .len_bytes = len_bytes,
                                     .captured_bytes = len_bytes,
                                     .flags = flags}};
    memcpy(packet.source.ip, &client, sizeof client);
    make_room();
    assert_int_equal(stream_segment(all.streams, &packet), KA_OK);
}

static void report(void)
{
    const ka_sink sink = {.user = &all, .connection = on_connection, .finding = on_finding};
    assert_int_equal(stream_finish(all.streams), KA_OK);
    assert_int_equal(ka_audit_report(all.audit, &sink), KA_OK);
}

static void all_can_be_used_up(void **state)
{
    (void)state;
    const stream_limits *limits = &all.memory.limits;
    assert_in_range(limits->connections, 10000, 100000);
    assert_in_range(limits->tombstones, 1000, 100000);
    assert_in_range(limits->total_bytes, limits->direction_bytes, 4 << 20);
    budget large;
    budget_init(&large, MEMORY_DEFAULT_BYTES, false);
    assert_true(large.limits.connections > 1000000); /* what the benchmark holds open */
    budget_fini(&large);
    budget_init(&large, MEMORY_LEAST_BYTES, true);
    assert_int_equal(large.whole.limit_bytes + large.what_if.limit_bytes, MEMORY_LEAST_BYTES);
    assert_int_equal(large.history.limit_bytes * 3, large.what_if.limit_bytes);
    assert_in_range(large.limits.connections, 5000, limits->connections - 1);
    budget_fini(&large);
    budget_init(&large, UINT64_C(1) << 50, false);
    assert_int_equal(large.limits.tombstones, stream_limits_default.tombstones);
    assert_int_equal(large.limits.total_bytes, stream_limits_default.total_bytes);
    budget_fini(&large);
}

/* Every kind of memory in turn, so that none can be filled with what another one has left. */
static void a_crowd_stays_within_the_limit(void **state)
{
    (void)state;
    enum { CLIENTS = 60000, ROUNDS = 3 };
    for (uint32_t client = 0; client < CLIENTS; client++)
        send_text(client, 80, KA_SYN, 99, "");
    assert_true(stream_open_count(all.streams) <= all.memory.limits.connections);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t first = (round + 1) * CLIENTS;
        for (uint32_t client = first; client < first + CLIENTS; client++) {
            send_text(client, 80, KA_SYN, 99, "");
            for (uint32_t i = 0; i < 4 * round; i++) /* out of order */
                send_text(client, 80, KA_ACK, 500 + 20 * i, "GET / HTTP");
            for (uint32_t i = 0; i < 3; i++)
                send_text(client, 80, KA_ACK, 100 + 18 * i, "GET / HTTP/1.1\r\n\r\n");
            send_text(client, 80, KA_ACK, 154,
                      "GET / HTTP/1.1\r\nX: never ending"); /* a parser, and a copy */
        }
    }
    report();
    assert_in_range(all.peak_bytes, MEMORY_LEAST_BYTES / 2, MEMORY_LEAST_BYTES);
    assert_int_equal(all.records, stream_table_counts(all.streams)->connections);
    assert_int_equal(all.evicted, stream_table_counts(all.streams)->evicted);
    assert_true(all.evicted > CLIENTS);
}

/* The statistics are full, but connections are judged all the same. */
static void ledgers_take_no_more_than_their_share(void **state)
{
    (void)state;
    enum { SERVERS = 5000 };
    for (uint16_t server = 1; server <= SERVERS; server++) {
        send_text(7, server, KA_SYN, 99, "");
        send_text(7, server, KA_ACK, 100, "POST / HTTP/1.1\r\nHost: a\r\n\r\n");
        send_text(7, server, KA_RST, 127, "");
    }
    report();
    assert_int_equal(all.records, SERVERS);
    assert_int_equal(all.evicted, 0);
    assert_true(ka_audit_servers_left_out(all.audit) > SERVERS / 2);
    assert_true(all.memory.ledgers.used_bytes <= all.memory.ledgers.limit_bytes);
    assert_true(all.memory.ledgers.used_bytes > all.memory.ledgers.limit_bytes / 2);
}

/* One segment of a connection, at a second. */
static void send_at(int64_t time_s, bool answers, uint8_t flags, uint32_t seq, uint32_t ack, const char *text)
{
    ka_address client = {.ip = {10, 1}, .port = 2000, .version = 4};
    ka_address server = {.ip = {10, 2}, .port = 80, .version = 4};
    uint32_t len_bytes = (uint32_t)strlen(text);
    packet_tcp packet = {.source = answers ? server : client,
                         .target = answers ? client : server,
                         .payload = (const uint8_t *)text,
                         .segment = {.time_ns = time_s * KA_SECOND_NS,
                                     .frame = ++all.frame,
                                     .seq = seq,
                                     .ack = ack,
                                     .len_bytes = len_bytes,
                                     .captured_bytes = len_bytes,
                                     .flags = flags}};
    assert_int_equal(stream_segment(all.streams, &packet), KA_OK);
}

/* The server closes long before what it had advertised, and the connection is given up before it has settled.
 */
static void what_was_given_up_is_no_certain_finding(void **state)
{
    static const char response[] =
        "HTTP/1.1 204 None\r\nConnection: keep-alive\r\nKeep-Alive: timeout=60\r\n\r\n";
    const uint32_t after = 500 + sizeof response - 1;
    for (int evicted = 0; evicted < 2; evicted++) {
        send_at(0, false, KA_SYN, 99, 0, "");
        send_at(0, true, KA_SYN | KA_ACK, 499, 100, "");
        send_at(0, false, KA_ACK, 100, 500, "GET / HTTP/1.1\r\n\r\n");
        send_at(1, true, KA_ACK, 500, 118, response);
        send_at(2, false, KA_ACK, 118, after, "");
        send_at(9, true, KA_FIN | KA_ACK, after, 118, "");
        if (evicted)
            assert_true(stream_evict(all.streams));
        report();
        assert_int_equal(all.records, 1);
        assert_int_equal(all.finding.id, KA_CLOSED_EARLY);
        assert_int_equal(all.finding.severity > KA_NOTE, !evicted);
        assert_int_equal((all.finding.failed_gates & KA_GATE_LOST_STATE) != 0, evicted);
        end(state);
        begin(state);
    }
    assert_false(stream_evict(all.streams)); /* none is open */
}

/* Nobody can be blamed: that is no reason to look again at every packet. */
static void memory_that_nothing_can_free(void **state)
{
    (void)state;
    ka_allocator *heap = &all.memory.heap;
    send_text(1, 80, KA_SYN, 99, "");
    void *other =
        heap->resize(heap->user, NULL, (MEMORY_LEAST_BYTES - all.memory.whole.used_bytes) / 32 * 31);
    assert_non_null(other);
    assert_true(budget_is_short(&all.memory));
    make_room();
    assert_false(budget_is_short(&all.memory));
    assert_int_equal(stream_open_count(all.streams), 0);
    heap->resize(heap->user, other, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_can_be_used_up, begin, end),
        cmocka_unit_test_setup_teardown(a_crowd_stays_within_the_limit, begin, end),
        cmocka_unit_test_setup_teardown(ledgers_take_no_more_than_their_share, begin, end),
        cmocka_unit_test_setup_teardown(what_was_given_up_is_no_certain_finding, begin, end),
        cmocka_unit_test_setup_teardown(memory_that_nothing_can_free, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
