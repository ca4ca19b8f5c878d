/* test_report_text.c - the report for people: its exact text and its order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "report/wrap.h"
#include "report_document.h"

#include <errno.h>

static ka_address ipv4(uint8_t last, uint16_t port)
{
    return (ka_address){.ip = {192, 0, 2, last}, .port = port, .version = 4};
}

/* A connection kept alive for three requests and closed by the server as promised. */
static ka_record kept_connection(void)
{
    return (ka_record){
        .stream = 12,
        .protocol = "http/1.1",
        .client = ipv4(10, 51234),
        .server = ipv4(1, 80),
        .requests = 3,
        .responses = 3,
        .timeout_s = 5,
        .max = 100,
        .idle_count = 3,
        .idle_longest_ns = 5003 * KA_MILLISECOND_NS,
        .close = {KA_SIDE_SERVER, KA_HOW_FIN, {0, 40}, 5003 * KA_MILLISECOND_NS, KA_VERDICT_PUNCTUAL},
    };
}

/* Its sentence has counts only. */
static ka_finding max_exceeded(uint32_t stream)
{
    return (ka_finding){
        .id = KA_MAX_EXCEEDED,
        .severity = KA_WARN,
        .fault = KA_FAULT_CLIENT,
        .has_stream = true,
        .stream = stream,
        .client = ipv4(10, 51234),
        .server = ipv4(1, 80),
        .at = {0, 18},
        .frames = {{"advert", {0, 4}}, {"request", {0, 18}}, {"fin", {0, 0}}},
        .frame_count = 3,
        .values = {{"request_number", 4, KA_COUNT}, {"allowed", 3, KA_COUNT}, {"max", 3, KA_COUNT}},
        .value_count = 3,
    };
}

/* With everything an instance can show. */
static ka_finding bad_parameter(uint32_t stream)
{
    ka_finding finding = max_exceeded(stream);
    finding.id = KA_BAD_PARAM;
    finding.fault = KA_FAULT_SERVER;
    finding.severity = KA_NOTE;
    finding.failed_gates = KA_GATE_MID_START | KA_GATE_SNAPLEN;
    finding.causes[0] = KA_CLOSED_EARLY;
    finding.causes[1] = KA_CAP_GAP;
    finding.cause_count = 2;
    finding.frames[0] = (ka_evidence){"response_end", {0, 12}};
    finding.frames[1] = (ka_evidence){"fin", {0, 19}};
    finding.frame_count = 2;
    finding.values[0] = (ka_value){"count", 2, KA_COUNT};
    finding.value_count = 1;
    memcpy(finding.detail, "=\x1b[2J", 5);
    finding.detail_bytes = 5;
    return finding;
}

static void no_trouble(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    page.end.packets = 1234;
    page.end.bytes = 5678901;
    page.end.first_ns = INT64_C(1714564800123456789);
    page.end.last_ns = INT64_C(1714564860000000000);
    document_open(&page);
    put_record(&page, kept_connection());
    document_finish(&page);
    assert_string_equal(page.text,
                        "Keptalive " KEPTALIVE_VERSION ": were HTTP connections kept alive as promised?\n"
                        "\n"
                        "  File         api.pcap\n"
                        "  Packets      1,234 (5,678,901 bytes)\n"
                        "  Time         2024-05-01 12:00:00.123 to 12:01:00.000 UTC (59.88 s)\n"
                        "  Connections  1: 1 http/1.1\n"
                        "  Requests     3, 3 answered\n"
                        "\n"
                        "No trouble found: every connection was kept and closed as promised.\n");
    document_fini(&page);
}

static const char *verdict_of(document *page)
{
    document_finish(page);
    const char *blank = strstr(page->text, "answered\n");
    blank = strstr(blank, "\n\n");
    return blank + 2;
}

