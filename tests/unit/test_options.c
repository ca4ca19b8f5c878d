/* test_options.c - the command line, its numbers and its help.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "number.h"
#include "options.h"
#include "usage.h"

#include <stdio.h>

enum { ARGUMENTS_MAX = 12 };

static options parsed;
static char error[OPTIONS_ERROR_BYTES];
static char *arguments[ARGUMENTS_MAX + 1];

/* Parses a command line given as words ended by NULL; the arguments stay valid until the next call. */
static options_status parse(const char *first, ...)
{
    int count = 0;
    va_list words;
    arguments[count++] = (char *)(uintptr_t) "keptalive";
    va_start(words, first);
    for (const char *word = first; word; word = va_arg(words, const char *)) {
        assert_true(count < ARGUMENTS_MAX);
        arguments[count++] = (char *)(uintptr_t)word;
    }
    va_end(words);
    arguments[count] = NULL;
    error[0] = '\0';
    memset(&parsed, 0x5a, sizeof parsed);
    return options_parse(count, arguments, &parsed, error);
}

static void assert_wrong(const char *expected)
{
    assert_string_equal(error, expected);
    for (size_t i = 0; i < sizeof parsed; i++)
        assert_int_equal(((const unsigned char *)&parsed)[i], 0x5a); /* untouched */
}

static void defaults(void **state)
{
    (void)state;
    assert_int_equal(parse("a.pcap", NULL), OPTIONS_RUN);
    assert_int_equal(parsed.path_count, 1);
    assert_string_equal(parsed.paths[0], "a.pcap");
    assert_null(parsed.filter);
    assert_null(parsed.output);
    assert_int_equal(parsed.format, OPTIONS_TEXT);
    assert_int_equal(parsed.color, OPTIONS_COLOR_AUTO);
    assert_false(parsed.recursive);
    assert_false(parsed.connections);
    assert_false(parsed.exchanges);
    assert_false(parsed.has_fail_on);
    ka_thresholds expected;
    ka_thresholds_init(&expected);
    assert_memory_equal(&parsed.thresholds, &expected, sizeof expected);
}

static void every_plain_option(void **state)
{
    (void)state;
    assert_int_equal(parse("--format=ndjson", "a", "--filter", "tcp port 80", "--connections", "-", NULL),
                     OPTIONS_RUN);
    assert_int_equal(parsed.format, OPTIONS_NDJSON);
    assert_string_equal(parsed.filter, "tcp port 80");
    assert_true(parsed.connections);
    assert_int_equal(parsed.path_count, 2);
    assert_string_equal(parsed.paths[1], "-");
    assert_int_equal(
        parse("--exchanges", "--fail-on", "warn", "--output", "x", "--color", "never", "a", NULL),
        OPTIONS_RUN);
    assert_true(parsed.exchanges);
    assert_true(parsed.has_fail_on);
    assert_int_equal(parsed.fail_on, KA_WARN);
    assert_string_equal(parsed.output, "x");
    assert_int_equal(parsed.color, OPTIONS_COLOR_NEVER);
    assert_int_equal(parse("--help", NULL), OPTIONS_HELP);
    assert_int_equal(parse("--version", NULL), OPTIONS_VERSION);
    assert_int_equal(parse("--", "--help", NULL), OPTIONS_RUN);
    assert_string_equal(parsed.paths[0], "--help");
}

/* The option's words are an enum of the core in its order. */
static void each_and_memory(void **state)
{
    (void)state;
    assert_int_equal(parse("a", NULL), OPTIONS_RUN);
    assert_false(parsed.each);
    assert_int_equal(parsed.jobs, 0);
    assert_int_equal(parsed.memory_bytes, INT64_C(1) << 30);
    assert_int_equal(parse("--each", "--jobs", "1024", "--memory", "67108864", "a", NULL), OPTIONS_RUN);
    assert_true(parsed.each);
    assert_int_equal(parsed.jobs, 1024);
    assert_int_equal(parsed.memory_bytes, 64 << 20);
    assert_int_equal(parse("--memory", "65536K", "a", NULL), OPTIONS_RUN);
    assert_int_equal(parsed.memory_bytes, 64 << 20);
    assert_int_equal(parse("--memory", "64M", "a", NULL), OPTIONS_RUN);
    assert_int_equal(parsed.memory_bytes, 64 << 20);
    assert_int_equal(parse("--memory", "1048576G", "a", NULL), OPTIONS_RUN);
    assert_int_equal(parsed.memory_bytes, INT64_C(1) << 50);
}

