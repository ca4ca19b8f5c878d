/* test_audit_lies.c - front ends that tell what cannot be: numbers stay possible, and no memory is lost.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "one_story.h"

static uint32_t random_state;

static uint32_t pick(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(random_state >> 8) * below >> 24);
}

static uint32_t pick_number(void)
{
    static const uint32_t near[] = {0, 1, 1000, 1100, 0x7fffffff, 0x80000000, 0xffffffff};
    return near[pick(7)] + pick(300);
}

static ka_moment pick_moment(void)
{
    int64_t time_ns = pick(5) == 0 ? INT64_MAX / 2 : (int64_t)pick(4000) * KA_MILLISECOND_NS;
    return (ka_moment){time_ns, 1 + pick((uint32_t)s.frame + 2)};
}

static void lie(talk *t)
{
    static const char *const hosts[] = {NULL, "a.example", "b.example:80"};
    ka_segment segment = segment_of(t, pick(4000) * MS, (int)pick(2), (uint8_t)pick(32), pick(3) * 60);
    segment.seq = pick_number();
    segment.ack = pick_number();
    segment.ip_id = (uint16_t)pick(3);
    if (pick(10) == 0)
        segment.time_ns = INT64_MAX / 2; /* as far as a front end may go */
    tell(t, segment);
    line l = {(int)pick(2),
              (uint16_t)(pick(2) * (100 + pick(500))),
              pick_number(),
              pick_number(),
              pick_number(),
              pick_moment(),
              pick_moment(),
              {"keep-alive", "timeout=3, max=2", 10, (ka_framing)pick(5), hosts[pick(3)], pick(4) != 0}};
    ka_bytes bytes = {(uint8_t)pick(2), (uint8_t)(20 + pick(4)), pick_number(),
                      pick_number(),    pick_moment(),           pick_moment()};
    switch (pick(6)) {
    case 0:
    case 1:
        says(t, l);
        break;
    case 2:
        assert_int_equal(ka_stray_seen(s.audit, t->connection, &bytes), KA_OK);
        break;
    case 3:
        if (pick(4) == 0)
            assert_int_equal(ka_tls_record_seen(s.audit, t->connection, &bytes), KA_OK);
        break;
    default:
        break;
    }
}

/* Whatever is told, numbers that cannot be negative are not, and nothing is read or kept that should not be.
 */
static void test_lies(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 2000; seed++) {
        story_end(&s);
        begin(state);
        random_state = seed * 2654435761u;
        talk t = talk_open(&s, 0, false);
        for (int i = 0; i < 60; i++)
            lie(&t);
        story_report(&s);
        assert_int_equal(s.status, KA_OK);
        assert_int_equal(s.record_count, 1);
        const ka_record *r = &s.records[0];
        assert_true(r->idle_longest_ns >= 0 && r->idle_total_ns >= r->idle_longest_ns);
        assert_true(r->close.idle_ns == KA_NONE || r->close.idle_ns >= 0);
        assert_true(r->rtt_client_ns == KA_NONE || r->rtt_client_ns >= 0);
        s.exchange_count = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lies, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
