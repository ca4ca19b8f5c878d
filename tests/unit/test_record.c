/* test_record.c - the output contract to the byte: JSON lines, sentences, addresses, seconds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "json.h"
#include "page.h"
#include "text.h"

#include <locale.h>
#include <stdio.h>

static bool locate_frame(void *user, uint64_t frame, const char **file, uint64_t *file_frame)
{
    (void)user;
    if (frame < 100)
        return false;
    *file = "b\xc3\xa4.pcap";
    *file_frame = frame - 99;
    return true;
}

static page out;

static const ka_address client = {{192, 0, 2, 1}, 50000, 4};
static const ka_address server = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 80, 6};

#define AT(seconds, number)                                                                                  \
    {                                                                                                        \
        (seconds) * KA_SECOND_NS, number                                                                     \
    }

/* ---- Numbers and addresses ------------------------------------------------------------------- */

typedef struct seconds_row {
    int64_t ns;
    unsigned decimals;
    const char *expected;
} seconds_row;

static const seconds_row seconds_rows[] = {
    {0, 0, "0"},
    {0, 3, "0.000"},
    {5 * KA_SECOND_NS, 0, "5"},
    {5004200000, 3, "5.004"},
    {5004500000, 3, "5.005"},
    {5004499999, 3, "5.004"},
    {-5004500000, 3, "-5.005"},
    {1999999999, 3, "2.000"},
    {1499999999, 0, "1"},
    {1500000000, 0, "2"},
    {-400000, 3, "0.000"},
    {-500000, 3, "-0.001"},
    {1, 9, "0.000000001"},
    {-1, 9, "-0.000000001"},
    {-1500000000, 9, "-1.500000000"},
    {1700000000123456789, 9, "1700000000.123456789"},
    {1, 99, "0.000000001"},
    {INT64_MAX, 9, "9223372036.854775807"},
    {INT64_MAX, 0, "9223372037"},
    {INT64_MIN + 1, 9, "-9223372036.854775807"},
    {INT64_MIN, 9, "-9223372036.854775808"},
};

static void prints_seconds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof seconds_rows / sizeof seconds_rows[0]; i++) {
        char text[64];
        size_t len = ka_seconds_text(seconds_rows[i].ns, seconds_rows[i].decimals, text, sizeof text);
        assert_string_equal(text, seconds_rows[i].expected);
        assert_int_equal(len, strlen(text));
    }
}

static void cuts_seconds_at_every_size(void **state)
{
    (void)state;
    static const char whole[] = "-9223372036.854775808";
    for (size_t size = 0; size <= sizeof whole; size++) {
        char text[sizeof whole + 1];
        memset(text, '#', sizeof text);
        size_t len = ka_seconds_text(INT64_MIN, 9, text, size);
        size_t expected = size == 0 ? 0 : size - 1;
        assert_int_equal(len, expected < sizeof whole ? expected : sizeof whole - 1);
        if (size > 0)
            assert_int_equal(text[len], '\0');
        assert_memory_equal(text, whole, len);
        assert_int_equal(text[size], '#');
    }
}

typedef struct ip_row {
    const char *expected;
    uint16_t groups[8];
} ip_row;

static const ip_row ip_rows[] = {
    {"::", {0}},
    {"::1", {0, 0, 0, 0, 0, 0, 0, 1}},
    {"1::", {1}},
    {"2001:db8::1", {0x2001, 0xdb8, 0, 0, 0, 0, 0, 1}},
    {"2001:db8:0:1:1:1:1:1", {0x2001, 0xdb8, 0, 1, 1, 1, 1, 1}}, /* one zero group is not shortened */
    {"2001:0:0:1::1", {0x2001, 0, 0, 1, 0, 0, 0, 1}},            /* the longest run */
    {"2001:db8::1:0:0:1", {0x2001, 0xdb8, 0, 0, 1, 0, 0, 1}},    /* the first of equal runs */
    {"::1:0:0:1:0:0", {0, 0, 1, 0, 0, 1, 0, 0}},
    {"1:2:3:4:5:6::", {1, 2, 3, 4, 5, 6, 0, 0}},
    {"0:2:3:4:5:6:7:0", {0, 2, 3, 4, 5, 6, 7, 0}},
    {"fe80::abcd:ef01", {0xfe80, 0, 0, 0, 0, 0, 0xabcd, 0xef01}},
    {"::ffff:192.0.2.1", {0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201}},
    {"::fffe:c000:201", {0, 0, 0, 0, 0, 0xfffe, 0xc000, 0x0201}},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     {0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff}},
};

