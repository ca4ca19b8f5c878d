/* http_head.c - the head of one HTTP/1 message (RFC 9112).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "http_head.h"

#include <string.h>

enum { METHOD_BYTES_MAX = 32 }; /* the longest registered one, UPDATEREDIRECTREF, has 17 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_token_byte(char c)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
           (c != '\0' && strchr(others, c) != NULL);
}

static size_t token_bytes(ka_slice s)
{
    size_t n = 0;
    while (n < s.len_bytes && is_token_byte(s.bytes[n]))
        n++;
    return n;
}

static ka_slice trimmed(ka_slice s)
{
    while (s.len_bytes > 0 && (s.bytes[0] == ' ' || s.bytes[0] == '\t')) {
        s.bytes++;
        s.len_bytes--;
    }
    while (s.len_bytes > 0 && (s.bytes[s.len_bytes - 1] == ' ' || s.bytes[s.len_bytes - 1] == '\t'))
        s.len_bytes--;
    return s;
}

static bool equals(ka_slice s, const char *lower)
{
    if (s.len_bytes != strlen(lower))
        return false;
    for (size_t i = 0; i < s.len_bytes; i++) {
        char c = s.bytes[i] >= 'A' && s.bytes[i] <= 'Z' ? (char)(s.bytes[i] | 0x20) : s.bytes[i];
        if (c != lower[i])
            return false;
    }
    return true;
}

static bool begins_with(ka_slice s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.len_bytes >= n && memcmp(s.bytes, prefix, n) == 0;
}

/* Of "HTTP/1." only the beginning may be there yet. */
static bool may_become(ka_slice s, const char *text)
{
    return s.len_bytes <= strlen(text) && memcmp(s.bytes, text, s.len_bytes) == 0;
}

/* ---- Start lines ---- */

static bool read_status_line(ka_slice line, http_head *out)
{
    enum { LEAST_BYTES = sizeof "HTTP/1.1 200" - 1 };
    const char *b = line.bytes;
    if (line.len_bytes < LEAST_BYTES || !begins_with(line, "HTTP/1.") || !is_digit(b[7]) || b[8] != ' ')
        return false;
    if (!is_digit(b[9]) || !is_digit(b[10]) || !is_digit(b[11]))
        return false;
    out->is_response = true;
    out->version = (uint8_t)(10 + b[7] - '0');
    out->status = (uint16_t)((b[9] - '0') * 100 + (b[10] - '0') * 10 + (b[11] - '0'));
    return true;
}

static bool has_control(ka_slice s)
{
    for (size_t i = 0; i < s.len_bytes; i++) {
        if (((unsigned char)s.bytes[i] < 0x20 && s.bytes[i] != '\t') || s.bytes[i] == 0x7f)
            return true;
    }
    return false;
}

static bool has_blank_or_control(ka_slice s)
{
    return has_control(s) || memchr(s.bytes, ' ', s.len_bytes) != NULL ||
           memchr(s.bytes, '\t', s.len_bytes) != NULL;
}

static bool read_request_line(ka_slice line, http_head *out)
{
    static const char version[] = " HTTP/1.";
    enum { VERSION_BYTES = sizeof version }; /* with its digit instead of the NUL */
    size_t n = token_bytes(line);
    if (n == 0 || n > METHOD_BYTES_MAX || line.len_bytes < n + 2 + VERSION_BYTES || line.bytes[n] != ' ')
        return false;
    const char *tail = line.bytes + line.len_bytes - VERSION_BYTES;
    if (memcmp(tail, version, VERSION_BYTES - 1) != 0 || !is_digit(tail[VERSION_BYTES - 1]))
        return false;
    out->method = (ka_slice){line.bytes, n};
    const char *target = line.bytes + n + 1;
    while (target < tail && *target == ' ')
        target++;
    out->target = (ka_slice){target, target < tail ? (size_t)(tail - target) : 0};
    out->origin_form = target < tail && *target == '/';
    out->malformed = out->malformed || has_blank_or_control((ka_slice){target, (size_t)(tail - target)});
    out->version = (uint8_t)(10 + tail[VERSION_BYTES - 1] - '0');
    return true;
}

/* ---- Header lines ---- */

/* One that is no number, or comes twice, leaves in doubt where the message ends (section 6.3, item 5). */
static void read_length(ka_slice value, http_head *out)
{
    uint64_t n = 0;
    bool valid = value.len_bytes > 0 && !out->has_length;
    for (size_t i = 0; i < value.len_bytes && valid; i++) {
        unsigned digit = (unsigned)(value.bytes[i] - '0');
        valid = is_digit(value.bytes[i]) && n <= (UINT64_MAX - digit) / 10;
        n = n * 10 + digit;
    }
    out->malformed = out->malformed || !valid;
    out->has_length = true;
    out->length_bytes = n;
}

