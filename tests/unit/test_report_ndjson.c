/* test_report_ndjson.c - the lines the report itself writes, and what happens when writing fails.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "report/escape.h"
#include "report_document.h"

#include <errno.h>

static const ka_record record = {.protocol = "http/1.1", .client.version = 4, .server.version = 4};
static const ka_finding finding = {.id = KA_CLOSED_EARLY, .severity = KA_WARN, .has_stream = true};
static const ka_endpoint_record endpoint = {.name = "", .server.version = 4};
static const ka_exchange_record exchange = {.number = 1};

static size_t line_count(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static void empty_run(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    page.options.format = REPORT_NDJSON;
    document_open(&page);
    document_finish(&page);
    assert_string_equal(page.text,
                        "{\"type\":\"capture\",\"schema\":\"keptalive/1\",\"version\":\"" KEPTALIVE_VERSION
                        "\",\"files\":[\"api.pcap\"],\"filter\":null}\n"
                        "{\"type\":\"summary\",\"files\":1,\"packets\":1,\"bytes\":60,\"connections\":0,"
                        "\"findings\":{},\"incomplete\":[]}\n");
    document_fini(&page);
}

static void first_and_last_line(void **state)
{
    (void)state;
    static const char *const paths[] = {"-", "b \"quoted\".pcap"};
    document page;
    document_init(&page);
    page.options.format = REPORT_NDJSON;
    page.options.paths = paths;
    page.options.path_count = 2;
    page.options.filter = "tcp port 80";
    page.end.packets = UINT64_MAX;
    incomplete_add(&page.incomplete, (incomplete_row){"input", "b: cut\nshort", 1, true, true});
    incomplete_add(&page.incomplete, (incomplete_row){"hole", "holes", 7, false, false});
    incomplete_add(&page.incomplete, (incomplete_row){"fragment", "none of these", 0, true, false});
    document_open(&page);
    page.sink->connection(page.sink->user, &record);
    page.sink->finding(page.sink->user, &finding);
    page.sink->finding(page.sink->user, &finding);
    page.sink->endpoint(page.sink->user, &endpoint);
    assert_null(page.sink->exchange);
    document_finish(&page);
    const char *first = "{\"type\":\"capture\",\"schema\":\"keptalive/1\",\"version\":\"" KEPTALIVE_VERSION
                        "\",\"files\":[\"-\",\"b \\\"quoted\\\".pcap\"],\"filter\":\"tcp port 80\"}\n";
    const char *last =
        "\n{\"type\":\"summary\",\"files\":1,\"packets\":18446744073709551615,\"bytes\":60,\"connections\":1,"
        "\"findings\":{\"closed-early\":2},\"incomplete\":[{\"what\":\"input\",\"detail\":\"b: "
        "cut\\u000ashort\","
        "\"count\":1},{\"what\":\"hole\",\"detail\":\"holes\",\"count\":7}]}\n";
    assert_int_equal(strncmp(page.text, first, strlen(first)), 0);
    assert_true(page.length > strlen(last));
    assert_string_equal(page.text + page.length - strlen(last), last);
    assert_int_equal(line_count(page.text), 6);
    document_fini(&page);
}

static void exchanges_when_asked(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    page.options.format = REPORT_NDJSON;
    page.options.exchanges = true;
    document_open(&page);
    page.sink->exchange(page.sink->user, &exchange);
    document_finish(&page);
    assert_int_equal(line_count(page.text), 3);
    document_fini(&page);
}

static bool locate(void *user, uint64_t frame, const char **file, uint64_t *file_frame)
{
    *file = user;
    *file_frame = frame + 70000;
    return true;
}

/* The core's writer gets at the front end's files. */
static void several_files(void **state)
{
    (void)state;
    char name[] = "second.pcap";
    document page;
    document_init(&page);
    page.options.format = REPORT_NDJSON;
    page.options.locate = locate;
    page.options.locate_user = name;
    document_open(&page);
    ka_finding located = finding;
    located.at.frame = 7;
    page.sink->finding(page.sink->user, &located);
    document_finish(&page);
    assert_non_null(strstr(page.text, "second.pcap"));
    assert_non_null(strstr(page.text, "70007"));
    document_fini(&page);
}

typedef struct escape_case {
    const char *bytes;
    const char *expected;
} escape_case;

static void names_of_any_bytes(void **state)
{
    (void)state;
    static const escape_case cases[] = {
        {"", "\"\""},
        {"a\\b\"c", "\"a\\\\b\\\"c\""},
        {"\x01\x7f\n", "\"\\u0001\\u007f\\u000a\""},
        {"gr\xc3\xbc\xff", "\"gr\\u00c3\\u00bc\\u00ff\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&text, &length);
        escape_json(out, unit_at_page_end(cases[i].bytes, strlen(cases[i].bytes) + 1));
        fclose(out);
        assert_string_equal(text, cases[i].expected);
        free(text);
    }
}

/* The first failure is kept, and nothing is written after it. */
static void full_disk(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    page.options.format = REPORT_NDJSON;
    page.options.out = fopen("/dev/full", "w");
    if (!page.options.out)
        skip();
    setvbuf(page.options.out, NULL, _IONBF, 0);
    page.report = report_new(&page.options, &memory_heap);
    page.sink = report_sink(page.report);
    page.sink->connection(page.sink->user, &record);
    assert_int_equal(report_error(page.report), ENOSPC);
    page.sink->connection(page.sink->user, &record);
    report_finish(page.report, &page.end);
    assert_int_equal(report_error(page.report), ENOSPC);
    fclose(page.options.out);
    document_fini(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_run),
        cmocka_unit_test(first_and_last_line),
        cmocka_unit_test(exchanges_when_asked),
        cmocka_unit_test(several_files),
        cmocka_unit_test(names_of_any_bytes),
        cmocka_unit_test(full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
