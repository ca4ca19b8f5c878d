/* test_what_if_history.c - what is kept of connections, and what it says about when a server closes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "what_if_story.h"

#include "memory.h"
#include "what-if/deadline.h"
#include "what-if/history.h"

static what_if_history history;

static int fresh(void **state)
{
    (void)state;
    what_if_history_init(&history, &memory_heap);
    return 0;
}

static int done(void **state)
{
    (void)state;
    what_if_history_fini(&history);
    return 0;
}

static void gap(uint32_t stream, uint64_t number, int64_t idle_ns)
{
    const ka_gap_record told = what_if_gap_of(stream, number, idle_ns, 50 * S);
    what_if_history_gap(&history, &told);
}

static void record(ka_record told)
{
    what_if_history_connection(&history, &told);
}

static void finding(ka_finding told)
{
    what_if_history_finding(&history, &told);
}

/* ---- Joining ---- */

static void gaps_find_their_connection(void **state)
{
    (void)state;
    gap(3, 2, 1 * S);
    gap(4, 2, 5 * S);
    gap(3, 3, 2 * S);
    record(what_if_record_of(4, KA_SIDE_SERVER, 100 * S, 11 * S, 6 * S, 2));
    record(what_if_record_of(3, KA_SIDE_CLIENT, 90 * S, 7 * S, 4 * S, 3));
    record(what_if_record_of(5, KA_SIDE_CLIENT, 120 * S, 4 * S, 4 * S, 1));
    what_if_history_finish(&history, 200 * S);
    assert_int_equal(history.connection_count, 3);
    const what_if_connection *c = history.connections; /* by time of opening */
    assert_int_equal(c[0].stream, 3);
    assert_int_equal(c[0].gap_count, 2);
    assert_int_equal(c[0].gaps[0].idle_ns, 1 * S);
    assert_int_equal(c[0].gaps[1].number, 3);
    assert_int_equal(c[0].end, WHAT_IF_END_BY_CLIENT);
    assert_int_equal(c[0].idle_ns, 4 * S);
    assert_int_equal(c[0].rtt_server_ns, 0);
    assert_int_equal(c[1].stream, 4);
    assert_int_equal(c[1].gap_count, 1);
    assert_int_equal(c[1].end, WHAT_IF_END_BY_SERVER);
    assert_int_equal(c[2].gap_count, 0);
}

static void open_until_the_end_of_the_capture(void **state)
{
    (void)state;
    ka_record open = what_if_record_of(3, KA_SIDE_NONE, 90 * S, 10 * S, KA_NONE, 2);
    open.idle_total_ns = 25 * S; /* 5 s before the second request, 20 since its answer */
    gap(3, 2, 5 * S);
    record(open);
    what_if_history_finish(&history, 120 * S);
    assert_int_equal(history.connections[0].end, WHAT_IF_END_OPEN);
    assert_int_equal(history.connections[0].ended_ns, 120 * S);
    assert_int_equal(history.connections[0].idle_ns, 20 * S);
}

static void by_server_then_client_then_time(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        ka_record r = what_if_record_of(i, KA_SIDE_CLIENT, (100 - i) * S, S, S, 1);
        r.server.port = i % 2 ? 80 : 81;
        r.client.ip[3] = i % 3 ? 10 : 11;
        record(r);
    }
    what_if_history_finish(&history, 200 * S);
    const uint32_t expected[] = {5, 1, 3, 4, 2, 0};
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(history.connections[i].stream, expected[i]);
}

static what_if_end end_of(ka_side by, ka_verdict verdict, int64_t idle_ns, uint32_t gates)
{
    ka_record r = what_if_record_of(1, by, 0, S, idle_ns, 1);
    r.close.verdict = verdict;
    r.failed_gates = gates;
    record(r);
    return (what_if_end)history.connections[history.connection_count - 1].end;
}

