/* test_explain.c - the catalogue is whole, and `keptalive explain` shows it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "explain.h"
#include "explanation.h"
#include "report/wrap.h"

#include <stdio.h>

enum { PARAGRAPH_MIN = 30, PARAGRAPH_MAX = 900 };

/* Plain ASCII in one paragraph, as wrap() and the page of documentation take it. */
static void assert_paragraph(ka_finding_id id, const char *text, size_t least)
{
    const char *name = ka_catalogue(id)->id;
    if (!text || strlen(text) < least || strlen(text) > PARAGRAPH_MAX)
        fail_msg("%s: a text is missing, too short or too long", name);
    for (const char *at = text; *at; at++) {
        if (*at < ' ' || *at > '~' || (at[0] == ' ' && at[1] == ' '))
            fail_msg("%s: control, 8-bit or double space near \"%.20s\"", name, at);
    }
    if (text[0] == ' ' || text[strlen(text) - 1] == ' ')
        fail_msg("%s: a text begins or ends with a space", name);
}

static void every_finding_is_explained(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KA_FINDING_COUNT; i++) {
        ka_finding_id id = (ka_finding_id)i;
        const ka_explanation_row *explanation = ka_explanation(id);
        const ka_catalogue_row *entry = ka_catalogue(id);
        assert_paragraph(id, explanation->meaning, PARAGRAPH_MIN);
        assert_paragraph(id, explanation->detection, PARAGRAPH_MIN);
        assert_paragraph(id, explanation->exclusions, PARAGRAPH_MIN);
        assert_paragraph(id, entry->title, 10);
        assert_paragraph(id, entry->sentence, 10);
        assert_paragraph(id, entry->remedy, PARAGRAPH_MIN);
        assert_paragraph(id, entry->reference, 5);
        assert_int_equal(explanation->settings >> KA_SETTING_GROUP_COUNT, 0);
    }
}

static void ids_are_unique_and_plain(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KA_FINDING_COUNT; i++) {
        const char *id = ka_catalogue((ka_finding_id)i)->id;
        assert_int_equal(strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(id));
        assert_int_equal(ka_finding_by_name((ka_slice){id, strlen(id)}), i);
    }
}

static void every_setting_belongs_to_a_group(void **state)
{
    (void)state;
    size_t count;
    unsigned in_group[KA_SETTING_GROUP_COUNT] = {0};
    const ka_setting_row *rows = ka_setting_rows(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].group < KA_SETTING_GROUP_COUNT);
        assert_true(i == 0 || rows[i].group >= rows[i - 1].group); /* each group in one piece */
        assert_true(strlen(rows[i].product) > 0 && strlen(rows[i].product) <= 18);
        assert_true(strlen(rows[i].text) > 3);
        in_group[rows[i].group]++;
    }
    for (unsigned i = 0; i < KA_SETTING_GROUP_COUNT; i++) {
        assert_true(strlen(ka_setting_group_title((ka_setting_group)i)) > 3);
        assert_true(in_group[i] > 0);
    }
}

static const ka_threshold_row *threshold(const char *option)
{
    size_t count;
    const ka_threshold_row *rows = ka_threshold_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].option, option) == 0)
            return &rows[i];
    }
    fail_msg("no threshold %s", option);
    return NULL;
}

static void thresholds_are_found_by_whole_word(void **state)
{
    (void)state;
    assert_true(ka_explanation_names(KA_CLOSED_EARLY, threshold("early-tolerance")));
    assert_false(ka_explanation_names(KA_CLOSED_EARLY, threshold("late-tolerance")));
    assert_true(ka_explanation_names(KA_CLIENT_CLOSE_WAIT, threshold("close-wait")));
    assert_true(ka_explanation_names(KA_CLIENT_CLOSE_WAIT, threshold("close-wait-error")));
    assert_true(ka_explanation_names(KA_SERVER_CLOSE_WAIT, threshold("server-close-wait")));
    assert_false(ka_explanation_names(KA_SERVER_CLOSE_WAIT, threshold("close-wait")));
}

/* ---- What is printed ---- */

static char *printed(bool color, const char *const *ids, size_t count)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    explain_print(out, color, ids, count);
    fclose(out);
    return text;
}

static void assert_narrow(const char *text)
{
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        size_t length = strcspn(line, "\n");
        if (length > WRAP_COLUMNS || (length > 0 && line[length - 1] == ' '))
            fail_msg("too wide, or ends with a space: %.*s", (int)length, line);
    }
}

static void the_list_has_all_of_them(void **state)
{
    (void)state;
    char *text = printed(false, NULL, 0);
    assert_narrow(text);
    assert_null(strchr(text, '\033'));
    assert_non_null(
        strstr(text, "\nThe timeout contract\nwarning  closed-early\n         The server closed an"));
    for (unsigned i = 0; i < KA_FINDING_COUNT; i++) {
        char line[64];
        snprintf(line, sizeof line, "  %s\n", ka_catalogue((ka_finding_id)i)->id);
        if (!strstr(text, line) && !strstr(text, line + 1)) /* "warning" leaves two spaces, too */
            fail_msg("not listed: %s", line);
    }
    free(text);
}

static void each_has_every_part(void **state)
{
    (void)state;
    static const char *const headings[] = {"\nWhat it means\n  ", "\nHow it is detected\n  ",
                                           "\nWhat rules it out\n  ", "\nWhat to change\n  ", "\nSee\n  "};
    for (unsigned i = 0; i < KA_FINDING_COUNT; i++) {
        const char *id = ka_catalogue((ka_finding_id)i)->id;
        char *text = printed(false, &id, 1);
        assert_narrow(text);
        assert_int_equal(strncmp(text, id, strlen(id)), 0);
        for (size_t k = 0; k < sizeof headings / sizeof headings[0]; k++) {
            if (!strstr(text, headings[k]))
                fail_msg("%s lacks%s", id, headings[k]);
        }
        free(text);
    }
}

static void one_at_length(void **state)
{
    (void)state;
    static const char *const ids[] = {"closed-early", "cap-gap"};
    char *text = printed(false, ids, 2);
    assert_non_null(strstr(text, "closed-early: warning, at fault: server\n"));
    assert_non_null(strstr(text, "    early-tolerance     0.05 s: a close counts as early only when"));
    assert_null(strstr(text, "    late-tolerance"));
    assert_non_null(
        strstr(text, "    nginx               keepalive_timeout, its first argument (default 75s)\n"));
    assert_non_null(strstr(text, "\n\ncap-gap: note, at fault: capture\n"));
    free(text);
    text = printed(true, ids, 1);
    assert_non_null(strstr(text, "\033[1mclosed-early\033[0m: \033[1;33mwarning\033[0m, "));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finding_is_explained),
        cmocka_unit_test(ids_are_unique_and_plain),
        cmocka_unit_test(every_setting_belongs_to_a_group),
        cmocka_unit_test(thresholds_are_found_by_whole_word),
        cmocka_unit_test(the_list_has_all_of_them),
        cmocka_unit_test(each_has_every_part),
        cmocka_unit_test(one_at_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
