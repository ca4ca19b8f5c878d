/* test_what_if_replay.c - one connection under other settings: what closes it, what is lost, what is not
 * known.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "what-if/replay.h"

#define S      KA_SECOND_NS
#define MS     KA_MILLISECOND_NS
#define OPENED (1000 * S)

enum { GAPS_MAX = 8 };

/* A connection: requests answered at once, behind these gaps, then idle until its end. */
typedef struct story {
    what_if_gap gaps[GAPS_MAX];
    what_if_connection connection;
    what_if_ground ground;
    what_if_tally tally;
    what_if_spare spare;
    bool has_spare;
} story;

static story story_of(what_if_end end, int64_t idle_ns, const int64_t *gaps, uint32_t count)
{
    story s;
    memset(&s, 0, sizeof s);
    int64_t life_ns = idle_ns == KA_NONE ? 0 : idle_ns;
    for (uint32_t i = 0; i < count; i++) {
        s.gaps[i] = (what_if_gap){7, i + 2, gaps[i], KA_NONE, KA_NONE};
        life_ns += gaps[i];
    }
    s.connection = (what_if_connection){.stream = 7,
                                        .requests = count + 1,
                                        .opened_ns = OPENED,
                                        .ended_ns = OPENED + life_ns,
                                        .idle_ns = idle_ns,
                                        .lost_ns = KA_NONE,
                                        .rtt_client_ns = 10 * MS,
                                        .rtt_server_ns = 30 * MS,
                                        .timeout_s = KA_NONE,
                                        .gap_count = count,
                                        .end = (uint8_t)end,
                                        .opened_seen = true};
    s.ground = (what_if_ground){KA_NONE, KA_NONE, S, OPENED + 1000 * S};
    return s;
}

/* Its last request was lost, sent when the server had been closing for `after_ns`. */
static void lose(story *s, what_if_loss loss, int64_t server_ns)
{
    int64_t gap_ns = s->gaps[s->connection.gap_count - 1].idle_ns;
    s->connection.loss = (uint8_t)loss;
    s->connection.lost_ns = s->connection.ended_ns;
    s->connection.ended_ns += server_ns - gap_ns;
    s->connection.idle_ns = server_ns;
}

static void play(story *s, int64_t client_ns, int64_t server_ns, int64_t max)
{
    const what_if_setting setting = {{client_ns, server_ns, max}};
    s->connection.gaps = s->gaps;
    memset(&s->tally, 0, sizeof s->tally);
    s->has_spare = what_if_replay(&s->connection, &setting, &s->ground, &s->tally, &s->spare);
}

static void assert_tally(const story *s, uint64_t connections, uint64_t lost, int64_t open_ns)
{
    assert_int_equal(s->tally.connections, connections);
    assert_int_equal(s->tally.lost, lost);
    assert_int_equal(s->tally.open_us, open_ns / 1000);
}

static void assert_span(what_if_span span, int64_t from_ns, int64_t until_ns)
{
    assert_int_equal(span.from_ns, from_ns);
    assert_int_equal(span.until_ns, until_ns);
}

static const int64_t three[] = {1 * S, 5 * S, 2 * S};

/* ---- Nothing is changed ---- */

static void as_captured_is_what_was_captured(void **state)
{
    (void)state;
    const what_if_end ends[] = {WHAT_IF_END_OPEN, WHAT_IF_END_BY_CLIENT, WHAT_IF_END_BY_SERVER,
                                WHAT_IF_END_ANNOUNCED, WHAT_IF_END_OTHER};
    for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        story s = story_of(ends[i], 4 * S, three, 3);
        play(&s, KA_NONE, KA_NONE, KA_NONE);
        assert_tally(&s, 1, 0, 12 * S);
        assert_int_equal(s.tally.reused, 3);
        assert_false(s.has_spare);
    }
    story lost = story_of(WHAT_IF_END_BY_SERVER, KA_NONE, three, 2);
    lose(&lost, WHAT_IF_LOSS_RACE, 5 * S - 5 * MS);
    play(&lost, KA_NONE, KA_NONE, KA_NONE);
    assert_tally(&lost, 1, 1, 6 * S - 5 * MS);
    assert_int_equal(lost.tally.reused, 1);
    assert_false(lost.has_spare);
}