static void why_it_ended(void **state)
{
    (void)state;
    assert_int_equal(end_of(KA_SIDE_SERVER, KA_VERDICT_PUNCTUAL, S, 0), WHAT_IF_END_BY_SERVER);
    assert_int_equal(end_of(KA_SIDE_SERVER, KA_VERDICT_EARLY, S, KA_GATE_GAP), WHAT_IF_END_BY_SERVER);
    assert_int_equal(end_of(KA_SIDE_SERVER, KA_VERDICT_EARLY, S, KA_GATE_MASS_CLOSE), WHAT_IF_END_OTHER);
    assert_int_equal(end_of(KA_SIDE_SERVER, KA_VERDICT_ANNOUNCED, 0, 0), WHAT_IF_END_ANNOUNCED);
    assert_int_equal(end_of(KA_SIDE_CLIENT, KA_VERDICT_ANNOUNCED, 0, 0), WHAT_IF_END_OTHER);
    assert_int_equal(end_of(KA_SIDE_CLIENT, KA_VERDICT_BUSY, KA_NONE, 0), WHAT_IF_END_OTHER);
    assert_int_equal(end_of(KA_SIDE_CLIENT, KA_VERDICT_UNUSED, KA_NONE, 0), WHAT_IF_END_OTHER);
    assert_int_equal(end_of(KA_SIDE_CLIENT, KA_VERDICT_UNADVERTISED, S, 0), WHAT_IF_END_BY_CLIENT);
}

static void other_protocols_are_left_alone(void **state)
{
    (void)state;
    const char *const protocols[] = {"none", "other", "tls", "h2", "h2c", "http/1.0"};
    for (unsigned i = 0; i < 6; i++) {
        ka_record r = what_if_record_of(i, KA_SIDE_CLIENT, 0, S, S, 1);
        r.protocol = protocols[i];
        record(r);
    }
    assert_int_equal(history.connection_count, 4);
    assert_int_equal(history.left_out, 0);
}

/* ---- Lost requests ---- */

static uint8_t loss_of(ka_finding told, uint64_t gap_number, uint64_t requests)
{
    gap(1, gap_number, 5 * S);
    record(what_if_record_of(1, KA_SIDE_SERVER, 0, 5 * S, 5 * S, requests));
    finding(told);
    what_if_history_finish(&history, 200 * S);
    uint8_t loss = history.connections[0].loss;
    assert_int_equal(history.connections[0].lost_ns, loss == WHAT_IF_LOSS_NONE ? KA_NONE : 7 * S);
    what_if_history_fini(&history);
    return loss;
}

static void lost_behind_its_last_gap(void **state)
{
    (void)state;
    ka_finding told = what_if_race_of(1, KA_ERROR, 7 * S);
    assert_int_equal(loss_of(told, 2, 2), WHAT_IF_LOSS_RACE);
    assert_int_equal(loss_of(told, 2, 3), WHAT_IF_LOSS_NONE); /* the third was lost, and only begun */
    assert_int_equal(loss_of(what_if_race_of(1, KA_NOTE, 7 * S), 2, 2), WHAT_IF_LOSS_NONE);
    assert_int_equal(loss_of(what_if_race_of(2, KA_ERROR, 7 * S), 2, 2), WHAT_IF_LOSS_NONE);
    told.id = KA_REUSE_AFTER_FIN;
    assert_int_equal(loss_of(told, 2, 2), WHAT_IF_LOSS_STALE);
    told.id = KA_SILENT_DROP;
    assert_int_equal(loss_of(told, 2, 2), WHAT_IF_LOSS_MIDDLE);
    told.id = KA_RACE_EXPOSURE;
    assert_int_equal(loss_of(told, 2, 2), WHAT_IF_LOSS_NONE);
    told.id = KA_SERVER_CLOSED_IN_FLIGHT; /* of it, only what the idle timer did */
    told.values[0] = (ka_value){"on_idle_timer", 0, KA_COUNT};
    told.value_count = 1;
    assert_int_equal(loss_of(told, 2, 2), WHAT_IF_LOSS_NONE);
    told.values[0].number = 1;
    assert_int_equal(loss_of(told, 2, 2), WHAT_IF_LOSS_RACE);
}

