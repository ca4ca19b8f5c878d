/* login.c - which step of an NTLM login a header value carries.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "login.h"

#include <string.h>

/* "NTLMSSP", NUL, then the type as a little-endian number of 32 bits, of which the first byte is enough. */
static const char signature[8] = "NTLMSSP";

/* SPNEGO puts some 30 to 80 bytes before the message; what comes later than this is none of it. */
enum { SCANNED_BYTES = 192 };

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Base64 (RFC 4648 section 4) up to the first other character. Returns how many bytes it was. */
static size_t decode(ka_slice text, uint8_t out[SCANNED_BYTES])
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t len_bytes = 0;
    for (size_t i = 0; i < text.len_bytes && len_bytes < SCANNED_BYTES; i++) {
        int value = sextet(text.bytes[i]);
        if (value < 0)
            break;
        bits = (bits << 6 | (uint32_t)value) & 0xffff;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            out[len_bytes++] = (uint8_t)(bits >> bit_count);
        }
    }
    return len_bytes;
}

static uint8_t step_in(ka_slice token)
{
    uint8_t bytes[SCANNED_BYTES];
    size_t len_bytes = decode(token, bytes);
    for (size_t i = 0; i + sizeof signature < len_bytes; i++) {
        if (memcmp(bytes + i, signature, sizeof signature) != 0)
            continue;
        uint8_t type = bytes[i + sizeof signature];
        return type <= KA_LOGIN_AUTHENTICATE ? type : KA_LOGIN_NONE;
    }
    return KA_LOGIN_NONE;
}

/* Scheme names have no case (RFC 9110 section 11.1). */
static bool begins_with(ka_slice value, const char *scheme)
{
    size_t len_bytes = strlen(scheme);
    if (value.len_bytes < len_bytes)
        return false;
    for (size_t i = 0; i < len_bytes; i++) {
        char c = value.bytes[i];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != scheme[i])
            return false;
    }
    return true;
}

uint8_t ka_login_step(ka_slice value)
{
    static const char *const schemes[] = {"ntlm ", "negotiate "};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t skipped = strlen(schemes[i]);
        if (!begins_with(value, schemes[i]))
            continue;
        while (skipped < value.len_bytes && value.bytes[skipped] == ' ')
            skipped++;
        return step_in((ka_slice){value.bytes + skipped, value.len_bytes - skipped});
    }
    return KA_LOGIN_NONE;
}