static void severities(void **state)
{
    (void)state;
    for (int i = KA_CHAT; i <= KA_ERROR; i++) {
        assert_int_equal(parse("a", "--fail-on", ka_severity_name((ka_severity)i), NULL), OPTIONS_RUN);
        assert_int_equal(parsed.fail_on, i);
    }
}

static void every_threshold(void **state)
{
    (void)state;
    size_t count;
    const ka_threshold_row *rows = ka_threshold_rows(&count);
    for (size_t i = 0; i < count; i++) {
        char option[64];
        snprintf(option, sizeof option, "--%s", rows[i].option);
        assert_int_equal(parse(option, "7", "a.pcap", NULL), OPTIONS_RUN);
        int64_t expected = rows[i].unit == KA_NS ? 7 * KA_SECOND_NS : 7;
        int64_t value;
        memcpy(&value, (const char *)&parsed.thresholds + rows[i].offset, sizeof value);
        assert_true(value == expected);
    }
}

static void thresholds_by_name(void **state)
{
    (void)state;
    size_t count;
    const ka_threshold_row *rows = ka_threshold_rows(&count);
    for (size_t i = 0; i < count; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s=7", rows[i].option);
        assert_int_equal(parse("--set", text, "a.pcap", NULL), OPTIONS_RUN);
        int64_t expected = rows[i].unit == KA_NS ? 7 * KA_SECOND_NS : 7;
        int64_t value;
        memcpy(&value, (const char *)&parsed.thresholds + rows[i].offset, sizeof value);
        assert_true(value == expected);
    }
    assert_int_equal(parse("--set", "settle=1", "--settle", "3", "--set=close-wait=9", "a", NULL),
                     OPTIONS_RUN);
    assert_true(parsed.thresholds.settle_ns == 3 * KA_SECOND_NS); /* the last word */
    assert_true(parsed.thresholds.close_wait_ns == 9 * KA_SECOND_NS);
    assert_int_equal(parse("a", "--set", "settle", NULL), OPTIONS_WRONG);
    assert_wrong("--set: \"settle\" is not NAME=VALUE; try keptalive --help");
    assert_int_equal(parse("a", "--set", "setle=3", NULL), OPTIONS_WRONG);
    assert_wrong("--set: \"setle\" is no threshold (did you mean settle?); try keptalive --help");
    assert_int_equal(parse("a", "--set", "=3", NULL), OPTIONS_WRONG);
    assert_wrong("--set: \"\" is no threshold; try keptalive --help");
    assert_int_equal(parse("a", "--set", "settle=", NULL), OPTIONS_WRONG);
    assert_wrong("--settle: \"\" is not a duration (try 50ms, 1.5 or 2m); try keptalive --help");
}

static bool takes(ka_finding_id id, ka_severity severity)
{
    return selection_takes(&parsed.selection, id, severity);
}

