/* test_window.c - which RST a receiver obeys.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "window.h"

#define BASE (UINT64_C(1) << 33)
enum { EXPECTED = 5000, IN_FLIGHT = 200, WINDOW = 1024 };

static ka_half sender, receiver;

static int begin(void **state)
{
    (void)state;
    sender = (ka_half){.next = BASE + EXPECTED + IN_FLIGHT, .syn = true, .mss = 1460, .seen = true};
    receiver = (ka_half){.next = BASE, .acked = BASE + EXPECTED, .syn = true, .mss = 1460, .seen = true};
    ka_window_note(&receiver, &(ka_segment){.window = 600});
    return 0;
}

static bool takes(int64_t offset, uint8_t flags)
{
    ka_segment rst = {.seq = (uint32_t)(BASE + EXPECTED + (uint64_t)offset), .flags = KA_RST | flags};
    return ka_window_takes_reset(&sender, &receiver, &rst);
}

static void test_expected_and_ahead(void **state)
{
    (void)state;
    assert_true(takes(0, 0));
    assert_true(takes(0, KA_ACK));
    assert_true(takes(IN_FLIGHT, KA_ACK)); /* its ACK was not captured */
    assert_true(takes(IN_FLIGHT + WINDOW, KA_ACK));
    assert_false(takes(IN_FLIGHT + WINDOW + 1, KA_ACK));
    assert_false(takes(INT32_MAX, 0));
    assert_false(takes(INT32_MIN + 10000, 0));
}

static void test_behind(void **state)
{
    (void)state;
    assert_true(takes(-1, KA_ACK)); /* macOS does not count its FIN */
    assert_false(takes(-2, KA_ACK));
    assert_true(takes(-WINDOW, 0)); /* answers an older segment */
    assert_false(takes(-WINDOW - 1, 0));
}

/* A SYN is answered by an ACK of the connection before, which the client resets: its own goes on. */
static void test_answer_to_an_old_ack(void **state)
{
    (void)state;
    receiver.acked = BASE + EXPECTED - 1000000000;
    assert_false(takes(-1000000000, 0));
    assert_false(takes(IN_FLIGHT - 2 * WINDOW - 1, 0));
    assert_true(takes(IN_FLIGHT - 2 * WINDOW, 0));
    assert_true(takes(IN_FLIGHT, 0));
}

static void test_older_connection(void **state)
{
    (void)state;
    enum { FAR = (8 << 20) + IN_FLIGHT };
    ka_half silent = {0};
    ka_segment s = {.flags = KA_ACK, .ack = (uint32_t)(BASE + EXPECTED + FAR + 1)};
    assert_true(ka_window_is_older(&silent, &sender, &s));
    s.ack = (uint32_t)(BASE + EXPECTED - FAR);
    assert_true(ka_window_is_older(&silent, &sender, &s));
    assert_false(ka_window_is_older(&receiver, &sender, &s)); /* not its first */
    s.flags |= KA_SYN;
    assert_false(ka_window_is_older(&silent, &sender, &s));
    s.flags = KA_ACK;
    s.ack = (uint32_t)(BASE + EXPECTED + FAR);
    assert_false(ka_window_is_older(&silent, &sender, &s));
    sender.syn = false;
    s.ack = 0;
    assert_false(ka_window_is_older(&silent, &sender, &s));
}

static void test_nothing_acknowledged(void **state)
{
    (void)state;
    receiver.acked = 0;
    assert_true(takes(0, KA_ACK));
    assert_true(takes(IN_FLIGHT - 2 * WINDOW, KA_ACK));
    assert_false(takes(IN_FLIGHT - 2 * WINDOW - 1, KA_ACK));
    assert_false(takes(IN_FLIGHT + WINDOW + 1, 0));
    sender.next = 0; /* nor sent: it refuses the connection */
    assert_true(takes(0, KA_ACK));
    assert_true(takes(-(1 << 30), KA_ACK));
}

static void test_largest_window(void **state)
{
    (void)state;
    ka_window_note(&receiver, &(ka_segment){.window = 0});
    assert_true(takes(IN_FLIGHT + WINDOW, KA_ACK)); /* what was on its way when it closed */
    ka_window_note(&receiver, &(ka_segment){.window = UINT16_MAX});
    assert_int_equal(receiver.window_bits, 16);
    assert_true(takes(IN_FLIGHT + 65536, KA_ACK));
    assert_false(takes(IN_FLIGHT + 65537, KA_ACK));
}

static void test_scale_needs_both(void **state)
{
    (void)state;
    receiver.window_scale = 1 + 7;
    assert_false(takes(IN_FLIGHT + WINDOW + 1, KA_ACK));
    sender.window_scale = 1;
    assert_true(takes(IN_FLIGHT + (WINDOW << 7), KA_ACK));
    assert_false(takes(IN_FLIGHT + (WINDOW << 7) + 1, KA_ACK));
    receiver.window_scale = UINT8_MAX; /* RFC 7323 section 2.3: 14 at most */
    assert_true(takes(IN_FLIGHT + (WINDOW << 14), KA_ACK));
    assert_false(takes(IN_FLIGHT + (WINDOW << 14) + 1, KA_ACK));
}

static void test_options_not_captured(void **state)
{
    (void)state;
    enum { UNKNOWN = 8 << 20 };
    for (int what = 0; what < 3; what++) {
        begin(NULL);
        sender.syn = what != 0;
        receiver.syn = what != 1;
        receiver.mss = what == 2 ? 0 : 1460;
        assert_true(takes(IN_FLIGHT + UNKNOWN, KA_ACK));
        assert_false(takes(IN_FLIGHT + UNKNOWN + 1, KA_ACK));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_expected_and_ahead, begin),
        cmocka_unit_test_setup(test_behind, begin),
        cmocka_unit_test_setup(test_answer_to_an_old_ack, begin),
        cmocka_unit_test_setup(test_older_connection, begin),
        cmocka_unit_test_setup(test_nothing_acknowledged, begin),
        cmocka_unit_test_setup(test_largest_window, begin),
        cmocka_unit_test_setup(test_scale_needs_both, begin),
        cmocka_unit_test_setup(test_options_not_captured, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
