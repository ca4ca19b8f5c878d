/* wire.h - a pretended wire for the stream tests: segments in, the facts they cause out as lines of text.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Offsets are relative to the initial sequence number: 0 is the SYN, 1 the first byte. Every byte's first
 * captured copy is remembered, and each message is checked against it as it is told.
 */
#ifndef WIRE_H
#define WIRE_H

#include "unit.h"

#include <stdio.h>

#include "memory.h"
#include "stream/facts.h"
#include "stream/stream.h"

enum { WIRE_BYTES = 1 << 16, WIRE_LOG_BYTES = 1 << 16, WIRE_CONNECTIONS = 64 };

struct ka_connection {
    uint32_t stream;
    void *owner;
    bool over;
};

typedef struct wire {
    stream_table *table;
    stream_limits limits;
    int64_t time_ns;
    int64_t step_ns;
    uint64_t frame;
    uint16_t client_port;
    uint32_t isn[2];
    uint32_t ack[2]; /* offset that a side acknowledges from now on; 0: no ACK flag */
    uint64_t frame_of[2][WIRE_BYTES];
    uint32_t ack_of[2][WIRE_BYTES];
    uint64_t fin_frame[2];
    uint16_t network[2]; /* path and tenant of a side's packets */
    uint8_t ttl;
    size_t cut_bytes; /* captured bytes of every payload; 0: all */
    bool check_moments;
    bool origin_form; /* of the newest request */
    bool quiet;       /* only the messages are of interest */
    char log[WIRE_LOG_BYTES];
    size_t log_bytes;
    struct ka_connection connections[WIRE_CONNECTIONS];
    size_t connection_count;
    ka_status refuse; /* what facts return */
} wire;

static wire *w;

__attribute__((format(printf, 1, 2))) static inline void wire_log(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (w->log_bytes < WIRE_LOG_BYTES)
        w->log_bytes +=
            (size_t)vsnprintf(w->log + w->log_bytes, WIRE_LOG_BYTES - w->log_bytes, format, arguments);
    va_end(arguments);
}

static inline ka_status on_open(ka_audit *audit, uint32_t stream, const ka_address ends[2], void *owner,
                                ka_connection **out)
{
    (void)audit, (void)ends;
    ka_connection *made = &w->connections[w->connection_count++ % WIRE_CONNECTIONS];
    *made = (ka_connection){stream, owner, false};
    *out = made;
    if (!w->quiet)
        wire_log("open %u\n", stream);
    return w->refuse;
}

static inline ka_status on_segment(ka_audit *audit, ka_connection *connection, const ka_segment *segment)
{
    (void)audit, (void)segment;
    assert_false(connection->over);
    return KA_OK;
}

static inline void check_moments(const ka_message *message)
{
    unsigned d = message->direction;
    uint32_t first = message->seq - w->isn[d];
    uint32_t end = first + (uint32_t)message->len_bytes;
    assert_int_equal(message->first.frame, w->frame_of[d][first]);
    assert_int_equal(message->ack, w->ack_of[d][first] == 0 ? 0 : w->isn[!d] + w->ack_of[d][first]);
    if (message->framing == KA_FRAMING_UNTIL_CLOSE)
        assert_int_equal(message->last.frame, w->fin_frame[d]);
    else
        assert_int_equal(message->last.frame, w->frame_of[d][end - 1]);
    assert_int_equal(message->first.time_ns, (int64_t)message->first.frame * w->step_ns);
    assert_int_equal(message->last.time_ns, (int64_t)message->last.frame * w->step_ns);
    if (message->framing == KA_FRAMING_NONE || message->framing == KA_FRAMING_TUNNEL)
        assert_int_equal(message->body.frame, 0);
    if (message->framing == KA_FRAMING_LENGTH && message->body_bytes > 0)
        assert_int_equal(message->body.frame, w->frame_of[d][end - (uint32_t)message->body_bytes]);
    if (message->framing == KA_FRAMING_CHUNKED)
        assert_int_not_equal(message->body.frame, 0);
}

static inline ka_status on_message_seen(ka_audit *audit, ka_connection *connection, const ka_message *message)
{
    static const char *const framing[] = {"none", "length", "chunked", "until-close", "tunnel"};
    (void)audit;
    assert_false(connection->over);
    if (w->check_moments)
        check_moments(message);
    wire_log("%u ", message->direction);
    if (!message->is_response)
        w->origin_form = message->origin_form;
    if (message->is_response)
        wire_log("%u", message->status);
    else
        wire_log("%.*s", (int)message->method.len_bytes, message->method.bytes);
    wire_log(" %u %u+%llu %s %llu", message->version, message->seq - w->isn[message->direction],
             (unsigned long long)message->len_bytes, framing[message->framing],
             (unsigned long long)message->body_bytes);
    for (size_t i = 0; i < message->field_count; i++)
        wire_log(" %d[%.*s]", message->fields[i].name, (int)message->fields[i].value.len_bytes,
                 message->fields[i].value.bytes);
    wire_log("\n");
    return w->refuse;
}

