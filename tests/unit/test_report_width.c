/* test_report_width.c - whatever is reported, the text is 80 columns of printable ASCII.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "report/wrap.h"
#include "report_document.h"

static ka_address longest_ipv6(void)
{
    ka_address address = {.port = 65535, .version = 6};
    for (size_t i = 0; i < sizeof address.ip; i++)
        address.ip[i] = (uint8_t)(0xa1 + i);
    return address;
}

static bool locate(void *user, uint64_t frame, const char **file, uint64_t *file_frame)
{
    *file = user;
    *file_frame = frame;
    return frame != 13;
}

/* Fills everything with the largest there is. */
static void put_extremes(const document *page)
{
    ka_finding finding;
    memset(&finding, 0xff, sizeof finding);
    finding.severity = KA_ERROR;
    finding.fault = KA_FAULT_CONFIG;
    finding.failed_gates = (1u << KA_GATE_COUNT) - 1;
    finding.client = finding.server = finding.proxied_for = longest_ipv6();
    finding.upstream.client = finding.upstream.server = longest_ipv6();
    finding.frame_count = KA_EVIDENCE_MAX;
    finding.cause_count = KA_CAUSES_MAX;
    finding.detail_bytes = sizeof finding.detail;
    finding.value_count = KA_VALUES_MAX;
    static const char *const names[KA_VALUES_MAX] = {
        "request_number", "since_close", "since_fin", "client_idle", "server_idle", "after_request",
        "idle",           "timeout",     "short_by",  "margin",      "count",       "within",
        "idle_min",       "idle_max",    "open",      "held"};
    for (int i = 0; i < KA_VALUES_MAX; i++)
        finding.values[i] = (ka_value){names[i], INT64_MAX, i % 2 == 0 ? KA_COUNT : KA_NS};
    for (int i = 0; i < KA_EVIDENCE_MAX; i++)
        finding.frames[i] = (ka_evidence){"a_role_of_quite_some_length", {INT64_MAX, UINT64_MAX}};
    for (int i = 0; i < KA_CAUSES_MAX; i++)
        finding.causes[i] = KA_SERVER_CLOSED_IN_FLIGHT;
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        finding.id = (ka_finding_id)id;
        for (int i = 0; i < 7; i++) {
            finding.has_stream = i != 3;
            finding.has_pair = i == 5;
            finding.severity = i % 2 == 0 ? KA_WARN : KA_ERROR;
            finding.fault = (ka_fault)i;
            finding.frame_count = i == 2 ? 0 : KA_EVIDENCE_MAX;
            put_finding(page, finding);
        }
    }
    ka_record record;
    memset(&record, 0x7f, sizeof record);
    record.protocol = "http/1.1";
    record.client = record.server = record.proxied_for = longest_ipv6();
    record.tunnel = KA_TUNNEL_UPGRADE;
    record.close.by = KA_SIDE_SERVER;
    record.close.how = KA_HOW_RST;
    record.close.verdict = KA_VERDICT_UNADVERTISED;
    record.max_style = KA_MAX_COUNT_DOWN;
    memset(record.finding_mask, 0xff, sizeof record.finding_mask);
    put_record(page, record);
    record.idle_longest_ns = record.close.idle_ns = INT64_MIN + 1;
    record.timeout_s = record.max = INT32_MAX;
    record.requests = record.responses = 99999;
    put_record(page, record);
    ka_exchange_record exchange;
    memset(&exchange, 0xff, sizeof exchange);
    page->sink->exchange(page->sink->user, &exchange);
    ka_endpoint_record endpoint;
    char name[1000];
    memset(name, 0xfe, sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memset(&endpoint, 0x7f, sizeof endpoint);
    endpoint.server = longest_ipv6();
    endpoint.name = name;
    endpoint.server_timer.kind = KA_TIMER_SEVERAL;
    endpoint.client_timer.kind = KA_TIMER_VARIED;
    endpoint.server_timer.mode_count = endpoint.client_timer.mode_count = KA_TIMER_MODES_MAX;
    endpoint.server_timer.inverted = endpoint.client_timer.inverted = endpoint.exposure.inverted = true;
    endpoint.server_timer.hint = endpoint.client_timer.hint = "some product or other";
    endpoint.client_count = KA_CLIENT_HABITS_MAX;
    endpoint.load.bin_count = KA_LOAD_BINS_MAX;
    ka_site_record sites[KA_SITE_RECORDS_MAX];
    memset(sites, 0x7f, sizeof sites);
    for (int i = 0; i < KA_SITE_RECORDS_MAX; i++) {
        sites[i].name = name + (i % 4 == 0 ? sizeof name - 4 : 0);
        sites[i].server_timer.kind = (ka_timer_kind)(i % (KA_TIMER_VARIED + 1));
        sites[i].client_timer.kind = (ka_timer_kind)(i / 3 % (KA_TIMER_VARIED + 1));
        sites[i].server_timer.mode_count = sites[i].client_timer.mode_count = KA_TIMER_MODES_MAX;
        sites[i].server_timer.inverted = sites[i].client_timer.inverted = i % 2 == 0;
        sites[i].server_timer.by_site = sites[i].client_timer.by_site = false;
        sites[i].server_timer.hint = "some product or other";
    }
    endpoint.sites = sites;
    endpoint.server_timer.by_site = endpoint.client_timer.by_site = false;
    for (int i = 0; i < KA_CLIENT_HABITS_MAX; i++) {
        endpoint.clients[i].client = longest_ipv6();
        endpoint.clients[i].of_name = false;
    }
    endpoint.recommended.pool_by_advert = true;
    for (int i = 0; i < 50; i++) {
        endpoint.site_count = i % 3 != 0 ? KA_SITE_RECORDS_MAX : 0;
        page->sink->endpoint(page->sink->user, &endpoint);
        endpoint.server_timer.kind = (ka_timer_kind)(i % (KA_TIMER_VARIED + 1));
        endpoint.server_timer.by_site = i % 2 == 0;
    }
}

