/* http_head.c - one message's start line and header fields: found by its empty line, read by llhttp.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/http_parts.h"

#include <string.h>

#include "stream/fields.h"
#include "stream/start_line.h"

/* ---- llhttp --------------------------------------------------------------------------------- */

static int on_header_field(llhttp_t *llhttp, const char *bytes, size_t len_bytes)
{
    http_parser *parser = llhttp->data;
    ka_field_name name = fields_find(bytes, len_bytes);
    parser->field_wanted = name != KA_FIELD_COUNT && parser->message.field_count < HTTP_FIELDS_MAX;
    if (parser->field_wanted)
        parser->fields[parser->message.field_count] = (ka_field){name, {bytes + len_bytes, 0}};
    return 0;
}

static int on_header_value(llhttp_t *llhttp, const char *bytes, size_t len_bytes)
{
    http_parser *parser = llhttp->data;
    if (parser->field_wanted)
        parser->fields[parser->message.field_count].value = fields_trim(bytes, len_bytes);
    return 0;
}

static int on_header_value_complete(llhttp_t *llhttp)
{
    http_parser *parser = llhttp->data;
    if (parser->field_wanted)
        parser->message.field_count++;
    parser->field_wanted = false;
    return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
    (void)llhttp;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
};

/* A fresh parser for every message: nothing of the last one can leak into it. */
static void init_llhttp(http_parser *parser)
{
    llhttp_init(&parser->llhttp, parser->role == HALF_RESPONSES ? HTTP_RESPONSE : HTTP_REQUEST, &settings);
    llhttp_set_lenient_keep_alive(&parser->llhttp, 1);
    /* Transfer-Encoding overrides Content-Length (RFC 9112 section 6.3, item 3). */
    llhttp_set_lenient_chunked_length(&parser->llhttp, 1);
    parser->llhttp.data = parser;
    parser->message.field_count = 0;
}

static void keep_field(http_parser *parser, const char *head, const http_line *line)
{
    if (parser->message.field_count == HTTP_FIELDS_MAX)
        return;
    const char *value = head + line->at + line->name_bytes + 1;
    size_t len_bytes = line->len_bytes - line->name_bytes - 3; /* the colon and the line break */
    parser->fields[parser->message.field_count++] = (ka_field){line->field, fields_trim(value, len_bytes)};
}

/* A bare CR is no line break (RFC 9112 section 2.2), but llhttp takes one in a status line for it: it would
 * read the rest of the line as a field and wait for its end in the next call. */
static bool has_bare_cr(const char *line, size_t len_bytes)
{
    return memchr(line, '\r', len_bytes - 2) != NULL;
}

/* The head from `skip_bytes` on: llhttp reads the first line and what tells the framing, and the empty line;
 * fields that the core asks for are taken as they stand. Every line is whole, so llhttp's spans never cross
 * from one call to the next. */
static bool execute_lines(http_parser *parser, const char *head, size_t len_bytes, size_t skip_bytes)
{
    const http_scan *scan = &parser->scan;
    if (scan->folded || scan->matter_count > HTTP_LINES_MAX)
        return !has_bare_cr(head, parser->matter[0].len_bytes) &&
               llhttp_execute(&parser->llhttp, head + skip_bytes, len_bytes - skip_bytes) == HPE_PAUSED &&
               llhttp_get_error_pos(&parser->llhttp) == head + len_bytes;
    for (unsigned i = 0; i < scan->matter_count; i++) {
        const http_line *line = &parser->matter[i];
        size_t skip = i == 0 ? skip_bytes : 0;
        if (line->field != KA_FIELD_COUNT)
            keep_field(parser, head, line);
        else if (has_bare_cr(head + line->at, line->len_bytes) ||
                 llhttp_execute(&parser->llhttp, head + line->at + skip, line->len_bytes - skip) != HPE_OK)
            return false;
    }
    return llhttp_execute(&parser->llhttp, head + len_bytes - 2, 2) == HPE_PAUSED &&
           llhttp_get_error_pos(&parser->llhttp) == head + len_bytes;
}