static inline ka_status on_bytes_seen(const ka_connection *connection, const ka_bytes *bytes,
                                      const char *what)
{
    assert_false(connection->over);
    uint32_t first = bytes->seq - w->isn[bytes->direction];
    if (w->check_moments) {
        assert_int_equal(bytes->first.frame, w->frame_of[bytes->direction][first]);
        assert_int_equal(bytes->last.frame, w->frame_of[bytes->direction][first + bytes->len_bytes - 1]);
    }
    wire_log("%u %s %u+%llu\n", bytes->direction, what, first, (unsigned long long)bytes->len_bytes);
    return KA_OK;
}

static inline ka_status on_stray(ka_audit *audit, ka_connection *connection, const ka_bytes *stray)
{
    (void)audit;
    assert_int_equal(stray->tls_type, 0);
    return on_bytes_seen(connection, stray, "stray");
}

static inline ka_status on_preamble(ka_audit *audit, ka_connection *connection, const ka_bytes *preamble,
                                    const ka_address *client)
{
    char ip[KA_IP_TEXT_BYTES] = "nobody";
    (void)audit;
    if (client->version != 0)
        ka_ip_text(client, ip);
    wire_log("for %s port %u: ", ip, client->port);
    return on_bytes_seen(connection, preamble, "preamble");
}

static inline ka_status on_tls(ka_audit *audit, ka_connection *connection, const ka_bytes *record)
{
    char what[16];
    (void)audit;
    snprintf(what, sizeof what, "tls%u", record->tls_type);
    return on_bytes_seen(connection, record, what);
}

static inline ka_status on_tls_alpn(ka_audit *audit, ka_connection *connection, bool by_client, unsigned alpn)
{
    (void)audit;
    assert_false(connection->over);
    wire_log("alpn of %s %u\n", by_client ? "client" : "server", alpn);
    return KA_OK;
}

static inline ka_status on_tls_name(ka_audit *audit, ka_connection *connection, unsigned direction,
                                    ka_slice name)
{
    (void)audit;
    assert_false(connection->over);
    wire_log("name of %u %.*s\n", direction, (int)name.len_bytes, name.bytes);
    return KA_OK;
}

static inline ka_status on_h2_frame(ka_audit *audit, ka_connection *connection, const ka_h2_frame *frame)
{
    ka_bytes bytes = {.direction = frame->direction,
                      .seq = frame->seq,
                      .len_bytes = frame->len_bytes,
                      .first = frame->first,
                      .last = frame->last};
    char what[64];
    (void)audit;
    int len = snprintf(what, sizeof what, "h2 type %u flags %u stream %u", frame->type, frame->flags,
                       frame->stream_id);
    if (frame->last_stream != 0)
        snprintf(what + len, sizeof what - (size_t)len, " last %u", frame->last_stream);
    return on_bytes_seen(connection, &bytes, what);
}

static inline ka_status on_h2_field(ka_audit *audit, ka_connection *connection, unsigned direction,
                                    ka_slice name, ka_moment at)
{
    (void)audit, (void)connection, (void)at;
    wire_log("%u field %.*s\n", direction, (int)name.len_bytes, name.bytes);
    return w->refuse;
}

static inline void on_protocol(ka_connection *connection, ka_protocol protocol)
{
    static const char *const names[] = {"none", "http", "h2c", "h2", "tls", "other"};
    assert_false(connection->over);
    if (!w->quiet)
        wire_log("%s\n", names[protocol]);
}

static inline void on_gate(ka_connection *connection, ka_gate gate)
{
    assert_false(connection->over);
    wire_log("gate %d\n", gate);
}

static inline ka_status on_end(ka_audit *audit, ka_connection *connection, ka_gate why)
{
    (void)audit;
    assert_false(connection->over);
    wire_log("end %u %d\n", connection->stream, why);
    connection->over = true;
    stream_settled(&w->table, connection->owner);
    return KA_OK;
}

static ka_status on_time(ka_audit *audit, int64_t time_ns)
{
    (void)audit;
    wire_log("time %lld\n", (long long)(time_ns / KA_MILLISECOND_NS));
    return KA_OK;
}

static void on_head_seen(ka_connection *connection, const ka_message *head)
{
    assert_true(head->framing != KA_FRAMING_NONE && head->framing != KA_FRAMING_TUNNEL);
    assert_false(connection->over);
}

