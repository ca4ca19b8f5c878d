/* test_stream_flows.c - which connection a segment belongs to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "stream/flow.h"
#include "wire.h"

#define GET  "GET / HTTP/1.1\r\n\r\n"                       /* 18 bytes */
#define OK_0 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" /* 38 bytes */

static void syn_with_another_number_is_a_new_stream(void **state)
{
    (void)state;
    wire_new();
    wire_handshake();
    wire_text(0, 1, GET);
    w->ack[0] = w->ack[1] = 0;
    wire_send(0, KA_SYN, 0, "", 0); /* retransmitted */
    w->isn[0] += 77777;
    wire_send(0, KA_SYN, 0, "", 0);
    w->ack[1] = 1;
    w->isn[1] += 99;
    wire_send(1, KA_SYN, 0, "", 0);
    wire_expect("open 0\nhttp\n0 GET 11 1+18 none 0\nend 0 512\nopen 1\n");
    wire_free();
}

static void syn_ack_with_another_number_is_the_same_stream(void **state)
{
    (void)state;
    wire_new();
    w->check_moments = false;
    wire_handshake();
    w->isn[1] += 4242;
    wire_send(1, KA_SYN, 0, "", 0);
    wire_text(0, 1, GET);
    wire_text(1, 1, OK_0);
    wire_expect("open 0\nhttp\n0 GET 11 1+18 none 0\n1 200 11 1+38 length 0\n");
    wire_free();
}

/* Wireshark takes the first segment's number less one, or the other side's ACK less one, for the base. */
static void syn_in_mid_stream_follows_the_base(void **state)
{
    (void)state;
    wire_new();
    w->ack[0] = 10;
    wire_text(0, 1, GET); /* base: offset 0 */
    w->ack[0] = 0;
    wire_send(0, KA_SYN, 0, "", 0); /* equal: the same stream */
    wire_expect("open 0\nhttp\n0 GET 11 1+18 none 0\n");
    wire_send(1, KA_SYN, 9, "", 0); /* equal to the ACK less one */
    wire_send(1, KA_SYN, 8, "", 0); /* not */
    wire_expect("open 0\nhttp\n0 GET 11 1+18 none 0\nend 0 512\nopen 1\n");
    wire_free();
}

static void settle(size_t connection)
{
    w->connections[connection].over = true;
    stream_settled(&w->table, w->connections[connection].owner);
}

static void tombstones_keep_late_segments_out(void **state)
{
    (void)state;
    wire_new();
    wire_handshake();
    wire_text(0, 19, GET); /* waits behind a hole: dropped */
    settle(0);
    wire_text(0, 1, GET);
    wire_text(1, 1, OK_0);
    wire_send(0, KA_RST, 19, "", 0);
    assert_int_equal(stream_table_counts(w->table)->late_segments, 3);
    wire_expect("open 0\n");
    wire_wait(301 * 1000);
    w->check_moments = false; /* of this copy, not of the first */
    wire_text(0, 1, GET);     /* forgotten by now */
    wire_expect("open 0\nopen 1\nhttp\n0 GET 11 1+18 none 0\n");
    wire_free();
}

/* Without packets: the core is told, and tombstones are forgotten as they would be with them. */
static void time_passes(void **state)
{
    (void)state;
    wire_new();
    wire_handshake();
    assert_int_equal(stream_open_count(w->table), 1);
    settle(0);
    assert_int_equal(stream_open_count(w->table), 0);
    assert_int_equal(stream_time_passed(w->table, 301 * KA_SECOND_NS), KA_OK);
    wire_send(0, 0, 1, "", 0);
    wire_expect("open 0\ntime 301000\nopen 1\n");
    wire_free();
}

static void tombstone_gives_way_to_a_new_syn(void **state)
{
    (void)state;
    wire_new();
    wire_handshake();
    settle(0);
    w->isn[0] += 5;
    w->ack[0] = 0;
    wire_send(0, KA_SYN, 0, "", 0);
    wire_expect("open 0\nopen 1\n");
    wire_free();
}

static void oldest_tombstones_go_first(void **state)
{
    (void)state;
    stream_limits limits = stream_limits_default;
    limits.tombstones = 2;
    wire_new_with(&limits, &memory_heap);
    for (size_t i = 0; i < 3; i++) {
        w->client_port = (uint16_t)(100 + i);
        wire_send(0, KA_SYN, 0, "", 0);
        settle(i);
    }
    for (uint16_t port = 102; port >= 100; port--) {
        w->client_port = port;
        wire_send(0, 0, 1, "", 0);
    }
    wire_expect("open 0\nopen 1\nopen 2\nopen 3\n");
    wire_free();
}

