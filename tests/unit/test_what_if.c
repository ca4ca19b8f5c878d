/* test_what_if.c - the answer: what is kept, what is told of which server, in both formats.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "what_if_story.h"

#include "memory.h"
#include "what-if/answer.h"

static unsigned told_records, told_findings;

static void count_record(void *user, const ka_record *record)
{
    (void)user;
    (void)record;
    told_records++;
}

static void count_finding(void *user, const ka_finding *finding)
{
    (void)user;
    (void)finding;
    told_findings++;
}

static const ka_sink counting = {.connection = count_record, .finding = count_finding};

static const what_if_memory *plenty(void)
{
    static what_if_memory memory;
    memory = (what_if_memory){memory_heap, memory_heap};
    return &memory;
}

static void tell_gap(what_if *w, uint32_t stream, uint64_t number, int64_t idle_ns, int64_t end_ns)
{
    const ka_gap_record gap = what_if_gap_of(stream, number, idle_ns, end_ns);
    what_if_on_gap(w, &gap);
}

static void tell_record(what_if *w, ka_record record)
{
    what_if_sink(w)->connection(what_if_sink(w)->user, &record);
}

/* Four connections of one client: a lost request and its retry, one with a gap of 5 s, one that waits. */
static void tell_story(what_if *w)
{
    const ka_sink *sink = what_if_sink(w);
    const ka_finding race = what_if_race_of(0, KA_ERROR, 106 * S);
    const ka_endpoint_record endpoint = {.server = what_if_address(1, 80), .name = "api.\x1b[1mtest"};
    tell_gap(w, 0, 2, 6 * S, 106 * S);
    tell_record(w, what_if_record_of(0, KA_SIDE_SERVER, 100 * S, 6 * S, 6 * S, 2));
    sink->finding(sink->user, &race);
    tell_record(w, what_if_record_of(1, KA_SIDE_CLIENT, 106 * S + 1, 2 * S, 2 * S, 1));
    tell_gap(w, 2, 2, 5 * S, 105 * S);
    tell_gap(w, 2, 3, 1 * S, 106 * S);
    tell_record(w, what_if_record_of(2, KA_SIDE_CLIENT, 100 * S, 7 * S, 1 * S, 3));
    tell_record(w, what_if_record_of(3, KA_SIDE_NONE, 100 * S, 1 * S, 40 * S, 1));
    sink->endpoint(sink->user, &endpoint);
    what_if_finish(w, 140 * S);
}

static what_if_question ask(int64_t from_ns, int64_t to_ns)
{
    what_if_question question;
    what_if_question_init(&question);
    question.given[WHAT_IF_CLIENT_IDLE] = true;
    question.from[WHAT_IF_CLIENT_IDLE] = from_ns;
    question.to[WHAT_IF_CLIENT_IDLE] = to_ns;
    return question;
}

static void the_answer_in_numbers(void **state)
{
    (void)state;
    what_if_question question = ask(4 * S, 4 * S);
    what_if_answer answer;
    what_if *w = what_if_new(&question, S, &counting, plenty());
    told_records = told_findings = 0;
    tell_story(w);
    assert_int_equal(told_records, 4);
    assert_int_equal(told_findings, 1);
    assert_int_equal(what_if_server_count(w), 1);
    assert_true(what_if_answer_of(w, 0, &answer));
    assert_int_equal(answer.clients, 1);
    assert_int_equal(answer.requests, 7);
    assert_int_equal(answer.gaps, 3);
    assert_int_equal(answer.deadline.idle_ns, 6 * S);
    assert_int_equal(answer.now.connections.least, 4);
    assert_int_equal(answer.now.connections.most, 4);
    assert_int_equal(answer.now.lost.most, 1);
    assert_int_equal(answer.now.open_ms.most, (6 + 2 + 7 + 40) * 1000);
    assert_int_equal(answer.outcome_count, 1);
    const what_if_outcome *then = &answer.outcomes[0];
    assert_int_equal(then->lost.most, 0);
    assert_int_equal(then->connections.most, 6);  /* behind the gaps of 6 and 5 s */
    assert_int_equal(then->connections.least, 5); /* the retry may use what carried the request instead */
    assert_int_equal(then->open_ms.least, (4 + 2 + 6 + 4) * 1000);
    /* Longer than captured: the retry's connection 2 s more, the third one 3 s, and 4 s for the lost
     * request's. */
    assert_int_equal(then->open_ms.most, then->open_ms.least + (2 + 3 + 4) * 1000);
    assert_true(then->cost < answer.now.cost);
    what_if_free(w);
}