static void selections(void **state)
{
    (void)state;
    assert_int_equal(parse("a", NULL), OPTIONS_RUN);
    assert_true(selection_is_all(&parsed.selection));
    assert_int_equal(parse("a", "--only", "closed-early,kept-late", "--only", "mass-close", NULL),
                     OPTIONS_RUN);
    assert_true(takes(KA_CLOSED_EARLY, KA_CHAT) && takes(KA_KEPT_LATE, KA_CHAT) &&
                takes(KA_MASS_CLOSE, KA_CHAT));
    assert_false(takes(KA_IDLE_FOREVER, KA_ERROR));
    assert_int_equal(parse("a", "--ignore=closed-early", "--min-severity", "note", NULL), OPTIONS_RUN);
    assert_false(takes(KA_CLOSED_EARLY, KA_ERROR));
    assert_true(takes(KA_IDLE_FOREVER, KA_NOTE));
    assert_false(takes(KA_IDLE_FOREVER, KA_CHAT));
    for (int i = KA_CHAT; i <= KA_ERROR; i++) {
        assert_int_equal(parse("a", "--min-severity", ka_severity_name((ka_severity)i), NULL), OPTIONS_RUN);
        assert_int_equal(parsed.selection.least, i);
    }
    assert_int_equal(parse("a", "--only", "kept-late,closd-early", NULL), OPTIONS_WRONG);
    assert_wrong(
        "--only: \"closd-early\" is no finding (did you mean closed-early?); keptalive explain lists them");
    assert_int_equal(parse("a", "--ignore", "closed-early,", NULL), OPTIONS_WRONG);
    assert_wrong("--ignore: \"\" is no finding; keptalive explain lists them");
    assert_int_equal(parse("a", "--ignore", ",", NULL), OPTIONS_WRONG);
    assert_int_equal(parse("a", "--min-severity", "fatal", NULL), OPTIONS_WRONG);
    assert_wrong("--min-severity: \"fatal\" is none of chat, note, warn, error; try keptalive --help");
}

static void explanations(void **state)
{
    (void)state;
    assert_int_equal(parse("explain", NULL), OPTIONS_EXPLAIN);
    assert_int_equal(parsed.path_count, 0);
    assert_int_equal(parse("explain", "kept-late", "--color=always", "cap-gap", NULL), OPTIONS_EXPLAIN);
    assert_int_equal(parsed.path_count, 2);
    assert_string_equal(parsed.paths[0], "kept-late");
    assert_string_equal(parsed.paths[1], "cap-gap");
    assert_int_equal(parsed.color, OPTIONS_COLOR_ALWAYS);
    assert_int_equal(parse("explain", "--help", NULL), OPTIONS_HELP);
    assert_int_equal(parse("explain", "race", NULL), OPTIONS_WRONG);
    assert_wrong("explain: \"race\" is no finding (did you mean keepalive-race, race-exposure or "
                 "gateway-error-from-race?); keptalive explain "
                 "lists them");
    assert_int_equal(parse("explain", "xyz-nothing-near", NULL), OPTIONS_WRONG);
    assert_wrong("explain: \"xyz-nothing-near\" is no finding; keptalive explain lists them");
    assert_int_equal(parse("explain", "--format", "ndjson", NULL), OPTIONS_WRONG);
    assert_wrong("explain takes no options but --color; try keptalive --help");
    /* Files of that name */
    assert_int_equal(parse("--", "explain", NULL), OPTIONS_RUN);
    assert_string_equal(parsed.paths[0], "explain");
    assert_int_equal(parse("./explain", NULL), OPTIONS_RUN);
    assert_int_equal(parse("--connections", "explain", NULL), OPTIONS_RUN);
}

static void interfaces(void **state)
{
    (void)state;
    assert_int_equal(parse("a", NULL), OPTIONS_RUN);
    assert_int_equal(parsed.live.interface_count, 0);
    assert_int_equal(parse("-i", "eth0", "--interface=any", "--duration", "90s", "--user", "me", NULL),
                     OPTIONS_RUN);
    assert_int_equal(parsed.live.interface_count, 2);
    assert_string_equal(parsed.live.interfaces[0], "eth0");
    assert_string_equal(parsed.live.interfaces[1], "any");
    assert_true(parsed.live.duration_ns == 90 * KA_SECOND_NS);
    assert_string_equal(parsed.live.user, "me");
    assert_null(parsed.live.ring);
    assert_int_equal(parse("-ilo", "--ring", "r.pcapng", NULL), OPTIONS_RUN);
    assert_true(parsed.live.ring_file_bytes == 100 << 20);
    assert_int_equal(parsed.live.ring_files, 10);
    assert_int_equal(parse("-ilo", "--ring=r", "--ring-size", "2M", "--ring-files", "3", NULL), OPTIONS_RUN);
    assert_true(parsed.live.ring_file_bytes == 2 << 20);
    assert_int_equal(parsed.live.ring_files, 3);
    assert_int_equal(parse("a", "--no-sandbox", "--no-progress", NULL), OPTIONS_RUN);
    assert_true(parsed.no_sandbox && parsed.no_progress);
}