/* The last coding of all lines decides. */
static void read_coding(ka_slice value, http_head *out)
{
    ka_slice last = value;
    for (size_t i = 0; i < value.len_bytes; i++) {
        if (value.bytes[i] == ',')
            last = (ka_slice){value.bytes + i + 1, value.len_bytes - i - 1};
    }
    out->coded = true;
    out->chunked = equals(trimmed(last), "chunked");
}

static void read_field(ka_slice line, http_head *out)
{
    size_t n = token_bytes(line);
    ka_slice name = {line.bytes, n};
    bool frames = equals(name, "content-length") || equals(name, "transfer-encoding");
    char behind = n < line.len_bytes ? line.bytes[n] : '\0';
    if (frames && (behind == ' ' || behind == '\t' || (behind == ':' && has_control(line))))
        out->malformed = true;
    if (n == 0 || n == line.len_bytes || line.bytes[n] != ':')
        return;
    ka_slice value = trimmed((ka_slice){line.bytes + n + 1, line.len_bytes - n - 1});
    ka_field_name wanted = ka_field_by_name(name);
    if (wanted != KA_FIELD_COUNT && out->field_count < HTTP_HEAD_FIELDS_MAX)
        out->fields[out->field_count++] = (ka_field){wanted, value};
    else if (equals(name, "content-length"))
        read_length(value, out);
    else if (equals(name, "transfer-encoding"))
        read_coding(value, out);
}

/* The next line without its end; *at moves behind it. A line break before white space is white space
 * (section 5.2). A line feed alone ends a line for some and not for others (section 2.2): nobody can be sure
 * of such a head. */
static bool next_line(char *bytes, size_t len_bytes, size_t *at, ka_slice *line, bool *bare_lf)
{
    for (size_t from = *at;;) {
        char *lf = memchr(bytes + from, '\n', len_bytes - from);
        if (lf == NULL)
            return false;
        size_t next = (size_t)(lf + 1 - bytes);
        bool whole = lf > bytes + *at && lf[-1] == '\r';
        size_t end = whole ? next - 2 : next - 1;
        *bare_lf = *bare_lf || !whole;
        bool empty = end == *at;
        if (!empty && *at > 0 && next < len_bytes && (bytes[next] == ' ' || bytes[next] == '\t')) {
            memset(bytes + end, ' ', next - end);
            from = next;
            continue;
        }
        *line = (ka_slice){bytes + *at, end - *at};
        *at = next;
        return true;
    }
}

/* A request whose last transfer coding is not chunked has no end (section 6.3, item 4). */
static bool is_sure(const http_head *head)
{
    return !head->malformed && (head->is_response || !head->coded || head->chunked);
}

http_head_status http_head_read(char *bytes, size_t len_bytes, http_head *out)
{
    size_t at = 0;
    ka_slice line;
    /* Everything but the fields, which are written before they are read. */
    out->is_response = out->origin_form = out->chunked = out->coded = out->has_length = out->malformed =
        false;
    out->status = 0;
    out->method = out->target = (ka_slice){NULL, 0};
    out->field_count = 0;
    out->length_bytes = 0;
    bool bare_lf = false;
    if (!next_line(bytes, len_bytes, &at, &line, &bare_lf))
        return HTTP_HEAD_NONE;
    if (!read_status_line(line, out) && !read_request_line(line, out))
        return HTTP_HEAD_NONE;
    while (next_line(bytes, len_bytes, &at, &line, &bare_lf) && !bare_lf) {
        if (line.len_bytes == 0) {
            out->len_bytes = at;
            return is_sure(out) ? HTTP_HEAD_WHOLE : HTTP_HEAD_BAD;
        }
        read_field(line, out);
    }
    return bare_lf ? HTTP_HEAD_BAD : HTTP_HEAD_CUT;
}

/* ---- Bodies ---- */

http_asked http_head_asked(const http_head *head)
{
    if (head->method.len_bytes == 4 && memcmp(head->method.bytes, "HEAD", 4) == 0)
        return HTTP_ASKED_HEAD;
    if (head->method.len_bytes == 7 && memcmp(head->method.bytes, "CONNECT", 7) == 0)
        return HTTP_ASKED_CONNECT;
    return HTTP_ASKED_OTHER;
}