/* ---- Limits ---- */

static unsigned allocations_left;

static void *scarce(void *user, void *old, size_t new_bytes)
{
    if (new_bytes > 0 && allocations_left == 0)
        return NULL;
    allocations_left -= new_bytes > 0;
    return memory_heap.resize(user, old, new_bytes);
}

static void full_keeps_whole_connections_only(void **state)
{
    (void)state;
    static const ka_allocator allocator = {NULL, scarce}; /* the history outlives this function */
    what_if_history_init(&history, &allocator);
    allocations_left = 2; /* 1024 connections and 1024 gaps */
    for (uint32_t i = 0; i < 1000; i++) {
        gap(i, 2, S);
        record(what_if_record_of(i, KA_SIDE_CLIENT, i * S, S, S, 2));
    }
    for (uint32_t i = 0; i < 25; i++)
        gap(2000, i + 2, S); /* the last one finds no room */
    gap(2001, 2, S);
    record(what_if_record_of(2001, KA_SIDE_CLIENT, 0, S, S, 2));
    record(what_if_record_of(2000, KA_SIDE_CLIENT, 0, S, S, 26));
    what_if_history_finish(&history, 200 * S);
    assert_int_equal(history.connection_count, 1000);
    assert_int_equal(history.left_out, 2);
    for (size_t i = 0; i < history.connection_count; i++)
        assert_int_equal(history.connections[i].gap_count, 1);
    allocations_left = 100;
}

/* ---- The server's deadline ---- */

static const what_if_timer withheld = {KA_NONE, WHAT_IF_BASIS_NONE, 0};

static what_if_deadline deadline_with(const what_if_timer *timer, int64_t timeout_s)
{
    what_if_deadline out;
    what_if_history_finish(&history, 1000 * S);
    for (size_t i = 0; i < history.connection_count; i++)
        history.connections[i].timeout_s = timeout_s;
    assert_true(
        what_if_deadline_of(history.connections, history.connection_count, timer, &memory_heap, &out));
    return out;
}

static what_if_deadline deadline(int64_t timeout_s)
{
    return deadline_with(&withheld, timeout_s);
}

static void nothing_tells_the_deadline(void **state)
{
    (void)state;
    record(what_if_record_of(1, KA_SIDE_CLIENT, 0, S, S, 1));
    what_if_deadline found = deadline(KA_NONE);
    assert_int_equal(found.idle_ns, KA_NONE);
    assert_int_equal(found.basis, WHAT_IF_BASIS_NONE);
    assert_int_equal(found.longest_used_ns, KA_NONE);
    assert_null(what_if_basis_name(found.basis));
}

static void advertised_and_no_close_seen(void **state)
{
    (void)state;
    gap(1, 2, 5 * S);
    record(what_if_record_of(1, KA_SIDE_CLIENT, 0, 6 * S, S, 2));
    what_if_deadline found = deadline(5);
    assert_int_equal(found.idle_ns, 5 * S);
    assert_string_equal(what_if_basis_name(found.basis), "advertised");
    assert_int_equal(found.longest_used_ns, 5 * S);
    found = deadline(4); /* it did not keep to that */
    assert_int_equal(found.idle_ns, KA_NONE);
    assert_int_equal(found.advertised_s, 4);
}

static void closes_tell_more_than_the_advertisement(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 11; i++)
        record(what_if_record_of(i, KA_SIDE_SERVER, 0, 7 * S, (5 * S) + i * 10 * MS, 1));
    what_if_deadline found = deadline(60);
    assert_int_equal(found.idle_ns, 5 * S + 10 * MS); /* the second of eleven: one may be something else */
    assert_int_equal(found.closes, 11);
    assert_string_equal(what_if_basis_name(found.basis), "closes");
}

