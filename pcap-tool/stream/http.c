/* http.c - where one HTTP/1 message begins and ends, and the header fields the core asks for (RFC 9112).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/http.h"

#include <string.h>

#include "stream/fields.h"
#include "stream/start_line.h"

enum {
    POOL_MAX = 256,            /* idle parsers kept: 400 kB; more are in use only in bursts */
    POOL_COPY_BYTES = 4096,    /* copies larger than that, rare, are not kept with them */
    CHUNK_SKIP_MAX = 16 << 20, /* a larger hole in a chunk is not worth the time llhttp takes to pass it */
};

static const char response_start[HTTP_PEEK_BYTES + 1] = "HTTP/1.";

/* ---- Pool ----------------------------------------------------------------------------------- */

static void reset(http_parser *parser)
{
    half_role role = parser->role;
    char *copy = parser->copy;
    uint32_t copy_room = parser->copy_room;
    memset(parser, 0, offsetof(http_parser, fields));
    memset(&parser->scan, 0, sizeof *parser - offsetof(http_parser, scan));
    parser->role = (uint8_t)role;
    parser->copy = copy;
    parser->copy_room = copy_room;
}

http_parser *http_parser_new(stream_context *context, half_role role)
{
    http_parser *parser = context->idle_parsers;
    if (parser != NULL) {
        context->idle_parsers = parser->next;
        context->idle_parser_count--;
        context->buffered_bytes += parser->copy_room;
    } else {
        parser = context_resize(context, NULL, sizeof *parser);
        if (parser == NULL) {
            context_failed(context, KA_NO_MEMORY);
            return NULL;
        }
        parser->copy = NULL;
        parser->copy_room = 0;
    }
    parser->role = (uint8_t)role;
    reset(parser);
    return parser;
}

static void drop(stream_context *context, http_parser *parser)
{
    context_resize(context, parser->copy, 0);
    context_resize(context, parser, 0);
}

void http_parser_free(stream_context *context, http_parser *parser)
{
    context->buffered_bytes -= parser->copy_room;
    if (context->idle_parser_count >= POOL_MAX) {
        drop(context, parser);
        return;
    }
    if (parser->copy_room > POOL_COPY_BYTES) {
        context_resize(context, parser->copy, 0);
        parser->copy = NULL;
        parser->copy_room = 0;
    }
    parser->next = context->idle_parsers;
    context->idle_parsers = parser;
    context->idle_parser_count++;
}

void http_pool_fini(stream_context *context)
{
    for (http_parser *at = context->idle_parsers, *next; at != NULL; at = next) {
        next = at->next;
        drop(context, at);
    }
    context->idle_parsers = NULL;
    context->idle_parser_count = 0;
}

/* ---- Copies --------------------------------------------------------------------------------- */

static bool reserve(stream_context *context, http_parser *parser, size_t room)
{
    if (room <= parser->copy_room)
        return true;
    size_t new_room = parser->copy_room == 0 ? 512 : parser->copy_room;
    while (new_room < room)
        new_room *= 2;
    size_t more = new_room - parser->copy_room;
    if (context->buffered_bytes + more > context->limits.total_bytes) {
        context->counts.buffer_drops++;
        return false;
    }
    char *copy = context_resize(context, parser->copy, new_room);
    if (copy == NULL) {
        context_failed(context, KA_NO_MEMORY);
        return false;
    }
    parser->copy = copy;
    parser->copy_room = (uint32_t)new_room;
    context->buffered_bytes += more;
    return true;
}

static bool append(stream_context *context, http_parser *parser, const void *bytes, size_t len_bytes)
{
    if (!reserve(context, parser, parser->copy_bytes + len_bytes))
        return false;
    if (len_bytes > 0)
        memcpy(parser->copy + parser->copy_bytes, bytes, len_bytes);
    parser->copy_bytes += (uint32_t)len_bytes;
    return true;
}

/* Copies the slice to where room was made before. */
static void keep_slice(http_parser *parser, ka_slice *slice)
{
    if (slice->len_bytes > 0)
        memcpy(parser->copy + parser->copy_bytes, slice->bytes, slice->len_bytes);
    slice->bytes = parser->copy + parser->copy_bytes;
    parser->copy_bytes += (uint32_t)slice->len_bytes;
}

