/* make_capture.c - writes a large capture of keep-alive traffic, always the same bytes for the same
 * arguments.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Usage: make_capture SCENARIO FILE [CONNECTIONS [OPEN]]
 *   small   API calls of a few hundred bytes; 200000 connections, 20000 open at once: more than 1 GB
 *   large   bodies of 1 to 16 MB, acknowledged every second segment; more than 1 GB
 *   idle    connections with one exchange each, all left open; 1000000 of them
 * or one of the floods in floods.c: make_capture FLOOD FILE [TIMES]
 */
#include "floods.h"
#include "messages.h"
#include "queue.h"
#include "wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MICROSECOND_NS INT64_C(1000)
#define MILLISECOND_NS INT64_C(1000000)
#define START_NS       (INT64_C(1717243200) * 1000000000)

struct scenario {
    const char *name;
    uint32_t connections;
    uint32_t open; /* at once, that still send */
    unsigned exchanges_min;
    unsigned exchanges_max;
    uint64_t body_min_bytes;
    uint64_t body_max_bytes;
    unsigned timeout_s; /* advertised; idle times stay below */
    bool left_open;
};

static const struct scenario scenarios[] = {
    {"small", 200000, 20000, 2, 6, 200, 500, 5, false},
    {"large", 72, 16, 1, 3, 1 << 20, 16 << 20, 5, false},
    /* 120 s, because a longer timeout may be a finding, and findings wait with their connection. */
    {"idle", 1000000, 1000, 1, 1, 200, 500, 120, true},
};

/* What a connection does next; each step is one segment. */
typedef enum step {
    STEP_SYN,
    STEP_SYN_ACK,
    STEP_ESTABLISHED,
    STEP_REQUEST,
    STEP_REQUEST_ACK,
    STEP_RESPONSE,
    STEP_BODY,
    STEP_BODY_SECOND,
    STEP_BODY_ACK,
    STEP_RESPONSE_ACK,
    STEP_CLIENT_FIN,
    STEP_SERVER_FIN,
    STEP_LAST_ACK,
    STEP_DONE,
} step;

struct connection {
    wire_connection wire;
    uint64_t body_left_bytes;
    uint32_t number; /* of all, from 0 */
    unsigned exchange;
    unsigned exchanges;
    step step;
};

struct maker {
    const struct scenario *scenario;
    FILE *out;
    uint64_t random;
    uint32_t begun; /* connections */
    bool failed;
    char message[MESSAGE_BYTES];
    char filler[WIRE_SEGMENT_BYTES]; /* of large bodies */
};

