/* test_progress.c - the bar and the line that tell how far a run is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "keptalive.h"
#include "progress.h"

static progress shown;
static char *text;
static size_t length;

static void begin(bool has_bar)
{
    text = NULL;
    progress_begin(&shown, open_memstream(&text, &length), has_bar, 100);
}

/* What was written since then. */
static void expect(const char *expected)
{
    fclose(shown.out);
    assert_string_equal(text, expected);
    free(text);
}

static const progress_state some = {
    .packets = 1234567, .bytes = 98765432, .read_bytes = 42, .all_bytes = 100, .open = 1, .findings = 17};

static void not_in_the_first_second(void **state)
{
    (void)state;
    begin(true);
    assert_false(progress_is_due(&shown, 100));
    assert_false(progress_is_due(&shown, 99 + KA_SECOND_NS));
    assert_true(progress_is_due(&shown, 100 + KA_SECOND_NS));
    progress_end(&shown);
    expect(""); /* and who was never drawn is not taken away */
}

static void never_where_it_is_not_wanted(void **state)
{
    (void)state;
    begin(false);
    assert_false(progress_is_due(&shown, INT64_MAX));
    expect("");
}

static void a_bar_comes_and_goes(void **state)
{
    (void)state;
    begin(true);
    progress_draw(&shown, 2 * KA_SECOND_NS, &some);
    assert_false(progress_is_due(&shown, 2 * KA_SECOND_NS + 199 * KA_MILLISECOND_NS));
    assert_true(progress_is_due(&shown, 2 * KA_SECOND_NS + 200 * KA_MILLISECOND_NS));
    progress_end(&shown);
    progress_end(&shown);
    expect("\r[##########..............]  42 %  1,234,567 packets, 17 findings\033[K\r\033[K");
}

static void a_bar_fits_the_line(void **state)
{
    (void)state;
    progress_state state_of_all = {
        .packets = UINT32_MAX, .findings = UINT32_MAX, .read_bytes = 101, .all_bytes = 100};
    begin(true);
    progress_draw(&shown, 0, &state_of_all);
    fflush(shown.out);
    assert_non_null(strstr(text, "[########################] 100 %"));
    assert_in_range(length - strlen("\r\033[K"), 60, 79);
    fclose(shown.out);
    free(text);
}

static void without_a_size_only_counts(void **state)
{
    (void)state;
    progress_state one = {.packets = 1, .findings = 1};
    begin(true);
    progress_draw(&shown, 0, &one);
    expect("\r1 packet, 1 finding\033[K");
}

static void a_line_takes_the_bars_place(void **state)
{
    (void)state;
    begin(true);
    progress_draw(&shown, 0, &(progress_state){.packets = 2});
    progress_tell(&shown, &some);
    expect("\r2 packets, 0 findings\033[K\r\033[K"
           "keptalive: 1,234,567 packets (98,765,432 bytes), 42 % read, 1 connection open, "
           "17 findings so far\n");
    begin(false);
    progress_tell(&shown, &(progress_state){.packets = 1, .bytes = 1, .open = 2, .findings = 1});
    expect("keptalive: 1 packet (1 byte), 2 connections open, 1 finding so far\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_in_the_first_second),    cmocka_unit_test(never_where_it_is_not_wanted),
        cmocka_unit_test(a_bar_comes_and_goes),       cmocka_unit_test(a_bar_fits_the_line),
        cmocka_unit_test(without_a_size_only_counts), cmocka_unit_test(a_line_takes_the_bars_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
