/* test_rules_pipeline.c - pipelines answered only in part.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

static timeline t;

static conversation *pipeline(int sent, int answered, const char *fields)
{
    conversation *c = connect_at(&t, 0);
    for (int i = 0; i < sent; i++)
        request(c, 0.1 + 0.001 * i, "");
    for (int i = 0; i < answered; i++)
        response(c, 0.2 + 0.01 * i, fields);
    return c;
}

static const ka_finding *assert_lost(ka_severity severity, int request_number, int unanswered)
{
    const ka_finding *f = finding_of(&t, KA_PIPELINE_LOST);
    assert_non_null(f);
    assert_int_equal(f->severity, severity);
    assert_int_equal(value_of(f, "request_number"), request_number);
    assert_int_equal(value_of(f, "unanswered"), unanswered);
    assert_only(&t, KA_PIPELINE_LOST, KA_FINDING_COUNT);
    return f;
}

static void the_rest_is_dropped(void **state)
{
    (void)state;
    static const double close_s[] = {0.25, 4, 75};
    for (int i = 0; i < 3; i++) {
        FROM_EVERYWHERE(t)
        { /* at once, or when an idle timer runs out */
            conversation *c = pipeline(5, 2, "");
            fin(c, SERVER, close_s[i]);
            fin(c, CLIENT, close_s[i] + 0.03);
            timeline_play(&t, 90);
            assert_value(assert_lost(KA_ERROR, 3, 3), "silent", close_s[i] - 0.21);
        }
    }
    FROM_EVERYWHERE(t)
    {
        conversation *c = pipeline(2, 1, "");
        rst(c, SERVER, 0.3);
        timeline_play(&t, 90);
        assert_lost(KA_ERROR, 2, 1);
    }
}

static void silence(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    {
        conversation *c = pipeline(3, 1, "");
        fin(c, CLIENT, 60.3);
        fin(c, SERVER, 60.33);
        timeline_play(&t, 90);
        assert_value(assert_lost(KA_NOTE, 2, 2), "silent", 60.075);
    }
    FROM_EVERYWHERE(t)
    { /* nobody closes */
        pipeline(3, 1, "");
        timeline_play(&t, 90);
        assert_lost(KA_NOTE, 2, 2);
    }
    FROM_EVERYWHERE(t)
    { /* the second may take its time */
        conversation *c = pipeline(3, 1, "");
        fin(c, CLIENT, 60.22);
        fin(c, SERVER, 60.25);
        timeline_play(&t, 90);
        assert_silent(&t);
    }
}

static void not_for_want_of_a_pipeline(void **state)
{
    (void)state;
    FROM_EVERYWHERE(t)
    { /* all answered */
        conversation *c = pipeline(3, 3, "");
        fin(c, CLIENT, 1);
        fin(c, SERVER, 1.03);
        timeline_play(&t, 90);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* an answer that ends the connection voids the rest */
        conversation *c = pipeline(3, 1, CLOSE);
        fin(c, SERVER, 0.2);
        fin(c, CLIENT, 0.23);
        timeline_play(&t, 90);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* none answered: it died */
        conversation *c = pipeline(3, 0, "");
        fin(c, SERVER, 0.3);
        fin(c, CLIENT, 0.33);
        timeline_play(&t, 90);
        assert_only(&t, KA_SERVER_CLOSED_IN_FLIGHT, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* the next answer was under way */
        conversation *c = pipeline(2, 1, "");
        part(c, SERVER, 0.25);
        fin(c, SERVER, 0.3);
        fin(c, CLIENT, 0.33);
        timeline_play(&t, 90);
        assert_only(&t, KA_SERVER_CLOSED_IN_FLIGHT, KA_FINDING_COUNT);
    }
    FROM_EVERYWHERE(t)
    { /* the client waited for the first answer */
        conversation *c = connect_at(&t, 0);
        exchange(c, 0.1, "", "");
        request(c, 0.3, "");
        fin(c, SERVER, 0.5);
        fin(c, CLIENT, 0.53);
        timeline_play(&t, 90);
        assert_only(&t, KA_SERVER_CLOSED_IN_FLIGHT, KA_FINDING_COUNT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rest_is_dropped),
        cmocka_unit_test(silence),
        cmocka_unit_test(not_for_want_of_a_pipeline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
