/* fuzz_http.c - fuzzes what is made of a connection's bytes: it must not depend on how they were cut into
 * segments.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The input: a byte of settings, a byte that says how to cut, then what the sides say in turn: a head of two
 * bytes, length and FROM_SERVER, and so many bytes. Everything arrives in order.
 */
#include "judge.h"

#include "heap.h"
#include "require.h"
#include "stream/facts.h"

enum { SETTING_SMALL_HEADS = 1, SETTING_NO_FIN = 2 };          /* of the first byte */
enum { HEAD_BYTES = 2, FROM_SERVER = 0x80, LENGTH_HIGH = 15 }; /* of a turn's second byte */
enum { SMALL_HEAD_BYTES = 256, TURNS_MAX = 64 };

/* What the core would be told, as text. */
struct ka_connection {
    char *text;
    size_t text_bytes;
    FILE *log;
    void *owner;
    uint32_t failed_gates;
};

typedef struct turn {
    const uint8_t *bytes;
    uint32_t len_bytes;
    unsigned from;
} turn;

typedef struct talk {
    turn turns[TURNS_MAX];
    size_t count;
    stream_limits limits;
    bool fin;
} talk;

static ka_connection told; /* of the connection under way */

/* ---- Listening ------------------------------------------------------------------------------ */

static ka_status on_open(ka_audit *audit, uint32_t stream, const ka_address ends[2], void *owner,
                         ka_connection **out)
{
    (void)audit, (void)stream, (void)ends;
    told.owner = owner;
    *out = &told;
    return KA_OK;
}

static ka_status on_segment(ka_audit *audit, ka_connection *connection, const ka_segment *segment)
{
    (void)audit, (void)connection, (void)segment;
    return KA_OK;
}

static bool on_was_reset(const ka_connection *connection)
{
    (void)connection;
    return true;
}

static void log_moments(FILE *log, ka_moment first, ka_moment last)
{
    fprintf(log, " %llu-%llu", (unsigned long long)first.frame, (unsigned long long)last.frame);
}

static void log_message(const ka_message *m, const char *what)
{
    fprintf(told.log, "%s %u %d v%u %u %d %d %u+%llu ack %u", what, m->direction, m->is_response, m->version,
            m->status, m->origin_form, m->framing, m->seq, (unsigned long long)m->len_bytes, m->ack);
    log_moments(told.log, m->first, m->last);
    fprintf(told.log, " body %llu at %llu [", (unsigned long long)m->body_bytes,
            (unsigned long long)m->body.frame);
    if (m->method.len_bytes > 0)
        fwrite(m->method.bytes, 1, m->method.len_bytes, told.log);
    for (size_t i = 0; i < m->field_count; i++) {
        fprintf(told.log, "] %d[", m->fields[i].name);
        if (m->fields[i].value.len_bytes > 0)
            fwrite(m->fields[i].value.bytes, 1, m->fields[i].value.len_bytes, told.log);
    }
    fputs("]\n", told.log);
}

static ka_status on_message(ka_audit *audit, ka_connection *connection, const ka_message *message)
{
    (void)audit, (void)connection;
    log_message(message, "message");
    return KA_OK;
}

/* Only a message whose end is not there yet has one, and where that is depends on the segments. */
static void on_head(ka_connection *connection, const ka_message *head)
{
    (void)connection;
    REQUIRE(head->direction < 2 && head->field_count < 256);
}

static void log_bytes(const char *what, const ka_bytes *bytes)
{
    fprintf(told.log, "%s %u %u %u+%llu", what, bytes->direction, bytes->tls_type, bytes->seq,
            (unsigned long long)bytes->len_bytes);
    log_moments(told.log, bytes->first, bytes->last);
    fputc('\n', told.log);
}

static ka_status on_stray(ka_audit *audit, ka_connection *connection, const ka_bytes *stray)
{
    (void)audit, (void)connection;
    log_bytes("stray", stray);
    return KA_OK;
}