static void the_timer_of_the_core(void **state)
{
    (void)state;
    what_if_question question = ask(4 * S, 4 * S);
    what_if_answer answer;
    what_if *w = what_if_new(&question, S, &counting, plenty());
    const ka_sink *sink = what_if_sink(w);
    for (uint8_t server = 3; server > 0; server--) { /* the last one has neither closes nor a name */
        ka_record record = what_if_record_of(server, KA_SIDE_CLIENT, server * S, S, S, 1);
        ka_endpoint_record endpoint = {.server = what_if_address(server, 80)};
        record.server = endpoint.server;
        if (server < 3)
            endpoint.server_timer = (ka_inferred){.kind = KA_TIMER_FIXED, .closes = 5, .p10_ns = server * S};
        tell_record(w, record);
        sink->endpoint(sink->user, &endpoint);
    }
    what_if_finish(w, 10 * S);
    const int64_t idle_ns[] = {1 * S, 2 * S, KA_NONE};
    assert_int_equal(what_if_server_count(w), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(what_if_answer_of(w, i, &answer));
        assert_int_equal(answer.deadline.idle_ns, idle_ns[i]);
        assert_int_equal(answer.deadline.closes, i < 2 ? 5 : 0);
        assert_string_equal(answer.name, "");
    }
    what_if_free(w);
}

static void only_the_server_asked_for(void **state)
{
    (void)state;
    what_if_question question = ask(4 * S, 4 * S);
    question.has_server = true;
    question.server = what_if_address(1, 81);
    what_if *w = what_if_new(&question, S, &counting, plenty());
    tell_story(w);
    assert_int_equal(what_if_server_count(w), 0);
    assert_int_equal(what_if_left_out(w), 0);
    what_if_free(w);
}

static void the_busiest_server_first(void **state)
{
    (void)state;
    what_if_question question = ask(4 * S, 4 * S);
    what_if_answer answer;
    what_if *w = what_if_new(&question, S, &counting, plenty());
    const uint8_t servers[] = {3, 2, 1, 2, 3, 4};
    for (uint32_t i = 0; i < sizeof servers; i++) {
        ka_record record = what_if_record_of(i, KA_SIDE_CLIENT, i * S, S, S, 1);
        record.server = what_if_address(servers[i], 80);
        tell_record(w, record);
    }
    what_if_finish(w, 10 * S);
    const uint8_t order[] = {2, 3, 1, 4};
    assert_int_equal(what_if_server_count(w), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(what_if_answer_of(w, i, &answer));
        assert_int_equal(answer.server->ip[3], order[i]);
    }
    what_if_free(w);
}

static void the_cheapest_depends_on_the_price(void **state)
{
    (void)state;
    what_if_question question = ask(1 * S, 100 * S);
    what_if_answer answer;
    what_if *w = what_if_new(&question, S, &counting, plenty());
    tell_story(w);
    assert_true(what_if_answer_of(w, 0, &answer));
    assert_int_equal(answer.outcome_count, WHAT_IF_STEPS);
    assert_int_equal(answer.outcomes[answer.best].lost.most, 0);
    what_if_free(w);
    question.price = (what_if_price){0, 1, 0}; /* connections only: never close */
    w = what_if_new(&question, S, &counting, plenty());
    tell_story(w);
    assert_true(what_if_answer_of(w, 0, &answer));
    assert_int_equal(answer.outcomes[answer.best].connections.most, 4);
    what_if_free(w);
    question.price = (what_if_price){0, 0, 1}; /* open seconds only: close at once */
    w = what_if_new(&question, S, &counting, plenty());
    tell_story(w);
    assert_true(what_if_answer_of(w, 0, &answer));
    assert_int_equal(answer.best, 0);
    what_if_free(w);
}

/* ---- Formats ---- */

static char *written(const what_if_question *question, bool ndjson, bool colored, bool empty)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    what_if *w = what_if_new(question, S, &counting, plenty());
    if (empty)
        what_if_finish(w, KA_NONE);
    else
        tell_story(w);
    if (ndjson)
        what_if_ndjson(w, out);
    else
        what_if_text(w, out, colored);
    fclose(out);
    what_if_free(w);
    return text;
}

