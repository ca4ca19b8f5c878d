/* field.c - the values of Connection, Keep-Alive and Proxy-Connection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "field.h"

#include <string.h>

/* OWS (RFC 9110 section 5.6.3) and, of a line that was folded (RFC 9112 section 5.2), its CRLF. */
static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* tchar, RFC 9110 section 5.6.2: bit c of the 128. Not isalnum(): that one depends on the locale. */
static bool is_token_char(char c)
{
    static const uint64_t bits[2] = {
        /* !#$%&'*+-. and 0 to 9 */ 0x03ff6cfa00000000,
        /* A to Z, ^_`, a to z, |~ */ 0x57ffffffc7fffffe,
    };
    unsigned char byte = (unsigned char)c;
    return byte < 128 && (bits[byte / 64] >> byte % 64 & 1) != 0;
}

/* What may stand in a quoted-string, escaped or not (RFC 9110 section 5.6.4); a fold counts as space. */
static bool is_quotable(char c)
{
    unsigned char byte = (unsigned char)c;
    return (byte >= 0x20 && byte != 0x7f) || is_space(c);
}

static bool all(ka_slice text, bool (*is_kind)(char))
{
    for (size_t i = 0; i < text.len_bytes; i++) {
        if (!is_kind(text.bytes[i]))
            return false;
    }
    return text.len_bytes > 0;
}

static bool same_word(ka_slice text, const char *lower_case)
{
    if (text.len_bytes != strlen(lower_case))
        return false;
    for (size_t i = 0; i < text.len_bytes; i++) {
        char c = text.bytes[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != lower_case[i])
            return false;
    }
    return true;
}

/* text[from, to) without the white space around it. */
static ka_slice trimmed(ka_slice text, size_t from, size_t to)
{
    while (from < to && is_space(text.bytes[from]))
        from++;
    while (to > from && is_space(text.bytes[to - 1]))
        to--;
    ka_slice inner = {NULL, 0};
    if (from < to)
        inner = (ka_slice){text.bytes + from, to - from};
    return inner;
}

/* ---- Lists of tokens ------------------------------------------------------------------------- */

/* The next member of the list, trimmed; may be empty (RFC 9110 section 5.6.1.2). *at moves past its comma.
 * A quote is no token character, so it does not hide a comma here. */
static bool next_token(ka_slice list, size_t *at, ka_slice *member)
{
    if (*at >= list.len_bytes)
        return false;
    const char *start = list.bytes + *at;
    const char *comma = memchr(start, ',', list.len_bytes - *at);
    size_t end = comma != NULL ? (size_t)(comma - list.bytes) : list.len_bytes;
    *member = trimmed(list, *at, end);
    *at = end + 1;
    return true;
}

void ka_field_connection(ka_slice value, ka_options *options)
{
    ka_slice member;
    if (same_word(value, "keep-alive")) { /* as nearly always */
        options->keep_alive = true;
        return;
    }
    for (size_t at = 0; next_token(value, &at, &member);) {
        options->close |= same_word(member, "close");
        options->keep_alive |= same_word(member, "keep-alive");
        options->upgrade |= same_word(member, "upgrade");
    }
}

bool ka_field_has_token(ka_slice value, const char *token)
{
    ka_slice member;
    for (size_t at = 0; next_token(value, &at, &member);) {
        if (same_word(member, token))
            return true;
    }
    return false;
}

/* ---- Keep-Alive ------------------------------------------------------------------------------ */

/* The position behind the quoted-string whose opening quote is at `at`; its last byte is then the closing
 * quote, or the text ended first. */
static size_t after_quoted(ka_slice text, size_t at)
{
    for (at++; at < text.len_bytes; at++) {
        if (text.bytes[at] == '"')
            return at + 1;
        if (text.bytes[at] == '\\')
            at++;
    }
    return text.len_bytes;
}

/* Where the member that starts at `at` ends: at the next comma outside quotes, or the end. A quote opens a
 * quoted-string only where a value can begin; elsewhere it is just an illegal character. */
static size_t member_end(ka_slice list, size_t at)
{
    bool value_may_begin = true;
    while (at < list.len_bytes && list.bytes[at] != ',') {
        char c = list.bytes[at];
        at = c == '"' && value_may_begin ? after_quoted(list, at) : at + 1;
        value_may_begin = c == '=' || (value_may_begin && is_space(c));
    }
    return at;
}