static void prints_addresses(void **state)
{
    (void)state;
    char text[KA_IP_TEXT_BYTES];
    for (size_t i = 0; i < sizeof ip_rows / sizeof ip_rows[0]; i++) {
        ka_address address = {.version = 6};
        for (unsigned g = 0; g < 8; g++) {
            address.ip[2 * g] = (uint8_t)(ip_rows[i].groups[g] >> 8);
            address.ip[2 * g + 1] = (uint8_t)ip_rows[i].groups[g];
        }
        ka_ip_text(&address, text);
        assert_string_equal(text, ip_rows[i].expected);
    }
    ka_ip_text(&client, text);
    assert_string_equal(text, "192.0.2.1");
    ka_ip_text(&(ka_address){{255, 255, 255, 255}, 0, 4}, text);
    assert_string_equal(text, "255.255.255.255");
    ka_ip_text(&(ka_address){{0}, 0, 4}, text);
    assert_string_equal(text, "0.0.0.0");
}

/* ---- Sentences ------------------------------------------------------------------------------- */

static ka_finding closed_early(void)
{
    return (ka_finding){
        .id = KA_CLOSED_EARLY,
        .severity = KA_WARN,
        .fault = KA_FAULT_SERVER,
        .has_stream = true,
        .stream = 7,
        .client = client,
        .server = server,
        .at = {1700000002003400000, 42},
        .frames = {{"response_end", AT(1700000000, 40)},
                   {"advert", AT(1700000000, 39)},
                   {"fin", {1700000002003400000, 42}}},
        .frame_count = 3,
        .values = {{"idle", 2003400000, KA_NS},
                   {"timeout", 5 * KA_SECOND_NS, KA_NS},
                   {"short_by", 2996600000, KA_NS},
                   {"count", 1, KA_COUNT}},
        .value_count = 4,
    };
}

static void assert_message(const ka_finding *finding, const char *expected)
{
    char text[2048];
    size_t len = ka_sentence(finding, text, sizeof text);
    assert_string_equal(text, expected);
    assert_int_equal(len, strlen(text));
}

static void fills_in_the_numbers(void **state)
{
    (void)state;
    ka_finding finding = closed_early();
    char text[2048];
    ka_sentence(&finding, text, sizeof text);
    assert_non_null(strstr(text, "2.003 s"));
    assert_non_null(strstr(text, "2.997 s"));
    assert_non_null(strstr(text, "5 s"));
    assert_null(strchr(text, '{'));
    assert_null(strchr(text, '?'));
}

typedef struct unit_row {
    int64_t number;
    ka_unit unit;
    const char *expected;
} unit_row;

static const unit_row unit_rows[] = {
    {5 * KA_SECOND_NS, KA_NS, "5 s"},
    {0, KA_NS, "0 s"},
    {5004200000, KA_NS, "5.004 s"},
    {5000400000, KA_NS, "5.000 s"},
    {412000000, KA_NS, "0.412 s"},
    {1000000, KA_NS, "0.001 s"},
    {999999, KA_NS, "999 us"},
    {412000, KA_NS, "412 us"},
    {1000, KA_NS, "1 us"},
    {999, KA_NS, "999 ns"},
    {-412000, KA_NS, "-412 us"},
    {-5004200000, KA_NS, "-5.004 s"},
    {KA_NONE, KA_NS, "?"},
    {INT64_MAX, KA_NS, "9223372036.855 s"},
    {1460, KA_BYTES, "1460 bytes"},
    {1, KA_BYTES, "1 byte"},
    {30, KA_PERCENT, "30 %"},
    {100, KA_COUNT, "100"},
    {-1, KA_COUNT, "-1"},
    {KA_NONE, KA_COUNT, "?"},
};