static void quoted_takes_a_number(void **state)
{
    packet_tcp packet = {0};
    (void)state;
    wire_new();
    wire_addresses(&packet, 1);
    assert_int_equal(stream_quoted(w->table, &packet), KA_OK);
    assert_int_equal(stream_quoted(w->table, &packet), KA_OK);
    w->client_port++;
    wire_handshake();
    wire_addresses(&packet, 0);
    assert_int_equal(stream_quoted(w->table, &packet), KA_OK);
    w->client_port--;
    wire_handshake();
    wire_text(0, 1, GET);
    wire_expect("open 1\nopen 0\nhttp\n0 GET 11 1+18 none 0\n");
    wire_free();
}

static void too_many_connections_evict_the_stalest(void **state)
{
    (void)state;
    stream_limits limits = stream_limits_default;
    limits.connections = 2;
    wire_new_with(&limits, &memory_heap);
    for (uint16_t port = 100; port < 103; port++) {
        w->client_port = port;
        wire_send(0, KA_SYN, 0, "", 0);
    }
    wire_expect("open 0\nopen 1\nend 0 65536\nopen 2\n");
    assert_int_equal(stream_table_counts(w->table)->evicted, 1);
    wire_free();
}

static void many_flows_are_found_again(void **state)
{
    (void)state;
    wire_new();
    w->quiet = true;
    w->check_moments = false;
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned port = 1; port < 20000; port++) {
            w->client_port = (uint16_t)port;
            w->ack[0] = 0;
            wire_send(0, pass == 0 ? KA_SYN : 0, pass, "", 0);
        }
    assert_int_equal(stream_table_counts(w->table)->connections, 19999);
    wire_free();
}

/* Somebody chose the low halves so that one factor of a hash without a secret in it is 0. */
static void chosen_addresses_do_not_collide(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    flow_table table;
    uint32_t seen[MANY];
    unsigned same = 0;
    flow_table_init(&table, &memory_heap);
    ka_address server = {.ip = {1}, .port = 80, .version = 6};
    for (uint64_t i = 0; i < MANY; i++) {
        ka_address client = {.port = 40000, .version = 6};
        uint64_t low = UINT64_C(0x2d358dccaa6c78a5) ^ (UINT64_C(40000) << 8 | 6) << 32;
        memcpy(client.ip, &i, sizeof i);
        memcpy(client.ip + 8, &low, sizeof low);
        seen[i] = flow_hash(&table, &client, &server);
        assert_int_equal(seen[i], flow_hash(&table, &server, &client));
        for (uint64_t other = 0; other < i; other++)
            same += seen[other] == seen[i];
    }
    assert_in_range(same, 0, 5);
    flow_table_fini(&table);
}

/* Refuses what is as large as slots become. */
static void *refuse_large(void *user, void *old, size_t new_bytes)
{
    const size_t *most_bytes = user;
    bool flows = new_bytes > 4000000; /* a chunk of them */
    return new_bytes > *most_bytes && !flows ? NULL : memory_heap.resize(memory_heap.user, old, new_bytes);
}

static void slots_without_memory_become_fuller(void **state)
{
    (void)state;
    size_t most_bytes = 8192; /* 1024 of them */
    const ka_allocator allocator = {&most_bytes, refuse_large};
    flow_table table;
    flow_table_init(&table, &allocator);
    ka_address server = {.ip = {1}, .port = 80, .version = 4};
    uint32_t count = 0;
    for (stream_flow *added = NULL;; count++) {
        ka_address client = {.port = (uint16_t)count, .version = 4};
        added = flow_add(&table, flow_hash(&table, &client, &server), &client, &server);
        if (added == NULL)
            break;
    }
    assert_int_equal(count, 1024 / 8 * 7);
    for (uint32_t i = 0; i < 2 * count; i++) {
        ka_address client = {.port = (uint16_t)i, .version = 4};
        bool found = flow_find(&table, flow_hash(&table, &client, &server), &client, &server) != NULL;
        assert_int_equal(found, i < count);
    }
    flow_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syn_with_another_number_is_a_new_stream),
        cmocka_unit_test(syn_ack_with_another_number_is_the_same_stream),
        cmocka_unit_test(syn_in_mid_stream_follows_the_base),
        cmocka_unit_test(tombstones_keep_late_segments_out),
        cmocka_unit_test(time_passes),
        cmocka_unit_test(tombstone_gives_way_to_a_new_syn),
        cmocka_unit_test(oldest_tombstones_go_first),
        cmocka_unit_test(quoted_takes_a_number),
        cmocka_unit_test(too_many_connections_evict_the_stalest),
        cmocka_unit_test(chosen_addresses_do_not_collide),
        cmocka_unit_test(slots_without_memory_become_fuller),
        cmocka_unit_test(many_flows_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