/* The message outlives the packet: what the core will be told of it is copied. */
static bool keep_fields(stream_context *context, http_parser *parser)
{
    if (!parser->borrowed)
        return true;
    size_t len_bytes = parser->message.method.len_bytes;
    for (size_t i = 0; i < parser->message.field_count; i++)
        len_bytes += parser->fields[i].value.len_bytes;
    if (!reserve(context, parser, len_bytes + 1))
        return false;
    parser->copy_bytes = 0;
    keep_slice(parser, &parser->message.method);
    for (size_t i = 0; i < parser->message.field_count; i++)
        keep_slice(parser, &parser->fields[i].value);
    parser->borrowed = false;
    return true;
}

/* ---- llhttp --------------------------------------------------------------------------------- */

static int on_header_field(llhttp_t *llhttp, const char *bytes, size_t len_bytes)
{
    http_parser *parser = llhttp->data;
    if (parser->head_done) /* trailers */
        return 0;
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
    http_parser *parser = llhttp->data;
    parser->head_done = true;
    return HPE_PAUSED;
}

static int on_chunk_header(llhttp_t *llhttp)
{
    http_parser *parser = llhttp->data;
    parser->chunk_left = llhttp->content_length;
    return 0;
}

static int on_body(llhttp_t *llhttp, const char *bytes, size_t len_bytes)
{
    http_parser *parser = llhttp->data;
    (void)bytes;
    parser->message.body_bytes += len_bytes;
    parser->chunk_left -= len_bytes;
    return 0;
}