/* splitmix64: the same sequence everywhere. */
static uint64_t next_random(struct maker *maker)
{
    uint64_t mixed = maker->random += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

static uint64_t between(struct maker *maker, uint64_t low, uint64_t high)
{
    return low + next_random(maker) % (high - low + 1);
}

static void begin_connection(struct maker *maker, struct connection *connection)
{
    enum { PORTS_EACH = 28000, FIRST_PORT = 32768, SERVERS = 4 };
    uint32_t number = maker->begun++;
    *connection = (struct connection){
        .number = number,
        .exchanges = (unsigned)between(maker, maker->scenario->exchanges_min, maker->scenario->exchanges_max),
        .wire = {.ip = {0x0a000001 + number / PORTS_EACH, 0xc0a80001 + number % SERVERS},
                 .port = {(uint16_t)(FIRST_PORT + number % PORTS_EACH), 80},
                 .next_seq = {(uint32_t)next_random(maker), (uint32_t)next_random(maker)}}};
}

static void send_segment(struct maker *maker, struct connection *connection, unsigned from, unsigned flags,
                         const char *payload, uint32_t len_bytes, int64_t now_ns)
{
    if (!wire_segment(maker->out, &connection->wire, from, flags, payload, len_bytes, now_ns))
        maker->failed = true;
}

static void send_request(struct maker *maker, struct connection *connection, int64_t now_ns)
{
    uint64_t id = (uint64_t)connection->number * 100 + connection->exchange++;
    uint32_t len_bytes = message_request(maker->message, id);
    send_segment(maker, connection, 0, WIRE_ACK | WIRE_PSH, maker->message, len_bytes, now_ns);
}

/* A small body goes with the head in one segment; a large one follows. */
static step send_response(struct maker *maker, struct connection *connection, int64_t now_ns)
{
    const struct scenario *scenario = maker->scenario;
    message_response response = {.timeout_s = scenario->timeout_s,
                                 .max = 101 - connection->exchange,
                                 .body_bytes =
                                     between(maker, scenario->body_min_bytes, scenario->body_max_bytes)};
    bool large = scenario->body_max_bytes > MESSAGE_BYTES;
    response.chunked = !large && next_random(maker) % 8 == 0;
    uint32_t len_bytes = large ? message_response_head(maker->message, &response)
                               : message_response_whole(maker->message, &response, connection->number);
    send_segment(maker, connection, 1, WIRE_ACK | WIRE_PSH, maker->message, len_bytes, now_ns);
    connection->body_left_bytes = large ? response.body_bytes : 0;
    return large ? STEP_BODY : STEP_RESPONSE_ACK;
}

static void send_body(struct maker *maker, struct connection *connection, int64_t now_ns)
{
    uint64_t left_bytes = connection->body_left_bytes;
    uint32_t len_bytes = left_bytes < WIRE_SEGMENT_BYTES ? (uint32_t)left_bytes : WIRE_SEGMENT_BYTES;
    send_segment(maker, connection, 1, WIRE_ACK, maker->filler, len_bytes, now_ns);
    connection->body_left_bytes -= len_bytes;
}

/* Sends the connection's next segment; returns how long until the one after it. */
static int64_t advance(struct maker *maker, struct connection *connection, int64_t now_ns)
{
    static const struct {
        unsigned from, flags;
        step next;
    } bare[] = {
        [STEP_SYN] = {0, WIRE_SYN, STEP_SYN_ACK},
        [STEP_SYN_ACK] = {1, WIRE_SYN | WIRE_ACK, STEP_ESTABLISHED},
        [STEP_ESTABLISHED] = {0, WIRE_ACK, STEP_REQUEST},
        [STEP_REQUEST_ACK] = {1, WIRE_ACK, STEP_RESPONSE},
        [STEP_BODY_ACK] = {0, WIRE_ACK, STEP_BODY},
        [STEP_RESPONSE_ACK] = {0, WIRE_ACK, STEP_REQUEST},
        [STEP_CLIENT_FIN] = {0, WIRE_FIN | WIRE_ACK, STEP_SERVER_FIN},
        [STEP_SERVER_FIN] = {1, WIRE_FIN | WIRE_ACK, STEP_LAST_ACK},
        [STEP_LAST_ACK] = {0, WIRE_ACK, STEP_DONE},
    };
    switch (connection->step) {
    case STEP_REQUEST:
        send_request(maker, connection, now_ns);
        connection->step = STEP_REQUEST_ACK;
        return 100 * MICROSECOND_NS;
    case STEP_RESPONSE:
        connection->step = send_response(maker, connection, now_ns);
        return 200 * MICROSECOND_NS;
    case STEP_BODY:
    case STEP_BODY_SECOND:
        send_body(maker, connection, now_ns);
        connection->step = connection->body_left_bytes == 0 ? STEP_RESPONSE_ACK
                           : connection->step == STEP_BODY  ? STEP_BODY_SECOND
                                                            : STEP_BODY_ACK;
        return 12 * MICROSECOND_NS;
    default:
        break;
    }
    step done = connection->step;
    send_segment(maker, connection, bare[done].from, bare[done].flags, "", 0, now_ns);
    connection->step = bare[done].next;
    if (done == STEP_REQUEST_ACK)
        return (int64_t)between(maker, 2, 40) * MILLISECOND_NS; /* the server works */
    if (done != STEP_RESPONSE_ACK)
        return 150 * MICROSECOND_NS;
    if (connection->exchange == connection->exchanges)
        connection->step = maker->scenario->left_open ? STEP_DONE : STEP_CLIENT_FIN;
    return (int64_t)between(maker, 100, 3000) * MILLISECOND_NS; /* idle, shorter than advertised */
}

/* Each slot is one connection after the other, until all have been. */
static void run(struct maker *maker, struct connection *slots, struct queue *queue)
{
    const struct scenario *scenario = maker->scenario;
    for (uint32_t slot = 0; slot < scenario->open && slot < scenario->connections; slot++) {
        begin_connection(maker, &slots[slot]);
        queue_push(queue, (queue_entry){START_NS + slot * 50 * MICROSECOND_NS, slot});
    }
    while (queue->count > 0 && !maker->failed) {
        queue_entry now = queue_pop(queue);
        struct connection *connection = &slots[now.slot];
        int64_t wait_ns = advance(maker, connection, now.time_ns);
        if (connection->step == STEP_DONE) {
            if (maker->begun == scenario->connections)
                continue;
            begin_connection(maker, connection);
            wait_ns = MILLISECOND_NS;
        }
        queue_push(queue, (queue_entry){now.time_ns + wait_ns, now.slot});
    }
}

static bool make(const struct scenario *scenario, const char *path)
{
    FILE *out = fopen(path, "wb");
    struct connection *slots = calloc((size_t)scenario->open + 1, sizeof *slots);
    struct queue queue = {.entries = calloc((size_t)scenario->open + 1, sizeof *queue.entries)};
    struct maker maker = {.scenario = scenario, .out = out, .random = 1};
    memset(maker.filler, 'x', sizeof maker.filler);
    bool done = false;
    if (out && slots && queue.entries && wire_begin(out)) {
        setvbuf(out, NULL, _IOFBF, 1 << 20);
        run(&maker, slots, &queue);
        done = !maker.failed;
    }
    if (out && fclose(out) != 0)
        done = false;
    if (!done)
        perror(path);
    free(slots);
    free(queue.entries);
    return done;
}

static const struct scenario *find_scenario(const char *name)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    return NULL;
}

int main(int argc, char **argv)
{
    if ((argc == 3 || argc == 4) && flood_is_known(argv[1]))
        return flood_make(argv[1], argv[2], argc == 4 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0) ? 0 : 1;
    const struct scenario *found = argc >= 3 && argc <= 5 ? find_scenario(argv[1]) : NULL;
    if (!found) {
        fputs("Usage: make_capture small|large|idle FILE [CONNECTIONS [OPEN]], or FLOOD FILE [TIMES]\n",
              stderr);
        return 2;
    }
    struct scenario chosen = *found;
    if (argc > 3)
        chosen.connections = (uint32_t)strtoul(argv[3], NULL, 10);
    if (argc > 4)
        chosen.open = (uint32_t)strtoul(argv[4], NULL, 10);
    return make(&chosen, argv[2]) ? 0 : 1;
}