/* ---- The client's timeout ---- */

static void shorter_client_timeout_opens_another(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_OPEN, 10 * S, three, 3);
    play(&s, 4 * S, KA_NONE, KA_NONE);
    /* Saved: 1 s of the gap of 5, 6 of the last 10. */
    assert_tally(&s, 2, 0, 11 * S);
    assert_int_equal(s.tally.reused, 2);
    assert_false(s.has_spare); /* the new one's future is that of the old one */
}

static void the_client_counts_from_when_it_had_the_response(void **state)
{
    (void)state;
    const int64_t gap[] = {4 * S + 10 * MS};
    story s = story_of(WHAT_IF_END_OPEN, KA_NONE, gap, 1);
    play(&s, 4 * S, KA_NONE, KA_NONE);
    assert_int_equal(s.tally.connections, 1);
    s.gaps[0].idle_ns++;
    play(&s, 4 * S, KA_NONE, KA_NONE);
    assert_int_equal(s.tally.connections, 2);
}

static void shorter_client_timeout_saves_the_lost_request(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_BY_SERVER, KA_NONE, three, 2);
    lose(&s, WHAT_IF_LOSS_RACE, 5 * S - 5 * MS);
    play(&s, 4 * S, KA_NONE, KA_NONE);
    assert_tally(&s, 2, 0, 5 * S);
    /* The connection that carried it would have been there for what came next. */
    assert_true(s.has_spare);
    assert_span(s.spare.use, s.connection.lost_ns, s.connection.lost_ns + 4 * S + 10 * MS);
}

static void every_loss_behind_a_longer_gap_goes(void **state)
{
    (void)state;
    const what_if_loss losses[] = {WHAT_IF_LOSS_RACE, WHAT_IF_LOSS_STALE, WHAT_IF_LOSS_MIDDLE};
    for (unsigned i = 0; i < 3; i++) {
        story s = story_of(WHAT_IF_END_BY_SERVER, KA_NONE, three, 2);
        lose(&s, losses[i], 5 * S);
        play(&s, 5 * S, KA_NONE, KA_NONE);
        assert_int_equal(s.tally.lost, 1); /* the client had not given it up yet */
        play(&s, 4 * S, KA_NONE, KA_NONE);
        assert_int_equal(s.tally.lost, 0);
    }
}

static void longer_client_timeout_is_not_known(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_BY_CLIENT, 3 * S, three, 1);
    play(&s, 10 * S, KA_NONE, KA_NONE);
    assert_tally(&s, 1, 0, 4 * S);
    assert_true(s.has_spare);
    assert_span(s.spare.use, OPENED + 4 * S, OPENED + 11 * S + 10 * MS);
    /* When the server closes is not known, so every such request may be lost, */
    assert_span(s.spare.race, OPENED + 4 * S, OPENED + 11 * S + 10 * MS);
    s.ground.safe_ns = 8 * S; /* but not behind gaps that worked. */
    play(&s, 10 * S, KA_NONE, KA_NONE);
    assert_span(s.spare.use, OPENED + 4 * S, OPENED + 11 * S + 10 * MS);
    assert_span(s.spare.race, OPENED + 9 * S, OPENED + 11 * S + 10 * MS);

    s.ground.deadline_ns = 6 * S; /* the server's close would have ended it before */
    play(&s, 10 * S, KA_NONE, KA_NONE);
    assert_span(s.spare.use, OPENED + 4 * S, OPENED + 7 * S - 30 * MS);
    assert_span(s.spare.race, OPENED + 7 * S - 30 * MS, OPENED + 7 * S + 10 * MS);

    s.ground.end_ns = OPENED + 5 * S; /* and so does the capture */
    play(&s, 10 * S, KA_NONE, KA_NONE);
    assert_span(s.spare.use, OPENED + 4 * S, OPENED + 5 * S);
    assert_true(s.spare.race.until_ns <= s.spare.race.from_ns);
    s.ground.end_ns = OPENED + 4 * S;
    play(&s, 10 * S, KA_NONE, KA_NONE);
    assert_false(s.has_spare);
}

