/* fuzz_fields.c - fuzzes header fields: which ones the core wants, and what their values say.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The input: a byte of the message's kind, then a header section as it stands in a message, folded lines
 * included.
 */
#include "judge.h"

#include "header.h"
#include "login.h"
#include "require.h"
#include "stream/fields.h"

enum { LINES_MAX = 32 };
enum { KIND_RESPONSE = 1, KIND_HTTP_1_0 = 2, KIND_UNTIL_CLOSE = 4 }; /* of the first byte */

typedef struct section {
    ka_field fields[LINES_MAX];
    char *lines[LINES_MAX];
    size_t count;
} section;

/* Where the line that starts at `at` ends, its line feed included: one that goes on in the next is folded
 * (RFC 9112 section 5.2). */
static size_t line_end(const uint8_t *bytes, size_t len_bytes, size_t at)
{
    while (at < len_bytes) {
        if (bytes[at++] == '\n' && (at == len_bytes || (bytes[at] != ' ' && bytes[at] != '\t')))
            return at;
    }
    return at;
}

static size_t without_line_break(const char *line, size_t len_bytes)
{
    if (len_bytes > 0 && line[len_bytes - 1] == '\n')
        len_bytes--;
    if (len_bytes > 0 && line[len_bytes - 1] == '\r')
        len_bytes--;
    return len_bytes;
}

/* Both front ends find the same fields: the tool by whole lines and by what llhttp hands it, the plugin by
 * names. */
static void check_name(const char *line, size_t name_bytes, ka_field_name name)
{
    char *exact = require_copy(line, name_bytes + 1); /* its colon follows, as in a whole line */
    REQUIRE(fields_find(exact, name_bytes) == name);
    REQUIRE(ka_field_by_name((ka_slice){exact, name_bytes}) == name);
    free(exact);
}

static void take_line(section *s, const uint8_t *bytes, size_t len_bytes)
{
    char *line = require_copy(bytes, len_bytes);
    ka_field_name name;
    size_t name_bytes;
    size_t left_bytes = without_line_break(line, len_bytes);
    if (fields_classify(line, len_bytes, &name, &name_bytes) != FIELDS_LINE_WANTED || s->count == LINES_MAX) {
        free(line);
        return;
    }
    REQUIRE(name < KA_FIELD_COUNT && name_bytes < len_bytes && line[name_bytes] == ':');
    check_name(line, name_bytes, name);
    size_t from = name_bytes + 1 < left_bytes ? name_bytes + 1 : left_bytes;
    s->lines[s->count] = line;
    s->fields[s->count++] = (ka_field){name, fields_trim(line + from, left_bytes - from)};
}

static void read_section(section *s, const uint8_t *bytes, size_t len_bytes)
{
    s->count = 0;
    for (size_t at = 0, end; at < len_bytes; at = end) {
        end = line_end(bytes, len_bytes, at);
        take_line(s, bytes + at, end - at);
    }
}

static bool is_number(int64_t number)
{
    return number == KA_NONE || (number >= 0 && number <= KA_FIELD_NUMBER_MAX);
}

static void check_keep_alive(const ka_keep_alive *keep_alive)
{
    REQUIRE(is_number(keep_alive->timeout_s) && is_number(keep_alive->max));
    REQUIRE(keep_alive->faults < 1 << (KA_SYNTAX_COUNT + 1));
    REQUIRE(keep_alive->present || (keep_alive->faults == 0 && keep_alive->timeout_s == KA_NONE));
    for (unsigned i = 0; i < KA_SYNTAX_COUNT; i++) {
        if (keep_alive->faults >> i & 1)
            REQUIRE(keep_alive->detail[i].len_bytes > 0 &&
                    keep_alive->detail[i].len_bytes <= KA_FIELD_DETAIL_BYTES);
    }
}

/* The values of all lines of a name as one list (RFC 9110 section 5.3). An unclosed quote would run on into
 * the next line's: false. */
static bool join(const section *s, ka_field_name name, char **joined, size_t *len_bytes)
{
    bool first = true;
    *len_bytes = 0;
    *joined = NULL;
    for (size_t i = 0; i < s->count; i++) {
        ka_slice value = s->fields[i].value;
        if (s->fields[i].name != name)
            continue;
        if (value.len_bytes > 0 && memchr(value.bytes, '"', value.len_bytes) != NULL) {
            free(*joined);
            return false;
        }
        *joined = realloc(*joined, *len_bytes + value.len_bytes + 3);
        REQUIRE(*joined != NULL);
        if (!first)
            (*joined)[(*len_bytes)++] = ',', (*joined)[(*len_bytes)++] = ' ';
        if (value.len_bytes > 0)
            memcpy(*joined + *len_bytes, value.bytes, value.len_bytes);
        *len_bytes += value.len_bytes;
        first = false;
    }
    return *joined != NULL;
}

static void check_joined(const section *s, const ka_header *header)
{
    char *joined;
    size_t len_bytes;
    if (join(s, KA_FIELD_KEEP_ALIVE, &joined, &len_bytes)) {
        ka_keep_alive one;
        ka_keep_alive_init(&one);
        ka_field_keep_alive((ka_slice){joined, len_bytes}, &one);
        REQUIRE(one.timeout_s == header->keep_alive.timeout_s && one.max == header->keep_alive.max);
        REQUIRE(one.faults == header->keep_alive.faults);
        free(joined);
    }
    if (join(s, KA_FIELD_CONNECTION, &joined, &len_bytes)) {
        ka_options one = {false, false, false};
        ka_field_connection((ka_slice){joined, len_bytes}, &one);
        REQUIRE(one.close == header->connection.close && one.keep_alive == header->connection.keep_alive);
        REQUIRE(one.upgrade == header->connection.upgrade);
        free(joined);
    }
}

static void check_header(const section *s, uint8_t kind)
{
    ka_message message = {
        .is_response = (kind & KIND_RESPONSE) != 0,
        .version = kind & KIND_HTTP_1_0 ? 10 : 11,
        .framing = kind & KIND_UNTIL_CLOSE ? KA_FRAMING_UNTIL_CLOSE : KA_FRAMING_LENGTH,
        .fields = s->fields,
        .field_count = s->count,
    };
    ka_header header;
    memset(&header, 0xa5, sizeof header);
    ka_header_read(&message, &header);
    check_keep_alive(&header.keep_alive);
    check_joined(s, &header);
    REQUIRE(header.login_step <= KA_LOGIN_AUTHENTICATE);
    REQUIRE(header.keep_alive.faults == 0 || ka_header_is_odd(&header, 60));
    REQUIRE(!header.connection.close ||
            (!ka_header_persists(&header, &message) && !ka_header_effective(&header)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    section s;
    if (len_bytes == 0)
        return 0;
    read_section(&s, bytes + 1, len_bytes - 1);
    check_header(&s, bytes[0]);
    for (size_t i = 0; i < s.count; i++)
        free(s.lines[i]);
    return 0;
}
