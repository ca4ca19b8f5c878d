/* fuzz_reassembly.c - fuzzes the segments of one connection, in any order, with holes and contradictions:
 * what reassembly makes of them, and then what the whole command does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The input: one byte of settings, then segments. Each has a head of four bytes and, with JUMPS, a distance
 * that its sequence number is off by; then its payload. A segment that jumps does not move its direction on.
 */
#include "judge.h"

#include "reassembly_check.h"

enum { HEAD_BYTES = 4, JUMP_BYTES = 4 };
enum { SETTING_SMALL = 1, SETTING_TEXT = 2 };            /* of the first byte */
enum { FLAGS = 0x3f, FROM_SERVER = 0x40, JUMPS = 0x80 }; /* of a head's first byte */
enum {
    STEP = 0x0f,
    CUT = 0x10,
    OLD_ACK = 0x20
}; /* of its second; then the payload's length, little-endian */

/* So small that a few hundred bytes of input meet every limit. */
static const stream_limits small = {
    .direction_bytes = 2048,
    .direction_pieces = 8,
    .total_bytes = 4096,
    .head_bytes = 512,
    .connections = 2,
    .tombstones = 2,
    .tombstone_ns = KA_SECOND_NS,
    .hole_wait_ns = KA_MILLISECOND_NS,
    .hole_wait_segments = 4,
};

static const int64_t steps_ns[STEP + 1] = {
    0,
    1,
    1000,
    KA_MILLISECOND_NS,
    40 * KA_MILLISECOND_NS,
    200 * KA_MILLISECOND_NS,
    KA_SECOND_NS,
    5 * KA_SECOND_NS,
    60 * KA_SECOND_NS,
    3600 * KA_SECOND_NS,
    -1,
    -KA_MILLISECOND_NS,
    -5 * KA_SECOND_NS,
    -3600 * KA_SECOND_NS,
    INT64_MAX / 2,  /* to the latest time there is, as input.c sets it */
    -INT64_MAX / 2, /* to the earliest */
};

typedef struct talk {
    const uint8_t *at;
    size_t left_bytes;
    int64_t time_ns;
    uint64_t frame;
    uint32_t next[2];
} talk;

static int64_t step(int64_t time_ns, int64_t step_ns)
{
    int64_t sum_ns = time_ns + step_ns;
    return sum_ns < 0 ? 0 : sum_ns > INT64_MAX / 2 ? INT64_MAX / 2 : sum_ns;
}

static uint32_t take_jump(talk *t)
{
    uint32_t jump = 0;
    for (int i = 0; i < JUMP_BYTES; i++)
        jump = jump << 8 | *t->at++;
    t->left_bytes -= JUMP_BYTES;
    return jump;
}

static void take_payload(talk *t, const uint8_t head[HEAD_BYTES], packet_tcp *packet)
{
    uint32_t len_bytes = (uint32_t)head[2] | (uint32_t)(head[3] & 0x0f) << 8;
    uint32_t captured_bytes = len_bytes < t->left_bytes ? len_bytes : (uint32_t)t->left_bytes;
    if (head[1] & CUT)
        captured_bytes /= 2;
    packet->payload = t->at;
    packet->segment.len_bytes = len_bytes;
    packet->segment.captured_bytes = captured_bytes;
    t->at += captured_bytes;
    t->left_bytes -= captured_bytes;
}

static bool take_segment(talk *t, packet_tcp *packet)
{
    const uint8_t *head = t->at;
    if (t->left_bytes < HEAD_BYTES + JUMP_BYTES)
        return false;
    t->at += HEAD_BYTES;
    t->left_bytes -= HEAD_BYTES;
    unsigned from = head[0] & FROM_SERVER ? 1 : 0;
    uint32_t jump = head[0] & JUMPS ? take_jump(t) : 0;
    t->time_ns = step(t->time_ns, steps_ns[head[1] & STEP]);
    *packet = (packet_tcp){
        .source = {.version = 4, .ip = {192, 0, 2, 1 + (uint8_t)from}, .port = from ? 80 : 50000},
        .target = {.version = 4, .ip = {192, 0, 2, 2 - (uint8_t)from}, .port = from ? 50000 : 80},
        .segment = {.time_ns = t->time_ns,
                    .frame = ++t->frame,
                    .seq = t->next[from] + jump,
                    .ack = t->next[!from] - (head[1] & OLD_ACK ? 1 + (head[3] >> 4) * 16u : 0),
                    .window = 1000,
                    .ip_id = (uint16_t)t->frame,
                    .ttl = 64,
                    .flags = head[0] & FLAGS},
    };
    take_payload(t, head, packet);
    if (jump == 0)
        t->next[from] += packet->segment.len_bytes + (head[0] & KA_SYN ? 1 : 0) + (head[0] & KA_FIN ? 1 : 0);
    return true;
}

static void check_reassembly(talk t, const stream_limits *limits)
{
    static reassembly_check check; /* large */
    packet_tcp packet;
    reassembly_check_init(&check, limits);
    while (take_segment(&t, &packet))
        reassembly_check_segment(&check, &packet, packet.source.port == 80);
    reassembly_check_fini(&check);
}

static void judge_all(talk t, const stream_limits *limits, report_format format)
{
    judge run;
    packet_tcp packet;
    judge_init(&run, format, limits);
    while (take_segment(&t, &packet))
        judge_segment(&run, &packet);
    judge_fini(&run);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    if (len_bytes == 0)
        return 0;
    const stream_limits *limits = bytes[0] & SETTING_SMALL ? &small : &stream_limits_default;
    talk t = {.at = bytes + 1, .left_bytes = len_bytes - 1, .time_ns = 1000 * KA_SECOND_NS};
    check_reassembly(t, limits);
    judge_all(t, limits, bytes[0] & SETTING_TEXT ? REPORT_TEXT : REPORT_NDJSON);
    return 0;
}