static ka_status on_preamble(ka_audit *audit, ka_connection *connection, const ka_bytes *preamble,
                             const ka_address *client)
{
    (void)audit, (void)connection;
    log_bytes("preamble", preamble);
    if (client != NULL)
        fprintf(told.log, "of %u.%u port %u\n", client->version, client->ip[3], client->port);
    return KA_OK;
}

static ka_status on_field(ka_audit *audit, ka_connection *connection, unsigned direction, ka_slice name,
                          ka_moment at)
{
    (void)audit, (void)connection;
    fprintf(told.log, "field %u [%.*s] %llu\n", direction, (int)name.len_bytes, name.bytes,
            (unsigned long long)at.frame);
    return KA_OK;
}

static ka_status on_time(ka_audit *audit, int64_t time_ns)
{
    (void)audit, (void)time_ns;
    return KA_OK;
}

static ka_status on_record(ka_audit *audit, ka_connection *connection, const ka_bytes *record)
{
    (void)audit, (void)connection;
    log_bytes("tls", record);
    return KA_OK;
}

static ka_status on_alpn(ka_audit *audit, ka_connection *connection, bool by_client, unsigned alpn)
{
    (void)audit, (void)connection;
    fprintf(told.log, "alpn %d %u\n", by_client, alpn);
    return KA_OK;
}

static ka_status on_name(ka_audit *audit, ka_connection *connection, unsigned direction, ka_slice name)
{
    (void)audit, (void)connection;
    fprintf(told.log, "name %u %.*s\n", direction, (int)name.len_bytes, name.bytes);
    return KA_OK;
}

static ka_status on_h2(ka_audit *audit, ka_connection *connection, const ka_h2_frame *frame)
{
    (void)audit, (void)connection;
    fprintf(told.log, "h2 %u %u %u %u %u %u+%llu", frame->direction, frame->type, frame->flags,
            frame->stream_id, frame->last_stream, frame->seq, (unsigned long long)frame->len_bytes);
    log_moments(told.log, frame->first, frame->last);
    fputc('\n', told.log);
    return KA_OK;
}

static void on_protocol(ka_connection *connection, ka_protocol protocol)
{
    (void)connection;
    fprintf(told.log, "protocol %d\n", protocol);
}

static void on_gate(ka_connection *connection, ka_gate gate)
{
    /* How often it fails says nothing. */
    if ((connection->failed_gates & gate) == 0)
        fprintf(told.log, "gate %d\n", gate);
    connection->failed_gates |= gate;
}

static ka_status on_end(ka_audit *audit, ka_connection *connection, ka_gate why)
{
    (void)audit, (void)connection, (void)why;
    REQUIRE(!"ended: there is one connection, and room for it");
    return KA_OK;
}

static const stream_facts listener = {
    .connection_open = on_open,
    .segment_seen = on_segment,
    .was_reset = on_was_reset,
    .message_seen = on_message,
    .head_seen = on_head,
    .stray_seen = on_stray,
    .preamble_seen = on_preamble,
    .h2_field_seen = on_field,
    .time_passed = on_time,
    .tls_record_seen = on_record,
    .tls_alpn_seen = on_alpn,
    .tls_name_seen = on_name,
    .h2_frame_seen = on_h2,
    .protocol_seen = on_protocol,
    .gate_failed = on_gate,
    .connection_end = on_end,
};

/* ---- Talking -------------------------------------------------------------------------------- */

static void read_talk(talk *t, const uint8_t *bytes, size_t len_bytes)
{
    *t = (talk){.limits = stream_limits_default, .fin = !(bytes[0] & SETTING_NO_FIN)};
    t->limits.direction_pieces = SIZE_MAX; /* what waits for an answer may wait in any pieces */
    if (bytes[0] & SETTING_SMALL_HEADS)
        t->limits.head_bytes = SMALL_HEAD_BYTES;
    bytes += 2, len_bytes -= 2;
    while (len_bytes >= HEAD_BYTES && t->count < TURNS_MAX) {
        uint32_t said = bytes[0] | (uint32_t)(bytes[1] & LENGTH_HIGH) << 8;
        unsigned from = bytes[1] & FROM_SERVER ? 1 : 0;
        bytes += HEAD_BYTES, len_bytes -= HEAD_BYTES;
        said = said < len_bytes ? said : (uint32_t)len_bytes;
        t->turns[t->count++] = (turn){bytes, said, from};
        bytes += said, len_bytes -= said;
    }
}