static void assert_lines(const char *text)
{
    size_t column = 0;
    for (; *text; text++) {
        assert_true(*text == '\n' || (*text >= ' ' && *text <= '~'));
        column = *text == '\n' ? 0 : column + 1;
        assert_true(column <= 80);
    }
}

static void text_for_people(void **state)
{
    (void)state;
    what_if_question question = ask(4 * S, 4 * S);
    char *text = written(&question, false, false, false);
    assert_lines(text);
    assert_non_null(strstr(text, "What if the client closed connections idle for 4 s?"));
    assert_non_null(strstr(text, "192.0.2.1:80 (api.\\x1b[1mtest)"));
    assert_non_null(strstr(text, "4 connections of 1 client, 7 requests, 3 of them behind an idle"));
    assert_non_null(strstr(text, "  Server closes after 6.000 s idle (1 close)\n"));
    assert_non_null(strstr(text, "         4 s            0       0            5-6            16-25"));
    assert_non_null(strstr(text, "  Lost requests 0 instead of 1: 1 fewer\n"));
    assert_non_null(strstr(text, "  Connections   5 to 6 instead of 4: 1 to 2 more\n"));
    assert_non_null(strstr(text, "  Open in all   16 to 25 s instead of 55: 30 to 39 s saved\n"));
    assert_null(strstr(text, "Cheapest"));
    free(text);
    text = written(&question, false, true, false);
    assert_non_null(strstr(text, "\033[1m192.0.2.1:80"));
    free(text);
}

static void assert_server_closes(const ka_endpoint_record *endpoint, const char *line)
{
    what_if_question question = ask(4 * S, 4 * S);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    what_if *w = what_if_new(&question, S, &counting, plenty());
    ka_record record = what_if_record_of(0, KA_SIDE_CLIENT, S, S, S, 1);
    record.timeout_s = endpoint->timeout_s;
    tell_record(w, record);
    what_if_sink(w)->endpoint(what_if_sink(w)->user, endpoint);
    what_if_finish(w, 10 * S);
    what_if_text(w, out, false);
    fclose(out);
    assert_non_null(strstr(text, line));
    what_if_free(w);
    free(text);
}

static void text_of_what_is_advertised(void **state)
{
    (void)state;
    ka_endpoint_record endpoint = {.server = what_if_address(1, 80), .timeout_s = 5};
    assert_server_closes(&endpoint, "  Server closes after 5.000 s idle, as it advertises; it closed none\n");
    endpoint.server_timer = (ka_inferred){.kind = KA_TIMER_FIXED, .closes = 5, .p10_ns = 5 * S};
    endpoint.recommended = (ka_recommended){.pool_base_ns = 5 * S, .pool_by_advert = true};
    assert_server_closes(&endpoint, "  Server closes after 5.000 s idle, as it advertises (5 closes)\n");
    endpoint.server_timer.p10_ns = 6 * S;
    assert_server_closes(&endpoint, "  Server closes after 6.000 s idle (5 closes), advertised 5 s\n");
}

static void text_with_every_knob(void **state)
{
    (void)state;
    what_if_question question = ask(1 * S, 120 * S);
    for (unsigned knob = WHAT_IF_SERVER_IDLE; knob < WHAT_IF_KNOBS; knob++) {
        question.given[knob] = true;
        question.from[knob] = question.to[knob] = 366 * 24 * 3600 * S;
    }
    char *text = written(&question, false, false, false);
    assert_lines(text);
    assert_non_null(strstr(text, "Cheapest"));
    assert_non_null(strstr(text, "as now"));
    free(text);
}

static void text_of_nothing(void **state)
{
    (void)state;
    what_if_question question = ask(4 * S, 4 * S);
    char *text = written(&question, false, false, true);
    assert_lines(text);
    assert_non_null(strstr(text, "Nothing to replay"));
    free(text);
    text = written(&question, true, false, true);
    assert_string_equal(text, "");
    free(text);
}

