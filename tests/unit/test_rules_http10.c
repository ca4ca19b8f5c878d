/* test_rules_http10.c - persistence in HTTP/1.0.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

#define KEEP "Connection: keep-alive"

static timeline t;

static conversation *asked_in_10(const char *request_fields, const char *response_fields, mark **answered)
{
    conversation *c = connect_at(&t, 0);
    request(c, 0.1, request_fields)->version = 10;
    *answered = response(c, 0.2, response_fields);
    return c;
}

static void closes(conversation *c, side first, double at_s)
{
    fin(c, first, at_s);
    fin(c, first == CLIENT ? SERVER : CLIENT, at_s + 0.03);
}

/* ---- http10-token-not-echoed, http10-unasked-keepalive ---- */

typedef struct row {
    const char *request_fields;
    const char *response_fields;
    ka_finding_id id; /* KA_FINDING_COUNT: none */
    ka_severity severity;
} row;

static const row rows[] = {
    {KEEP, "", KA_HTTP10_TOKEN_NOT_ECHOED, KA_ERROR},
    {KEEP, KEEP, KA_FINDING_COUNT, KA_CHAT},
    {KEEP, "Proxy-Connection: keep-alive", KA_FINDING_COUNT, KA_CHAT},
    {"", KEEP, KA_HTTP10_UNASKED_KEEPALIVE, KA_WARN},
    {"", "", KA_FINDING_COUNT, KA_CHAT},
};

/* Neither may wait for a close: one asked for it, too, the other asked in a way of its own. */
static const row half_asked[] = {
    {"Connection: keep-alive, close", "", KA_CLOSE_CONTRADICTION, KA_WARN},
    {"Keep-Alive: max=100", KEEP, KA_TOKEN_MISSING, KA_WARN},
};

static void open_behind_an_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int ending = 0; ending < 3; ending++) {
            FROM_EVERYWHERE(t)
            {
                mark *answered;
                conversation *c = asked_in_10(rows[i].request_fields, rows[i].response_fields, &answered);
                if (ending < 2) /* the client's timeout, or the server's; or nobody closes */
                    closes(c, ending == 0 ? CLIENT : SERVER, 5.2);
                timeline_play(&t, 20);
                if (rows[i].id == KA_FINDING_COUNT) {
                    assert_silent(&t);
                    continue;
                }
                const ka_finding *f =
                    assert_holds(&t, rows[i].id, rows[i].severity, KA_FAULT_SERVER, answered);
                assert_only(&t, rows[i].id, KA_FINDING_COUNT);
                if (ending == 1)
                    assert_value(f, "open_for", 5);
            }
        }
    }
}

static void asked_in_a_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof half_asked / sizeof half_asked[0]; i++) {
        FROM_EVERYWHERE(t)
        {
            mark *answered;
            conversation *c =
                asked_in_10(half_asked[i].request_fields, half_asked[i].response_fields, &answered);
            closes(c, CLIENT, 5.2);
            timeline_play(&t, 20);
            assert_only(&t, half_asked[i].id, KA_FINDING_COUNT);
        }
    }
}

static void closed_or_used_in_time(void **state)
{
    (void)state;
    static const row *const odd[] = {&rows[0], &rows[3]};
    for (int i = 0; i < 2; i++) {
        for (int late = 0; late < 2; late++) {
            FROM_EVERYWHERE(t)
            { /* just inside and outside of close-grace */
                mark *answered;
                conversation *c = asked_in_10(odd[i]->request_fields, odd[i]->response_fields, &answered);
                closes(c, SERVER, late ? 1.21 : 1.19);
                timeline_play(&t, 20);
                if (late)
                    assert_only(&t, odd[i]->id, KA_FINDING_COUNT);
                else
                    assert_absent(&t, odd[i]->id);
            }
        }
        FROM_EVERYWHERE(t)
        { /* the client goes on */
            mark *answered;
            conversation *c = asked_in_10(odd[i]->request_fields, odd[i]->response_fields, &answered);
            request(c, 3, "Connection: close")->version = 10;
            response(c, 3.1, CLOSE);
            closes(c, SERVER, 3.1);
            timeline_play(&t, 20);
            assert_silent(&t);
        }
        FROM_EVERYWHERE(t)
        { /* it went on once, and knows where a response ends */
            mark *answered;
            conversation *c = asked_in_10(odd[i]->request_fields, odd[i]->response_fields, &answered);
            request(c, 1, odd[i]->request_fields)->version = 10;
            response(c, 1.1, odd[i]->response_fields);
            closes(c, SERVER, 30);
            timeline_play(&t, 40);
            assert_silent(&t);
        }
        FROM_EVERYWHERE(t)
        { /* the same between two that speak HTTP/1.1 */
            conversation *c = connect_at(&t, 0);
            exchange(c, 0.1, odd[i]->request_fields, odd[i]->response_fields);
            closes(c, CLIENT, 5.2);
            timeline_play(&t, 20);
            assert_silent(&t);
        }
    }
}

