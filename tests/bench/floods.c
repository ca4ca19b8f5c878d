/* floods.c - captures made to exhaust whoever reads them: one function a flood, called for each step.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "floods.h"

#include "messages.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

#define MICROSECOND_NS INT64_C(1000)
#define START_NS       (INT64_C(1717243200) * 1000000000)

typedef struct flood {
    FILE *out;
    uint64_t random;
    uint64_t step; /* from 0 */
    int64_t now_ns;
    bool failed;
    char bytes[WIRE_SEGMENT_BYTES];
} flood;

/* splitmix64: the same sequence everywhere. */
static uint64_t mixed(uint64_t number)
{
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

static uint64_t next_random(flood *self)
{
    return mixed(self->random += UINT64_C(0x9e3779b97f4a7c15));
}

/* The client of that number at a server, always the same one. */
static wire_connection connection_of(uint64_t number)
{
    uint64_t seq = mixed(number + 1);
    return (wire_connection){.ip = {0x0a000000 + (uint32_t)(number / 60000), 0xc0a80001},
                             .port = {(uint16_t)(1024 + number % 60000), 80},
                             .next_seq = {(uint32_t)seq, (uint32_t)(seq >> 32)}};
}

static void send_segment(flood *self, wire_connection *connection, unsigned from, unsigned flags,
                         const char *payload, uint32_t len_bytes)
{
    if (!wire_segment(self->out, connection, from, flags, payload, len_bytes, self->now_ns))
        self->failed = true;
}

static void handshake(flood *self, wire_connection *connection)
{
    send_segment(self, connection, 0, WIRE_SYN, "", 0);
    send_segment(self, connection, 1, WIRE_SYN | WIRE_ACK, "", 0);
    send_segment(self, connection, 0, WIRE_ACK, "", 0);
}

/* ---- The floods ---- */

/* Each from another client, and no answer. */
static void syn(flood *self)
{
    wire_connection client = connection_of(self->step);
    send_segment(self, &client, 0, WIRE_SYN, "", 0);
}

/* Bytes of no protocol, one side only, never in order: nothing of them can be told to be final. */
static void garbage(flood *self)
{
    wire_connection client = connection_of(next_random(self) % 50000);
    client.next_seq[0] += (uint32_t)(next_random(self) % (1 << 20));
    for (unsigned i = 0; i < 64; i++)
        self->bytes[next_random(self) % sizeof self->bytes] = (char)next_random(self);
    send_segment(self, &client, 0, WIRE_ACK, self->bytes, 1 + (uint32_t)(next_random(self) % 1000));
}

/* Requests that are never answered, on connections that stay. */
static void unanswered(flood *self)
{
    wire_connection connection = connection_of(self->step);
    handshake(self, &connection);
    uint32_t len_bytes = message_request(self->bytes, self->step);
    send_segment(self, &connection, 0, WIRE_ACK | WIRE_PSH, self->bytes, len_bytes);
}

/* Requests in a row on 20,000 connections, as many as one segment holds, and no answer to any of them. */
static void pipeline(flood *self)
{
    enum { CONNECTIONS = 20000 };
    static const char request[] = "GET / HTTP/1.1\r\n\r\n";
    wire_connection connection = connection_of(self->step % CONNECTIONS);
    uint32_t round = (uint32_t)(self->step / CONNECTIONS), len_bytes = 0;
    if (round == 0) {
        handshake(self, &connection);
        return;
    }
    for (; len_bytes + sizeof request <= sizeof self->bytes; len_bytes += sizeof request - 1)
        memcpy(self->bytes + len_bytes, request, sizeof request - 1);
    connection.next_seq[0] += 1 + (round - 1) * len_bytes;
    connection.next_seq[1] += 1;
    send_segment(self, &connection, 0, WIRE_ACK, self->bytes, len_bytes);
}

/* A thousand requests whose header fields never end. */
static void head(flood *self)
{
    enum { CONNECTIONS = 1000 };
    wire_connection connection = connection_of(self->step % CONNECTIONS);
    uint32_t round = (uint32_t)(self->step / CONNECTIONS);
    if (round == 0) {
        handshake(self, &connection);
        uint32_t len_bytes = message_request(self->bytes, self->step);
        send_segment(self, &connection, 0, WIRE_ACK, self->bytes, len_bytes - 2); /* not the empty line */
        return;
    }
    static const char field[] = "X-Endless: of this there is more to come\r\n";
    uint32_t len_bytes = 0;
    for (; len_bytes + sizeof field <= sizeof self->bytes; len_bytes += sizeof field - 1)
        memcpy(self->bytes + len_bytes, field, sizeof field - 1);
    uint32_t request_bytes = message_request((char[MESSAGE_BYTES]){0}, self->step % CONNECTIONS) - 2;
    connection.next_seq[0] += 1 + request_bytes + (round - 1) * len_bytes;
    connection.next_seq[1] += 1;
    send_segment(self, &connection, 0, WIRE_ACK, self->bytes, len_bytes);
}

/* Clients that had one hash by the flow table's function as long as not every factor in it was secret. */
static void collide(flood *self)
{
    uint64_t low = UINT64_C(0x2d358dccaa6c78a5) ^ (UINT64_C(40000) << 8 | 6) << 32, high = self->step + 1;
    uint8_t ip6[2][16] = {{0}, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    memcpy(ip6[0], &high, sizeof high);
    memcpy(ip6[0] + 8, &low, sizeof low);
    wire_connection client = {.ip6 = (const uint8_t(*)[16])ip6, .port = {40000, 80}, .next_seq = {1, 1}};
    send_segment(self, &client, 0, WIRE_SYN, "", 0);
}

/* The same ports again and again within one moment, each time reset: what has ended waits to be judged. */
static void reuse(flood *self)
{
    wire_connection connection = connection_of(0);
    self->now_ns = START_NS;
    connection.next_seq[0] = (uint32_t)(self->step * 100000);
    send_segment(self, &connection, 0, WIRE_SYN, "", 0);
    send_segment(self, &connection, 1, WIRE_RST | WIRE_ACK, "", 0);
}

/* Each exchange with another server, and closed at another age: statistics without end. */
static void servers(flood *self)
{
    wire_connection connection = connection_of(0);
    connection.ip[1] = 0xc0000000 + (uint32_t)(self->step % 100000);
    connection.port[0] = (uint16_t)(1024 + self->step / 100000);
    handshake(self, &connection);
    send_segment(self, &connection, 0, WIRE_ACK, self->bytes, message_request(self->bytes, self->step));
    message_response response = {.timeout_s = 5, .max = 100, .body_bytes = 100};
    send_segment(self, &connection, 1, WIRE_ACK, self->bytes,
                 message_response_whole(self->bytes, &response, self->step));
    self->now_ns += (int64_t)(next_random(self) % (1 << 20));
    send_segment(self, &connection, 1, WIRE_FIN | WIRE_ACK, "", 0);
    send_segment(self, &connection, 0, WIRE_FIN | WIRE_ACK, "", 0);
    send_segment(self, &connection, 1, WIRE_ACK, "", 0);
}

static const struct {
    const char *name;
    void (*step)(flood *self);
    uint32_t times;
} floods[] = {
    {"syn", syn, 5000000},          {"garbage", garbage, 2000000}, {"unanswered", unanswered, 2000000},
    {"pipeline", pipeline, 400000}, {"head", head, 500000},        {"collide", collide, 1000000},
    {"reuse", reuse, 2000000},      {"servers", servers, 500000},
};
enum { FLOODS = sizeof floods / sizeof floods[0] };

/* ---- */

static size_t index_of(const char *name)
{
    size_t i = 0;
    while (i < FLOODS && strcmp(floods[i].name, name) != 0)
        i++;
    return i;
}

bool flood_is_known(const char *name)
{
    return index_of(name) < FLOODS;
}

bool flood_make(const char *name, const char *path, uint32_t times)
{
    size_t which = index_of(name);
    flood self = {.out = fopen(path, "wb"), .random = 1, .now_ns = START_NS};
    self.failed = !self.out || !wire_begin(self.out);
    for (uint64_t most = times > 0 ? times : floods[which].times; self.step < most && !self.failed;
         self.step++) {
        floods[which].step(&self);
        self.now_ns += 10 * MICROSECOND_NS;
    }
    if (self.out && fclose(self.out) != 0)
        self.failed = true;
    if (self.failed)
        perror(path);
    return !self.failed;
}
