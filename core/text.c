/* text.c - addresses, durations and other text cut to the size of its buffer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "text.h"

#include <stdio.h>
#include <string.h>

size_t ka_text_digits(uint64_t number, unsigned min_digits, char out[KA_DIGITS_BYTES])
{
    char digits[KA_DIGITS_BYTES];
    char *end = digits + KA_DIGITS_BYTES;
    char *at = end;
    for (; number > UINT32_MAX; number /= 10) /* the others are divided faster */
        *--at = (char)('0' + number % 10);
    for (uint32_t rest = (uint32_t)number; rest > 0 || at == end; rest /= 10)
        *--at = (char)('0' + rest % 10);
    while ((size_t)(end - at) < min_digits && at > digits)
        *--at = '0';
    memcpy(out, at, (size_t)(end - at));
    return (size_t)(end - at);
}

static void add_digits(ka_text *text, uint64_t number, unsigned min_digits)
{
    char digits[KA_DIGITS_BYTES];
    ka_text_add(text, digits, ka_text_digits(number, min_digits, digits));
}

ka_text ka_text_init(char *out, size_t size_bytes)
{
    if (size_bytes > 0)
        out[0] = '\0';
    return (ka_text){out, size_bytes, 0};
}

void ka_text_add(ka_text *text, const char *bytes, size_t len_bytes)
{
    if (text->size_bytes == 0)
        return;
    size_t room = text->size_bytes - 1 - text->len_bytes;
    if (len_bytes > room)
        len_bytes = room;
    memcpy(text->out + text->len_bytes, bytes, len_bytes);
    text->len_bytes += len_bytes;
    text->out[text->len_bytes] = '\0';
}

void ka_text_add_name(ka_text *text, const char *name)
{
    ka_text_add(text, name, strlen(name));
}

void ka_text_add_integer(ka_text *text, int64_t number)
{
    if (number < 0)
        ka_text_add_name(text, "-");
    add_digits(text, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, 1);
}

void ka_text_add_quoted(ka_text *text, ka_slice bytes)
{
    static const char hex[] = "0123456789abcdef";
    ka_text_add_name(text, "\"");
    for (size_t i = 0; i < bytes.len_bytes; i++) {
        char c = bytes.bytes[i];
        unsigned char byte = (unsigned char)c;
        if (byte < 0x20 || byte >= 0x7f) {
            const char escape[] = {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
            ka_text_add(text, escape, sizeof escape);
        } else {
            if (c == '"' || c == '\\')
                ka_text_add_name(text, "\\");
            ka_text_add(text, &c, 1);
        }
    }
    ka_text_add_name(text, "\"");
}

/* ---- Durations ------------------------------------------------------------------------------- */

size_t ka_seconds_text(int64_t duration_ns, unsigned decimals, char *out, size_t size)
{
    if (decimals > 9)
        decimals = 9;
    /* In uint64_t, so that INT64_MIN has a magnitude and rounding cannot overflow. */
    uint64_t magnitude = duration_ns < 0 ? 0 - (uint64_t)duration_ns : (uint64_t)duration_ns;
    uint64_t unit = 1; /* of the last decimal, in ns */
    for (unsigned i = decimals; i < 9; i++)
        unit *= 10;
    uint64_t units = (magnitude + unit / 2) / unit;
    uint64_t per_second = (uint64_t)KA_SECOND_NS / unit;

    ka_text text = ka_text_init(out, size);
    if (duration_ns < 0 && units > 0)
        ka_text_add_name(&text, "-");
    ka_text_add_integer(&text, (int64_t)(units / per_second));
    if (decimals > 0) {
        ka_text_add_name(&text, ".");
        add_digits(&text, units % per_second, decimals);
    }
    return text.len_bytes;
}

/* ---- Addresses ------------------------------------------------------------------------------- */

enum { GROUPS = 8 };

/* RFC 5952 section 4.2: "::" stands for the longest run of two or more zero groups, the first of equals. */
static unsigned longest_zeros(const uint16_t group[GROUPS], unsigned *length)
{
    unsigned best = GROUPS, best_length = 1;
    for (unsigned i = 0; i < GROUPS; i++) {
        unsigned run = 0;
        while (i + run < GROUPS && group[i + run] == 0)
            run++;
        if (run > best_length) {
            best = i;
            best_length = run;
        }
    }
    *length = best_length;
    return best;
}

static void add_ipv4(ka_text *text, const uint8_t ip[4])
{
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            ka_text_add_name(text, ".");
        add_digits(text, ip[i], 1);
    }
}

static void add_ipv6(ka_text *text, const uint8_t ip[16])
{
    uint16_t group[GROUPS];
    for (unsigned i = 0; i < GROUPS; i++)
        group[i] = (uint16_t)(ip[2 * i] << 8 | ip[2 * i + 1]);
    unsigned zeros_length;
    unsigned zeros = longest_zeros(group, &zeros_length);
    for (unsigned i = 0; i < GROUPS; i++) {
        if (i == zeros) {
            ka_text_add_name(text, "::");
            i += zeros_length - 1;
            continue;
        }
        if (i != 0 && i != zeros + zeros_length)
            ka_text_add_name(text, ":");
        char hex[6];
        snprintf(hex, sizeof hex, "%x", group[i]);
        ka_text_add_name(text, hex);
    }
}

void ka_ip_text(const ka_address *address, char out[KA_IP_TEXT_BYTES])
{
    /* RFC 5952 section 5: IPv4-mapped addresses keep the dotted form. */
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    ka_text text = ka_text_init(out, KA_IP_TEXT_BYTES);
    if (address->version == 4) {
        add_ipv4(&text, address->ip);
    } else if (memcmp(address->ip, mapped, sizeof mapped) == 0) {
        ka_text_add_name(&text, "::ffff:");
        add_ipv4(&text, address->ip + sizeof mapped);
    } else {
        add_ipv6(&text, address->ip);
    }
}
