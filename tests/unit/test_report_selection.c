/* test_report_selection.c - what is not selected is shown and counted nowhere.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "report_document.h"

#include "report/selection.h"

static ka_finding found(ka_finding_id id, ka_severity severity)
{
    return (ka_finding){.id = id, .severity = severity, .has_stream = true, .at = {0, 1}};
}

static ka_record connection_with(ka_finding_id id, ka_severity severity)
{
    ka_record record = {.protocol = "http/1.1", .timeout_s = KA_NONE, .max = KA_NONE};
    record.close.idle_ns = KA_NONE;
    record.finding_mask[id / 64] |= UINT64_C(1) << id % 64;
    record.finding_severity[id] = (uint8_t)severity;
    return record;
}

static void everything_by_default(void **state)
{
    (void)state;
    selection all = {0};
    assert_true(selection_is_all(&all));
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++)
        assert_true(selection_takes(&all, (ka_finding_id)id, KA_CHAT));
}

static void only_ignore_and_severity(void **state)
{
    (void)state;
    selection some = {0};
    selection_only(&some, KA_CLOSED_EARLY);
    selection_only(&some, KA_CAP_OFFLOAD);
    assert_false(selection_is_all(&some));
    assert_true(selection_takes(&some, KA_CLOSED_EARLY, KA_CHAT));
    assert_true(selection_takes(&some, KA_CAP_OFFLOAD, KA_CHAT));
    assert_false(selection_takes(&some, KA_KEPT_LATE, KA_ERROR));
    selection_ignore(&some, KA_CLOSED_EARLY); /* the stronger word */
    assert_false(selection_takes(&some, KA_CLOSED_EARLY, KA_ERROR));
    selection grave = {.least = KA_WARN};
    assert_false(selection_is_all(&grave));
    assert_false(selection_takes(&grave, KA_CLOSED_EARLY, KA_NOTE)); /* lowered by a gate */
    assert_true(selection_takes(&grave, KA_CLOSED_EARLY, KA_WARN));
}

static void texts(void **state)
{
    (void)state;
    char text[200], small[20];
    selection some = {.least = KA_WARN};
    selection_only(&some, KA_CLOSED_EARLY);
    selection_only(&some, KA_KEEPALIVE_RACE);
    selection_ignore(&some, KA_KEPT_LATE);
    selection_text(&some, text, sizeof text);
    assert_string_equal(text, "only keepalive-race, closed-early; without kept-late; from severity warn on");
    selection_text(&some, small, sizeof small);
    assert_string_equal(small, "only keepalive-race");
}

/* Two findings of one connection, of which one is selected. */
static void tell_two(document *page)
{
    ka_record record = connection_with(KA_CLOSED_EARLY, KA_NOTE);
    record.finding_mask[KA_KEEPALIVE_RACE / 64] |= UINT64_C(1) << KA_KEEPALIVE_RACE % 64;
    record.finding_severity[KA_KEEPALIVE_RACE] = KA_ERROR;
    ka_finding race = found(KA_KEEPALIVE_RACE, KA_ERROR);
    race.causes[race.cause_count++] = KA_CLOSED_EARLY;
    put_record(page, record);
    put_finding(page, found(KA_CLOSED_EARLY, KA_NOTE));
    put_finding(page, race);
}

static void ndjson_and_counts(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    page.options.format = REPORT_NDJSON;
    page.options.selection.least = KA_WARN;
    document_open(&page);
    tell_two(&page);
    const tally *counts = report_tally(page.report);
    assert_true(counts->left_out == 1);
    assert_true(counts->by_id[KA_CLOSED_EARLY] == 0);
    assert_false(counts->by_severity[KA_NOTE] > 0);
    document_finish(&page);
    assert_non_null(strstr(page.text, "\"filter\":null,\"selection\":{\"only\":[],\"ignore\":[],"
                                      "\"min_severity\":\"warn\"}}\n"));
    assert_non_null(strstr(page.text, "\"findings\":[\"keepalive-race\"]"));
    assert_null(strstr(page.text, "\"id\":\"closed-early\""));
    assert_non_null(strstr(page.text, "\"cause\":[\"closed-early\"]")); /* a cause stays one */
    assert_non_null(strstr(page.text, "\"findings\":{\"keepalive-race\":1},\"left_out\":1,"));
    document_fini(&page);
}

static void fail_on_sees_only_what_is_selected(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    selection_ignore(&page.options.selection, KA_KEEPALIVE_RACE);
    document_open(&page);
    tell_two(&page);
    assert_false(tally_reaches(report_tally(page.report), KA_WARN));
    document_finish(&page);
    assert_non_null(strstr(page.text, "  Selected     without keepalive-race (1 finding left out)\n"));
    assert_null(strstr(page.text, "keepalive-race, 1 connection"));
    assert_non_null(strstr(page.text, "closed-early, 1 connection"));
    document_fini(&page);
}

static void no_all_clear_for_what_was_not_asked(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    selection_only(&page.options.selection, KA_MASS_CLOSE);
    document_open(&page);
    tell_two(&page);
    document_finish(&page);
    assert_non_null(strstr(page.text, "(2 findings left out)"));
    assert_non_null(strstr(page.text, "\nNo trouble found of the kinds selected.\n"));
    document_fini(&page);
}

static void every_finding_listed_is_cut(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        selection_only(&page.options.selection, (ka_finding_id)id);
        selection_ignore(&page.options.selection, (ka_finding_id)id);
    }
    document_open(&page);
    document_finish(&page);
    assert_non_null(strstr(page.text, "out)\n"));
    document_fini(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_by_default),
        cmocka_unit_test(only_ignore_and_severity),
        cmocka_unit_test(texts),
        cmocka_unit_test(ndjson_and_counts),
        cmocka_unit_test(fail_on_sees_only_what_is_selected),
        cmocka_unit_test(no_all_clear_for_what_was_not_asked),
        cmocka_unit_test(every_finding_listed_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