static void no_timeout_ended_it(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_OTHER, 3 * S, three, 1);
    play(&s, 10 * S, 10 * S, KA_NONE);
    assert_tally(&s, 1, 0, 4 * S);
    assert_false(s.has_spare);
    play(&s, 2 * S, KA_NONE, KA_NONE); /* but a shorter one would have */
    assert_tally(&s, 1, 0, 3 * S);
}

/* ---- The server's timeout ---- */

/* Capture time of the gap; timeout 5 s, the client 10 ms and the server 30 ms there and back. */
static void assert_fate(int64_t gap_ns, uint64_t connections, uint64_t lost)
{
    story s = story_of(WHAT_IF_END_OPEN, KA_NONE, &gap_ns, 1);
    play(&s, KA_NONE, 5 * S, KA_NONE);
    assert_int_equal(s.tally.connections, connections);
    assert_int_equal(s.tally.lost, lost);
}

static void a_request_crosses_the_close_within_a_round_trip(void **state)
{
    (void)state;
    assert_fate(5 * S - 30 * MS, 1, 0);     /* it arrives as the timer ends */
    assert_fate(5 * S - 30 * MS + 1, 2, 1); /* lost, and sent again elsewhere */
    assert_fate(5 * S + 10 * MS - 1, 2, 1);
    assert_fate(5 * S + 10 * MS, 2, 0); /* the client has seen the FIN */
}

static void shorter_server_timeout(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_BY_SERVER, 6 * S, three, 3);
    play(&s, KA_NONE, 4 * S, KA_NONE);
    /* Saved: 1 s of the gap of 5, 2 of the last 6. */
    assert_tally(&s, 2, 0, 11 * S);
    assert_false(s.has_spare);
}

static void longer_server_timeout_serves_what_was_lost(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_BY_SERVER, KA_NONE, three, 2);
    lose(&s, WHAT_IF_LOSS_RACE, 5 * S - 5 * MS);
    play(&s, KA_NONE, 8 * S, KA_NONE);
    assert_tally(&s, 1, 0, 6 * S); /* open until the request at least */
    assert_int_equal(s.tally.reused, 2);
    assert_true(s.has_spare);
    assert_span(s.spare.use, s.connection.lost_ns, s.connection.lost_ns + 8 * S - 30 * MS);
    assert_span(s.spare.race, s.spare.use.until_ns, s.connection.lost_ns + 8 * S + 10 * MS);
}

static void no_server_timeout_helps_where_a_device_forgets(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_OTHER, KA_NONE, three, 2);
    lose(&s, WHAT_IF_LOSS_MIDDLE, 5 * S);
    play(&s, KA_NONE, 100 * S, KA_NONE);
    assert_int_equal(s.tally.lost, 1);
}

static void a_client_that_does_not_look_loses_again(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_BY_SERVER, KA_NONE, three, 2);
    lose(&s, WHAT_IF_LOSS_STALE, 3 * S);
    play(&s, KA_NONE, 4 * S, KA_NONE);
    assert_int_equal(s.tally.lost, 1);
    play(&s, KA_NONE, 6 * S, KA_NONE);
    assert_int_equal(s.tally.lost, 0);
}

static void longer_server_timeout_is_not_known(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_BY_SERVER, 6 * S, three, 1);
    play(&s, KA_NONE, 20 * S, KA_NONE);
    assert_tally(&s, 1, 0, 7 * S);
    assert_true(s.has_spare);
    assert_span(s.spare.use, OPENED + 7 * S, OPENED + 21 * S - 30 * MS);
    assert_span(s.spare.race, OPENED + 21 * S - 30 * MS, OPENED + 21 * S + 10 * MS);
    /* The client's own timeout shows: it would have closed first. */
    play(&s, 8 * S, 20 * S, KA_NONE);
    assert_span(s.spare.use, OPENED + 7 * S, OPENED + 9 * S + 10 * MS);
    assert_true(s.spare.race.until_ns <= s.spare.race.from_ns);
    /* Longer for the client alone changes nothing: the server closes. */
    play(&s, 20 * S, KA_NONE, KA_NONE);
    assert_false(s.has_spare);
}