/* A value that is a well-formed quoted-string: its text between the quotes, escapes still in it. */
static bool unquoted(ka_slice value, ka_slice *inner)
{
    if (value.len_bytes < 2 || value.bytes[0] != '"')
        return false;
    for (size_t i = 1; i < value.len_bytes; i++) {
        if (value.bytes[i] == '"') {
            if (i + 1 != value.len_bytes)
                return false;
            *inner = (ka_slice){value.bytes + 1, i - 1};
            return true;
        }
        if (value.bytes[i] == '\\' && ++i == value.len_bytes)
            return false;
        if (!is_quotable(value.bytes[i]))
            return false;
    }
    return false;
}

typedef struct parameter {
    ka_slice raw; /* the whole member */
    ka_slice name;
    ka_slice value; /* without quotes */
    bool quoted;
} parameter;

/* RFC 2068 section 19.7.1.1: param-name "=" value. False when the member is not that. */
static bool split_parameter(ka_slice member, parameter *out)
{
    const char *equals = memchr(member.bytes, '=', member.len_bytes);
    if (equals == NULL)
        return false;
    size_t at = (size_t)(equals - member.bytes);
    ka_slice name = trimmed(member, 0, at);
    ka_slice value = trimmed(member, at + 1, member.len_bytes);
    bool quoted = unquoted(value, &value);
    if (!all(name, is_token_char) || !(quoted || all(value, is_token_char)))
        return false;
    *out = (parameter){member, name, value, quoted};
    return true;
}

typedef struct number {
    int64_t whole; /* saturated, a fraction cut off; KA_NONE: not a non-negative number */
    bool fraction;
    bool overflow;
} number;

/* 1*DIGIT [ "." 1*DIGIT ], read through the escapes of a quoted-string. */
static number read_number(const parameter *from)
{
    number out = {0, false, false};
    size_t digit_count = 0;
    for (size_t i = 0; i < from->value.len_bytes; i++) {
        if (from->quoted && from->value.bytes[i] == '\\')
            i++; /* never the last byte: unquoted() saw to it */
        char c = from->value.bytes[i];
        if (c == '.' && !out.fraction && digit_count > 0) {
            out.fraction = true;
            digit_count = 0;
            continue;
        }
        if (!is_digit(c))
            return (number){KA_NONE, false, false};
        digit_count++;
        if (!out.fraction && !out.overflow)
            out.whole = out.whole * 10 + (c - '0');
        if (out.whole > KA_FIELD_NUMBER_MAX) {
            out.whole = KA_FIELD_NUMBER_MAX;
            out.overflow = true;
        }
    }
    if (digit_count == 0)
        out.whole = KA_NONE;
    return out;
}

/* The detail keeps the first member of each kind. */
static void raise_fault(ka_keep_alive *keep_alive, unsigned fault, ka_slice member)
{
    if (keep_alive->faults & fault)
        return;
    keep_alive->faults |= fault;
    unsigned index = 0;
    while (fault >> (index + 1) != 0)
        index++;
    size_t kept = member.len_bytes;
    if (kept > KA_FIELD_DETAIL_BYTES)
        kept = KA_FIELD_DETAIL_BYTES;
    memcpy(keep_alive->detail[index].bytes, member.bytes, kept);
    keep_alive->detail[index].len_bytes = (uint8_t)kept;
}

/* The first valid value wins, as in HttpClient, undici and Firefox; another one later is a contradiction. */
static void set_once(ka_keep_alive *keep_alive, int64_t *slot, int64_t value, ka_slice member)
{
    if (value == KA_NONE)
        return;
    if (*slot == KA_NONE)
        *slot = value;
    else if (*slot != value)
        raise_fault(keep_alive, KA_SYNTAX_DUPLICATE_CONFLICT, member);
}

static void read_timeout(const parameter *from, ka_keep_alive *keep_alive)
{
    number seconds = read_number(from);
    if (seconds.whole == KA_NONE || seconds.fraction || seconds.overflow || from->quoted)
        raise_fault(keep_alive, KA_SYNTAX_TIMEOUT_NOT_INTEGER, from->raw);
    set_once(keep_alive, &keep_alive->timeout_s, seconds.whole, from->raw);
}

