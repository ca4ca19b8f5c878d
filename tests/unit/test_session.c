/* test_session.c - logins that belong to a connection, step by step.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include <limits.h>

#include "login.h"
#include "session.h"

static unsigned refused_after = UINT_MAX; /* so many more allocations succeed */

static void *resize(void *user, void *old, size_t new_bytes)
{
    (void)user;
    if (new_bytes == 0) {
        free(old);
        return NULL;
    }
    return refused_after-- > 0 ? realloc(old, new_bytes) : NULL;
}

static const ka_allocator allocator = {.resize = resize};

/* One request on both sides of the proxy, at that second, answered half a second later. */
typedef struct passed {
    ka_leg down, up;
} passed;

static passed pass(uint32_t client, uint8_t login, uint16_t status, int64_t at_s)
{
    static uint64_t frame;
    passed p;
    memset(&p, 0, sizeof p);
    p.down.stream = client;
    p.down.client = (ka_address){{192, 0, 2, (uint8_t)client}, 4000, 4};
    p.down.login = p.up.login = login;
    p.up.authorizes = login != KA_LOGIN_NONE;
    p.down.status = p.up.status = status;
    p.down.challenges = p.up.challenges = login == KA_LOGIN_NEGOTIATE;
    p.down.request = p.up.request = (ka_moment){at_s * KA_SECOND_NS, ++frame};
    p.up.response = p.up.response_end = (ka_moment){at_s * KA_SECOND_NS + KA_SECOND_NS / 2, ++frame};
    return p;
}

static bool ask(ka_session *s, passed p, ka_breach *out)
{
    return ka_session_request(s, &p.down, &p.up, out);
}

static bool log_in(ka_session *s, ka_session *asked, passed p, ka_breach *out)
{
    return ka_session_login(s, asked, &p.down, &p.up, out);
}

/* The client has logged in at second 2. */
static ka_session logged_in(uint32_t client)
{
    ka_session s = {.stream = 9};
    ka_breach breach;
    assert_false(ask(&s, pass(client, KA_LOGIN_NEGOTIATE, 401, 1), &breach));
    assert_true(ka_session_awaits(&s, client));
    assert_false(log_in(&s, &s, pass(client, KA_LOGIN_AUTHENTICATE, 200, 2), &breach));
    assert_false(ka_session_awaits(&s, client));
    return s;
}

static void a_login_is_its_clients(void **state)
{
    (void)state;
    ka_session s = logged_in(1);
    ka_breach breach;
    assert_false(ask(&s, pass(1, KA_LOGIN_NONE, 200, 3), &breach));
    assert_true(ask(&s, pass(2, KA_LOGIN_NONE, 200, 4), &breach));
    assert_int_equal(breach.kind, KA_BREACH_SHARED);
    assert_int_equal(breach.stream, 1);
    assert_int_equal(breach.before.time_ns, 2 * KA_SECOND_NS);
    assert_false(breach.doubtful);
}

static void who_else_may_ask(void **state)
{
    (void)state;
    static const struct {
        uint8_t login;
        bool authorizes;
        uint16_t up_status, down_status;
        int64_t at_s;
    } rows[] = {
        {KA_LOGIN_NEGOTIATE, true, 401, 401, 4}, /* begins anew */
        {KA_LOGIN_NONE, true, 200, 200, 4},      /* Kerberos, Basic */
        {KA_LOGIN_NONE, false, 401, 401, 4},     /* refused */
        {KA_LOGIN_NONE, false, 500, 500, 4},     {KA_LOGIN_NONE, false, 0, 502, 4},
        {KA_LOGIN_NONE, false, 200, 304, 4}, /* not that answer */
        {KA_LOGIN_NONE, false, 200, 200, 2}, /* before the login was complete, told later */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ka_session s = logged_in(1);
        ka_breach breach;
        passed p = pass(2, rows[i].login, rows[i].up_status, rows[i].at_s);
        p.up.authorizes = rows[i].authorizes;
        p.down.status = rows[i].down_status;
        assert_false(ask(&s, p, &breach));
        bool ended = rows[i].authorizes;
        assert_int_equal(ask(&s, pass(3, KA_LOGIN_NONE, 200, 9), &breach), !ended);
    }
}

static void one_address_is_doubtful(void **state)
{
    (void)state;
    ka_session s = logged_in(1);
    ka_breach breach;
    passed p = pass(2, KA_LOGIN_NONE, 200, 4);
    p.down.client.ip[3] = 1;
    assert_true(ask(&s, p, &breach));
    assert_true(breach.doubtful);
}