static int on_message_complete(llhttp_t *llhttp)
{
    http_parser *parser = llhttp->data;
    parser->state = HTTP_STATE_COMPLETE;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
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

static bool execute_head(http_parser *parser, const char *head, size_t len_bytes)
{
    init_llhttp(parser);
    if (llhttp_execute(&parser->llhttp, head, len_bytes) == HPE_PAUSED)
        return llhttp_get_error_pos(&parser->llhttp) == head + len_bytes;
    if (parser->role != HALF_REQUESTS)
        return false;
    /* llhttp knows only registered methods; any token may be one (RFC 9110 section 9.1). */
    size_t token = start_line_token(head, len_bytes);
    init_llhttp(parser);
    return llhttp_execute(&parser->llhttp, "GET", 3) == HPE_OK &&
           llhttp_execute(&parser->llhttp, head + token, len_bytes - token) == HPE_PAUSED &&
           llhttp_get_error_pos(&parser->llhttp) == head + len_bytes;
}

/* ---- Heads ---------------------------------------------------------------------------------- */

static http_event on_start_line(http_parser *parser, const char *line, size_t len_bytes)
{
    half_role role = HALF_ROLE_UNKNOWN;
    switch (start_line_whole(line, len_bytes)) {
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

/* Looks for the empty line that ends the head. HTTP_HEAD_WHOLE: *end_bytes is set. */
static http_event scan_head(http_parser *parser, const char *bytes, size_t len_bytes, size_t *end_bytes)
{
    http_scan *scan = &parser->scan;
    const char *lf;
    while ((lf = memchr(bytes + scan->at, '\n', len_bytes - scan->at)) != NULL) {
        const char *line = bytes + scan->line;
        size_t line_bytes = (size_t)(lf + 1 - line);
        if (line_bytes < 2 || lf[-1] != '\r')
            return HTTP_MALFORMED;
        if (scan->line == 0) {
            http_event event = on_start_line(parser, line, line_bytes);
            if (event != HTTP_MORE)
                return event;
        }
        scan->line = scan->at = (uint32_t)(lf + 1 - bytes);
        if (line_bytes == 2) {
            *end_bytes = scan->at;
            return HTTP_HEAD_WHOLE;
        }
        scan->folded |= line[0] == ' ' || line[0] == '\t';
    }
    if (scan->line == 0 && start_line_partial(bytes, len_bytes, scan->at) == START_LINE_BAD)
        return HTTP_MALFORMED;
    scan->at = (uint32_t)len_bytes;
    return HTTP_MORE;
}

/* A line break before white space is white space (RFC 9112 section 5.2). */
static void unfold(char *head, size_t len_bytes)
{
    for (size_t i = 0; i + 2 < len_bytes; i++)
        if (head[i] == '\r' && head[i + 1] == '\n' && (head[i + 2] == ' ' || head[i + 2] == '\t'))
            head[i] = head[i + 1] = ' ';
}

static void take(http_parser *parser, stream_run *run, size_t len_bytes)
{
    parser->message.len_bytes += len_bytes;
    parser->message.last = run->at;
    run_advance(run, (uint32_t)len_bytes);
}

static http_event read_head(stream_context *context, http_parser *parser, const char *head, size_t len_bytes)
{
    if (len_bytes > context->limits.head_bytes) {
        context->counts.heads_too_long++;
        return HTTP_TOO_LONG;
    }
    if (parser->scan.folded && head != parser->copy) {
        if (!append(context, parser, head, len_bytes))
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
        message->method = (ka_slice){head, start_line_token(head, len_bytes)};
    /* A request whose last transfer coding is not chunked has no end (RFC 9112 section 6.3, item 4). */
    unsigned coding = parser->llhttp.flags & (F_TRANSFER_ENCODING | F_CHUNKED);
    return !message->is_response && coding == F_TRANSFER_ENCODING ? HTTP_MALFORMED : HTTP_HEAD_WHOLE;
}

/* The head lies within one segment, as nearly all do: nothing is copied. */
static http_event parse_head_in_place(stream_context *context, http_parser *parser, stream_run *run)
{
    const char *bytes = (const char *)run->bytes;
    size_t end_bytes = 0;
    http_event event = scan_head(parser, bytes, run->captured_bytes, &end_bytes);
    if (event == HTTP_HEAD_WHOLE) {
        take(parser, run, end_bytes);
        return read_head(context, parser, bytes, end_bytes);
    }
    if (event == HTTP_MORE) {
        if (!append(context, parser, bytes, run->captured_bytes))
            return HTTP_TOO_LONG;
        take(parser, run, run->captured_bytes);
    }
    return event;
}

static http_event parse_head(stream_context *context, http_parser *parser, stream_run *run)
{
    if (run->captured_bytes == 0)
        return HTTP_MORE;
    if (parser->copy_bytes == 0)
        return parse_head_in_place(context, parser, run);
    uint32_t before = parser->copy_bytes;
    if (!append(context, parser, run->bytes, run->captured_bytes))
        return HTTP_TOO_LONG;
    size_t end_bytes = parser->copy_bytes;
    http_event event = scan_head(parser, parser->copy, parser->copy_bytes, &end_bytes);
    if (event != HTTP_HEAD_WHOLE && event != HTTP_MORE)
        return event;
    take(parser, run, end_bytes - before);
    if (event == HTTP_HEAD_WHOLE)
        return read_head(context, parser, parser->copy, end_bytes);
    if (parser->copy_bytes <= context->limits.head_bytes)
        return HTTP_MORE;
    context->counts.heads_too_long++;
    return HTTP_TOO_LONG;
}

/* ---- Framing (RFC 9112 section 6.3) ---------------------------------------------------------- */

flow_method http_request_method(const http_parser *parser)
{
    ka_slice method = parser->message.method;
    if (method.len_bytes == 4 && memcmp(method.bytes, "HEAD", 4) == 0)
        return METHOD_HEAD;
    if (method.len_bytes == 7 && memcmp(method.bytes, "CONNECT", 7) == 0)
        return METHOD_CONNECT;
    return METHOD_OTHER;
}

static ka_framing framing_by_fields(const http_parser *parser)
{
    unsigned flags = parser->llhttp.flags;
    if (flags & F_CHUNKED)
        return KA_FRAMING_CHUNKED;
    if (flags & F_TRANSFER_ENCODING)
        return KA_FRAMING_UNTIL_CLOSE;
    if (flags & F_CONTENT_LENGTH)
        return KA_FRAMING_LENGTH;
    return parser->message.is_response ? KA_FRAMING_UNTIL_CLOSE : KA_FRAMING_NONE;
}

static ka_framing framing(const http_parser *parser, flow_method method)
{
    unsigned status = parser->message.status;
    if (!parser->message.is_response) /* CONNECT has no content (RFC 9110 section 9.3.6) */
        return http_request_method(parser) == METHOD_CONNECT ? KA_FRAMING_NONE : framing_by_fields(parser);
    if (status == 101 || (method == METHOD_CONNECT && status / 100 == 2))
        return KA_FRAMING_TUNNEL;
    if (method == METHOD_HEAD || status / 100 == 1 || status == 204 || status == 304)
        return KA_FRAMING_NONE;
    return framing_by_fields(parser);
}

static void set_state(http_parser *parser)
{
    switch (parser->message.framing) {
    case KA_FRAMING_LENGTH:
        parser->body_left = parser->message.body_bytes = parser->llhttp.content_length;
        parser->state = parser->body_left > 0 ? HTTP_STATE_LENGTH : HTTP_STATE_COMPLETE;
        break;
    case KA_FRAMING_CHUNKED:
        parser->state = HTTP_STATE_CHUNKED;
        llhttp_resume(&parser->llhttp);
        break;
    case KA_FRAMING_UNTIL_CLOSE:
        parser->state = HTTP_STATE_UNTIL_CLOSE;
        break;
    default:
        parser->state = HTTP_STATE_COMPLETE;
    }
}

void http_set_method(http_parser *parser, flow_method method)
{
    parser->message.framing = framing(parser, method);
    set_state(parser);
    if (!parser->message.is_response || method != METHOD_UNKNOWN || parser->state == HTTP_STATE_COMPLETE)
        return;
    bool short_body = parser->state == HTTP_STATE_LENGTH && parser->body_left < HTTP_PEEK_BYTES;
    parser->peek_need = short_body ? (uint8_t)parser->body_left : HTTP_PEEK_BYTES;
    parser->head_last = parser->message.last;
    parser->state = HTTP_STATE_PEEK;
}

/* ---- Bodies --------------------------------------------------------------------------------- */

static http_event feed_chunked(http_parser *parser, const char *bytes, size_t len_bytes, size_t *taken)
{
    llhttp_errno_t error = llhttp_execute(&parser->llhttp, bytes, len_bytes);
    *taken = len_bytes;
    if (error == HPE_OK)
        return HTTP_MORE;
    if (parser->state != HTTP_STATE_COMPLETE)
        return HTTP_MALFORMED;
    *taken = (size_t)(llhttp_get_error_pos(&parser->llhttp) - bytes);
    return HTTP_COMPLETE;
}

static http_event parse_chunked(http_parser *parser, stream_run *run)
{
    size_t taken;
    if (run->captured_bytes == 0)
        return HTTP_MORE;
    http_event event = feed_chunked(parser, (const char *)run->bytes, run->captured_bytes, &taken);
    take(parser, run, taken);
    return event;
}

static void count_body(http_parser *parser, uint64_t len_bytes)
{
    if (parser->state == HTTP_STATE_UNTIL_CLOSE)
        parser->message.body_bytes += len_bytes;
    if (parser->state == HTTP_STATE_LENGTH && (parser->body_left -= len_bytes) == 0)
        parser->state = HTTP_STATE_COMPLETE;
}

static http_event parse_counted(http_parser *parser, stream_run *run)
{
    uint64_t len_bytes = run->len_bytes;
    if (parser->state == HTTP_STATE_LENGTH && len_bytes > parser->body_left)
        len_bytes = parser->body_left;
    if (len_bytes == 0)
        return HTTP_MORE;
    take(parser, run, len_bytes);
    count_body(parser, len_bytes);
    return parser->state == HTTP_STATE_COMPLETE ? HTTP_COMPLETE : HTTP_MORE;
}

/* What was peeked at was body. */
static http_event end_peek(http_parser *parser)
{
    uint8_t peeked = parser->peeked;
    size_t taken;
    parser->peeked = 0;
    parser->state = parser->message.framing == KA_FRAMING_LENGTH    ? HTTP_STATE_LENGTH
                    : parser->message.framing == KA_FRAMING_CHUNKED ? HTTP_STATE_CHUNKED
                                                                    : HTTP_STATE_UNTIL_CLOSE;
    if (parser->state == HTTP_STATE_CHUNKED)
        return peeked == 0 ? HTTP_MORE : feed_chunked(parser, response_start, peeked, &taken);
    count_body(parser, peeked);
    return HTTP_MORE;
}

/* The request is unknown and may have been a HEAD. If another response follows right behind, it was. */
static http_event parse_peek(http_parser *parser, stream_run *run)
{
    while (run->captured_bytes > 0 && parser->peeked < parser->peek_need) {
        if (run->bytes[0] != (uint8_t)response_start[parser->peeked])
            return end_peek(parser);
        if (parser->peeked++ == 0) {
            parser->peek_first = run->at;
            parser->peek_seq = run->seq;
            parser->peek_ack = run->ack;
        }
        take(parser, run, 1);
    }
    if (parser->peeked < parser->peek_need)
        return HTTP_MORE;
    parser->message.framing = KA_FRAMING_NONE;
    parser->message.body_bytes = 0;
    parser->message.len_bytes -= parser->peeked;
    parser->message.last = parser->head_last;
    parser->state = HTTP_STATE_COMPLETE;
    return HTTP_COMPLETE;
}

bool http_next(stream_context *context, http_parser *parser)
{
    uint8_t peeked = parser->peeked;
    if (peeked == 0)
        return false;
    ka_message begun = {.first = parser->peek_first, .seq = parser->peek_seq, .ack = parser->peek_ack};
    reset(parser);
    parser->message = begun;
    parser->message.len_bytes = peeked;
    parser->state = HTTP_STATE_HEAD;
    return append(context, parser, response_start, peeked);
}

/* ---- The whole ------------------------------------------------------------------------------ */

static http_event parse_start(http_parser *parser, const stream_run *run)
{
    if (run->captured_bytes == 0)
        return HTTP_MORE;
    parser->message.seq = run->seq;
    parser->message.ack = run->ack;
    parser->message.first = run->at;
    parser->state = run->bytes[0] == '\r' ? HTTP_STATE_STRAY : HTTP_STATE_HEAD;
    return HTTP_MORE;
}

static http_event parse_stray(http_parser *parser, stream_run *run)
{
    while (run->captured_bytes > 0) {
        bool is_lf = parser->message.len_bytes == 1;
        if (run->bytes[0] != (is_lf ? '\n' : '\r'))
            return HTTP_MALFORMED;
        take(parser, run, 1);
        if (is_lf)
            return HTTP_STRAY;
    }
    return HTTP_MORE;
}

http_event http_parse(stream_context *context, http_parser *parser, stream_run *run)
{
    if (parser->state == HTTP_STATE_START)
        parse_start(parser, run);
    http_event event = HTTP_MORE;
    if (parser->state == HTTP_STATE_PEEK)
        event = parse_peek(parser, run);
    switch (event == HTTP_MORE ? parser->state : HTTP_STATE_START) {
    case HTTP_STATE_STRAY:
        event = parse_stray(parser, run);
        break;
    case HTTP_STATE_HEAD:
        event = parse_head(context, parser, run);
        break;
    case HTTP_STATE_LENGTH:
    case HTTP_STATE_UNTIL_CLOSE:
        event = parse_counted(parser, run);
        break;
    case HTTP_STATE_CHUNKED:
        event = parse_chunked(parser, run);
        break;
    case HTTP_STATE_COMPLETE:
        event = HTTP_COMPLETE;
        break;
    default:
        break;
    }
    if (event == HTTP_MORE && !keep_fields(context, parser))
        return HTTP_TOO_LONG;
    return event;
}

static bool skip_chunk(http_parser *parser, uint32_t len_bytes)
{
    static const char anything[4096];
    if (len_bytes > parser->chunk_left || len_bytes > CHUNK_SKIP_MAX)
        return false;
    parser->message.len_bytes += len_bytes;
    while (len_bytes > 0) {
        size_t part = len_bytes < sizeof anything ? len_bytes : sizeof anything;
        size_t taken;
        if (feed_chunked(parser, anything, part, &taken) != HTTP_MORE)
            return false;
        len_bytes -= (uint32_t)part;
    }
    return true;
}

bool http_skip(http_parser *parser, uint32_t len_bytes, const ka_moment *at)
{
    if (parser->state == HTTP_STATE_PEEK && end_peek(parser) != HTTP_MORE)
        return false;
    switch (parser->state) {
    case HTTP_STATE_LENGTH:
        if (len_bytes > parser->body_left)
            return false;
        /* fall through */
    case HTTP_STATE_UNTIL_CLOSE:
        count_body(parser, len_bytes);
        parser->message.len_bytes += len_bytes;
        break;
    case HTTP_STATE_CHUNKED:
        if (!skip_chunk(parser, len_bytes))
            return false;
        break;
    default:
        return false;
    }
    if (at != NULL)
        parser->message.last = *at;
    return true;
}

bool http_finish(http_parser *parser, ka_moment at)
{
    if (parser->state == HTTP_STATE_PEEK && parser->message.framing == KA_FRAMING_UNTIL_CLOSE)
        end_peek(parser);
    if (parser->state != HTTP_STATE_UNTIL_CLOSE)
        return false;
    parser->state = HTTP_STATE_COMPLETE;
    parser->message.last = at;
    return true;
}

half_role http_plausible_start(const uint8_t *bytes, size_t len_bytes)
{
    const char *text = (const char *)bytes;
    if (len_bytes > HTTP_PEEK_BYTES && memcmp(text, response_start, HTTP_PEEK_BYTES) == 0)
        return HALF_RESPONSES;
    if (len_bytes == 0 || start_line_token(text, 1) == 0)
        return HALF_ROLE_UNKNOWN;
    const char *lf = memchr(text, '\n', len_bytes);
    if (lf != NULL && start_line_whole(text, (size_t)(lf + 1 - text)) == START_LINE_REQUEST)
        return HALF_REQUESTS;
    return HALF_ROLE_UNKNOWN;
}
