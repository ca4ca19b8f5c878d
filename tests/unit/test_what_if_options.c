/* test_what_if_options.c - `keptalive what-if`: values, ranges and their steps, prices, a server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "options.h"
#include "what_if_options.h"

#include <stdio.h>

static options parsed;
static char error[OPTIONS_ERROR_BYTES];

static options_status parse(const char *first, ...)
{
    static char *arguments[16];
    int count = 0;
    va_list words;
    arguments[count++] = (char *)(uintptr_t) "keptalive";
    arguments[count++] = (char *)(uintptr_t) "what-if";
    va_start(words, first);
    for (const char *word = first; word; word = va_arg(words, const char *))
        arguments[count++] = (char *)(uintptr_t)word;
    va_end(words);
    arguments[count] = NULL;
    error[0] = '\0';
    return options_parse(count, arguments, &parsed, error);
}

static void a_value_and_captures(void **state)
{
    (void)state;
    assert_int_equal(parse("--client-idle", "4s", "-r", "a.pcap", "--format", "ndjson", "b.pcap", NULL),
                     OPTIONS_RUN);
    assert_true(parsed.asks_what_if);
    assert_int_equal(parsed.path_count, 2);
    assert_int_equal(parsed.format, OPTIONS_NDJSON);
    assert_true(parsed.what_if.given[WHAT_IF_CLIENT_IDLE]);
    assert_false(parsed.what_if.given[WHAT_IF_SERVER_IDLE]);
    assert_int_equal(parsed.what_if.from[WHAT_IF_CLIENT_IDLE], 4 * KA_SECOND_NS);
    assert_int_equal(parsed.what_if.to[WHAT_IF_CLIENT_IDLE], 4 * KA_SECOND_NS);
    assert_int_equal(what_if_range(&parsed.what_if), WHAT_IF_KNOBS);
    assert_false(parsed.what_if.has_server);
    what_if_setting settings[WHAT_IF_STEPS_MAX];
    assert_int_equal(what_if_settings(&parsed.what_if, settings), 1);
    assert_int_equal(settings[0].value[WHAT_IF_CLIENT_IDLE], 4 * KA_SECOND_NS);
    assert_int_equal(settings[0].value[WHAT_IF_MAX_REQUESTS], KA_NONE);
}

static void several_together(void **state)
{
    (void)state;
    assert_int_equal(parse("--client-idle=1s..120s", "--server-idle=60", "--max-requests=100", "--steps=5",
                           "--price=1:2.5:0", "--server=[2001:db8::1]:8080", "a", NULL),
                     OPTIONS_RUN);
    assert_int_equal(what_if_range(&parsed.what_if), WHAT_IF_CLIENT_IDLE);
    assert_true(parsed.what_if.price.lost == 1 && parsed.what_if.price.connection == 2.5 &&
                parsed.what_if.price.open_second == 0);
    assert_int_equal(parsed.what_if.server.version, 6);
    assert_int_equal(parsed.what_if.server.port, 8080);
    assert_int_equal(parsed.what_if.server.ip[15], 1);
    what_if_setting settings[WHAT_IF_STEPS_MAX];
    assert_int_equal(what_if_settings(&parsed.what_if, settings), 5);
    const int64_t ms[] = {1000, 3310, 11000, 36300, 120000};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(settings[i].value[WHAT_IF_CLIENT_IDLE], ms[i] * KA_MILLISECOND_NS);
        assert_int_equal(settings[i].value[WHAT_IF_SERVER_IDLE], 60 * KA_SECOND_NS);
        assert_int_equal(settings[i].value[WHAT_IF_MAX_REQUESTS], 100);
    }
}

static void steps_rise_and_keep_to_the_ends(void **state)
{
    (void)state;
    what_if_setting settings[WHAT_IF_STEPS_MAX];
    assert_int_equal(parse("--max-requests=1..4", "--steps=64", "a", NULL), OPTIONS_RUN);
    assert_int_equal(what_if_settings(&parsed.what_if, settings), 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(settings[i].value[WHAT_IF_MAX_REQUESTS], i + 1);
    assert_int_equal(parse("--client-idle=1.2345..1.2346", "--steps=9", "a", NULL), OPTIONS_RUN);
    size_t count = what_if_settings(&parsed.what_if, settings);
    assert_int_equal(count, 2);
    assert_int_equal(settings[0].value[WHAT_IF_CLIENT_IDLE], 1234500 * (KA_SECOND_NS / 1000000));
    assert_int_equal(settings[1].value[WHAT_IF_CLIENT_IDLE], 1234600 * (KA_SECOND_NS / 1000000));
    assert_int_equal(parse("--server-idle=1ms..366m", "--steps=64", "a", NULL), OPTIONS_RUN);
    count = what_if_settings(&parsed.what_if, settings);
    assert_int_equal(count, 64);
    for (size_t i = 1; i < count; i++)
        assert_true(settings[i].value[WHAT_IF_SERVER_IDLE] > settings[i - 1].value[WHAT_IF_SERVER_IDLE]);
}

static void assert_wrong(const char *option, const char *value, const char *fault)
{
    char expected[OPTIONS_ERROR_BYTES];
    assert_int_equal(parse(option, value, "a.pcap", NULL), OPTIONS_WRONG);
    snprintf(expected, sizeof expected, "%s: \"%s\" %s; try keptalive --help", option, value, fault);
    assert_string_equal(error, expected);
}

static void wrong_values(void **state)
{
    (void)state;
    assert_wrong("--client-idle", "soon", "is not a duration (try 50ms, 1.5 or 2m)");
    assert_wrong("--client-idle", "0", "must be more than 0");
    assert_wrong("--client-idle", "1..0", "must be more than 0");
    assert_wrong("--client-idle", "5s..", "is not a duration (try 50ms, 1.5 or 2m)");
    assert_wrong("--client-idle", "..5s", "is not a duration (try 50ms, 1.5 or 2m)");
    assert_wrong("--server-idle", "2s..1s", "is a range whose end is below its beginning");
    assert_wrong("--max-requests", "1.5", "is not a whole number");
    assert_wrong("--steps", "1", "is not 2 to 64");
    assert_wrong("--steps", "65", "is not 2 to 64");
    const char *prices[] = {"1",       "1:2",     "1:2:3:4",   "1::3",           "-1:1:1",
                            "1:1:1e9", "1:1:nan", "1:1:1.1.1", "9999999999:1:1", ":"};
    for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++)
        assert_wrong("--price", prices[i], "is not LOST:CONNECTION:SECOND, three numbers up to 1000000000");
    const char *servers[] = {"192.0.2.1",
                             "192.0.2.1:0",
                             "192.0.2.1:65536",
                             "192.0.2:80",
                             "2001:db8::1:80",
                             "[192.0.2.1]:80",
                             "[2001:db8::1]",
                             "name:80",
                             ":80",
                             "[]:80",
                             ""};
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++)
        assert_wrong("--server", servers[i], "is not ADDRESS:PORT, as 192.0.2.1:80 or [2001:db8::1]:80");
}

static void what_is_missing_or_does_not_belong(void **state)
{
    (void)state;
    assert_int_equal(parse("a.pcap", NULL), OPTIONS_WRONG);
    assert_string_equal(error,
                        "what-if needs --client-idle, --server-idle or --max-requests; try keptalive --help");
    assert_int_equal(parse("--client-idle=1..2", "--server-idle=1..2", "a.pcap", NULL), OPTIONS_WRONG);
    assert_string_equal(error, "what-if takes a range for one option at a time; try keptalive --help");
    assert_int_equal(parse("--client-idle=1", NULL), OPTIONS_WRONG);
    assert_string_equal(error, "no capture file given (\"-\" is standard input); try keptalive --help");
    assert_int_equal(parse("--client-idle=1", "--only", "closed-early", "a.pcap", NULL), OPTIONS_WRONG);
    assert_string_equal(
        error, "what-if reads files, and tells no findings, connections or exchanges; try keptalive --help");
    assert_int_equal(parse("--help", NULL), OPTIONS_HELP);
}

static void only_behind_the_word(void **state)
{
    (void)state;
    char *arguments[] = {(char *)(uintptr_t) "keptalive", (char *)(uintptr_t) "--client-idle",
                         (char *)(uintptr_t) "4s", (char *)(uintptr_t) "a.pcap", NULL};
    assert_int_equal(options_parse(4, arguments, &parsed, error), OPTIONS_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_and_captures),
        cmocka_unit_test(several_together),
        cmocka_unit_test(steps_rise_and_keep_to_the_ends),
        cmocka_unit_test(wrong_values),
        cmocka_unit_test(what_is_missing_or_does_not_belong),
        cmocka_unit_test(only_behind_the_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
