/* number.c - numbers a user types and reads: strict, independent of locale.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Beyond every limit of this file, and far enough from INT64_MAX to take one more digit. */
#define SATURATED (INT64_MAX / 100)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits from *at on, saturated; *at moves behind them. */
static int64_t digits(const char **at)
{
    int64_t value = 0;
    for (; is_digit(**at); (*at)++)
        value = value >= SATURATED ? SATURATED : value * 10 + (**at - '0');
    return value;
}

static const char *parse_integer(const char *text, int64_t least, int64_t most, int64_t *out)
{
    const char *at = text;
    int64_t value = digits(&at);
    if (at == text || *at != '\0')
        return "is not a whole number";
    if (value < least || value > most)
        return "is out of range";
    *out = value;
    return NULL;
}

/* The length of a suffix's unit; 0: no such suffix. */
static int64_t suffix_ns(const char *suffix)
{
    if (*suffix == '\0' || strcmp(suffix, "s") == 0)
        return KA_SECOND_NS;
    if (strcmp(suffix, "ms") == 0)
        return KA_MILLISECOND_NS;
    if (strcmp(suffix, "m") == 0)
        return 60 * KA_SECOND_NS;
    return 0;
}

/* Fraction digits of a unit, exactly; false when they are finer than a nanosecond. */
static bool fraction_ns(const char *at, int64_t unit_ns, int64_t *out)
{
    int64_t total = 0;
    for (int64_t place_ns = unit_ns; is_digit(*at); at++) {
        if (place_ns % 10 != 0 && *at != '0')
            return false;
        place_ns /= 10;
        total += (*at - '0') * place_ns;
    }
    *out = total;
    return true;
}

static const char *parse_duration(const char *text, int64_t *out)
{
    const char *at = text;
    int64_t whole = digits(&at);
    size_t digit_count = (size_t)(at - text);
    const char *fraction = "";
    if (*at == '.') {
        fraction = ++at;
        (void)digits(&at);
        if (at == fraction)
            return "is not a duration (try 50ms, 1.5 or 2m)";
        digit_count++;
    }
    int64_t unit_ns = suffix_ns(at);
    if (digit_count == 0 || unit_ns == 0)
        return "is not a duration (try 50ms, 1.5 or 2m)";
    int64_t part_ns;
    if (!fraction_ns(fraction, unit_ns, &part_ns))
        return "is finer than a nanosecond";
    if (whole > NUMBER_DURATION_MAX_NS / unit_ns || whole * unit_ns + part_ns > NUMBER_DURATION_MAX_NS)
        return "is longer than a year";
    *out = whole * unit_ns + part_ns;
    return NULL;
}

static int64_t suffix_bytes(const char *suffix)
{
    static const char letters[] = "KMG";
    const char *letter = *suffix != '\0' ? strchr(letters, *suffix) : NULL;
    if (*suffix == '\0')
        return 1;
    return letter != NULL && suffix[1] == '\0' ? INT64_C(1024) << 10 * (letter - letters) : 0;
}

const char *number_parse_size(const char *text, int64_t least, int64_t *out)
{
    const char *at = text;
    int64_t count = digits(&at);
    int64_t unit_bytes = suffix_bytes(at);
    if (at == text || unit_bytes == 0)
        return "is not a size (try 512M or 2G)";
    if (count > NUMBER_SIZE_MAX / unit_bytes)
        return "is out of range";
    if (count * unit_bytes < least)
        return "is too little";
    *out = count * unit_bytes;
    return NULL;
}

const char *number_parse(const char *text, ka_unit unit, int64_t *out)
{
    switch (unit) {
    case KA_NS:
        return parse_duration(text, out);
    case KA_PERCENT:
        return parse_integer(text, 0, 100, out);
    case KA_BYTES:
        return parse_integer(text, 0, NUMBER_COUNT_MAX, out);
    case KA_COUNT:
        break;
    }
    return parse_integer(text, 1, NUMBER_COUNT_MAX, out);
}

/* "0.050000000" to "0.05", "2.000000000" to "2". */
static void trim_zeros(char *text)
{
    size_t length = strlen(text);
    while (length > 1 && text[length - 1] == '0')
        length--;
    if (text[length - 1] == '.')
        length--;
    text[length] = '\0';
}

void number_text(int64_t value, ka_unit unit, char out[NUMBER_TEXT_BYTES])
{
    const char *suffix = "";
    if (unit == KA_NS) {
        ka_seconds_text(value, 9, out, NUMBER_TEXT_BYTES);
        trim_zeros(out);
        suffix = " s";
    } else {
        snprintf(out, NUMBER_TEXT_BYTES, "%" PRId64, value);
        suffix = unit == KA_PERCENT ? " %" : unit == KA_BYTES ? " bytes" : "";
    }
    size_t length = strlen(out);
    snprintf(out + length, NUMBER_TEXT_BYTES - length, "%s", suffix);
}
