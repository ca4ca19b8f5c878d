/* test_tenant.c - equal addresses and ports in several VLANs: one connection, a copy, or another tenant.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "wire.h"

enum { PLAIN = 0, VLAN5 = 5, VLAN6 = 6, VLAN7 = 7, VLAN8 = 8 };

#define FIRST_TENANT 2147483648 /* STREAM_TENANT_FIRST */
#define TEXT_(n)     #n
#define TEXT(n)      TEXT_(n)

static int set_up(void **state)
{
    (void)state;
    wire_new();
    w->check_moments = false; /* the wire knows one connection at a time */
    w->ttl = 64;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wire_free();
    return 0;
}

static void in(uint16_t to_server, uint16_t to_client)
{
    w->network[0] = to_server;
    w->network[1] = to_client;
}

static void numbers(uint32_t client, uint32_t server)
{
    w->isn[0] = client;
    w->isn[1] = server;
    w->ack[0] = w->ack[1] = 0;
}

static void assert_paths(const struct ka_connection *connection, uint16_t first, uint16_t second)
{
    uint16_t paths[2];
    stream_paths(connection->owner, paths);
    assert_int_equal(paths[0], first);
    assert_int_equal(paths[1], second);
}

static void exchange(void)
{
    wire_text(0, 1, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    w->ack[1] = 28;
    wire_text(1, 1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

#define EXCHANGE "http\n0 GET 11 1+27 none 0 5[a]\n1 200 11 1+38 length 0\n"

static void test_two_directions_in_two_vlans(void **state)
{
    (void)state;
    in(VLAN5, VLAN6);
    wire_handshake();
    exchange();
    wire_expect("open 0\n" EXCHANGE);
    assert_paths(&w->connections[0], VLAN5, VLAN6);
}

/* Without the handshake as well: the first answer's numbers tell. */
static void test_two_vlans_in_mid_stream(void **state)
{
    (void)state;
    in(VLAN5, VLAN6);
    w->ack[0] = 1;
    exchange();
    assert_int_equal(w->connection_count, 1);
}

static void test_two_tenants(void **state)
{
    (void)state;
    in(VLAN5, VLAN5);
    wire_handshake();
    in(VLAN6, VLAN6);
    numbers(700000000, 900000000);
    wire_handshake();
    exchange();
    numbers(1000, 5000);
    w->ack[0] = w->ack[1] = 1;
    in(VLAN5, VLAN5);
    exchange();
    /* Wireshark counts the second SYN, with another number, as a new connection. */
    wire_expect("open 0\nopen 1\n" EXCHANGE EXCHANGE);
}

/* Two tenants with the very same numbers and packets, interleaved: a replayed capture. */
static void test_two_tenants_alike(void **state)
{
    (void)state;
    for (unsigned step = 0; step < 5; step++)
        for (uint16_t vlan = VLAN5; vlan <= VLAN6; vlan++) {
            in(vlan, vlan);
            w->ack[0] = step >= 2;
            w->ack[1] = step >= 4 ? 28 : 1;
            switch (step) {
            case 0:
                wire_send(0, KA_SYN, 0, "", 0);
                break;
            case 1:
                wire_send(1, KA_SYN, 0, "", 0);
                break;
            case 2:
                wire_send(0, 0, 1, "", 0);
                break;
            case 3:
                wire_text(0, 1, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
                break;
            default:
                wire_text(1, 1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        }
    assert_int_equal(w->connection_count, 2);
    assert_int_equal(w->connections[1].stream, STREAM_TENANT_FIRST);
    assert_non_null(strstr(w->log, "open " TEXT(FIRST_TENANT) "\n"));
}

/* The same, and each with a VLAN of its own for the answers. */
static void test_two_tenants_alike_in_four_vlans(void **state)
{
    (void)state;
    static const uint16_t vlans[2][2] = {{VLAN5, VLAN6}, {VLAN7, VLAN8}};
    for (unsigned step = 0; step < 3; step++)
        for (unsigned i = 0; i < 2; i++) {
            in(vlans[i][0], vlans[i][1]);
            w->ack[0] = step == 2;
            w->ack[1] = 1;
            wire_send(step % 2, step < 2 ? KA_SYN : 0, step / 2, "", 0);
        }
    assert_int_equal(w->connection_count, 2);
    assert_paths(&w->connections[0], VLAN5, VLAN6);
    assert_paths(&w->connections[1], VLAN7, VLAN8);
}

/* Both sides of a router were captured: the second copy has one hop less. */
static void test_copies_behind_a_router(void **state)
{
    (void)state;
    for (unsigned step = 0; step < 3; step++)
        for (unsigned i = 0; i < 2; i++) {
            w->ttl = (uint8_t)(64 - i);
            if (step == 1)
                in(VLAN5, (uint16_t)(VLAN6 - i));
            else
                in((uint16_t)(VLAN5 + i), VLAN5);
            w->ack[0] = step == 2;
            w->ack[1] = 1;
            wire_send(step % 2, step < 2 ? KA_SYN : 0, step / 2, "", 0);
        }
    wire_expect("open 0\n");
}

/* Captured within the tunnel and outside, in either order; then another tenant, all alike. */
static void test_copies_without_tunnel(void **state)
{
    (void)state;
    static const uint16_t orders[2][2] = {{VLAN5, PLAIN}, {PLAIN, VLAN5}};
    for (unsigned order = 0; order < 2; order++) {
        w->client_port++;
        for (unsigned i = 0; i < 2; i++) {
            in(orders[order][i], orders[order][i]);
            wire_send(0, KA_SYN, 0, "", 0);
        }
        assert_int_equal(w->connection_count, order * 2 + 1);
        assert_paths(&w->connections[order * 2], VLAN5, order == 0 ? VLAN5 : PLAIN);
        in(VLAN6, VLAN6);
        wire_send(0, KA_SYN, 0, "", 0);
        assert_int_equal(w->connection_count, order * 2 + 2);
    }
}

/* Ports used again by one tenant end its own connection only. */
static void test_port_reuse(void **state)
{
    (void)state;
    in(VLAN5, VLAN5);
    wire_handshake();
    in(VLAN6, VLAN6);
    numbers(700000000, 900000000);
    wire_handshake();
    numbers(800000000, 1000000000);
    wire_handshake();
    wire_expect("open 0\nopen 1\nend 1 512\nopen 2\n");
}

/* A connection that is moved in mid-stream stays one. */
static void test_moved(void **state)
{
    (void)state;
    in(VLAN5, VLAN5);
    wire_handshake();
    in(VLAN6, VLAN6);
    exchange();
    wire_expect("open 0\n" EXCHANGE);
}

/* One address pair in more networks than are told apart: behind that, ports count as used again. */
static void test_too_many_tenants(void **state)
{
    (void)state;
    w->quiet = true;
    for (uint16_t vlan = 1; vlan <= 300; vlan++) {
        in(vlan, vlan);
        numbers(vlan * 20000000U, 5000);
        wire_send(0, KA_SYN, 0, "", 0);
    }
    assert_int_equal(w->connection_count, 300);
    assert_int_equal(stream_table_counts(w->table)->connections, 300);
}

#define ON_WIRE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_WIRE(test_two_directions_in_two_vlans),
        ON_WIRE(test_two_vlans_in_mid_stream),
        ON_WIRE(test_two_tenants),
        ON_WIRE(test_two_tenants_alike),
        ON_WIRE(test_two_tenants_alike_in_four_vlans),
        ON_WIRE(test_copies_behind_a_router),
        ON_WIRE(test_copies_without_tunnel),
        ON_WIRE(test_port_reuse),
        ON_WIRE(test_moved),
        ON_WIRE(test_too_many_tenants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
