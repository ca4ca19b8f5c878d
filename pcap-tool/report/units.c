/* units.c - counts, durations, times and addresses as the text report shows them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_S INT64_C(86400)

void units_count(uint64_t count, char out[UNITS_COUNT_BYTES])
{
    char digits[UNITS_COUNT_BYTES];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, count);
    size_t at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

const char *units_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

void units_count_short(uint64_t count, char out[UNITS_COUNT_BYTES])
{
    if (count < 100000) {
        snprintf(out, UNITS_COUNT_BYTES, "%" PRIu64, count);
        return;
    }
    const char *suffix = "kMGTPE";
    uint64_t unit = 1000;
    for (; count / unit >= 1000; suffix++)
        unit *= 1000;
    if (count / unit < 10)
        snprintf(out, UNITS_COUNT_BYTES, "%" PRIu64 ".%" PRIu64 "%c", count / unit, count / (unit / 10) % 10,
                 *suffix);
    else
        snprintf(out, UNITS_COUNT_BYTES, "%" PRIu64 "%c", count / unit, *suffix);
}

/* As many decimals as leave about four digits. */
static unsigned decimals_for(int64_t duration_ns)
{
    int64_t size_ns = duration_ns < 0 ? -duration_ns : duration_ns;
    return size_ns < 10 * KA_SECOND_NS     ? 3
           : size_ns < 100 * KA_SECOND_NS  ? 2
           : size_ns < 1000 * KA_SECOND_NS ? 1
                                           : 0;
}

void units_duration(int64_t duration_ns, char out[UNITS_DURATION_BYTES])
{
    int64_t limit_ns = 99999 * KA_SECOND_NS;
    if (duration_ns == KA_NONE) {
        snprintf(out, UNITS_DURATION_BYTES, "-");
    } else if (duration_ns > limit_ns || duration_ns < -limit_ns) {
        snprintf(out, UNITS_DURATION_BYTES, "%" PRId64 " d", duration_ns / KA_SECOND_NS / DAY_S);
    } else {
        size_t length =
            ka_seconds_text(duration_ns, decimals_for(duration_ns), out, UNITS_DURATION_BYTES - 2);
        memcpy(out + length, " s", 3);
    }
}

void units_seconds(int64_t seconds, char out[UNITS_DURATION_BYTES])
{
    if (seconds == KA_NONE)
        snprintf(out, UNITS_DURATION_BYTES, "-");
    else if (seconds <= 99999)
        snprintf(out, UNITS_DURATION_BYTES, "%" PRId64 " s", seconds);
    else
        snprintf(out, UNITS_DURATION_BYTES, "%" PRId64 " d", seconds / DAY_S);
}

void units_advertised(int64_t timeout_s, int64_t max, char out[UNITS_DURATION_BYTES])
{
    char count[UNITS_COUNT_BYTES];
    units_seconds(timeout_s, out);
    if (max == KA_NONE)
        return;
    units_count_short(max < 0 ? 0 : (uint64_t)max, count);
    size_t length = timeout_s == KA_NONE ? 0 : strlen(out);
    snprintf(out + length, UNITS_DURATION_BYTES - length, length == 0 ? "max %.6s" : "/%.6s", count);
}

void units_time(int64_t time_ns, char out[UNITS_TIME_BYTES])
{
    int64_t second = time_ns / KA_SECOND_NS;
    int64_t rest_ns = time_ns % KA_SECOND_NS;
    if (rest_ns < 0) {
        second--;
        rest_ns += KA_SECOND_NS;
    }
    time_t clock = (time_t)second;
    struct tm parts;
    if (!gmtime_r(&clock, &parts) || strftime(out, UNITS_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        snprintf(out, UNITS_TIME_BYTES, "%" PRId64, second);
    size_t length = strlen(out);
    snprintf(out + length, UNITS_TIME_BYTES - length, ".%03d", (int)(rest_ns / KA_MILLISECOND_NS));
}

void units_peer(const ka_address *address, char out[UNITS_PEER_BYTES])
{
    char ip[KA_IP_TEXT_BYTES];
    ka_ip_text(address, ip);
    snprintf(out, UNITS_PEER_BYTES, address->version == 6 ? "[%s]:%u" : "%s:%u", ip, address->port);
}