static void read_max(const parameter *from, ka_keep_alive *keep_alive)
{
    number requests = read_number(from);
    if (requests.whole == KA_NONE || requests.fraction)
        raise_fault(keep_alive, KA_SYNTAX_BAD_PARAM, from->raw);
    else
        set_once(keep_alive, &keep_alive->max, requests.whole, from->raw);
}

static void read_member(ka_slice member, ka_keep_alive *keep_alive)
{
    parameter found;
    if (all(member, is_digit))
        raise_fault(keep_alive, KA_SYNTAX_BARE_NUMBER, member);
    else if (!split_parameter(member, &found))
        raise_fault(keep_alive, KA_SYNTAX_BAD_PARAM, member);
    else if (same_word(found.name, "timeout"))
        read_timeout(&found, keep_alive);
    else if (same_word(found.name, "max"))
        read_max(&found, keep_alive);
}

void ka_keep_alive_init(ka_keep_alive *keep_alive)
{
    /* Not the details, which are large: each is written when its fault is raised. */
    keep_alive->timeout_s = KA_NONE;
    keep_alive->max = KA_NONE;
    keep_alive->faults = 0;
    keep_alive->present = false;
}

/* What nearly every server sends, `name` and digits up to a comma or the end, in one pass. Moves *at behind
 * it; false, and nothing done, for anything else. */
static bool read_plain(ka_slice list, ka_slice name, size_t *at, int64_t *out)
{
    enum { DIGITS_MAX = 9 }; /* below KA_FIELD_NUMBER_MAX */
    size_t from = *at + name.len_bytes;
    if (list.len_bytes < from || memcmp(list.bytes + *at, name.bytes, name.len_bytes) != 0)
        return false;
    size_t i = from;
    int64_t value = 0;
    while (i < list.len_bytes && i - from < DIGITS_MAX && is_digit(list.bytes[i]))
        value = value * 10 + (list.bytes[i++] - '0');
    if (i == from || (i < list.len_bytes && list.bytes[i] != ','))
        return false;
    *at = i;
    *out = value;
    return true;
}

/* Reads the member that starts at `from`, which is no white space; returns where it ends. */
static size_t read_next(ka_slice list, size_t from, ka_keep_alive *keep_alive)
{
    static const ka_slice timeout = {"timeout=", 8}, max = {"max=", 4};
    size_t end = from;
    int64_t value;
    if (read_plain(list, timeout, &end, &value)) {
        set_once(keep_alive, &keep_alive->timeout_s, value, (ka_slice){list.bytes + from, end - from});
    } else if (read_plain(list, max, &end, &value)) {
        set_once(keep_alive, &keep_alive->max, value, (ka_slice){list.bytes + from, end - from});
    } else {
        end = member_end(list, from);
        ka_slice member = trimmed(list, from, end);
        if (member.len_bytes > 0)
            read_member(member, keep_alive);
    }
    return end;
}

/* As Node's agent looks for it: at the very beginning, in lower case, without white space. */
static bool begins_with_timeout(ka_slice value)
{
    static const char name[] = "timeout=";
    return value.len_bytes >= sizeof name - 1 && memcmp(value.bytes, name, sizeof name - 1) == 0;
}

void ka_field_keep_alive(ka_slice value, ka_keep_alive *keep_alive)
{
    bool timeout_may_be_first = !keep_alive->present && begins_with_timeout(value);
    keep_alive->present = true;
    for (size_t at = 0; at < value.len_bytes; at++) {
        if (is_space(value.bytes[at]))
            continue;
        bool had_timeout = keep_alive->timeout_s != KA_NONE;
        bool first = timeout_may_be_first && at == 0;
        at = read_next(value, at, keep_alive);
        if (!had_timeout && keep_alive->timeout_s != KA_NONE && !first)
            keep_alive->faults |= KA_SYNTAX_TIMEOUT_NOT_FIRST;
    }
}

bool ka_field_trace_id(ka_slice value, ka_slice *out)
{
    enum { VERSION_BYTES = 3, TRACE_BYTES = 32, LEAST_BYTES = 55 };
    const char *b = value.bytes;
    if (value.len_bytes < LEAST_BYTES || b[2] != '-' || b[35] != '-' || b[52] != '-')
        return false;
    *out = (ka_slice){b + VERSION_BYTES, TRACE_BYTES};
    return true;
}
