/* test_login.c - which step of an NTLM login a header value carries.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "login.h"

static uint8_t step(const char *text)
{
    size_t len_bytes = strlen(text);
    return ka_login_step((ka_slice){unit_at_page_end(text, len_bytes), len_bytes});
}

static void test_steps(void **state)
{
    (void)state;
    assert_int_equal(step("NTLM TlRMTVNTUAABAAAAB4IIAA=="), KA_LOGIN_NEGOTIATE);
    assert_int_equal(step("NTLM TlRMTVNTUAACAAAADAAMAA=="), KA_LOGIN_CHALLENGE);
    assert_int_equal(step("ntlm   TlRMTVNTUAADAAAAGAAYAA=="), KA_LOGIN_AUTHENTICATE);
    assert_int_equal(step("Negotiate TlRMTVNTUAADAAAAGAAYAA=="), KA_LOGIN_AUTHENTICATE);
    /* In SPNEGO: five other bytes, then the message. */
    assert_int_equal(step("Negotiate oYIBAgROVExNU1NQAAMAAAAYAA=="), KA_LOGIN_AUTHENTICATE);
    assert_int_equal(step("Negotiate oYIBAk5UTE1TU1AAAgAAAAwA"), KA_LOGIN_CHALLENGE);
}

static void test_no_login(void **state)
{
    static const char *const values[] = {"",
                                         "N",
                                         "NTLM",
                                         "NTLM ",
                                         "Negotiate",
                                         "Basic TlRMTVNTUAADAAAA",
                                         "NTLM TlRMTVNTUAA=", /* no type behind the signature */
                                         "NTLM TlRMTVNTUAAJAAAA",
                                         "NTLM !TlRMTVNTUAAD",
                                         "Negotiate YIIGhgYGKwYBBQUCoIIGejCCBnagMDAuBgkqhkiC9xIB"};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_int_equal(step(values[i]), KA_LOGIN_NONE);
}

static void test_long_values_are_cut(void **state)
{
    char text[4096] = "Negotiate ";
    (void)state;
    memset(text + 10, 'A', sizeof text - 11);
    memcpy(text + sizeof text - 20, "TlRMTVNTUAADAAAA", 16);
    text[sizeof text - 1] = '\0';
    assert_int_equal(step(text), KA_LOGIN_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_no_login),
        cmocka_unit_test(test_long_values_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
