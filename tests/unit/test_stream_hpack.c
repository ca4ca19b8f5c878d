/* test_stream_hpack.c - header blocks of HTTP/2: which names are told, in which frame, and when no more are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "wire.h"

#if KEPTALIVE_HAS_NGHTTP2

#define PREFACE  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS "\0\0\0\x04\0\0\0\0\0"

/* Literals (RFC 7541 section 6.2): without indexing, and into the dynamic table. */
#define CONNECTION  "\0\012connection\012keep-alive" /* 23 bytes */
#define SERVER      "\0\006server\1a"                /* 10 bytes */
#define INDEXED     "\100\012keep-alive\7timeout"    /* 20 bytes; 62 from then on */
#define THE_INDEXED "\276"

#define BYTES(text) text, sizeof(text) - 1

static uint32_t next_offset;

static void begin(void)
{
    wire_new();
    wire_handshake();
    w->quiet = true;
    w->check_moments = false;
    wire_send(0, 0, 1, BYTES(PREFACE SETTINGS));
    wire_send(1, 0, 1, BYTES(SETTINGS));
    next_offset = 10;
}

static void frame(uint8_t type, uint8_t flags, uint8_t stream, const char *body, size_t len)
{
    uint8_t bytes[600] = {0, (uint8_t)(len >> 8), (uint8_t)len, type, flags, 0, 0, 0, stream};
    assert_true(len <= sizeof bytes - 9);
    memcpy(bytes + 9, body, len);
    wire_send(1, 0, next_offset, bytes, 9 + len);
    next_offset += 9 + (uint32_t)len;
}

static void expect_fields(const char *expected)
{
    char got[512] = "";
    for (char *line = strtok(w->log, "\n"); line != NULL; line = strtok(NULL, "\n"))
        if (strstr(line, " field ") != NULL)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s\n", line);
    assert_string_equal(got, expected);
    wire_free();
}

enum { DATA, HEADERS, SETTINGS_TYPE = 4, PUSH_PROMISE, CONTINUATION = 9 };
enum { END_HEADERS = 4, PADDED = 8, PRIORITY = 32 };

static void those_that_matter(void **state)
{
    (void)state;
    begin();
    frame(HEADERS, END_HEADERS, 1, BYTES(SERVER CONNECTION "\0\020proxy-connection\1x" SERVER));
    frame(HEADERS, END_HEADERS, 3, BYTES("\0\021proxy-connection-\1x"));
    expect_fields("1 field connection\n1 field proxy-connection\n");
}

static void the_table_is_kept_between_blocks(void **state)
{
    (void)state;
    begin();
    frame(HEADERS, END_HEADERS, 1, BYTES(INDEXED));
    frame(DATA, 1, 1, BYTES("hello"));
    frame(HEADERS, END_HEADERS, 3, BYTES(THE_INDEXED SERVER THE_INDEXED));
    expect_fields("1 field keep-alive\n1 field keep-alive\n1 field keep-alive\n");
}

static void padding_priority_and_promises(void **state)
{
    (void)state;
    begin();
    frame(HEADERS, END_HEADERS | PADDED | PRIORITY, 1,
          BYTES("\003"
                "\0\0\0\0\020" CONNECTION "\0\0\0"));
    frame(HEADERS, END_HEADERS | PADDED, 3, BYTES("\0" CONNECTION));
    frame(PUSH_PROMISE, END_HEADERS | PADDED, 1,
          BYTES("\002"
                "\0\0\0\002" CONNECTION "\0\0"));
    frame(HEADERS, END_HEADERS, 5, BYTES(CONNECTION));
    expect_fields("1 field connection\n1 field connection\n1 field connection\n1 field connection\n");
}

static void a_block_of_several_frames(void **state)
{
    static const char block[] = SERVER INDEXED CONNECTION;
    (void)state;
    for (size_t at = 0; at < sizeof block; at++) {
        begin();
        frame(HEADERS, 0, 1, block, at);
        assert_null(strstr(w->log, "field")); /* told when the block is complete */
        frame(CONTINUATION, 0, 1, BYTES(""));
        frame(CONTINUATION, END_HEADERS, 1, block + at, sizeof block - 1 - at);
        frame(HEADERS, END_HEADERS, 3, BYTES(THE_INDEXED));
        expect_fields("1 field keep-alive\n1 field connection\n1 field keep-alive\n");
    }
}

/* Nothing is said of what follows: it may depend on what was not understood. */
static void lost(void **state)
{
    (void)state;
    begin(); /* another frame within a block */
    frame(HEADERS, 0, 1, BYTES(SERVER));
    frame(DATA, 0, 1, BYTES("x"));
    frame(CONTINUATION, END_HEADERS, 1, BYTES(CONNECTION));
    frame(HEADERS, END_HEADERS, 3, BYTES(CONNECTION));
    expect_fields("");

    begin(); /* of another stream */
    frame(HEADERS, 0, 1, BYTES(SERVER));
    frame(CONTINUATION, END_HEADERS, 3, BYTES(CONNECTION));
    expect_fields("");

    begin(); /* more padding than there is */
    frame(HEADERS, END_HEADERS | PADDED, 1, BYTES("\377" CONNECTION));
    frame(HEADERS, END_HEADERS, 3, BYTES(CONNECTION));
    expect_fields("");

    begin(); /* no such entry */
    frame(HEADERS, END_HEADERS, 1, BYTES(CONNECTION "\376"));
    frame(HEADERS, END_HEADERS, 3, BYTES(CONNECTION));
    expect_fields("");

    begin(); /* cut short */
    frame(HEADERS, END_HEADERS, 1, BYTES("\0\012connec"));
    frame(HEADERS, END_HEADERS, 3, BYTES(CONNECTION));
    expect_fields("");

    begin(); /* not captured */
    frame(HEADERS, END_HEADERS, 1, BYTES(SERVER));
    w->cut_bytes = 15;
    frame(HEADERS, END_HEADERS, 3, BYTES(SERVER CONNECTION));
    w->cut_bytes = 0;
    frame(HEADERS, END_HEADERS, 5, BYTES(CONNECTION));
    expect_fields("");
}

