/* test_overall.c - what runs leave for the summary over all files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "memory.h"
#include "report/overall.h"

#include <stdio.h>
#include <stdlib.h>

static overall all;
static char *text;
static size_t text_bytes;

static int begin(void **state)
{
    (void)state;
    overall_init(&all, &memory_heap);
    return 0;
}

static int end(void **state)
{
    (void)state;
    overall_fini(&all);
    free(text);
    text = NULL;
    return 0;
}

static const char *written(report_format format)
{
    FILE *out = open_memstream(&text, &text_bytes);
    assert_non_null(out);
    overall_write(&all, &(report_options){.format = format, .out = out});
    fclose(out);
    return text;
}

static outcome with_row(incomplete_row row)
{
    outcome result = {.reported = true, .first_ns = KA_NONE, .last_ns = KA_NONE};
    incomplete list = {.count = 0};
    incomplete_add(&list, row);
    outcome_set(&result, &(report_end){.incomplete = &list, .first_ns = KA_NONE, .last_ns = KA_NONE},
                &(tally){0});
    return result;
}

/* ---- What a process leaves ---- */

static void a_run_survives_the_way(void **state)
{
    (void)state;
    incomplete list = {.count = 0};
    incomplete_add(&list, (incomplete_row){"hole", "stretches", 7, false, false});
    tally counts = {.connections = 3};
    outcome left = {.reported = false}, taken;
    outcome_set(&left, &(report_end){1, 20, 300, 4000, 5000, &list}, &counts);
    outcome_take(&left, &taken);
    assert_true(taken.reported);
    assert_int_equal(taken.packets, 20);
    assert_int_equal(taken.bytes, 300);
    assert_int_equal(taken.first_ns, 4000);
    assert_int_equal(taken.last_ns, 5000);
    assert_int_equal(taken.counts.connections, 3);
    assert_int_equal(taken.row_count, 1);
    assert_string_equal(taken.rows[0].what, "hole");
    assert_string_equal(taken.rows[0].detail, "stretches");
    assert_int_equal(taken.rows[0].count, 7);
}

static void nothing_left_is_trusted(void **state)
{
    (void)state;
    outcome *left = malloc(sizeof *left), *taken = malloc(sizeof *taken);
    assert_true(left && taken);
    memset(left, 'x', sizeof *left);
    outcome_take(left, taken);
    assert_int_equal(taken->row_count, INCOMPLETE_MAX);
    for (size_t i = 0; i < INCOMPLETE_MAX; i++) {
        assert_int_equal(strlen(taken->rows[i].what), OUTCOME_WHAT_BYTES - 1);
        assert_int_equal(strlen(taken->rows[i].detail), OUTCOME_DETAIL_BYTES - 1);
    }
    assert_true(overall_add(&all, "x.pcap", taken));
    assert_non_null(written(REPORT_TEXT));
    free(left);
    free(taken);
}

/* ---- Adding up ---- */

static void the_same_loss_is_summed_and_sentences_stay(void **state)
{
    (void)state;
    outcome holes = with_row((incomplete_row){"hole", "stretches", 7, false, false});
    outcome cut = with_row((incomplete_row){"input", "a: cut", 1, true, true});
    assert_true(overall_add(&all, "a", &holes));
    assert_true(overall_add(&all, "b", &cut));
    assert_true(overall_add(&all, "c", &holes));
    assert_true(overall_add_failed(&all, "d", "d: empty"));
    overall_lost(&all, &(incomplete_row){"interrupted", "not begun", 0, true, false}); /* none */
    assert_int_equal(all.incomplete.count, 3);
    assert_int_equal(all.incomplete.rows[0].count, 14);
    assert_string_equal(all.incomplete.rows[1].detail, "a: cut");
    assert_string_equal(all.incomplete.rows[2].detail, "d: empty");
    assert_true(all.incomplete.unread);
    assert_int_equal(all.incomplete_files, 2);
    const char *line = written(REPORT_NDJSON);
    assert_non_null(strstr(line, "\"files\":4,\"incomplete_files\":2,"));
    assert_non_null(strstr(line, "{\"what\":\"hole\",\"detail\":\"stretches\",\"count\":14}"));
}

static void sentences_beyond_the_limit_are_counted(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_true(overall_add_failed(&all, "f", "why"));
    assert_int_equal(all.incomplete.count, INCOMPLETE_MAX);
    assert_string_equal(all.incomplete.rows[INCOMPLETE_MAX - 1].what, "further");
    assert_int_equal(all.incomplete.rows[INCOMPLETE_MAX - 1].count, 1000 - (INCOMPLETE_MAX - 1));
    assert_non_null(strstr(written(REPORT_TEXT), "and 950 more\n"));
}

static void the_worst_file_comes_first(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        uint64_t errors, warnings, notes, chats;
    } files[] = {{"calm", 0, 0, 0, 9}, {"notes", 0, 0, 9, 0},  {"one", 1, 0, 0, 0},
                 {"two", 2, 0, 0, 0},  {"warned", 1, 1, 0, 0}, {"other", 0, 0, 0, 0}};
    static const char *const order[] = {"two", "warned", "one", "notes", "unread", "calm", "other"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        outcome result = {.reported = true, .first_ns = KA_NONE, .last_ns = KA_NONE};
        result.counts.by_severity[KA_ERROR] = files[i].errors;
        result.counts.by_severity[KA_WARN] = files[i].warnings;
        result.counts.by_severity[KA_NOTE] = files[i].notes;
        result.counts.by_severity[KA_CHAT] = files[i].chats;
        assert_true(overall_add(&all, files[i].path, &result));
    }
    assert_true(overall_add_failed(&all, "unread", "why"));
    written(REPORT_NDJSON);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        assert_string_equal(all.files[i].path, order[i]);
}

static void no_files(void **state)
{
    (void)state;
    assert_non_null(strstr(written(REPORT_NDJSON), "\"by_file\":[],"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_run_survives_the_way, begin, end),
        cmocka_unit_test_setup_teardown(nothing_left_is_trusted, begin, end),
        cmocka_unit_test_setup_teardown(the_same_loss_is_summed_and_sentences_stay, begin, end),
        cmocka_unit_test_setup_teardown(sentences_beyond_the_limit_are_counted, begin, end),
        cmocka_unit_test_setup_teardown(the_worst_file_comes_first, begin, end),
        cmocka_unit_test_setup_teardown(no_files, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