static void verdict_lines(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    document_open(&page);
    assert_string_equal(verdict_of(&page),
                        "Nothing to judge: there is no TCP connection in what was read.\n");
    document_fini(&page);

    document_init(&page);
    document_open(&page);
    ka_record encrypted = kept_connection();
    encrypted.protocol = "tls";
    put_record(&page, encrypted);
    assert_string_equal(verdict_of(&page),
                        "Nothing to judge: no connection carries HTTP that can be read.\n");
    document_fini(&page);

    document_init(&page);
    incomplete_add(&page.incomplete,
                   (incomplete_row){"input", "b.pcap: cut short after frame 7", 1, true, true});
    incomplete_add(&page.incomplete, (incomplete_row){"packet-cut", "packets too short", 1000, true, false});
    document_open(&page);
    put_record(&page, kept_connection());
    assert_string_equal(verdict_of(&page), "No trouble found in what could be read.\n");
    assert_non_null(strstr(page.text, "  Not read     b.pcap: cut short after frame 7\n"
                                      "               packets too short: 1,000\n"));
    document_fini(&page);
}

/* Findings about a server as a whole have no connection to count; chat is no trouble. */
static void server_wide_verdict(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    document_open(&page);
    put_record(&page, kept_connection());
    ka_finding restart = {
        .id = KA_MASS_CLOSE, .severity = KA_WARN, .fault = KA_FAULT_SERVER, .server = ipv4(1, 80)};
    put_finding(&page, restart);
    ka_finding late = max_exceeded(12);
    late.id = KA_KEPT_LATE;
    late.severity = KA_CHAT;
    put_finding(&page, late);
    const char *verdict = verdict_of(&page);
    assert_int_equal(strncmp(verdict, "1 warning on a server as a whole.\n", 34), 0);
    assert_non_null(strstr(page.text, "  Found     mass-close, 1 event\n\n  Server 192.0.2.1:80\n"));
    assert_non_null(strstr(page.text, "\nCHAT     "));
    document_fini(&page);
}

/* The catalogue's words at their places: what they say is not this test's business. */
static void expect_heading(FILE *out, const char *label, ka_finding_id id, const char *fault,
                           const char *found)
{
    fprintf(out, "\n%s", label);
    wrap(out, 9, 9, ka_catalogue(id)->title);
    fprintf(out, "\n  At fault  %s\n  Found     %s, %s\n", fault, ka_catalogue(id)->id, found);
}

static void expect_sentence(FILE *out, ka_finding finding)
{
    char sentence[512];
    finding.failed_gates = 0;
    ka_sentence(&finding, sentence, sizeof sentence);
    fputs("\n  Stream 12: client 192.0.2.10:51234, server 192.0.2.1:80\n    ", out);
    wrap(out, 4, 4, sentence);
}

static void expect_remedy(FILE *out, ka_finding_id id)
{
    fputs("\n  Remedy    ", out);
    wrap(out, 12, 12, ka_catalogue(id)->remedy);
    fputs("  See       ", out);
    wrap(out, 12, 12, ka_catalogue(id)->reference);
}

static char *expected_findings(void)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    fputs("1 warning, 1 note on 1 of 2 connections.\n\n"
          "Frame numbers are Wireshark's: Ctrl-G jumps to one; tcp.stream == N filters.\n"
          "keptalive explain NAME: how a finding is made, what rules it out, what to set.\n",
          out);
    expect_heading(out, "WARNING  ", KA_MAX_EXCEEDED, "the client", "1 connection");
    expect_sentence(out, max_exceeded(12));
    fputs("    Frames: advert 4, request 18\n", out);
    expect_remedy(out, KA_MAX_EXCEEDED);
    expect_heading(out, "NOTE     ", KA_BAD_PARAM, "the server", "2 times on 1 connection");
    expect_sentence(out, bad_parameter(12));
    fputs("    This is the first of 2 times on this connection.\n"
          "    Frames: response end 12, FIN 19\n"
          "    Caused by: closed-early, cap-gap\n"
          "    Not sure: the capture starts in the middle of the connection; packets were\n"
          "              cut by the snapshot length\n",
          out);
    expect_remedy(out, KA_BAD_PARAM);
    fclose(out);
    return text;
}