static void a_login_is_split(void **state)
{
    (void)state;
    static const uint16_t statuses[] = {401, 0, 200, 302};
    for (int i = 0; i < 4; i++) {
        ka_session first = {.stream = 8}, second = {.stream = 9};
        ka_breach breach;
        assert_false(ask(&first, pass(1, KA_LOGIN_NEGOTIATE, 401, 1), &breach));
        assert_true(log_in(&second, &first, pass(1, KA_LOGIN_AUTHENTICATE, statuses[i], 2), &breach));
        assert_int_equal(breach.kind, KA_BREACH_SPLIT);
        assert_int_equal(breach.stream, 8);
        assert_int_equal(breach.doubtful, statuses[i] >= 200 && statuses[i] < 400);
        assert_false(ka_session_awaits(&first, 1));
        assert_false(ask(&second, pass(2, KA_LOGIN_NONE, 200, 5), &breach)); /* it is nobody's */
    }
    ka_session first = {.stream = 8}, second = logged_in(2); /* accepted as somebody else */
    ka_breach breach;
    assert_false(ask(&first, pass(1, KA_LOGIN_NEGOTIATE, 401, 4), &breach));
    assert_true(log_in(&second, &first, pass(1, KA_LOGIN_AUTHENTICATE, 200, 5), &breach));
    assert_false(breach.doubtful);
    ka_session third = {.stream = 7}; /* nobody knows of a challenge; or only of a later one */
    assert_false(log_in(&third, NULL, pass(1, KA_LOGIN_AUTHENTICATE, 401, 6), &breach));
    assert_false(ask(&first, pass(1, KA_LOGIN_NEGOTIATE, 401, 9), &breach));
    assert_false(log_in(&third, &first, pass(1, KA_LOGIN_AUTHENTICATE, 401, 8), &breach));
}

static void another_login_comes_between(void **state)
{
    (void)state;
    ka_session s = {.stream = 9};
    ka_breach breach;
    assert_false(ask(&s, pass(1, KA_LOGIN_NEGOTIATE, 401, 1), &breach));
    assert_false(ask(&s, pass(2, KA_LOGIN_NEGOTIATE, 401, 2), &breach));
    assert_true(log_in(&s, NULL, pass(1, KA_LOGIN_AUTHENTICATE, 401, 3), &breach));
    assert_int_equal(breach.kind, KA_BREACH_BETWEEN);
    assert_int_equal(breach.stream, 2);
    assert_false(log_in(&s, &s, pass(2, KA_LOGIN_AUTHENTICATE, 200, 4), &breach));
    assert_false(log_in(&s, NULL, pass(1, KA_LOGIN_AUTHENTICATE, 401, 5), &breach)); /* told once */
    assert_false(ask(&s, pass(1, KA_LOGIN_NEGOTIATE, 401, 6), &breach));             /* its own again */
    assert_false(ask(&s, pass(1, KA_LOGIN_NEGOTIATE, 401, 7), &breach));
    assert_false(log_in(&s, &s, pass(1, KA_LOGIN_AUTHENTICATE, 200, 8), &breach));
}

static void doubts_about_links_stay(void **state)
{
    (void)state;
    ka_session s = {.stream = 9};
    ka_breach breach;
    passed p = pass(1, KA_LOGIN_NEGOTIATE, 401, 1);
    p.up.ambiguous = true;
    assert_false(ask(&s, p, &breach));
    assert_false(log_in(&s, &s, pass(1, KA_LOGIN_AUTHENTICATE, 200, 2), &breach));
    assert_true(ask(&s, pass(2, KA_LOGIN_NONE, 200, 4), &breach));
    assert_true(breach.ambiguous);
}

static void tables_grow_and_are_copied(void **state)
{
    (void)state;
    ka_sessions ss, copy;
    memset(&ss, 0, sizeof ss);
    const ka_breach split = {.kind = KA_BREACH_SPLIT, .count = 1},
                    shared = {.kind = KA_BREACH_SHARED, .count = 1};
    for (uint32_t i = 1; i <= 100; i++) {
        uint32_t number, breach = 0;
        assert_int_equal(ka_sessions_add(&ss, &allocator, i, &number), KA_OK);
        assert_int_equal(number, i);
        assert_int_equal(ka_sessions_breached(&ss, &allocator, &split, &breach), KA_OK);
        assert_int_equal(breach, i);
        assert_int_equal(ka_sessions_breached(&ss, &allocator, &shared, &breach), KA_OK);
        assert_int_equal(ss.breaches[i - 1].count, 1);
        assert_int_equal(ka_sessions_breached(&ss, &allocator, &split, &breach), KA_OK);
        assert_int_equal(ss.breaches[i - 1].count, 2);
    }
    for (unsigned i = 0; i < 2; i++) {
        refused_after = i;
        assert_int_equal(ka_sessions_copy(&ss, &allocator, &copy), KA_NO_MEMORY);
    }
    refused_after = UINT_MAX;
    assert_int_equal(ka_sessions_copy(&ss, &allocator, &copy), KA_OK);
    ka_sessions_fini(&ss, &allocator);
    assert_int_equal(copy.count, 100);
    assert_int_equal(copy.at[99].stream, 100);
    assert_int_equal(copy.breaches[99].count, 2);
    refused_after = 0;
    while (copy.count < copy.room)
        copy.count++;
    uint32_t number = 7;
    assert_int_equal(ka_sessions_add(&copy, &allocator, 1, &number), KA_NO_MEMORY);
    assert_int_equal(number, 7);
    refused_after = UINT_MAX;
    ka_sessions_fini(&copy, &allocator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_is_its_clients),      cmocka_unit_test(who_else_may_ask),
        cmocka_unit_test(one_address_is_doubtful),     cmocka_unit_test(a_login_is_split),
        cmocka_unit_test(another_login_comes_between), cmocka_unit_test(doubts_about_links_stay),
        cmocka_unit_test(tables_grow_and_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
