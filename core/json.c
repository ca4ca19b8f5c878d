/* json.c - one JSON object on one line, through a write callback.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "json.h"

#include <string.h>

#include "text.h"

/* Sign, 20 digits, and room to spare; seconds of an int64 in ns have 10 digits, a point and 9 more. */
enum { NUMBER_BYTES = 32 };

static void flush(ka_json *json)
{
    if (json->ok && json->len_bytes > 0)
        json->ok = json->writer->write(json->writer->user, json->bytes, json->len_bytes);
    json->len_bytes = 0;
}

static void put(ka_json *json, char c)
{
    if (json->len_bytes == sizeof json->bytes)
        flush(json);
    json->bytes[json->len_bytes++] = c;
    json->last = c;
}

static void put_bytes(ka_json *json, const char *bytes, size_t len_bytes)
{
    if (len_bytes > sizeof json->bytes - json->len_bytes) {
        while (len_bytes-- > 0)
            put(json, *bytes++);
        return;
    }
    if (len_bytes == 0)
        return;
    memcpy(json->bytes + json->len_bytes, bytes, len_bytes);
    json->len_bytes += len_bytes;
    json->last = bytes[len_bytes - 1];
}

static void put_all(ka_json *json, const char *text)
{
    put_bytes(json, text, strlen(text));
}

static void put_byte(ka_json *json, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    if (byte < 0x20 || byte >= 0x7f) {
        put_all(json, "\\u00");
        put(json, hex[byte >> 4]);
        put(json, hex[byte & 15]);
    } else {
        if (byte == '"' || byte == '\\')
            put(json, '\\');
        put(json, (char)byte);
    }
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* The bytes that need no escape and for which the buffer has room, as nearly all do. */
static size_t put_plain(ka_json *json, ka_slice text)
{
    size_t room = sizeof json->bytes - json->len_bytes;
    size_t limit = text.len_bytes < room ? text.len_bytes : room;
    char *out = json->bytes + json->len_bytes;
    size_t count = 0;
    for (; count < limit && is_plain((unsigned char)text.bytes[count]); count++)
        out[count] = text.bytes[count];
    json->len_bytes += count;
    return count;
}

static void put_string(ka_json *json, ka_slice text)
{
    put(json, '"');
    for (size_t i = put_plain(json, text); i < text.len_bytes; i++)
        put_byte(json, (unsigned char)text.bytes[i]);
    put(json, '"');
}

/* A comma is due after every member but the first; a bracket inside a string is never the last byte put, for
 * a quote follows. */
static void put_key(ka_json *json, const char *key)
{
    enum { PUNCTUATION_BYTES = 4 }; /* a comma, two quotes, a colon */
    size_t key_bytes = key != NULL ? strlen(key) : 0;
    if (key_bytes > KA_JSON_KEY_BYTES)
        key_bytes = KA_JSON_KEY_BYTES;
    if (sizeof json->bytes - json->len_bytes < key_bytes + PUNCTUATION_BYTES)
        flush(json);
    char *out = json->bytes + json->len_bytes;
    if (json->last != '{' && json->last != '[')
        *out++ = ',';
    if (key != NULL) { /* ours, so without anything to escape */
        *out++ = '"';
        memcpy(out, key, key_bytes);
        out += key_bytes;
        *out++ = '"';
        *out++ = ':';
    }
    if (out > json->bytes)
        json->last = out[-1];
    json->len_bytes = (size_t)(out - json->bytes);
}

void ka_json_begin(ka_json *json, const ka_writer *writer, const char *type)
{
    json->writer = writer;
    json->ok = true;
    json->len_bytes = 0;
    put(json, '{');
    ka_json_name(json, "type", type);
    if (writer->file != NULL)
        ka_json_name(json, "file", writer->file);
}

bool ka_json_end(ka_json *json)
{
    put_all(json, "}\n");
    flush(json);
    return json->ok;
}

void ka_json_open(ka_json *json, const char *key, char bracket)
{
    put_key(json, key);
    put(json, bracket);
}

void ka_json_close(ka_json *json, char bracket)
{
    put(json, bracket);
}

void ka_json_raw(ka_json *json, const char *key, const char *number)
{
    put_key(json, key);
    put_all(json, number);
}

void ka_json_null(ka_json *json, const char *key)
{
    ka_json_raw(json, key, "null");
}

void ka_json_text(ka_json *json, const char *key, ka_slice text)
{
    put_key(json, key);
    put_string(json, text);
}

void ka_json_name(ka_json *json, const char *key, const char *name)
{
    ka_json_text(json, key, (ka_slice){name, strlen(name)});
}

void ka_json_count(ka_json *json, const char *key, uint64_t count)
{
    char digits[KA_DIGITS_BYTES];
    put_key(json, key);
    put_bytes(json, digits, ka_text_digits(count, 1, digits));
}

void ka_json_integer(ka_json *json, const char *key, int64_t number)
{
    char text[NUMBER_BYTES] = "null";
    if (number != KA_NONE) {
        ka_text digits = ka_text_init(text, sizeof text);
        ka_text_add_integer(&digits, number);
    }
    ka_json_raw(json, key, text);
}

void ka_json_time(ka_json *json, const char *key, int64_t time_ns)
{
    char text[NUMBER_BYTES] = "null";
    if (time_ns != KA_NONE)
        ka_seconds_text(time_ns, 9, text, sizeof text);
    ka_json_raw(json, key, text);
}

void ka_json_duration(ka_json *json, const char *key, int64_t duration_ns)
{
    char text[NUMBER_BYTES] = "null";
    if (duration_ns != KA_NONE) {
        size_t len = ka_seconds_text(duration_ns, 9, text, sizeof text);
        while (text[len - 1] == '0')
            text[--len] = '\0';
        if (text[len - 1] == '.')
            text[--len] = '\0';
    }
    ka_json_raw(json, key, text);
}