static void findings(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    document_open(&page);
    put_record(&page, kept_connection());
    ka_record troubled = kept_connection();
    troubled.finding_mask[0] = UINT64_C(1) << KA_MAX_EXCEEDED | UINT64_C(1) << KA_BAD_PARAM;
    put_record(&page, troubled);
    put_finding(&page, bad_parameter(12));
    put_finding(&page, max_exceeded(12));
    char *expected = expected_findings();
    assert_string_equal(verdict_of(&page), expected);
    free(expected);
    document_fini(&page);
}

/* Five of many are shown, the surest first; diagnoses come by severity, count, id. */
static void many_findings(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    document_open(&page);
    for (uint32_t stream = 0; stream < 42; stream++) {
        ka_finding finding = max_exceeded(stream);
        finding.severity = stream == 40 ? KA_WARN : KA_NOTE;
        finding.failed_gates = stream == 40 ? 0 : KA_GATE_GAP;
        put_finding(&page, finding);
        ka_finding other = max_exceeded(stream);
        other.id = stream % 2 == 0 ? KA_BARE_NUMBER : KA_TIMEOUT_ZERO;
        other.severity = KA_NOTE;
        put_finding(&page, other);
    }
    ka_finding error = max_exceeded(7);
    error.id = KA_REUSE_AFTER_FIN;
    error.severity = KA_ERROR;
    put_finding(&page, error);
    document_finish(&page);
    const char *at = page.text;
    static const char *const in_order[] = {"1 error, 1 warning, 83 notes",
                                           "\nERROR    ",
                                           "reuse-after-fin, 1 connection",
                                           "\nWARNING  ",
                                           "max-exceeded, 42 connections",
                                           "Stream 40:",
                                           "Stream 0:",
                                           "Not sure: the capture missed bytes (so here only a note)",
                                           "Stream 1:",
                                           "Stream 2:",
                                           "Stream 3:",
                                           "    ... and 37 more\n",
                                           "Remedy",
                                           "ka-bare-number, 21",
                                           "ka-timeout-zero, 21"};
    for (size_t i = 0; i < sizeof in_order / sizeof in_order[0]; i++) {
        at = strstr(at, in_order[i]);
        if (!at)
            fail_msg("\"%s\" is not there, or not in its place:\n%s", in_order[i], page.text);
    }
    assert_null(strstr(page.text, "Stream 20:"));
    document_fini(&page);
}

/* Flaws of the capture are told by their streams alone. */
static void capture_flaws(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    document_open(&page);
    for (uint32_t stream = 0; stream < 1006; stream++) {
        ka_finding flaw = max_exceeded(stream);
        flaw.id = stream == 1005 ? KA_CAP_CLOCK : KA_CAP_ONE_SIDED;
        flaw.severity = KA_NOTE;
        flaw.fault = KA_FAULT_CAPTURE;
        put_finding(&page, flaw);
    }
    document_finish(&page);
    assert_non_null(strstr(page.text, "  At fault  the capture, not the connection\n"
                                      "  Found     cap-one-sided, 1,005 connections\n"
                                      "  Streams   0, 1, 2, 3, 4 ... and 1,000 more\n\n  Remedy "));
    assert_non_null(strstr(page.text, "  Stream    1005\n\n  Remedy "));
    document_fini(&page);
}

static const char tables_expected[] =
    "Servers, and how their idle connections ended\n"
    "\n"
    "    Connec-  Requests  Advertised     Server     after  Client     after  Still\n"
    "      tions            timeout/max    closed  (median)  closed  (median)   open\n"
    "  192.0.2.1:80 (api.example\\x1b)\n"
    "        120       481  5 s/100            80   5.003 s       3   4.000 s     37\n"
    "  192.0.2.2:8080\n"
    "          1         0  -                   0         -       0         -      1\n"
    "\n"
    "Connections, and how their close compares with the advertised timeout\n"
    "\n"
    "    Requests/    Advertised      Longest  Closed          Idle  Verdict\n"
    "    answered     timeout/max        idle  by          at close\n"
    "  12: 192.0.2.10:51234 to 192.0.2.1:80, http/1.1\n"
    "    3/3          5 s/100         5.003 s  server FIN   5.003 s  punctual\n"
    "  13: 192.0.2.10:51234 to 192.0.2.1:80, tls\n"
    "    3/3          -                     -  -                  -  open\n"
    "    2 findings: max-exceeded, ka-bad-param\n"
    "\n"
    "Exchanges\n"
    "\n"
    "      Stream    No.      Request     Response  Method    Status      Idle\n"
    "                           frame        frame                      before\n"
    "          12      2           18           20  GET          200   4.200 s\n"
    "          12      3           25            -  GE\\x01T        -         -\n";