static void the_first_of_both_timeouts_closes(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_OPEN, 10 * S, three, 3);
    play(&s, 4 * S, 3 * S, KA_NONE);
    assert_tally(&s, 2, 0, 18 * S - 2 * S - 7 * S);
    play(&s, 3 * S, 4 * S, KA_NONE);
    assert_tally(&s, 2, 0, 18 * S - 2 * S - 7 * S);
}

/* ---- At risk ---- */

static void near_the_deadline_is_at_risk(void **state)
{
    (void)state;
    const int64_t gap[] = {4 * S - 30 * MS};
    story s = story_of(WHAT_IF_END_OPEN, KA_NONE, gap, 1);
    play(&s, KA_NONE, KA_NONE, KA_NONE);
    assert_int_equal(s.tally.at_risk, 0); /* no deadline is known */
    s.ground.deadline_ns = 5 * S;
    play(&s, KA_NONE, KA_NONE, KA_NONE);
    assert_int_equal(s.tally.at_risk, 0);
    s.gaps[0].idle_ns++;
    play(&s, KA_NONE, KA_NONE, KA_NONE);
    assert_int_equal(s.tally.at_risk, 1);
    play(&s, KA_NONE, 8 * S, KA_NONE);
    assert_int_equal(s.tally.at_risk, 0);
    play(&s, 1 * S, KA_NONE, KA_NONE);
    assert_int_equal(s.tally.at_risk, 0);
}

static void of_a_short_deadline_half(void **state)
{
    (void)state;
    const int64_t gap[] = {500 * MS - 30 * MS};
    story s = story_of(WHAT_IF_END_OPEN, KA_NONE, gap, 1);
    s.ground.deadline_ns = 1 * S;
    play(&s, KA_NONE, KA_NONE, KA_NONE);
    assert_int_equal(s.tally.at_risk, 0);
    s.gaps[0].idle_ns++;
    play(&s, KA_NONE, KA_NONE, KA_NONE);
    assert_int_equal(s.tally.at_risk, 1);
}

/* ---- Another connection in its place ---- */

static void another_one_that_is_not_closed_either(void **state)
{
    (void)state;
    const int64_t gap[] = {10 * S};
    story s = story_of(WHAT_IF_END_OPEN, KA_NONE, gap, 1);
    play(&s, 4 * S, KA_NONE, KA_NONE);
    assert_int_equal(s.tally.shareable, 0); /* it has none */
    s.gaps[0].other_ns = 4 * S;
    play(&s, 4 * S, KA_NONE, KA_NONE);
    assert_int_equal(s.tally.shareable, 1);
    play(&s, 4 * S, 4 * S - 1, KA_NONE);
    assert_int_equal(s.tally.shareable, 0);
    play(&s, 11 * S, KA_NONE, KA_NONE);
    assert_int_equal(s.tally.shareable, 0); /* nothing is opened */
}

/* ---- Requests on a connection ---- */

static void a_limit_of_requests_ends_it(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_OPEN, 10 * S, three, 3);
    play(&s, KA_NONE, KA_NONE, 2);
    /* Requests 1 and 2, 3 and 4: the gap of 5 s is saved, and the last 10. */
    assert_tally(&s, 2, 0, 3 * S);
    play(&s, KA_NONE, KA_NONE, 3);
    assert_tally(&s, 2, 0, 16 * S);
    play(&s, KA_NONE, KA_NONE, 4);
    assert_tally(&s, 1, 0, 8 * S);
    play(&s, KA_NONE, KA_NONE, 5);
    assert_tally(&s, 1, 0, 18 * S);
    play(&s, KA_NONE, KA_NONE, 1);
    assert_tally(&s, 4, 0, 0);
}

static void a_limit_within_requests_without_gaps(void **state)
{
    (void)state;
    const int64_t gap[] = {1 * S};
    story s = story_of(WHAT_IF_END_OPEN, 10 * S, gap, 1);
    s.gaps[0].number = 8;
    s.connection.requests = 9;
    play(&s, KA_NONE, KA_NONE, 3);
    /* 1 to 3, 4 to 6, 7 to 9: none of them ends at the gap. */
    assert_tally(&s, 3, 0, 1 * S);
    s.gaps[0].number = 7;
    play(&s, KA_NONE, KA_NONE, 3);
    assert_tally(&s, 3, 0, 0);
    s.connection.requests = 10;
    play(&s, KA_NONE, KA_NONE, 3);
    assert_tally(&s, 4, 0, 10 * S);
}