static void wrong_interfaces(void **state)
{
    (void)state;
    assert_int_equal(parse("-i", "lo", "a.pcap", NULL), OPTIONS_WRONG);
    assert_wrong("a.pcap: files and --interface do not go together; try keptalive --help");
    assert_int_equal(parse("a.pcap", "--duration", "3", NULL), OPTIONS_WRONG);
    assert_wrong("--duration, --user and --ring go with --interface only; try keptalive --help");
    assert_int_equal(parse("-ilo", "--duration", "0", NULL), OPTIONS_WRONG);
    assert_wrong("--duration: \"0\" is no time at all; try keptalive --help");
    assert_int_equal(parse("-ilo", "--ring=r", "--ring-size", "1000K", NULL), OPTIONS_WRONG);
    assert_wrong("--ring-size: \"1000K\" is too little; try keptalive --help");
    assert_int_equal(parse("-ilo", "--ring=r", "--ring-files", "1", NULL), OPTIONS_WRONG);
    assert_wrong("--ring-files: \"1\" is out of range (2 to 1000); try keptalive --help");
    assert_int_equal(parse("-ilo", "--ring-files", "3", NULL), OPTIONS_WRONG);
    assert_wrong("--ring-size and --ring-files say nothing without --ring; try keptalive --help");
    char *words[20] = {(char *)(uintptr_t) "keptalive"};
    for (int i = 1; i <= 17; i++)
        words[i] = (char *)(uintptr_t) "-ilo";
    options out;
    assert_int_equal(options_parse(17, words, &out, error), OPTIONS_RUN);
    words[17] = (char *)(uintptr_t) "-ilo";
    assert_int_equal(options_parse(18, words, &out, error), OPTIONS_WRONG);
    assert_string_equal(error, "--interface: more than 16 are too many; try keptalive --help");
}