static void tables(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    page.options.connections = page.options.exchanges = true;
    document_open(&page);
    put_record(&page, kept_connection());
    ka_record open = kept_connection();
    open.stream = 13;
    open.protocol = "tls";
    open.timeout_s = open.max = open.close.idle_ns = KA_NONE;
    open.idle_count = 0;
    open.close.by = KA_SIDE_NONE;
    open.close.how = KA_HOW_NONE;
    open.close.verdict = KA_VERDICT_OPEN;
    open.finding_mask[0] = UINT64_C(1) << KA_MAX_EXCEEDED | UINT64_C(1) << KA_BAD_PARAM;
    put_record(&page, open);
    ka_exchange_record exchange = {.stream = 12,
                                   .number = 2,
                                   .request = {0, 18},
                                   .response = {0, 20},
                                   .method = "GET",
                                   .status = 200,
                                   .idle_before_ns = 4200 * KA_MILLISECOND_NS};
    page.sink->exchange(page.sink->user, &exchange);
    exchange = (ka_exchange_record){
        .stream = 12, .number = 3, .request = {0, 25}, .method = "GE\x01T", .idle_before_ns = KA_NONE};
    page.sink->exchange(page.sink->user, &exchange);
    char name[] = "api.example\x1b";
    ka_endpoint_record small = {.server = ipv4(2, 8080),
                                .name = "",
                                .connections = 1,
                                .timeout_s = KA_NONE,
                                .max = KA_NONE,
                                .idle_median_by_server_ns = KA_NONE,
                                .idle_median_by_client_ns = KA_NONE,
                                .open_at_end = 1};
    ka_endpoint_record large = {.server = ipv4(1, 80),
                                .name = name,
                                .connections = 120,
                                .requests = 481,
                                .timeout_s = 5,
                                .max = 100,
                                .idle_closes_by_server = 80,
                                .idle_closes_by_client = 3,
                                .idle_median_by_server_ns = 5003 * KA_MILLISECOND_NS,
                                .idle_median_by_client_ns = 4 * KA_SECOND_NS,
                                .open_at_end = 37};
    page.sink->endpoint(page.sink->user, &small);
    page.sink->endpoint(page.sink->user, &large);
    memset(name, 'x', sizeof name - 1); /* what a callback is given lives until it returns */
    document_finish(&page);
    const char *tables_text = strstr(page.text, "Servers,");
    assert_non_null(tables_text);
    assert_string_equal(tables_text, tables_expected);
    document_fini(&page);
}

/* Frames of several files: a line for each, merged numbers where the file is not known any more. */
static bool locate_odd(void *user, uint64_t frame, const char **file, uint64_t *file_frame)
{
    (void)user;
    *file = frame % 2 != 0 ? "a.pcap" : "b.pcap";
    *file_frame = frame + 100;
    return frame != 18;
}

static void frames_of_files(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    page.options.locate = locate_odd;
    document_open(&page);
    ka_finding finding = max_exceeded(1);
    finding.frames[0] = (ka_evidence){"response_end", {0, 12}};
    finding.frames[1] = (ka_evidence){"fin", {0, 19}};
    finding.frames[2] = (ka_evidence){"request", {0, 18}};
    finding.frames[3] = (ka_evidence){"client_rst", {0, 20}};
    finding.frame_count = 4;
    put_finding(&page, finding);
    finding.frame_count = 0;
    finding.at.frame = 21;
    put_finding(&page, finding);
    document_finish(&page);
    assert_non_null(strstr(page.text, "    Frames in b.pcap: response end 112, client RST 120\n"
                                      "    Frames in a.pcap: FIN 119\n"
                                      "    Frames: request 18\n"));
    assert_non_null(strstr(page.text, "    Frame in a.pcap: 121\n"));
    document_fini(&page);
}