/* A turn's segments carry its number and time, however many there are. */
static void send(stream_table *table, unsigned from, uint64_t number, uint32_t next[2], uint8_t flags,
                 const uint8_t *bytes, uint32_t len_bytes)
{
    uint8_t *copy = require_copy(bytes, len_bytes);
    packet_tcp packet = {
        .source = {.version = 4, .ip = {192, 0, 2, 1 + (uint8_t)from}, .port = from ? 80 : 50000},
        .target = {.version = 4, .ip = {192, 0, 2, 2 - (uint8_t)from}, .port = from ? 50000 : 80},
        .payload = copy,
        .segment = {.time_ns = (int64_t)number * KA_SECOND_NS,
                    .frame = number,
                    .seq = next[from],
                    .ack = next[!from],
                    .len_bytes = len_bytes,
                    .captured_bytes = len_bytes,
                    .window = 1000,
                    .flags = flags},
    };
    next[from] += len_bytes + (flags & (KA_SYN | KA_FIN) ? 1 : 0);
    REQUIRE(stream_segment(table, &packet) == KA_OK);
    free(copy);
}

/* How much of what is left goes into the next segment; cut 0: all. */
static uint32_t piece_bytes(uint32_t *random, uint8_t cut, uint32_t left_bytes)
{
    if (cut == 0)
        return left_bytes;
    *random = *random * 1664525u + 1013904223u;
    uint32_t some = 1 + (*random >> 16) % cut;
    return some < left_bytes ? some : left_bytes;
}

/* What is told of it, when turns are sent in pieces of at most `cut` bytes. */
static ka_connection listen(const talk *t, uint8_t cut)
{
    uint32_t next[2] = {0xffffff00u, 1000}, random = cut;
    uint64_t number = 3;
    told = (ka_connection){.text = NULL};
    told.log = open_memstream(&told.text, &told.text_bytes);
    stream_table *table = stream_table_new_with(NULL, &fuzz_heap, &t->limits, &listener);
    REQUIRE(told.log != NULL && table != NULL);
    send(table, 0, 1, next, KA_SYN, NULL, 0);
    send(table, 1, 2, next, KA_SYN | KA_ACK, NULL, 0);
    for (size_t i = 0; i < t->count; i++, number++) {
        const turn *says = &t->turns[i];
        for (uint32_t at = 0, piece; at < says->len_bytes; at += piece) {
            piece = piece_bytes(&random, cut, says->len_bytes - at);
            send(table, says->from, number, next, KA_ACK | KA_PSH, says->bytes + at, piece);
        }
    }
    for (unsigned from = 0; t->fin && from < 2; from++)
        send(table, 1 - from, number + from, next, KA_ACK | KA_FIN, NULL, 0);
    REQUIRE(stream_finish(table) == KA_OK);
    stream_table_free(table);
    fclose(told.log);
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    talk t;
    if (len_bytes < 2)
        return 0;
    read_talk(&t, bytes, len_bytes);
    ka_connection whole = listen(&t, 0);
    ka_connection cut = listen(&t, bytes[1] > 0 ? bytes[1] : 1);
    if (whole.text_bytes != cut.text_bytes || memcmp(whole.text, cut.text, cut.text_bytes) != 0) {
        fprintf(stderr, "in whole turns:\n%s\nin pieces:\n%s\n", whole.text, cut.text);
        abort();
    }
    free(whole.text);
    free(cut.text);
    return 0;
}