static bool execute_head(http_parser *parser, const char *head, size_t len_bytes)
{
    init_llhttp(parser);
    if (execute_lines(parser, head, len_bytes, 0))
        return true;
    if (parser->role != HALF_REQUESTS)
        return false;
    /* llhttp knows only registered methods; any token may be one (RFC 9110 section 9.1). */
    init_llhttp(parser);
    size_t token_bytes = start_line_token(head, len_bytes);
    if (token_bytes == 0 || token_bytes > START_LINE_METHOD_BYTES_MAX || head[token_bytes] != ' ')
        return false;
    return llhttp_execute(&parser->llhttp, "GET", 3) == HPE_OK &&
           execute_lines(parser, head, len_bytes, token_bytes);
}

/* ---- Heads ---------------------------------------------------------------------------------- */

static http_event on_start_line(http_parser *parser, const char *line, size_t len_bytes)
{
    half_role role = HALF_ROLE_UNKNOWN;
    switch (start_line_kind(line, len_bytes)) {
    case START_LINE_PREFACE:
        return HTTP_PREFACE;
    case START_LINE_REQUEST:
        role = HALF_REQUESTS;
        break;
    case START_LINE_RESPONSE:
        role = HALF_RESPONSES;
        break;
    default:
        return HTTP_MALFORMED;
    }
    if (parser->role != HALF_ROLE_UNKNOWN && parser->role != role)
        return HTTP_MALFORMED;
    parser->role = (uint8_t)role;
    return HTTP_MORE;
}

/* The first line, or one that fields_maybe does not rule out. */
static void note_line(http_parser *parser, const char *line, size_t at, size_t len_bytes)
{
    http_scan *scan = &parser->scan;
    ka_field_name name = KA_FIELD_COUNT;
    size_t name_bytes = 0;
    if (scan->matter_count > HTTP_LINES_MAX ||
        (at > 0 && fields_classify(line, len_bytes, &name, &name_bytes) == FIELDS_LINE_NONE))
        return;
    if (scan->matter_count < HTTP_LINES_MAX)
        parser->matter[scan->matter_count] =
            (http_line){(uint32_t)at, (uint32_t)len_bytes, (uint8_t)name_bytes, (uint8_t)name};
    scan->matter_count++;
}

/* llhttp sees the first line when the head is whole: what it would refuse then need not wait for that. */
static bool check_start_line(http_scan *scan, const char *bytes, size_t len_bytes)
{
    if (scan->start_checked)
        return true;
    const char *lf = memchr(bytes, '\n', len_bytes);
    scan->start_checked = start_line_whole(bytes, (size_t)(lf + 1 - bytes)) != START_LINE_BAD;
    return scan->start_checked;
}

/* Looks for the empty line that ends the head. HTTP_HEAD_WHOLE: *end_bytes is set. Bytes beyond the limit are
 * never looked at, so that the answer does not depend on where a segment ends. */
static http_event scan_head(stream_context *context, http_parser *parser, const char *bytes, size_t len_bytes,
                            size_t *end_bytes)
{
    http_scan *scan = &parser->scan;
    size_t at = scan->at, begin = scan->line;
    bool too_long = len_bytes > context->limits.head_bytes;
    const char *lf;
    if (too_long)
        len_bytes = context->limits.head_bytes;
    while ((lf = memchr(bytes + at, '\n', len_bytes - at)) != NULL) {
        const char *line = bytes + begin;
        size_t line_bytes = (size_t)(lf + 1 - line);
        if (line_bytes < 2 || lf[-1] != '\r')
            return HTTP_MALFORMED;
        if (begin == 0) {
            http_event event = on_start_line(parser, line, line_bytes);
            if (event != HTTP_MORE)
                return event;
        }
        at = begin + line_bytes;
        if (line_bytes == 2) {
            *end_bytes = at;
            return HTTP_HEAD_WHOLE;
        }
        if (begin == 0 || fields_maybe(line))
            note_line(parser, line, begin, line_bytes);
        else if (line[0] == ' ' || line[0] == '\t')
            scan->folded = true;
        begin = at;
    }
    if (begin == 0 ? start_line_partial(bytes, len_bytes, at) == START_LINE_BAD
                   : !check_start_line(scan, bytes, len_bytes))
        return HTTP_MALFORMED;
    scan->line = (uint32_t)begin;
    scan->at = (uint32_t)len_bytes;
    context->counts.heads_too_long += too_long ? 1 : 0;
    return too_long ? HTTP_TOO_LONG : HTTP_MORE;
}