static void full_disk(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    page.options.out = fopen("/dev/full", "w");
    if (!page.options.out)
        skip();
    setvbuf(page.options.out, NULL, _IONBF, 0);
    page.report = report_new(&page.options, &memory_heap);
    report_finish(page.report, &page.end);
    assert_int_equal(report_error(page.report), ENOSPC);
    fclose(page.options.out);
    document_fini(&page);
}

static void *no_memory(void *user, void *old, size_t new_bytes)
{
    unsigned *left = user;
    if (new_bytes != 0 && (*left)-- == 0)
        return NULL;
    return memory_heap.resize(memory_heap.user, old, new_bytes);
}

static void out_of_memory(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    for (unsigned allowed = 0; allowed < 2; allowed++) {
        unsigned left = allowed;
        ka_allocator allocator = {&left, no_memory};
        assert_null(report_new(&page.options, &allocator));
    }
}

static bool in_the_ring(void *user, uint64_t frame, const char **file, uint64_t *file_frame)
{
    (void)user;
    *file = "ring-\x1b.pcapng";
    *file_frame = frame - 10;
    return frame > 10;
}

static const char *const interface_names[] = {"eth0", "any"};

/* While capturing: a line as soon as it is decided, the whole report at the end. */
static void followed(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    page.options.path_count = 0;
    page.options.interfaces = interface_names;
    page.options.interface_count = 2;
    page.options.locate = in_the_ring;
    document_open(&page);
    report_follow(page.report, true);
    ka_finding finding = {.id = KA_CLOSED_EARLY,
                          .severity = KA_WARN,
                          .has_stream = true,
                          .stream = 7,
                          .client = {.ip = {192, 0, 2, 1}, .port = 4000, .version = 4},
                          .server = {.ip = {192, 0, 2, 2}, .port = 80, .version = 4},
                          .at = {INT64_C(1714564800123456789), 12}};
    put_finding(&page, finding);
    fflush(page.options.out);
    const char *begin =
        "2024-05-01 12:00:00.123 warn closed-early stream 7, 192.0.2.1:4000 -> 192.0.2.2:80: ";
    const char *end = " (frame 2 in ring-\\x1b.pcapng)\n";
    assert_memory_equal(page.text, begin, strlen(begin));
    assert_string_equal(page.text + page.length - strlen(end), end);
    assert_ptr_equal(strchr(page.text, '\n'), page.text + page.length - 1);
    size_t told = page.length;
    report_follow(page.report, false);
    put_finding(&page, finding);
    fflush(page.options.out);
    assert_int_equal(page.length, told);
    put_record(&page, kept_connection());
    document_finish(&page);
    assert_memory_equal(page.text + told, "\nKeptalive ", 11);
    assert_non_null(strstr(page.text, "\n  Interfaces   eth0\n               any\n  Packets "));
    assert_null(strstr(page.text, "  File"));
    document_fini(&page);
}

static void frames_of_nothing_kept(void **state)
{
    (void)state;
    document page;
    document_init(&page);
    page.options.path_count = 0;
    page.options.interfaces = interface_names;
    page.options.interface_count = 1;
    document_open(&page);
    put_finding(&page, (ka_finding){.id = KA_CLOSED_EARLY, .has_stream = true, .at = {0, 12}});
    put_record(&page, kept_connection());
    document_finish(&page);
    assert_non_null(strstr(page.text, "\n  Interface    eth0\n"));
    assert_non_null(
        strstr(page.text, "Frame numbers count the packets captured; --ring would have kept them."));
    document_fini(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_trouble),
        cmocka_unit_test(verdict_lines),
        cmocka_unit_test(server_wide_verdict),
        cmocka_unit_test(findings),
        cmocka_unit_test(many_findings),
        cmocka_unit_test(tables),
        cmocka_unit_test(capture_flaws),
        cmocka_unit_test(frames_of_files),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(followed),
        cmocka_unit_test(frames_of_nothing_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