/* It obeys every RST. */
static bool on_was_reset(const ka_connection *connection)
{
    assert_false(connection->over);
    return true;
}

static const stream_facts wire_facts = {.connection_open = on_open,
                                        .segment_seen = on_segment,
                                        .was_reset = on_was_reset,
                                        .message_seen = on_message_seen,
                                        .head_seen = on_head_seen,
                                        .stray_seen = on_stray,
                                        .preamble_seen = on_preamble,
                                        .tls_record_seen = on_tls,
                                        .tls_alpn_seen = on_tls_alpn,
                                        .tls_name_seen = on_tls_name,
                                        .h2_frame_seen = on_h2_frame,
                                        .h2_field_seen = on_h2_field,
                                        .protocol_seen = on_protocol,
                                        .gate_failed = on_gate,
                                        .connection_end = on_end,
                                        .time_passed = on_time};

static inline void wire_new_with(const stream_limits *limits, const ka_allocator *allocator)
{
    w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->step_ns = KA_MILLISECOND_NS;
    w->client_port = 40000;
    w->isn[0] = 1000;
    w->isn[1] = 5000;
    w->check_moments = true;
    w->table = stream_table_new_with(NULL, allocator, limits, &wire_facts);
    assert_non_null(w->table);
}

static inline void wire_new(void)
{
    wire_new_with(&stream_limits_default, &memory_heap);
}

static inline void wire_free(void)
{
    stream_table_free(w->table);
    free(w);
    w = NULL;
}

static inline void wire_addresses(packet_tcp *packet, unsigned direction)
{
    ka_address client = {.ip = {10, 0, 0, 1}, .port = w->client_port, .version = 4};
    ka_address server = {.ip = {10, 0, 0, 2}, .port = 80, .version = 4};
    packet->source = direction == 0 ? client : server;
    packet->target = direction == 0 ? server : client;
}

/* One segment with what its side acknowledges. `offset` is the SYN's, FIN's or first byte's. */
static inline void wire_send(unsigned direction, uint8_t flags, uint32_t offset, const void *bytes,
                             size_t len)
{
    packet_tcp packet = {.payload = bytes, .path = w->network[direction], .tenant = w->network[direction]};
    wire_addresses(&packet, direction);
    w->frame++;
    w->time_ns = (int64_t)w->frame * w->step_ns;
    size_t captured = w->cut_bytes != 0 && len > w->cut_bytes ? w->cut_bytes : len;
    void *copy = malloc(captured != 0 ? captured : 1); /* so that ASan sees every byte too many */
    if (captured != 0)
        memcpy(copy, bytes, captured);
    packet.payload = copy;
    packet.segment = (ka_segment){.time_ns = w->time_ns,
                                  .frame = w->frame,
                                  .seq = w->isn[direction] + offset,
                                  .ack = w->ack[direction] ? w->isn[!direction] + w->ack[direction] : 0,
                                  .flags = (uint8_t)(flags | (w->ack[direction] ? KA_ACK : 0)),
                                  .ttl = w->ttl,
                                  .len_bytes = (uint32_t)len,
                                  .captured_bytes = (uint32_t)captured};
    uint32_t first = offset + (flags & KA_SYN ? 1 : 0);
    for (size_t i = 0; i < len && first + i < WIRE_BYTES; i++)
        if (w->frame_of[direction][first + i] == 0) {
            w->frame_of[direction][first + i] = w->frame;
            w->ack_of[direction][first + i] = w->ack[direction];
        }
    if (flags & KA_FIN && w->fin_frame[direction] == 0)
        w->fin_frame[direction] = w->frame;
    assert_int_equal(stream_segment(w->table, &packet), KA_OK);
    free(copy);
}

static inline void wire_text(unsigned direction, uint32_t offset, const char *text)
{
    wire_send(direction, KA_PSH, offset, text, strlen(text));
}

static inline void wire_handshake(void)
{
    wire_send(0, KA_SYN, 0, "", 0);
    w->ack[1] = 1;
    wire_send(1, KA_SYN, 0, "", 0);
    w->ack[0] = 1;
    wire_send(0, 0, 1, "", 0);
}

/* So many milliseconds pass. */
static inline void wire_wait(uint64_t milliseconds)
{
    w->frame += milliseconds * (uint64_t)KA_MILLISECOND_NS / (uint64_t)w->step_ns;
}

static inline void wire_expect(const char *expected)
{
    assert_string_equal(w->log, expected);
}

static inline void wire_clear(void)
{
    w->log_bytes = 0;
    w->log[0] = '\0';
}

#endif