static void wrong_usage(void **state)
{
    (void)state;
    assert_int_equal(parse(NULL, NULL), OPTIONS_WRONG);
    assert_wrong("no capture file given (\"-\" is standard input); try keptalive --help");
    assert_int_equal(parse("-", "a", "-", NULL), OPTIONS_WRONG);
    assert_wrong("-: standard input can be read only once; try keptalive --help");
    assert_int_equal(parse("--frobnicate", "a", NULL), OPTIONS_WRONG);
    assert_wrong("--frobnicate: no such option, or an ambiguous abbreviation; try keptalive --help");
    assert_int_equal(parse("-x", "a", NULL), OPTIONS_WRONG);
    assert_wrong("-x: no such option; try keptalive --help");
    assert_int_equal(parse("--connections=3", "a", NULL), OPTIONS_WRONG);
    assert_wrong("--connections=3: the option takes no value; try keptalive --help");
    assert_int_equal(parse("a", "--filter", NULL), OPTIONS_WRONG);
    assert_wrong("--filter: the option needs a value; try keptalive --help");
    assert_int_equal(parse("a", "--format", "xml", NULL), OPTIONS_WRONG);
    assert_wrong("--format: \"xml\" is none of text, ndjson; try keptalive --help");
    assert_int_equal(parse("a", "--fail-on", "fatal", NULL), OPTIONS_WRONG);
    assert_wrong("--fail-on: \"fatal\" is none of chat, note, warn, error; try keptalive --help");
    assert_int_equal(parse("a", "--color", "", NULL), OPTIONS_WRONG);
    assert_wrong("--color: \"\" is none of auto, always, never; try keptalive --help");
    assert_int_equal(parse("a", "--settle", "5 s", NULL), OPTIONS_WRONG);
    assert_wrong("--settle: \"5 s\" is not a duration (try 50ms, 1.5 or 2m); try keptalive --help");
    assert_int_equal(parse("a", "--late-percent", "101", NULL), OPTIONS_WRONG);
    assert_wrong("--late-percent: \"101\" is out of range; try keptalive --help");
    assert_int_equal(parse("--each", "-", NULL), OPTIONS_WRONG);
    assert_wrong("-: with --each, captures must be files; try keptalive --help");
    assert_int_equal(parse("--each", "--interface", "lo", NULL), OPTIONS_WRONG);
    assert_wrong("--each goes neither with what-if nor with --interface; try keptalive --help");
    assert_int_equal(parse("--jobs", "2", "a", NULL), OPTIONS_WRONG);
    assert_wrong("--jobs: only with --each; try keptalive --help");
    assert_int_equal(parse("--each", "--jobs", "1025", "a", NULL), OPTIONS_WRONG);
    assert_wrong("--jobs: \"1025\" is out of range; try keptalive --help");
    assert_int_equal(parse("--memory", "67108863", "a", NULL), OPTIONS_WRONG);
    assert_wrong("--memory: \"67108863\" is too little; try keptalive --help");
    assert_int_equal(parse("--memory", "1048577G", "a", NULL), OPTIONS_WRONG);
    assert_wrong("--memory: \"1048577G\" is out of range; try keptalive --help");
    for (const char *const *size = (const char *const[]){"", "M", "1T", "1GB", "-1G", "1.5G", NULL}; *size;
         size++) {
        assert_int_equal(parse("--memory", *size, "a", NULL), OPTIONS_WRONG);
        assert_non_null(strstr(error, "is not a size (try 512M or 2G)"));
    }
}

/* Whatever was typed, the message is one line that names the help. */
static void odd_bytes_in_messages(void **state)
{
    (void)state;
    char odd[400];
    memset(odd, '\n', sizeof odd - 1);
    odd[sizeof odd - 1] = '\0';
    assert_int_equal(parse("a", "--settle", odd, NULL), OPTIONS_WRONG);
    assert_null(strchr(error, '\n'));
    assert_non_null(strstr(error, "; try keptalive --help"));
    static const char *const options_with_names[] = {"--only", "--ignore", "--set"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(parse("a", options_with_names[i], odd, NULL), OPTIONS_WRONG);
        assert_null(strchr(error, '\n'));
    }
    memset(odd, 'a', 33); /* longer than any name */
    assert_int_equal(parse("explain", odd, NULL), OPTIONS_WRONG);
    assert_null(strchr(error, '\n'));
}

typedef struct number_case {
    const char *text;
    ka_unit unit;
    int64_t expected; /* KA_NONE: refused */
} number_case;