ka_framing http_head_framing(const http_head *head, http_asked asked)
{
    unsigned status = head->status;
    if (head->is_response) {
        if (status == 101 || (asked == HTTP_ASKED_CONNECT && status / 100 == 2))
            return KA_FRAMING_TUNNEL;
        if (asked == HTTP_ASKED_HEAD || status / 100 == 1 || status == 204 || status == 304)
            return KA_FRAMING_NONE;
    } else if (http_head_asked(head) == HTTP_ASKED_CONNECT) {
        return KA_FRAMING_NONE; /* RFC 9110 section 9.3.6 */
    }
    if (head->chunked)
        return KA_FRAMING_CHUNKED;
    if (head->coded)
        return KA_FRAMING_UNTIL_CLOSE;
    if (head->has_length)
        return KA_FRAMING_LENGTH;
    return head->is_response ? KA_FRAMING_UNTIL_CLOSE : KA_FRAMING_NONE;
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind the line that begins there; it must end with CRLF. 0: it does not. */
static size_t after_line(ka_slice bytes, size_t at)
{
    const char *lf = at < bytes.len_bytes ? memchr(bytes.bytes + at, '\n', bytes.len_bytes - at) : NULL;
    bool whole = lf != NULL && lf > bytes.bytes + at && lf[-1] == '\r';
    return whole ? (size_t)(lf + 1 - bytes.bytes) : 0;
}

/* Behind the size may stand extensions, or the blanks some servers pad it with. */
static bool chunk_size(ka_slice bytes, size_t at, uint64_t *size)
{
    size_t digits = 0;
    uint64_t n = 0;
    for (; at < bytes.len_bytes && hex_value(bytes.bytes[at]) >= 0; at++, digits++) {
        if (n >> 60 != 0)
            return false;
        n = n << 4 | (uint64_t)hex_value(bytes.bytes[at]);
    }
    *size = n;
    return digits > 0 && at < bytes.len_bytes && memchr("\r; \t", bytes.bytes[at], 4) != NULL;
}

/* Trailers end with an empty line. */
static bool after_trailers(ka_slice bytes, size_t at, uint64_t *wire_bytes)
{
    for (size_t next; (next = after_line(bytes, at)) != 0; at = next) {
        if (next - at == 2) {
            *wire_bytes = next;
            return true;
        }
    }
    return false;
}

bool http_chunked_bytes(ka_slice bytes, uint64_t *wire_bytes, uint64_t *body_bytes)
{
    uint64_t body = 0;
    for (size_t at = 0;;) {
        uint64_t size;
        size_t data = after_line(bytes, at);
        if (data == 0 || !chunk_size(bytes, at, &size))
            return false;
        if (size == 0) {
            if (!after_trailers(bytes, data, wire_bytes))
                return false;
            *body_bytes = body;
            return true;
        }
        body += size;
        if (size > bytes.len_bytes - data || after_line(bytes, data + size) != data + size + 2)
            return false;
        at = data + size + 2;
    }
}

/* ---- First bytes ---- */

static bool is_start_line(ka_slice bytes, const char *lf)
{
    http_head head = {.malformed = false};
    size_t len_bytes = (size_t)(lf - bytes.bytes);
    if (len_bytes > 0 && lf[-1] == '\r')
        len_bytes--;
    ka_slice line = {bytes.bytes, len_bytes};
    return read_status_line(line, &head) || read_request_line(line, &head);
}

ka_protocol http_guess(ka_slice bytes)
{
    size_t n = token_bytes(bytes);
    const char *lf = bytes.len_bytes > 0 ? memchr(bytes.bytes, '\n', bytes.len_bytes) : NULL;
    if (bytes.len_bytes == 0)
        return KA_PROTOCOL_NONE;
    if (bytes.bytes[0] == 22)
        return KA_PROTOCOL_TLS;
    if (begins_with(bytes, "PRI * HTTP/2.0\r\n"))
        return KA_PROTOCOL_H2C;
    if (bytes.bytes[0] == '\r')
        return KA_PROTOCOL_HTTP;
    if (lf != NULL)
        return is_start_line(bytes, lf) ? KA_PROTOCOL_HTTP : KA_PROTOCOL_OTHER;
    if (begins_with(bytes, "HTTP/1.") || may_become(bytes, "HTTP/1."))
        return KA_PROTOCOL_HTTP;
    bool is_method = n > 0 && n <= METHOD_BYTES_MAX && (n == bytes.len_bytes || bytes.bytes[n] == ' ');
    return is_method ? KA_PROTOCOL_HTTP : KA_PROTOCOL_OTHER;
}
