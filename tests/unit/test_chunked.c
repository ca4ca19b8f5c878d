/* test_chunked.c - chunked bodies, whole, byte by byte, damaged and with bytes missing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include <string.h>

#include "stream/chunked.h"

static const struct {
    const char *text;
    chunked_event event;
    size_t taken;
    uint64_t body_bytes;
} rows[] = {
    {"0\r\n\r\n", CHUNKED_COMPLETE, 5, 0},
    {"5\r\nhello\r\n0\r\n\r\nHTTP", CHUNKED_COMPLETE, 15, 5},
    {"2c  \r\n", CHUNKED_MORE, 6, 0}, /* padded, as old Apaches do */
    {"1;name=\"value\"\r\nx\r\n00\r\n\r\n", CHUNKED_COMPLETE, 25, 1},
    {"A\r\n0123456789\r\n0\r\nChecksum: x\r\nOther:\r\n\r\n", CHUNKED_COMPLETE, 41, 10},
    {"", CHUNKED_MORE, 0, 0},
    {"5\r\nhel", CHUNKED_MORE, 6, 3},
    {"fffffffffffffff\r\nx", CHUNKED_MORE, 18, 1},
    {"ffffffffffffffff1", CHUNKED_MALFORMED, 17, 0},
    {"\r\n", CHUNKED_MALFORMED, 1, 0},
    {"x\r\n", CHUNKED_MALFORMED, 1, 0},
    {"5x\r\n", CHUNKED_MALFORMED, 2, 0},
    {"5\nhello", CHUNKED_MALFORMED, 2, 0},
    {"5;x\nhello", CHUNKED_MALFORMED, 4, 0},
    {"5\r\nhello!", CHUNKED_MALFORMED, 9, 5},
    {"0\r\n\n", CHUNKED_MALFORMED, 4, 0},
    {"0\r\nTrailer: x\n", CHUNKED_MALFORMED, 14, 0},
};

static void whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        chunked c = {0};
        size_t taken = 0;
        uint64_t body_bytes = 0;
        size_t len_bytes = strlen(rows[i].text);
        assert_int_equal(chunked_take(&c, rows[i].text, len_bytes, &taken, &body_bytes), rows[i].event);
        assert_int_equal(taken, rows[i].taken);
        assert_int_equal(body_bytes, rows[i].body_bytes);
    }
}

static void byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        chunked c = {0};
        chunked_event event = CHUNKED_MORE;
        uint64_t body_bytes = 0;
        size_t at = 0;
        for (size_t taken; at < strlen(rows[i].text) && event == CHUNKED_MORE; at += taken)
            event = chunked_take(&c, rows[i].text + at, 1, &taken, &body_bytes);
        assert_int_equal(event, rows[i].event);
        assert_int_equal(at, rows[i].taken);
        assert_int_equal(body_bytes, rows[i].body_bytes);
    }
}

static void missing(void **state)
{
    (void)state;
    chunked c = {0};
    size_t taken;
    uint64_t body_bytes = 0;
    assert_false(chunked_skip(&c, 1, &body_bytes)); /* of a size line */
    assert_int_equal(chunked_take(&c, "5\r\nh", 4, &taken, &body_bytes), CHUNKED_MORE);
    assert_false(chunked_skip(&c, 5, &body_bytes));
    assert_true(chunked_skip(&c, 4, &body_bytes));
    assert_int_equal(body_bytes, 5);
    assert_int_equal(chunked_take(&c, "\r\n0\r\n\r\n", 7, &taken, &body_bytes), CHUNKED_COMPLETE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
