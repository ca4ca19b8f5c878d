/* test_tls_segment.c - what in mid-stream is taken for the beginning of TLS records.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "stream/tls.h"

#define RECORD                                                                                               \
    "\x16\x03\x03\x00\x04"                                                                                   \
    "\x02\x00\x00\x00"
#define BEGUN                                                                                                \
    "\x17\x03\x03\x01\x00"                                                                                   \
    "abc" /* of 256 */

static bool is_plausible(const char *bytes, size_t len_bytes)
{
    return tls_plausible_segment((const uint8_t *)unit_at_page_end(bytes, len_bytes), len_bytes);
}

static void whole_records(void **state)
{
    (void)state;
    assert_true(is_plausible(RECORD, 9));
    assert_true(is_plausible(RECORD RECORD, 18));
}

static void the_last_may_go_on(void **state)
{
    (void)state;
    assert_true(is_plausible(RECORD BEGUN, 17));
    assert_true(is_plausible(RECORD BEGUN, 14)); /* its header alone */
}

static void anything_else_is_none(void **state)
{
    (void)state;
    assert_false(is_plausible("", 0));
    assert_false(is_plausible(BEGUN, 8)); /* the first must be whole: these are too few signs */
    assert_false(is_plausible(RECORD, 8));
    assert_false(is_plausible(RECORD BEGUN, 13)); /* no whole header */
    assert_false(is_plausible(RECORD "GET /", 14));
    assert_false(is_plausible("\x16\x03\x05\x00\x00", 5));
    assert_false(is_plausible("\x13\x03\x03\x00\x00", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_records),
        cmocka_unit_test(the_last_may_go_on),
        cmocka_unit_test(anything_else_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