static void assert_fits(const char *text)
{
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        size_t length = strcspn(line, "\n");
        if (length > WRAP_COLUMNS)
            fail_msg("%zu columns: %.*s", length, (int)length, line);
        if (length > 0 && line[length - 1] == ' ')
            fail_msg("blanks at the end: %.*s|", (int)length, line);
        for (size_t i = 0; i < length; i++) {
            if (line[i] < 0x20 || line[i] > 0x7e)
                fail_msg("not ASCII: %.*s", (int)length, line);
        }
    }
}

static void never_wider(void **state)
{
    (void)state;
    char path[600];
    memset(path, '\xff', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    const char *paths[40];
    for (size_t i = 0; i < 40; i++)
        paths[i] = path;
    document page;
    document_init(&page);
    page.options = (report_options){.paths = paths,
                                    .path_count = 40,
                                    .filter = path,
                                    .connections = true,
                                    .exchanges = true,
                                    .servers = true,
                                    .locate_user = path,
                                    .locate = locate};
    page.end = (report_end){40, UINT64_MAX, UINT64_MAX, INT64_MIN + 1, -2, &page.incomplete};
    for (int i = 0; i < 100; i++)
        incomplete_add(&page.incomplete, (incomplete_row){"what", path, UINT64_MAX, false, false});
    document_open(&page);
    put_extremes(&page);
    document_finish(&page);
    assert_fits(page.text);
    document_fini(&page);
}

/* Colours only add escape sequences: without them the text is the same. */
static void colors(void **state)
{
    (void)state;
    document plain, colored;
    document_init(&plain);
    document_init(&colored);
    plain.options.connections = colored.options.connections = true;
    plain.options.exchanges = colored.options.exchanges = true;
    plain.options.servers = colored.options.servers = true;
    colored.options.color = true;
    document_open(&plain);
    document_open(&colored);
    put_extremes(&plain);
    put_extremes(&colored);
    document_finish(&plain);
    document_finish(&colored);
    assert_null(strchr(plain.text, '\033'));
    assert_non_null(strchr(colored.text, '\033'));
    char *to = colored.text;
    for (const char *from = colored.text; *from;) {
        if (*from == '\033')
            from += strcspn(from, "m") + 1;
        else
            *to++ = *from++;
    }
    *to = '\0';
    assert_string_equal(colored.text, plain.text);
    document_fini(&plain);
    document_fini(&colored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_wider),
        cmocka_unit_test(colors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