/* Through CAP_GAP, whose sentence has one value of any unit. */
static void shows_every_unit(void **state)
{
    (void)state;
    const char *sentence = ka_catalogue(KA_CAP_GAP)->sentence;
    const char *at = strstr(sentence, "{missed}");
    assert_non_null(at);
    for (size_t i = 0; i < sizeof unit_rows / sizeof unit_rows[0]; i++) {
        ka_finding finding = {.id = KA_CAP_GAP, .value_count = 1};
        finding.values[0] = (ka_value){"missed", unit_rows[i].number, unit_rows[i].unit};
        char expected[512];
        snprintf(expected, sizeof expected, "%.*s%s%s", (int)(at - sentence), sentence, unit_rows[i].expected,
                 at + strlen("{missed}"));
        assert_message(&finding, expected);
    }
}

static void unknown_values_stay_questions(void **state)
{
    (void)state;
    ka_finding finding = {.id = KA_CAP_GAP, .value_count = 1};
    finding.values[0] = (ka_value){"miss", 3, KA_BYTES};
    char text[512];
    ka_sentence(&finding, text, sizeof text);
    assert_non_null(strstr(text, "missed ? "));
}

static void escapes_packet_text(void **state)
{
    (void)state;
    ka_finding finding = {.id = KA_BAD_PARAM, .detail_bytes = 9};
    memcpy(finding.detail, "a\"\\\0\n\x7f\xff{}", 9);
    char text[512];
    ka_sentence(&finding, text, sizeof text);
    assert_non_null(strstr(text, "\"a\\\"\\\\\\x00\\x0a\\x7f\\xff{}\""));
    finding.detail_bytes = 255; /* more than there is room for: taken as full */
    ka_sentence(&finding, text, sizeof text);
    finding.detail_bytes = 0;
    ka_sentence(&finding, text, sizeof text);
    assert_non_null(strstr(text, "\"\""));
}

static void says_why_it_is_uncertain(void **state)
{
    (void)state;
    ka_finding finding = closed_early();
    char plain[2048], expected[4096];
    ka_sentence(&finding, plain, sizeof plain);
    finding.failed_gates = KA_GATE_MID_START;
    snprintf(expected, sizeof expected, "%s (uncertain: the capture starts in the middle of the connection)",
             plain);
    assert_message(&finding, expected);
    finding.failed_gates = KA_GATE_GAP | KA_GATE_LOST_STATE;
    snprintf(expected, sizeof expected,
             "%s (uncertain: the capture missed bytes; the connection was dropped to stay within the memory "
             "limit)",
             plain);
    assert_message(&finding, expected);
}