/* ---- http10-undelimited ---- */

static conversation *undelimited(const char *fields, mark **first)
{
    conversation *c = connect_at(&t, 0);
    request(c, 0.1, KEEP)->version = 10;
    *first = part(c, SERVER, 0.2);
    (*first)->framing = KA_FRAMING_UNTIL_CLOSE;
    (*first)->version = 10;
    (*first)->head_fields = fields;
    part(c, SERVER, 0.3);
    return c;
}

/* The FIN completes the response. */
static void ends_with_fin(conversation *c, double at_s, mark *first, const char *fields)
{
    mark *end = fin(c, SERVER, at_s);
    end->message_from = first;
    end->fields = fields;
    end->status = 200;
    end->version = 10;
    end->framing = KA_FRAMING_UNTIL_CLOSE;
}

static void undelimited_body(void **state)
{
    (void)state;
    for (int ending = 0; ending < 4; ending++) {
        FROM_EVERYWHERE(t)
        {
            mark *first;
            conversation *c = undelimited(KEEP, &first);
            if (ending == 0)
                fin(c, CLIENT, 8);
            if (ending == 1)
                rst(c, CLIENT, 8);
            if (ending == 0)
                ends_with_fin(c, 8.03, first, KEEP);
            if (ending == 2) /* its idle timer */
                ends_with_fin(c, 8.03, first, KEEP);
            timeline_play(&t, 20);
            const ka_finding *f = assert_holds(&t, KA_HTTP10_UNDELIMITED, KA_ERROR, KA_FAULT_SERVER, first);
            assert_true(value_of(f, "waited") > 7 * KA_SECOND_NS);
        }
    }
}

static void delimited_by_a_close(void **state)
{
    (void)state;
    static const double end_s[] = {0.3, 5.29, 5.31};
    for (int i = 0; i < 3; i++) {
        FROM_EVERYWHERE(t)
        { /* the pause is within, and beyond, what a slow body may take */
            mark *first;
            conversation *c = undelimited(KEEP, &first);
            ends_with_fin(c, end_s[i], first, KEEP);
            fin(c, CLIENT, end_s[i] + 0.03);
            timeline_play(&t, 20);
            if (i == 2)
                assert_only(&t, KA_HTTP10_UNDELIMITED, KA_FINDING_COUNT);
            else
                assert_silent(&t);
        }
    }
    FROM_EVERYWHERE(t)
    { /* without the promise the client gave up a slow answer */
        mark *first;
        conversation *c = undelimited("", &first);
        fin(c, CLIENT, 8);
        ends_with_fin(c, 8.03, first, "");
        timeline_play(&t, 20);
        assert_absent(&t, KA_HTTP10_UNDELIMITED);
    }
    FROM_EVERYWHERE(t)
    { /* after a pause as long its body went on */
        mark *first;
        conversation *c = undelimited(KEEP, &first);
        part(c, SERVER, 8);
        ends_with_fin(c, 16, first, KEEP);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* the same, given up by the client */
        mark *first;
        conversation *c = undelimited(KEEP, &first);
        part(c, SERVER, 8);
        rst(c, CLIENT, 16);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
    FROM_EVERYWHERE(t)
    { /* an event stream is meant to stay open */
        mark *first;
        static const char events[] = KEEP "\nContent-Type: text/event-stream";
        conversation *c = undelimited(events, &first);
        fin(c, CLIENT, 8);
        ends_with_fin(c, 8.03, first, events);
        timeline_play(&t, 20);
        assert_silent(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_behind_an_answer),  cmocka_unit_test(asked_in_a_way),
        cmocka_unit_test(closed_or_used_in_time), cmocka_unit_test(undelimited_body),
        cmocka_unit_test(delimited_by_a_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