static void numbers(void **state)
{
    (void)state;
    static const number_case cases[] = {
        {"0.05", KA_NS, 50 * KA_MILLISECOND_NS},
        {"50ms", KA_NS, 50 * KA_MILLISECOND_NS},
        {"0", KA_NS, 0},
        {".5", KA_NS, KA_SECOND_NS / 2},
        {"2", KA_NS, 2 * KA_SECOND_NS},
        {"2s", KA_NS, 2 * KA_SECOND_NS},
        {"1.5m", KA_NS, 90 * KA_SECOND_NS},
        {"0.25ms", KA_NS, 250000},
        {"0.000000001", KA_NS, 1},
        {"0.0000000010", KA_NS, 1},
        {"366000m", KA_NS, 366000 * 60 * KA_SECOND_NS},
        {"31622400", KA_NS, NUMBER_DURATION_MAX_NS},
        {"000000000000000000000000000001", KA_NS, KA_SECOND_NS},
        {"31622400.000000001", KA_NS, KA_NONE},
        {"0.0000000001", KA_NS, KA_NONE},
        {"0.0000001ms", KA_NS, KA_NONE},
        {"18446744073709551617", KA_NS, KA_NONE},
        {"99999999999999999999999999999999999999m", KA_NS, KA_NONE},
        {"", KA_NS, KA_NONE},
        {".", KA_NS, KA_NONE},
        {"5.", KA_NS, KA_NONE},
        {".s", KA_NS, KA_NONE},
        {"s", KA_NS, KA_NONE},
        {"1,5", KA_NS, KA_NONE},
        {"-1", KA_NS, KA_NONE},
        {"+1", KA_NS, KA_NONE},
        {" 1", KA_NS, KA_NONE},
        {"1 ", KA_NS, KA_NONE},
        {"1e3", KA_NS, KA_NONE},
        {"0x10", KA_NS, KA_NONE},
        {"inf", KA_NS, KA_NONE},
        {"nan", KA_NS, KA_NONE},
        {"1h", KA_NS, KA_NONE},
        {"1msm", KA_NS, KA_NONE},
        {"5", KA_COUNT, 5},
        {"1000000000", KA_COUNT, NUMBER_COUNT_MAX},
        {"1000000001", KA_COUNT, KA_NONE},
        {"99999999999999999999999", KA_COUNT, KA_NONE},
        {"0", KA_COUNT, KA_NONE},
        {"5.0", KA_COUNT, KA_NONE},
        {"5ms", KA_COUNT, KA_NONE},
        {"", KA_COUNT, KA_NONE},
        {"0", KA_PERCENT, 0},
        {"100", KA_PERCENT, 100},
        {"101", KA_PERCENT, KA_NONE},
        {"5%", KA_PERCENT, KA_NONE},
        {"0", KA_BYTES, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = KA_NONE;
        const char *text = unit_at_page_end(cases[i].text, strlen(cases[i].text) + 1);
        const char *fault = number_parse(text, cases[i].unit, &value);
        if (value != cases[i].expected || (fault == NULL) != (cases[i].expected != KA_NONE))
            fail_msg("\"%s\" gave %lld (%s)", cases[i].text, (long long)value, fault ? fault : "taken");
    }
}

static void number_texts(void **state)
{
    (void)state;
    char text[NUMBER_TEXT_BYTES];
    number_text(50 * KA_MILLISECOND_NS, KA_NS, text);
    assert_string_equal(text, "0.05 s");
    number_text(600 * KA_SECOND_NS, KA_NS, text);
    assert_string_equal(text, "600 s");
    number_text(0, KA_NS, text);
    assert_string_equal(text, "0 s");
    number_text(INT64_MAX, KA_NS, text);
    assert_string_equal(text, "9223372036.854775807 s");
    number_text(5, KA_PERCENT, text);
    assert_string_equal(text, "5 %");
    number_text(30, KA_COUNT, text);
    assert_string_equal(text, "30");
}

/* Fits 80 columns, and names every threshold. */
static void help(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    usage_print(out);
    fclose(out);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        if (strcspn(line, "\n") > 80)
            fail_msg("too wide: %.*s", (int)strcspn(line, "\n"), line);
    }
    size_t count;
    const ka_threshold_row *rows = ka_threshold_rows(&count);
    for (size_t i = 0; i < count; i++) {
        char option[64];
        snprintf(option, sizeof option, "  --%s ", rows[i].option);
        assert_non_null(strstr(text, option));
    }
    assert_non_null(strstr(text, "       keptalive explain "));
    assert_non_null(strstr(text, "  --early-tolerance DURATION (default 0.05 s)\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_plain_option),
        cmocka_unit_test(each_and_memory),
        cmocka_unit_test(severities),
        cmocka_unit_test(every_threshold),
        cmocka_unit_test(thresholds_by_name),
        cmocka_unit_test(selections),
        cmocka_unit_test(explanations),
        cmocka_unit_test(interfaces),
        cmocka_unit_test(wrong_interfaces),
        cmocka_unit_test(wrong_usage),
        cmocka_unit_test(odd_bytes_in_messages),
        cmocka_unit_test(numbers),
        cmocka_unit_test(number_texts),
        cmocka_unit_test(help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