/* The widest sentence there can be, cut at every size. */
static void cuts_sentences_at_every_size(void **state)
{
    (void)state;
    char whole[2048];
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        ka_finding finding = {.id = (ka_finding_id)id, .failed_gates = (1U << KA_GATE_COUNT) - 1};
        memset(finding.detail, 0xff, sizeof finding.detail);
        finding.detail_bytes = sizeof finding.detail;
        size_t len = ka_sentence(&finding, whole, sizeof whole);
        assert_in_range(len, 1, sizeof whole - 500); /* room for the numbers in ka_write_finding */
        for (size_t size = 0; size <= len + 1; size += id == KA_BAD_PARAM || size < 8 ? 1 : 61) {
            char text[sizeof whole + 1];
            memset(text, '#', sizeof text);
            size_t got = ka_sentence(&finding, text, size);
            assert_int_equal(got, size == 0 ? 0 : size - 1 < len ? size - 1 : len);
            assert_memory_equal(text, whole, got);
            if (size > 0)
                assert_int_equal(text[got], '\0');
            assert_int_equal(text[size], '#');
        }
    }
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static void writes_a_connection(void **state)
{
    (void)state;
    ka_record record = {
        .stream = 7,
        .protocol = "http/1.1",
        .client = client,
        .server = server,
        .first = {1700000000000000001, 3},
        .last = {1700000005004200000, 42},
        .requests = 2,
        .responses = 1,
        .timeout_s = 5,
        .max = 100,
        .max_style = KA_MAX_COUNT_DOWN,
        .idle_count = 2,
        .idle_longest_ns = 5004200000,
        .idle_total_ns = 6 * KA_SECOND_NS,
        .close = {KA_SIDE_SERVER, KA_HOW_FIN, {1700000005004200000, 42}, 5004200000, KA_VERDICT_PUNCTUAL},
        .failed_gates = KA_GATE_MID_START | KA_GATE_NO_RTT,
    };
    record.finding_mask[KA_KEEPALIVE_RACE / 64] |= UINT64_C(1) << KA_KEEPALIVE_RACE % 64;
    record.finding_mask[KA_CAP_OFFLOAD / 64] |= UINT64_C(1) << KA_CAP_OFFLOAD % 64;
    ka_writer writer = page_writer(&out);
    assert_true(ka_write_connection(&writer, &record));
    assert_string_equal(
        out.text,
        "{\"type\":\"connection\",\"stream\":7,\"protocol\":\"http/1.1\","
        "\"client\":{\"ip\":\"192.0.2.1\",\"port\":50000},\"server\":{\"ip\":\"2001:db8::1\",\"port\":80},"
        "\"start\":1700000000.000000001,\"end\":1700000005.004200000,\"first_frame\":3,\"last_frame\":42,"
        "\"requests\":2,\"responses\":1,"
        "\"advertised\":{\"timeout\":5,\"max\":100,\"max_style\":\"count-down\"},"
        "\"idle\":{\"count\":2,\"longest\":5.0042,\"total\":6},"
        "\"close\":{\"by\":\"server\",\"how\":\"fin\",\"frame\":42,\"time\":1700000005.004200000,"
        "\"idle\":5.0042,\"verdict\":\"punctual\"},"
        "\"confidence\":[\"cap-mid-start\",\"no-rtt\"],\"findings\":[\"keepalive-race\",\"cap-offload\"]}\n");
    assert_int_equal(out.writes, 1);
}

static void writes_an_open_connection(void **state)
{
    (void)state;
    ka_record record = {
        .protocol = "none",
        .client = client,
        .server = server,
        .first = {-1500000000, 1},
        .last = {-1, 2},
        .timeout_s = KA_NONE,
        .max = KA_NONE,
        .idle_longest_ns = 1000,
        .idle_total_ns = KA_NONE,
        .close = {.idle_ns = KA_NONE},
    };
    ka_writer writer = page_writer(&out);
    assert_true(ka_write_connection(&writer, &record));
    assert_string_equal(
        out.text,
        "{\"type\":\"connection\",\"stream\":0,\"protocol\":\"none\","
        "\"client\":{\"ip\":\"192.0.2.1\",\"port\":50000},\"server\":{\"ip\":\"2001:db8::1\",\"port\":80},"
        "\"start\":-1.500000000,\"end\":-0.000000001,\"first_frame\":1,\"last_frame\":2,"
        "\"requests\":0,\"responses\":0,\"advertised\":{\"timeout\":null,\"max\":null,\"max_style\":null},"
        "\"idle\":{\"count\":0,\"longest\":0.000001,\"total\":null},"
        "\"close\":{\"by\":\"none\",\"how\":\"none\",\"frame\":null,\"time\":null,\"idle\":null,"
        "\"verdict\":\"open\"},\"confidence\":[],\"findings\":[]}\n");
}