static void a_longer_gap_that_worked_contradicts(void **state)
{
    (void)state;
    record(what_if_record_of(1, KA_SIDE_SERVER, 0, 7 * S, 5 * S, 1));
    gap(2, 2, 5 * S + 100 * MS);
    record(what_if_record_of(2, KA_SIDE_CLIENT, 0, 7 * S, S, 2));
    assert_int_equal(deadline(KA_NONE).idle_ns, 5 * S);
    what_if_history_fini(&history);
    record(what_if_record_of(1, KA_SIDE_SERVER, 0, 7 * S, 5 * S, 1));
    gap(2, 2, 5 * S + 101 * MS);
    record(what_if_record_of(2, KA_SIDE_CLIENT, 0, 7 * S, S, 2));
    what_if_deadline found = deadline(KA_NONE);
    assert_int_equal(found.idle_ns, KA_NONE);
    assert_int_equal(found.closes, 1);
}

static void the_core_knows_better(void **state)
{
    (void)state;
    const what_if_timer core = {6 * S, WHAT_IF_BASIS_CLOSES, 7};
    record(what_if_record_of(1, KA_SIDE_SERVER, 0, 7 * S, 5 * S, 1));
    gap(2, 2, 5 * S + 500 * MS);
    record(what_if_record_of(2, KA_SIDE_CLIENT, 0, 7 * S, S, 2));
    what_if_deadline found = deadline_with(&core, 20);
    assert_int_equal(found.idle_ns, 6 * S);
    assert_int_equal(found.basis, WHAT_IF_BASIS_CLOSES);
    assert_int_equal(found.closes, 7);
    assert_int_equal(found.advertised_s, 20);
    assert_int_equal(found.longest_used_ns, 5 * S + 500 * MS);
}

/* A server whose closes have that p10, and for whose clients the core takes the advertised 5 s, or not. */
static what_if_timer timer_of(ka_timer_kind kind, int64_t p10_ns, bool by_advert)
{
    const ka_endpoint_record endpoint = {
        .timeout_s = 5,
        .server_timer = {.kind = kind,
                         .closes = 9,
                         .p10_ns = p10_ns,
                         .mode_count = 1,
                         .modes = {{9, p10_ns, p10_ns, p10_ns, 0}}},
        .recommended = {.pool_base_ns = by_advert ? 5 * S : p10_ns, .pool_by_advert = by_advert}};
    return what_if_timer_of(&endpoint);
}

static void advertised_where_it_closes_then(void **state)
{
    (void)state;
    what_if_timer found = timer_of(KA_TIMER_FIXED, 5 * S + 100 * MS, true);
    assert_int_equal(found.idle_ns, 5 * S);
    assert_int_equal(found.basis, WHAT_IF_BASIS_ADVERTISED);
    assert_int_equal(found.closes, 9);
    found = timer_of(KA_TIMER_FIXED, 5 * S + 101 * MS, true); /* it keeps them for longer */
    assert_int_equal(found.idle_ns, 5 * S + 101 * MS);
    assert_int_equal(found.basis, WHAT_IF_BASIS_CLOSES);
    found = timer_of(KA_TIMER_FIXED, 4 * S, false);
    assert_int_equal(found.idle_ns, 4 * S);
    assert_int_equal(found.basis, WHAT_IF_BASIS_CLOSES);
}

static void the_core_withholds(void **state)
{
    (void)state;
    const ka_timer_kind kinds[] = {KA_TIMER_NONE, KA_TIMER_FEW, KA_TIMER_SEVERAL, KA_TIMER_VARIED};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        assert_int_equal(timer_of(kinds[i], 5 * S, true).idle_ns, KA_NONE);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(gaps_find_their_connection),           STORY(open_until_the_end_of_the_capture),
        STORY(by_server_then_client_then_time),      STORY(why_it_ended),
        STORY(other_protocols_are_left_alone),       STORY(lost_behind_its_last_gap),
        STORY(full_keeps_whole_connections_only),    STORY(nothing_tells_the_deadline),
        STORY(advertised_and_no_close_seen),         STORY(closes_tell_more_than_the_advertisement),
        STORY(a_longer_gap_that_worked_contradicts), STORY(the_core_knows_better),
        STORY(advertised_where_it_closes_then),      STORY(the_core_withholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