static void a_timeout_begins_the_count_again(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_OPEN, KA_NONE, three, 3);
    play(&s, 4 * S, KA_NONE, 3);
    /* 1 and 2, then the timeout, then 3 and 4. */
    assert_tally(&s, 2, 0, 7 * S);
}

static void a_higher_limit_is_not_known(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_ANNOUNCED, 0, three, 3);
    play(&s, KA_NONE, KA_NONE, 4);
    assert_false(s.has_spare);
    play(&s, KA_NONE, KA_NONE, 100);
    assert_tally(&s, 1, 0, 8 * S);
    assert_true(s.has_spare);
    assert_span(s.spare.use, s.connection.ended_ns, s.ground.end_ns);
    play(&s, 9 * S, KA_NONE, 100);
    assert_span(s.spare.use, s.connection.ended_ns, s.connection.ended_ns + 9 * S + 10 * MS);
}

/* ---- Edges ---- */

static void never_used(void **state)
{
    (void)state;
    story s = story_of(WHAT_IF_END_BY_CLIENT, KA_NONE, NULL, 0);
    s.connection.requests = 0;
    s.connection.ended_ns += 5 * S;
    play(&s, 1 * S, 1 * S, 1);
    assert_tally(&s, 1, 0, 5 * S);
    assert_false(s.has_spare);
}

static void the_largest_numbers_do_not_overflow(void **state)
{
    (void)state;
    const int64_t longest_ns = INT64_MAX / 4;
    story s = story_of(WHAT_IF_END_BY_CLIENT, longest_ns / 2, &longest_ns, 1);
    s.gaps[0].number = UINT32_MAX - 1;
    s.connection.requests = UINT32_MAX - 1;
    s.ground.end_ns = INT64_MAX / 2;
    s.ground.deadline_ns = longest_ns;
    play(&s, longest_ns, longest_ns, INT64_C(1000000000));
    assert_int_equal(s.tally.connections, 5);
    play(&s, 1, KA_NONE, 1);
    assert_int_equal(s.tally.connections, UINT32_MAX - 1);
    s.connection.ended_ns = s.connection.opened_ns - 5 * S; /* a clock that was set back */
    play(&s, KA_NONE, KA_NONE, KA_NONE);
    assert_int_equal(s.tally.open_us, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_captured_is_what_was_captured),
        cmocka_unit_test(shorter_client_timeout_opens_another),
        cmocka_unit_test(the_client_counts_from_when_it_had_the_response),
        cmocka_unit_test(shorter_client_timeout_saves_the_lost_request),
        cmocka_unit_test(every_loss_behind_a_longer_gap_goes),
        cmocka_unit_test(longer_client_timeout_is_not_known),
        cmocka_unit_test(no_timeout_ended_it),
        cmocka_unit_test(a_request_crosses_the_close_within_a_round_trip),
        cmocka_unit_test(shorter_server_timeout),
        cmocka_unit_test(longer_server_timeout_serves_what_was_lost),
        cmocka_unit_test(no_server_timeout_helps_where_a_device_forgets),
        cmocka_unit_test(a_client_that_does_not_look_loses_again),
        cmocka_unit_test(longer_server_timeout_is_not_known),
        cmocka_unit_test(the_first_of_both_timeouts_closes),
        cmocka_unit_test(near_the_deadline_is_at_risk),
        cmocka_unit_test(of_a_short_deadline_half),
        cmocka_unit_test(another_one_that_is_not_closed_either),
        cmocka_unit_test(a_limit_of_requests_ends_it),
        cmocka_unit_test(a_limit_within_requests_without_gaps),
        cmocka_unit_test(a_timeout_begins_the_count_again),
        cmocka_unit_test(a_higher_limit_is_not_known),
        cmocka_unit_test(never_used),
        cmocka_unit_test(the_largest_numbers_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