static void writes_an_exchange(void **state)
{
    (void)state;
    ka_exchange_record exchange = {
        .stream = 3,
        .number = 2,
        .request = AT(10, 20),
        .request_end = AT(10, 21),
        .response = AT(11, 22),
        .response_end = AT(12, 23),
        .method = "GET",
        .status = 200,
        .idle_before_ns = 1961000000,
        .timeout_s = 5,
        .max = 99,
    };
    ka_writer writer = page_writer(&out);
    assert_true(ka_write_exchange(&writer, &exchange));
    assert_string_equal(out.text,
                        "{\"type\":\"exchange\",\"stream\":3,\"number\":2,\"request_frame\":20,"
                        "\"response_frame\":22,\"method\":\"GET\",\"status\":200,"
                        "\"request_time\":10.000000000,\"response_time\":11.000000000,"
                        "\"response_end_frame\":23,\"idle_before\":1.961,\"timeout\":5,\"max\":99}\n");
}

static void writes_an_unanswered_hostile_request(void **state)
{
    (void)state;
    ka_exchange_record exchange = {
        .number = 1,
        .request = AT(10, 20),
        .idle_before_ns = KA_NONE,
        .timeout_s = KA_NONE,
        .max = KA_NONE,
    };
    memcpy(exchange.method, "G\"\\\n\x01\x7f\x80\xff}],:ABCD", 16); /* not even a NUL */
    ka_writer writer = page_writer(&out);
    assert_true(ka_write_exchange(&writer, &exchange));
    assert_string_equal(out.text,
                        "{\"type\":\"exchange\",\"stream\":0,\"number\":1,\"request_frame\":20,"
                        "\"response_frame\":null,"
                        "\"method\":\"G\\\"\\\\\\u000a\\u0001\\u007f\\u0080\\u00ff}],:ABCD\",\"status\":null,"
                        "\"request_time\":10.000000000,\"response_time\":null,"
                        "\"response_end_frame\":null,\"idle_before\":null,\"timeout\":null,\"max\":null}\n");
}

static void writes_a_finding(void **state)
{
    (void)state;
    ka_finding finding = closed_early();
    char message[2048], expected[8192];
    ka_sentence(&finding, message, sizeof message);
    ka_writer writer = page_writer(&out);
    assert_true(ka_write_finding(&writer, &finding));
    snprintf(expected, sizeof expected,
             "{\"type\":\"finding\",\"id\":\"closed-early\",\"severity\":\"warn\",\"fault\":\"server\","
             "\"stream\":7,\"frame\":42,\"time\":1700000002.003400000,"
             "\"frames\":{\"response_end\":40,\"advert\":39,\"fin\":42},"
             "\"values\":{\"idle\":2.0034,\"timeout\":5,\"short_by\":2.9966,\"count\":1},"
             "\"message\":\"%s\",\"remedy\":\"%s\",\"cause\":[]}\n",
             message, ka_catalogue(KA_CLOSED_EARLY)->remedy);
    assert_string_equal(out.text, expected);
}

static void writes_an_uncertain_finding_of_a_server(void **state)
{
    (void)state;
    ka_finding finding = {
        .id = KA_MASS_CLOSE,
        .severity = KA_NOTE,
        .fault = KA_FAULT_SERVER,
        .failed_gates = KA_GATE_CLOCK | KA_GATE_DUPLICATE,
        .server = server,
        .at = AT(20, 120),
        .frames = {{"fin", AT(1, 120)}, {"fin", AT(1, 121)}, {"rst", AT(1, 0)}, {"fin", AT(1, 123)}},
        .frame_count = 4,
        .values = {{"idle_min", KA_NONE, KA_NS}, {"count", KA_NONE, KA_COUNT}, {"share", 30, KA_PERCENT}},
        .value_count = 3,
        .causes = {KA_CLOSED_EARLY, KA_CAP_GAP},
        .cause_count = 2,
    };
    char message[2048], expected[8192];
    ka_sentence(&finding, message, sizeof message);
    ka_writer writer = page_writer(&out);
    writer.locate = locate_frame;
    assert_true(ka_write_finding(&writer, &finding));
    snprintf(expected, sizeof expected,
             "{\"type\":\"finding\",\"id\":\"mass-close\",\"severity\":\"note\",\"fault\":\"server\","
             "\"server\":{\"ip\":\"2001:db8::1\",\"port\":80},\"frame\":120,"
             "\"file\":\"b\\u00c3\\u00a4.pcap\",\"file_frame\":21,\"time\":20.000000000,"
             "\"frames\":{\"fin\":120,\"fin_2\":121,\"fin_3\":123},"
             "\"values\":{\"idle_min\":null,\"count\":null,\"share\":30},"
             "\"message\":\"%s\",\"remedy\":\"%s\",\"cause\":[\"closed-early\",\"cap-gap\"],"
             "\"why_uncertain\":[\"cap-clock\",\"cap-duplicate\"]}\n",
             message, ka_catalogue(KA_MASS_CLOSE)->remedy);
    assert_string_equal(out.text, expected);
    assert_non_null(strstr(message, " (uncertain: time ran backward in the capture; packets were captured "
                                    "twice)"));
}

