/* test_lookahead.c - segments that wait reach the core in their order, with their bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "stream/lookahead.h"

enum { CLIENTS = 30, LOG_BYTES = 1 << 16 };

typedef struct talk {
    ka_audit *audit;
    stream_table *table;
    lookahead ahead;
    bool waits; /* through the look-ahead, or at once */
    uint64_t frame;
    char bytes[2 * LOOKAHEAD_PAYLOAD_BYTES]; /* of every packet in turn */
    char log[LOG_BYTES];
    size_t log_bytes;
} talk;

static void on_exchange(void *user, const ka_exchange_record *exchange)
{
    talk *t = user;
    int len = snprintf(t->log + t->log_bytes, LOG_BYTES - t->log_bytes, "%u %llu %s %llu %u %llu\n",
                       exchange->stream, (unsigned long long)exchange->number, exchange->method,
                       (unsigned long long)exchange->request.frame, exchange->status,
                       (unsigned long long)exchange->response_end.frame);
    t->log_bytes += (size_t)len;
}

static void send_text(talk *t, unsigned client, bool answers, uint8_t flags, uint32_t seq, const char *text)
{
    ka_address from = {.ip = {10, 0, 0, 1}, .port = (uint16_t)(2000 + client), .version = 4};
    ka_address to = {.ip = {10, 0, 0, 2}, .port = 80, .version = 4};
    packet_tcp *packet = lookahead_room(&t->ahead);
    strcpy(t->bytes, text);
    uint32_t len_bytes = (uint32_t)strlen(text);
    t->frame++;
    *packet = (packet_tcp){.source = answers ? to : from,
                           .target = answers ? from : to,
                           .payload = (const uint8_t *)t->bytes,
                           .segment = {.time_ns = (int64_t)t->frame * KA_MILLISECOND_NS,
                                       .frame = t->frame,
                                       .seq = seq,
                                       .len_bytes = len_bytes,
                                       .captured_bytes = len_bytes,
                                       .flags = flags}};
    ka_status status = t->waits ? lookahead_segment(&t->ahead) : stream_segment(t->table, packet);
    assert_int_equal(status, KA_OK);
    memset(t->bytes, 'x', sizeof t->bytes); /* as libpcap's buffer, it is good for one packet only */
}

static void run(talk *t, bool waits, size_t body_bytes)
{
    char response[2 * LOOKAHEAD_PAYLOAD_BYTES];
    ka_config config = {.allocator = memory_heap, .sink = {.user = t, .exchange = on_exchange}};
    ka_thresholds_init(&config.thresholds);
    config.settled = stream_settled;
    config.settled_user = &t->table;
    t->waits = waits;
    assert_int_equal(ka_audit_new(&config, &t->audit), KA_OK);
    t->table = stream_table_new(t->audit, &memory_heap, &stream_limits_default);
    assert_non_null(t->table);
    t->ahead.streams = t->table;
    int head =
        snprintf(response, sizeof response, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body_bytes);
    memset(response + head, '.', body_bytes);
    response[(size_t)head + body_bytes] = '\0';
    for (unsigned client = 0; client < CLIENTS; client++)
        send_text(t, client, false, KA_SYN, 99, "");
    for (unsigned client = 0; client < CLIENTS; client++) {
        send_text(t, client, false, KA_PSH, 100, "GET / HTTP/1.1\r\n\r\n");
        if (client % 3 == 0) /* two in a row of one connection, the second one settles it */
            send_text(t, client, true, KA_PSH, 500, response);
        if (client % 3 == 1)
            send_text(t, client, false, KA_RST, 118, "");
    }
    for (unsigned client = 0; client < CLIENTS; client++)
        send_text(t, client, false, KA_SYN, 7000, ""); /* ports reused */
    assert_int_equal(lookahead_drain(&t->ahead), KA_OK);
    assert_int_equal(t->ahead.waiting, 0);
    assert_int_equal(stream_table_counts(t->table)->segments, t->frame);
    assert_int_equal(stream_table_counts(t->table)->connections, 2 * CLIENTS);
    stream_table_free(t->table);
    ka_audit_free(t->audit);
}

static void compare(size_t body_bytes)
{
    static talk at_once, later;
    memset(&at_once, 0, sizeof at_once);
    memset(&later, 0, sizeof later);
    run(&at_once, false, body_bytes);
    run(&later, true, body_bytes);
    assert_true(at_once.log_bytes > 0);
    assert_string_equal(later.log, at_once.log);
}

static void small_segments_wait(void **state)
{
    (void)state;
    compare(0);
    compare(900);
}

static void large_ones_let_the_others_go_first(void **state)
{
    (void)state;
    compare(LOOKAHEAD_PAYLOAD_BYTES + 500);
}

static void draining_nothing(void **state)
{
    (void)state;
    static lookahead empty;
    assert_int_equal(lookahead_drain(&empty), KA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_segments_wait),
        cmocka_unit_test(large_ones_let_the_others_go_first),
        cmocka_unit_test(draining_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
