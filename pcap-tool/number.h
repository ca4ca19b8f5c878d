/* number.h - numbers a user types and reads: strict, independent of locale.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NUMBER_H
#define NUMBER_H

#include "keptalive.h"

/* Durations the options take: a year, so that the core can add several of them without care. */
#define NUMBER_DURATION_MAX_NS (366 * 24 * 3600 * KA_SECOND_NS)
#define NUMBER_COUNT_MAX       INT64_C(1000000000)
#define NUMBER_SIZE_MAX        (INT64_C(1) << 50)

/* Reads a whole text as a value of that unit. Durations are seconds with an optional fraction ("0.05", ".5")
 * or carry a suffix: ms, s, m. The others are digits only: counts from 1, percents up to 100, bytes from 0.
 * Returns NULL, or what is wrong in a few words; *out is untouched then. */
const char *number_parse(const char *text, ka_unit unit, int64_t *out);

/* "0.05 s", "5 %", "3", "64 bytes". out holds NUMBER_TEXT_BYTES. */
enum { NUMBER_TEXT_BYTES = 40 };
void number_text(int64_t value, ka_unit unit, char out[NUMBER_TEXT_BYTES]);

/* A size in bytes: a whole number, or one with a suffix K, M or G (of 1024 each), at least `least`; at most
 * NUMBER_SIZE_MAX. NULL, or what is wrong with it. */
const char *number_parse_size(const char *text, int64_t least, int64_t *out);

#endif