static void ndjson_for_programs(void **state)
{
    (void)state;
    what_if_question question = ask(4 * S, 4 * S);
    char *text = written(&question, true, false, false);
    assert_string_equal(
        text,
        "{\"type\":\"what_if\",\"server\":{\"ip\":\"192.0.2.1\",\"port\":80,\"name\":\"api.\\u001b[1mtest\"},"
        "\"setting\":{\"client_idle\":4,\"server_idle\":null,\"max_requests\":null},"
        "\"captured\":{\"clients\":1,\"connections\":4,\"requests\":7,\"gaps\":3,\"lost_requests\":1,"
        "\"at_risk\":0,\"open_seconds\":55.000,\"cost\":1004.550},"
        "\"server_timeout\":{\"idle\":6,\"from\":\"closes\",\"closes\":1,\"advertised\":null,\"longest_"
        "used\":5},"
        "\"predicted\":{\"reused\":1,\"at_risk\":0,\"lost_requests\":{\"least\":0,\"most\":0},"
        "\"connections\":{\"least\":5,\"most\":6},\"shareable\":0,\"open_seconds\":{\"least\":16.000,"
        "\"most\":25.000},"
        "\"cost\":6.250},\"price\":{\"lost_request\":1000.000000,\"connection\":1.000000,"
        "\"open_second\":0.010000},\"cheapest\":true}\n");
    free(text);
}

/* ---- Memory ---- */

static int allocations_left;

static void *scarce(void *user, void *old, size_t new_bytes)
{
    if (new_bytes > 0 && allocations_left-- <= 0)
        return NULL;
    return memory_heap.resize(user, old, new_bytes);
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    const what_if_memory memory = {{NULL, scarce}, {NULL, scarce}};
    what_if_question question = ask(4 * S, 4 * S);
    what_if_answer answer;
    unsigned answered = 0;
    for (int most = 0; most < 24; most++) {
        allocations_left = most;
        what_if *w = what_if_new(&question, S, &counting, &memory);
        assert_int_equal(w != NULL, most > 0);
        if (!w)
            continue;
        tell_story(w);
        bool all = what_if_server_count(w) == 1;
        assert_true(all || what_if_left_out(w) > 0);
        answered += all && what_if_answer_of(w, 0, &answer);
        what_if_free(w);
    }
    assert_in_range(answered, 1, 10);
}

/* Of both formats: what is told is without some connections, and says so. */
static void what_is_left_out_is_told(void **state)
{
    (void)state;
    enum { MOST_BYTES = 300 * 1024, CONNECTIONS = 5000 };
    memory_share share = {.limit_bytes = MOST_BYTES};
    const what_if_memory memory = {memory_allocator(&share), memory_heap};
    const what_if_question question = ask(4 * S, 4 * S);
    what_if *w = what_if_new(&question, S, &counting, &memory);
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        tell_gap(w, i, 2, S, i * S);
        tell_record(w, what_if_record_of(i, KA_SIDE_CLIENT, i * S, 3 * S, S, 2));
    }
    what_if_finish(w, CONNECTIONS * S);
    uint64_t left_out = what_if_left_out(w);
    what_if_answer answer;
    assert_in_range(left_out, CONNECTIONS / 2, CONNECTIONS - MOST_BYTES / 200);
    assert_true(what_if_answer_of(w, 0, &answer));
    assert_int_equal(answer.now.connections.most + left_out, CONNECTIONS);
    assert_int_equal(answer.gaps + left_out, CONNECTIONS); /* those kept are whole */
    char *text = NULL, said[64];
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    what_if_ndjson(w, out);
    what_if_text(w, out, false);
    fclose(out);
    snprintf(said, sizeof said, ",\"left_out\":%llu,\"cheapest\"", (unsigned long long)left_out);
    assert_non_null(strstr(text, said));
    assert_non_null(strstr(text, "connections of this capture could not be kept"));
    free(text);
    what_if_free(w);
    assert_int_equal(share.used_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_in_numbers),     cmocka_unit_test(only_the_server_asked_for),
        cmocka_unit_test(the_busiest_server_first),  cmocka_unit_test(the_cheapest_depends_on_the_price),
        cmocka_unit_test(text_for_people),           cmocka_unit_test(text_with_every_knob),
        cmocka_unit_test(text_of_nothing),           cmocka_unit_test(ndjson_for_programs),
        cmocka_unit_test(without_memory_it_says_so), cmocka_unit_test(what_is_left_out_is_told),
        cmocka_unit_test(the_timer_of_the_core),     cmocka_unit_test(text_of_what_is_advertised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
