/* header.c - what the header fields of one message say about its connection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "header.h"

#include "login.h"

#include <string.h>

/* The media type, without parameters and case. */
static bool is_event_stream(ka_slice value)
{
    static const char name[] = "text/event-stream";
    size_t len_bytes = sizeof name - 1;
    if (value.len_bytes < len_bytes)
        return false;
    for (size_t i = 0; i < len_bytes; i++) {
        char c = value.bytes[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != name[i])
            return false;
    }
    return true;
}

void ka_header_read(const ka_message *message, ka_header *header)
{
    memset(&header->connection, 0, sizeof header->connection);
    ka_keep_alive_init(&header->keep_alive);
    memset(&header->proxy_connection, 0, sizeof header->proxy_connection);
    header->host = (ka_slice){NULL, 0};
    header->has_proxy_connection = header->expects_continue = header->event_stream = false;
    header->login_step = 0;
    header->authenticates = false;
    for (size_t i = 0; i < message->field_count; i++) {
        const ka_field *field = &message->fields[i];
        switch (field->name) {
        case KA_FIELD_CONNECTION:
            ka_field_connection(field->value, &header->connection);
            break;
        case KA_FIELD_KEEP_ALIVE:
            ka_field_keep_alive(field->value, &header->keep_alive);
            break;
        case KA_FIELD_PROXY_CONNECTION:
            ka_field_connection(field->value, &header->proxy_connection);
            header->has_proxy_connection = true;
            break;
        case KA_FIELD_EXPECT:
            header->expects_continue |= ka_field_has_token(field->value, "100-continue");
            break;
        case KA_FIELD_HOST:
            header->host = field->value;
            break;
        case KA_FIELD_AUTHENTICATE:
            header->authenticates = true;
            if (header->login_step == 0)
                header->login_step = ka_login_step(field->value);
            break;
        case KA_FIELD_CONTENT_TYPE:
            header->event_stream = is_event_stream(field->value);
            break;
        default:
            break;
        }
    }
}

bool ka_header_is_odd(const ka_header *header, int64_t usual_timeout_s)
{
    const ka_options *connection = &header->connection;
    bool present = header->keep_alive.present;
    if (header->keep_alive.faults != 0 || header->has_proxy_connection ||
        header->keep_alive.timeout_s > usual_timeout_s)
        return true;
    return connection->close ? present || connection->keep_alive : present && !connection->keep_alive;
}

bool ka_header_persists(const ka_header *header, const ka_message *message)
{
    if (header->connection.close || message->framing == KA_FRAMING_UNTIL_CLOSE)
        return false;
    return message->version >= 11 || header->connection.keep_alive;
}

bool ka_header_effective(const ka_header *header)
{
    return header->connection.keep_alive && !header->connection.close;
}