/* "\077\341\037" is a table of 4096; a larger one only the other side's SETTINGS allow. */
static void size_of_the_table(void **state)
{
    static const char larger[] = "\077\342\037" CONNECTION; /* 4097 */
    (void)state;
    begin();
    frame(HEADERS, END_HEADERS, 1, BYTES("\077\341\037" CONNECTION));
    frame(HEADERS, END_HEADERS, 3, BYTES(larger));
    frame(HEADERS, END_HEADERS, 5, BYTES(CONNECTION));
    expect_fields("1 field connection\n");

    begin();
    wire_send(0, 0, 34,
              BYTES("\0\0\014\004\0\0\0\0\0"
                    "\0\003\0\0\0\144"
                    "\0\001\0\001\0\0"));
    frame(HEADERS, END_HEADERS, 1, BYTES(larger));
    expect_fields("1 field connection\n");

    begin(); /* less does not hold until the sender says so */
    frame(HEADERS, END_HEADERS, 1, BYTES(INDEXED));
    wire_send(0, 0, 34,
              BYTES("\0\0\006\004\0\0\0\0\0"
                    "\0\001\0\0\0\0"));
    frame(HEADERS, END_HEADERS, 3, BYTES(THE_INDEXED));
    frame(HEADERS, END_HEADERS, 5, BYTES("\040" SERVER)); /* table of 0 */
    frame(HEADERS, END_HEADERS, 7, BYTES(THE_INDEXED));
    expect_fields("1 field keep-alive\n1 field keep-alive\n");
}

static void a_flood_is_bounded(void **state)
{
    (void)state;
    begin();
    frame(HEADERS, 0, 1, BYTES(CONNECTION));
    for (unsigned i = 0; i < 1000; i++)
        frame(CONTINUATION, 0, 1, BYTES(CONNECTION));
    frame(CONTINUATION, END_HEADERS, 1, BYTES(CONNECTION));
    unsigned count = 0;
    for (const char *at = w->log; (at = strstr(at, "field")) != NULL; at++)
        count++;
    assert_int_equal(count, 16);
    wire_free();
}

/* A limit is no failure: names are not looked for, and the frames are told as ever. */
static void no_room_for_decoders(void **state)
{
    stream_limits limits = stream_limits_default;
    (void)state;
    limits.hpack_bytes = 100;
    wire_new_with(&limits, &memory_heap);
    wire_handshake();
    w->check_moments = false;
    wire_send(0, 0, 1, BYTES(PREFACE SETTINGS));
    wire_send(1, 0, 1, BYTES(SETTINGS));
    next_offset = 10;
    frame(HEADERS, END_HEADERS, 1, BYTES(CONNECTION));
    assert_null(strstr(w->log, "field"));
    assert_non_null(strstr(w->log, "1 h2 type 1"));
    assert_int_equal(stream_table_counts(w->table)->buffer_drops, 1);
    wire_free();
}

static size_t allocations_left;

static void *failing_resize(void *user, void *old, size_t new_bytes)
{
    if (new_bytes != 0 && allocations_left-- == 0) {
        allocations_left = SIZE_MAX;
        return NULL;
    }
    return memory_heap.resize(user, old, new_bytes);
}

static ka_status send_raw(unsigned direction, uint8_t flags, uint32_t seq, const char *bytes, size_t len)
{
    packet_tcp packet = {.payload = (const uint8_t *)bytes};
    wire_addresses(&packet, direction);
    packet.segment = (ka_segment){.seq = seq,
                                  .len_bytes = (uint32_t)len,
                                  .captured_bytes = (uint32_t)len,
                                  .frame = ++w->frame,
                                  .flags = flags};
    return stream_segment(w->table, &packet);
}

/* Every allocation fails once: a call says so, and nothing leaks or breaks. */
static void allocations_fail(void **state)
{
    static const ka_allocator failing = {NULL, failing_resize};
    static const char block[] =
        SETTINGS "\0\0\053\001\004\0\0\0\001" INDEXED CONNECTION "\0\0\001\001\004\0\0\0\003" THE_INDEXED;
    bool failed = true;
    (void)state;
    for (size_t fail_at = 0; failed; fail_at++) {
        allocations_left = SIZE_MAX;
        wire_new_with(&stream_limits_default, &failing);
        w->check_moments = false;
        allocations_left = fail_at;
        failed = send_raw(0, KA_SYN, 0, "", 0) != KA_OK;
        failed = send_raw(1, KA_SYN | KA_ACK, 0, "", 0) != KA_OK || failed;
        failed = send_raw(0, 0, 1, BYTES(PREFACE SETTINGS)) != KA_OK || failed;
        failed = send_raw(1, 0, 1, BYTES(block)) != KA_OK || failed;
        assert_true(failed || fail_at > 6);
        wire_free();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_matter),
        cmocka_unit_test(the_table_is_kept_between_blocks),
        cmocka_unit_test(padding_priority_and_promises),
        cmocka_unit_test(a_block_of_several_frames),
        cmocka_unit_test(lost),
        cmocka_unit_test(size_of_the_table),
        cmocka_unit_test(a_flood_is_bounded),
        cmocka_unit_test(no_room_for_decoders),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0; /* without the library there is nothing to decode */
}

#endif
