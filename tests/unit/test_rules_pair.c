/* test_rules_pair.c - both sides of a proxy: what its client sees of what happens behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

/* The client's connection to the proxy, and the proxy's to the origin, one exchange old. */
static void through_proxy(conversation **down, conversation **up)
{
    *down = connect_to(&t, 0, 1);
    *up = connect_to(&t, 0, 2);
    (*up)->ends[0] = (*down)->ends[1];
    (*up)->ends[0].port = 50000;
    request(*down, 0.1, "");
    request(*up, 0.15, "");
    response(*up, 0.25, "");
    response(*down, 0.35, "");
}

/* A second request, lost to the origin's close. */
static mark *lose(conversation *down, conversation *up)
{
    request(down, 2.2, "");
    mark *lost = request(up, 2.23, "");
    fin(up, SERVER, 2.22);
    rst(up, SERVER, 2.27);
    return lost;
}

static void gateway_error_names_both_sides(void **state)
{
    (void)state;
    static const uint16_t errors[] = {502, 503, 504};
    for (int i = 0; i < 3; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *down, *up;
            through_proxy(&down, &up);
            mark *lost = lose(down, up);
            mark *error = answer(down, 2.3, errors[i], "");
            timeline_play(&t, 20);
            const ka_finding *f =
                assert_holds(&t, KA_GATEWAY_ERROR_FROM_RACE, KA_ERROR, KA_FAULT_CONFIG, error);
            assert_true(f->has_pair);
            assert_int_equal(f->stream, down->stream);
            assert_int_equal(f->upstream.stream, up->stream);
            assert_int_equal(value_of(f, "status"), errors[i]);
            assert_int_equal(frame_of(f, "upstream_request"), lost->at.frame);
            assert_true(has_cause(f, KA_KEEPALIVE_RACE));
            assert_holds(&t, KA_KEEPALIVE_RACE, KA_ERROR, KA_FAULT_CONFIG, lost);
        }
    }
}

static void gateway_error_has_neighbours(void **state)
{
    (void)state;
    static const struct {
        double at_s;
        uint16_t status;
    } rows[] = {{2.9, 502}, {2.3, 500}, {2.3, 404}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *down, *up;
            through_proxy(&down, &up);
            lose(down, up);
            answer(down, rows[i].at_s, rows[i].status, "");
            timeline_play(&t, 20);
            assert_only(&t, KA_KEEPALIVE_RACE, KA_FINDING_COUNT);
        }
    }
}

static void a_request_sent_again_is_no_error(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *down, *up;
        through_proxy(&down, &up);
        lose(down, up);
        conversation *second = connect_to(&t, 2.3, 2);
        second->ends[0] = up->ends[0];
        second->ends[0].port++;
        request(second, 2.36, "");
        response(second, 2.45, "");
        answer(down, 2.5, 200, "");
        timeline_play(&t, 20);
        assert_only(&t, KA_KEEPALIVE_RACE, KA_FINDING_COUNT);
    }
}

static void two_servers_of_one_client_are_no_proxy(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *down, *up;
        through_proxy(&down, &up);
        up->ends[0] = down->ends[0]; /* the same client asks both */
        up->ends[0].port++;
        lose(down, up);
        answer(down, 2.3, 502, "");
        timeline_play(&t, 20);
        assert_only(&t, KA_KEEPALIVE_RACE, KA_FINDING_COUNT);
    }
}

static void gateway_silent_close_is_the_proxys(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *down, *up;
        through_proxy(&down, &up);
        lose(down, up);
        mark *close = fin(down, SERVER, 2.3);
        timeline_play(&t, 20);
        assert_holds(&t, KA_GATEWAY_SILENT_CLOSE, KA_ERROR, KA_FAULT_PROXY, close);
        assert_absent(&t, KA_GATEWAY_ERROR_FROM_RACE);
    }
    FROM_EVERYWHERE(t)
    {
        conversation *down, *up;
        through_proxy(&down, &up);
        lose(down, up);
        rst(down, CLIENT, 2.26);
        timeline_play(&t, 20);
        assert_absent(&t, KA_GATEWAY_SILENT_CLOSE);
    }
}

static void upstream_orphan_goes_on_for_a_minute(void **state)
{
    (void)state;
    static const double ends_s[] = {62, 64};
    for (int i = 0; i < 2; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *down, *up;
            through_proxy(&down, &up);
            request(down, 1, "");
            request(up, 1.05, "");
            mark *gone = rst(down, CLIENT, 3);
            timeline_play(&t, ends_s[i]);
            if (i == 0)
                assert_absent(&t, KA_UPSTREAM_ORPHAN);
            else
                assert_holds(&t, KA_UPSTREAM_ORPHAN, KA_WARN, KA_FAULT_PROXY, gone);
        }
    }
}

static void hop_by_hop_needs_more_than_one_number(void **state)
{
    (void)state;
    static const char *const second[] = {KEEP_5, "Connection: keep-alive\nKeep-Alive: timeout=4"};
    for (int i = 0; i < 2; i++) {
        FROM_EVERYWHERE(t)
        {
            conversation *down = connect_to(&t, 0, 1), *up = connect_to(&t, 0, 2);
            up->ends[0] = down->ends[1];
            up->ends[0].port = 50000;
            request(down, 0.1, "");
            request(up, 0.15, "");
            response(up, 0.25, KEEP_5);
            mark *first = response(down, 0.35, KEEP_5);
            request(down, 0.5, "");
            request(up, 0.55, "");
            response(up, 0.65, second[i]);
            response(down, 0.75, second[i]);
            timeline_play(&t, 3);
            if (i == 0)
                assert_absent(&t, KA_HOP_BY_HOP_FORWARDED);
            else
                assert_holds(&t, KA_HOP_BY_HOP_FORWARDED, KA_WARN, KA_FAULT_PROXY, first);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gateway_error_names_both_sides),
        cmocka_unit_test(gateway_error_has_neighbours),
        cmocka_unit_test(a_request_sent_again_is_no_error),
        cmocka_unit_test(two_servers_of_one_client_are_no_proxy),
        cmocka_unit_test(gateway_silent_close_is_the_proxys),
        cmocka_unit_test(upstream_orphan_goes_on_for_a_minute),
        cmocka_unit_test(hop_by_hop_needs_more_than_one_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
