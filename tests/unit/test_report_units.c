/* test_report_units.c - counts, durations, times, escaped bytes and wrapped lines as text.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "report/escape.h"
#include "report/units.h"
#include "report/wrap.h"

static void unit_texts(void **state)
{
    (void)state;
    char text[64];
    units_count(0, text);
    assert_string_equal(text, "0");
    units_count(123456, text);
    assert_string_equal(text, "123,456");
    units_count(UINT64_MAX, text);
    assert_string_equal(text, "18,446,744,073,709,551,615");
    units_count_short(99999, text);
    assert_string_equal(text, "99999");
    units_count_short(100000, text);
    assert_string_equal(text, "100k");
    units_count_short(1999999, text);
    assert_string_equal(text, "1.9M");
    units_count_short(UINT64_MAX, text);
    assert_string_equal(text, "18E");
    units_duration(KA_NONE, text);
    assert_string_equal(text, "-");
    units_duration(5003 * KA_MILLISECOND_NS, text);
    assert_string_equal(text, "5.003 s");
    units_duration(-75020 * KA_MILLISECOND_NS, text);
    assert_string_equal(text, "-75.02 s");
    units_duration(3600 * KA_SECOND_NS, text);
    assert_string_equal(text, "3600 s");
    units_duration(INT64_MAX, text);
    assert_string_equal(text, "106751 d");
    units_advertised(KA_NONE, 100, text);
    assert_string_equal(text, "max 100");
    units_advertised(INT32_MAX, INT32_MAX, text);
    assert_string_equal(text, "24855 d/2.1G");
    units_time(-1, text);
    assert_string_equal(text, "1969-12-31 23:59:59.999");
}

static void escaped_text(void **state)
{
    (void)state;
    char out[16];
    assert_int_equal(escape_text("a\\\x00z", 4, out, sizeof out), 8);
    assert_string_equal(out, "a\\\\\\x00z");
    assert_int_equal(escape_text("123456789012345", 15, out, sizeof out), 15);
    assert_string_equal(out, "123456789012345");
    escape_text("1234567890123456", 16, out, sizeof out);
    assert_string_equal(out, "123456789012...");
    escape_text("1234567890\xff\xff", 12, out, sizeof out);
    assert_string_equal(out, "1234567890...");
}

static void assert_wrapped(size_t column, size_t indent, const char *text, const char *expected)
{
    char *wrapped = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&wrapped, &length);
    wrap(out, column, indent, text);
    fclose(out);
    assert_string_equal(wrapped, expected);
    free(wrapped);
}

#define TEN     "1234567890"
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN

static void wrapping(void **state)
{
    (void)state;
    assert_wrapped(0, 0, "", "\n");
    assert_wrapped(0, 2, "  one  two ", "one two\n");
    assert_wrapped(0, 2, SEVENTY " 123456789", SEVENTY " 123456789\n");      /* 80 */
    assert_wrapped(0, 2, SEVENTY " 1234567890", SEVENTY "\n  1234567890\n"); /* 81 */
    assert_wrapped(75, 4, "abcde fghij", "abcde\n    fghij\n");
    assert_wrapped(75, 4, "abcdef", "\n    abcdef\n");
    assert_wrapped(70, 70, TEN "x",
                   TEN "\n"
                       "                                                                      x\n");
    assert_wrapped(0, 4, SEVENTY TEN "x", SEVENTY TEN "\n    x\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unit_texts),
        cmocka_unit_test(escaped_text),
        cmocka_unit_test(wrapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