static void locates_only_what_is_known(void **state)
{
    (void)state;
    ka_finding finding = closed_early();
    ka_writer writer = page_writer(&out);
    writer.locate = locate_frame; /* answers false for frame 42 */
    assert_true(ka_write_finding(&writer, &finding));
    assert_null(strstr(out.text, "file"));
    finding.at = (ka_moment){5, 0};
    writer = page_writer(&out);
    assert_true(ka_write_finding(&writer, &finding));
    assert_non_null(strstr(out.text, ",\"frame\":null,\"time\":null,"));
}

static void does_not_trust_counts(void **state)
{
    (void)state;
    ka_finding finding = closed_early();
    for (unsigned i = 0; i < KA_EVIDENCE_MAX; i++)
        finding.frames[i] = (ka_evidence){"fin", AT(1, i + 1)};
    for (unsigned i = 0; i < KA_VALUES_MAX; i++)
        finding.values[i] = (ka_value){"x", i, KA_COUNT};
    finding.frame_count = finding.value_count = finding.cause_count = 255;
    ka_writer writer = page_writer(&out);
    assert_true(ka_write_finding(&writer, &finding));
    assert_non_null(strstr(out.text, "\"fin_8\":8}"));
}

static void every_writer_reports_failure(void **state)
{
    (void)state;
    ka_finding finding = closed_early();
    ka_record record = {.protocol = "none"};
    ka_exchange_record exchange = {.number = 1};
    ka_writer writer = page_writer(&out);
    out.writes_allowed = 0;
    assert_false(ka_write_finding(&writer, &finding));
    assert_false(ka_write_connection(&writer, &record));
    assert_false(ka_write_exchange(&writer, &exchange));
}

/* A decimal comma must not reach a JSON number. Skipped silently where no such locale is installed. */
static void does_not_know_locales(void **state)
{
    (void)state;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL)
        skip();
    writes_a_connection(state);
    prints_seconds(state);
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_seconds),
        cmocka_unit_test(cuts_seconds_at_every_size),
        cmocka_unit_test(prints_addresses),
        cmocka_unit_test(fills_in_the_numbers),
        cmocka_unit_test(shows_every_unit),
        cmocka_unit_test(unknown_values_stay_questions),
        cmocka_unit_test(escapes_packet_text),
        cmocka_unit_test(says_why_it_is_uncertain),
        cmocka_unit_test(cuts_sentences_at_every_size),
        cmocka_unit_test(writes_a_connection),
        cmocka_unit_test(writes_an_open_connection),
        cmocka_unit_test(writes_an_exchange),
        cmocka_unit_test(writes_an_unanswered_hostile_request),
        cmocka_unit_test(writes_a_finding),
        cmocka_unit_test(writes_an_uncertain_finding_of_a_server),
        cmocka_unit_test(locates_only_what_is_known),
        cmocka_unit_test(does_not_trust_counts),
        cmocka_unit_test(every_writer_reports_failure),
        cmocka_unit_test(does_not_know_locales),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