/* A line break before white space is white space (RFC 9112 section 5.2). */
static void unfold(char *head, size_t len_bytes)
{
    for (size_t i = 0; i + 2 < len_bytes; i++)
        if (head[i] == '\r' && head[i + 1] == '\n' && (head[i + 2] == ' ' || head[i + 2] == '\t'))
            head[i] = head[i + 1] = ' ';
}

static void read_request_line(ka_message *message, const char *head, size_t len_bytes)
{
    size_t at = start_line_token(head, len_bytes);
    message->method = (ka_slice){head, at};
    while (at < len_bytes && head[at] == ' ')
        at++;
    const char *end = at < len_bytes ? memchr(head + at, ' ', len_bytes - at) : NULL;
    message->target = (ka_slice){head + at, end != NULL ? (size_t)(end - head) - at : 0};
    message->origin_form = at < len_bytes && head[at] == '/';
}

static http_event read_head(stream_context *context, http_parser *parser, const char *head, size_t len_bytes)
{
    if (parser->scan.folded && head != parser->copy) {
        if (!http_append(context, parser, head, len_bytes))
            return HTTP_TOO_LONG;
        head = parser->copy;
    }
    if (parser->scan.folded)
        unfold(parser->copy, len_bytes);
    if (!execute_head(parser, head, len_bytes))
        return HTTP_MALFORMED;
    ka_message *message = &parser->message;
    parser->borrowed = head != parser->copy;
    message->fields = parser->fields;
    message->version = (uint8_t)(parser->llhttp.http_major * 10 + parser->llhttp.http_minor);
    message->is_response = parser->role == HALF_RESPONSES;
    if (message->is_response)
        message->status = parser->llhttp.status_code;
    else
        read_request_line(message, head, len_bytes);
    /* A request whose last transfer coding is not chunked has no end (RFC 9112 section 6.3, item 4). */
    unsigned coding = parser->llhttp.flags & (F_TRANSFER_ENCODING | F_CHUNKED);
    return !message->is_response && coding == F_TRANSFER_ENCODING ? HTTP_MALFORMED : HTTP_HEAD_WHOLE;
}

/* The head lies within one segment, as nearly all do: nothing is copied. */
static http_event parse_head_in_place(stream_context *context, http_parser *parser, stream_run *run)
{
    const char *bytes = (const char *)run->bytes;
    size_t end_bytes = 0;
    http_event event = scan_head(context, parser, bytes, run->captured_bytes, &end_bytes);
    if (event == HTTP_HEAD_WHOLE) {
        http_take(parser, run, end_bytes);
        return read_head(context, parser, bytes, end_bytes);
    }
    if (event == HTTP_MORE) {
        if (!http_append(context, parser, bytes, run->captured_bytes))
            return HTTP_TOO_LONG;
        http_take(parser, run, run->captured_bytes);
    }
    return event;
}

http_event http_parse_head(stream_context *context, http_parser *parser, stream_run *run)
{
    if (run->captured_bytes == 0)
        return HTTP_MORE;
    if (parser->copy_bytes == 0)
        return parse_head_in_place(context, parser, run);
    uint32_t before = parser->copy_bytes;
    if (!http_append(context, parser, run->bytes, run->captured_bytes))
        return HTTP_TOO_LONG;
    size_t end_bytes = parser->copy_bytes;
    http_event event = scan_head(context, parser, parser->copy, parser->copy_bytes, &end_bytes);
    if (event != HTTP_HEAD_WHOLE && event != HTTP_MORE)
        return event;
    http_take(parser, run, end_bytes - before);
    return event == HTTP_HEAD_WHOLE ? read_head(context, parser, parser->copy, end_bytes) : HTTP_MORE;
}
