/* pcapng_clock.h - what a pcapng interface's time stamps count: ticks of any length, from any second on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CAPTURE_PCAPNG_CLOCK_H
#define CAPTURE_PCAPNG_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>

typedef struct pcapng_clock {
    int64_t offset_s; /* if_tsoffset */
    uint8_t exponent; /* a tick is 10^-exponent s, or 2^-exponent s */
    bool is_binary;
} pcapng_clock;

/* Without if_tsresol. */
#define PCAPNG_CLOCK_DEFAULT ((pcapng_clock){.exponent = 6})

/* From the byte of if_tsresol. False when ticks so short do not fit 64 bits of a second. */
bool pcapng_clock_set(pcapng_clock *clock, uint8_t resolution);

/* Seconds, and nanoseconds in tv_usec, as libpcap gives them; seconds beyond any calendar are saturated. */
struct timeval pcapng_clock_time(const pcapng_clock *clock, uint64_t ticks);

/* Of one tick, 1 at least. */
int64_t pcapng_clock_tick_ns(const pcapng_clock *clock);

#endif
