/* test_rules_orphan.c - connections that a proxy leaves behind when its client has gone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

/* Where one story differs from the others. */
typedef struct variation {
    int orphans;
    double every_s; /* between the connections that the proxy opens later, of which there are four */
    bool once;      /* those carry one request only */
    bool idle;      /* one more connection lies idle to the end */
    bool cut;       /* the capture does not hold all bytes of the orphans' connections */
    enum { KEPT, REUSED, CLOSED_BY_PROXY, CLOSED_BY_SERVER } fate;
} variation;

static conversation *from_proxy(const conversation *down, double at_s)
{
    static uint16_t port = 50000;
    conversation *up = connect_to(&t, at_s, 2);
    up->ends[0] = down->ends[1];
    up->ends[0].port = ++port;
    return up;
}

static void pass_on(conversation *down, conversation *up, double at_s)
{
    request(down, at_s, "");
    request(up, at_s + 0.05, "");
    response(up, at_s + 0.15, "");
    response(down, at_s + 0.25, "");
}

/* Its client leaves after two seconds, and the answer comes one second later: at at_s + 3. */
static mark *orphan(double at_s, const variation *v)
{
    conversation *down = connect_to(&t, at_s - 1, 1), *up = from_proxy(down, at_s - 0.9);
    pass_on(down, up, at_s - 0.5);
    request(down, at_s, "");
    request(up, at_s + 0.05, "");
    mark *gone = rst(down, CLIENT, at_s + 2);
    response(up, at_s + 3, "");
    up->gates = v->cut ? KA_GATE_SNAPLEN : 0;
    if (v->fate == REUSED) {
        conversation *later = connect_to(&t, at_s + 90, 1);
        pass_on(later, up, at_s + 91);
    } else if (v->fate != KEPT) {
        side by = v->fate == CLOSED_BY_PROXY ? CLIENT : SERVER;
        fin(up, by, at_s + 75);
        fin(up, by == CLIENT ? SERVER : CLIENT, at_s + 75.1);
    }
    return gone;
}

static void others(const variation *v)
{
    for (int i = 0; i < 4; i++) {
        double at_s = 10 + i * v->every_s;
        conversation *down = connect_to(&t, at_s, 1), *up = from_proxy(down, at_s + 0.1);
        pass_on(down, up, at_s + 0.3);
        if (!v->once)
            pass_on(down, up, at_s + 2);
        fin(down, CLIENT, at_s + 3);
        fin(down, SERVER, at_s + 3.1);
        fin(up, CLIENT, at_s + 5);
        fin(up, SERVER, at_s + 5.1);
    }
}

/* The first client's leaving. */
static mark *play(const variation *v)
{
    mark *first = NULL;
    for (int i = v->orphans - 1; i >= 0; i--)
        first = orphan(2 + i * 0.5, v);
    others(v);
    if (v->idle) {
        conversation *down = connect_to(&t, 1, 1);
        pass_on(down, from_proxy(down, 1.1), 5);
    }
    timeline_play(&t, 110);
    return first;
}

static void a_connection_is_left_behind(void **state)
{
    (void)state;
    static const variation many = {.orphans = 3, .every_s = 25};
    static const variation alone = {.orphans = 1, .every_s = 25};
    static const variation closed = {.orphans = 3, .every_s = 21, .fate = CLOSED_BY_SERVER};
    FROM_EVERYWHERE(t)
    {
        mark *gone = play(&many);
        const ka_finding *f = assert_holds(&t, KA_UPSTREAM_ORPHAN, KA_WARN, KA_FAULT_PROXY, gone);
        assert_int_equal(value_of(f, "left"), 3);
        assert_int_equal(value_of(f, "opened"), 4);
        assert_only(&t, KA_UPSTREAM_ORPHAN, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    {
        mark *gone = play(&alone);
        assert_holds(&t, KA_UPSTREAM_ORPHAN, KA_NOTE, KA_FAULT_PROXY, gone);
    }
    FROM_EVERYWHERE(t)
    {
        mark *gone = play(&closed);
        const ka_finding *f = assert_holds(&t, KA_UPSTREAM_ORPHAN, KA_WARN, KA_FAULT_PROXY, gone);
        assert_true(frame_of(f, "upstream_fin") != 0);
    }
}

static void a_connection_is_not_left_behind(void **state)
{
    (void)state;
    static const variation rows[] = {
        {.orphans = 3, .every_s = 25, .fate = REUSED},
        {.orphans = 3, .every_s = 25, .fate = CLOSED_BY_PROXY},
        {.orphans = 3, .every_s = 18}, /* less than a minute between the answer and the last opening */
        {.orphans = 3, .every_s = 25, .once = true},
        {.orphans = 3, .every_s = 25, .idle = true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            play(&rows[i]);
            assert_absent(&t, KA_UPSTREAM_ORPHAN);
        }
    }
}

/* What the capture does not hold may have been the next request. */
static void doubts_make_it_a_note(void **state)
{
    (void)state;
    static const variation cut = {.orphans = 3, .every_s = 25, .cut = true};
    FROM_EVERYWHERE(t)
    {
        mark *gone = play(&cut);
        const ka_finding *f = assert_holds(&t, KA_UPSTREAM_ORPHAN, KA_NOTE, KA_FAULT_PROXY, gone);
        assert_int_equal(f->failed_gates, KA_GATE_SNAPLEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_left_behind),
        cmocka_unit_test(a_connection_is_not_left_behind),
        cmocka_unit_test(doubts_make_it_a_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
