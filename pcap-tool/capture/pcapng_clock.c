/* pcapng_clock.c - what a pcapng interface's time stamps count: ticks of any length, from any second on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pcapng_clock.h"

enum {
    DECIMAL_EXPONENT_MAX = 19, /* 10^19 < 2^64 */
    BINARY_EXPONENT_MAX = 63,
    BINARY_EXPONENT_EXACT = 34, /* a fraction of 2^34 times 10^9 (less than 2^30) fits 64 bits */
    NANO_EXPONENT = 9,
};

#define NANOSECONDS UINT64_C(1000000000)

static uint64_t power_of_ten(unsigned exponent)
{
    uint64_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

static uint64_t ticks_per_second(const pcapng_clock *clock)
{
    return clock->is_binary ? UINT64_C(1) << clock->exponent : power_of_ten(clock->exponent);
}

bool pcapng_clock_set(pcapng_clock *clock, uint8_t resolution)
{
    bool is_binary = (resolution & 0x80) != 0;
    uint8_t exponent = resolution & 0x7f;
    if (exponent > (is_binary ? BINARY_EXPONENT_MAX : DECIMAL_EXPONENT_MAX))
        return false;
    clock->is_binary = is_binary;
    clock->exponent = exponent;
    return true;
}

static uint64_t nanoseconds_of(const pcapng_clock *clock, uint64_t fraction)
{
    unsigned exponent = clock->exponent;
    if (!clock->is_binary)
        return exponent <= NANO_EXPONENT ? fraction * power_of_ten(NANO_EXPONENT - exponent)
                                         : fraction / power_of_ten(exponent - NANO_EXPONENT);
    if (exponent > BINARY_EXPONENT_EXACT) {
        fraction >>= exponent - BINARY_EXPONENT_EXACT;
        exponent = BINARY_EXPONENT_EXACT;
    }
    return fraction * NANOSECONDS >> exponent;
}

struct timeval pcapng_clock_time(const pcapng_clock *clock, uint64_t ticks)
{
    uint64_t second = ticks_per_second(clock);
    uint64_t whole_s = ticks / second;
    int64_t seconds;
    if (whole_s > INT64_MAX || __builtin_add_overflow((int64_t)whole_s, clock->offset_s, &seconds))
        seconds = clock->offset_s < 0 && whole_s <= INT64_MAX ? INT64_MIN : INT64_MAX;
    return (struct timeval){.tv_sec = (time_t)seconds,
                            .tv_usec = (suseconds_t)nanoseconds_of(clock, ticks % second)};
}

int64_t pcapng_clock_tick_ns(const pcapng_clock *clock)
{
    uint64_t tick_ns = NANOSECONDS / ticks_per_second(clock);
    return tick_ns > 0 ? (int64_t)tick_ns : 1;
}
