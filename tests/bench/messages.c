/* messages.c - HTTP messages as an API's client and server exchange them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint32_t message_request(char *out, uint64_t id)
{
    uint64_t token = id * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)snprintf(out, MESSAGE_BYTES,
                              "GET /api/v1/orders/%" PRIu64 "?expand=items HTTP/1.1\r\n"
                              "Host: api.example.net\r\n"
                              "User-Agent: okhttp/4.12.0\r\n"
                              "Accept: application/json\r\n"
                              "Accept-Encoding: gzip\r\n"
                              "Accept-Language: en\r\n"
                              "Authorization: Bearer %016" PRIx64 "%016" PRIx64 "\r\n"
                              "Cache-Control: no-cache\r\n"
                              "Connection: keep-alive\r\n"
                              "Cookie: session=%016" PRIx64 "; theme=dark\r\n"
                              "X-Request-Id: %016" PRIx64 "\r\n"
                              "\r\n",
                              id, token, ~token, token ^ id, token + id);
}

uint32_t message_response_head(char *out, const message_response *response)
{
    int len = snprintf(out, MESSAGE_BYTES,
                       "HTTP/1.1 200 OK\r\n"
                       "Date: Sat, 01 Jun 2024 12:00:00 GMT\r\n"
                       "Server: Apache/2.4.59 (Debian)\r\n"
                       "Cache-Control: no-store\r\n"
                       "Vary: Accept-Encoding\r\n"
                       "Keep-Alive: timeout=%u, max=%u\r\n"
                       "Connection: Keep-Alive\r\n"
                       "Content-Type: application/json\r\n",
                       response->timeout_s, response->max);
    char *end = out + len;
    if (response->chunked)
        len += snprintf(end, MESSAGE_BYTES - (size_t)len, "Transfer-Encoding: chunked\r\n\r\n");
    else
        len += snprintf(end, MESSAGE_BYTES - (size_t)len, "Content-Length: %" PRIu64 "\r\n\r\n",
                        response->body_bytes);
    return (uint32_t)len;
}

/* {"id":...,"note":"xxx..."}, exactly len_bytes long. */
static void put_json(char *out, uint64_t id, size_t len_bytes)
{
    static const char end[] = "\"}";
    int len = snprintf(out, len_bytes, "{\"id\":%" PRIu64 ",\"state\":\"open\",\"note\":\"", id);
    memset(out + len, 'x', len_bytes - (size_t)len);
    memcpy(out + len_bytes - strlen(end), end, strlen(end));
}

/* In two chunks and the last one. */
static uint32_t put_chunked(char *out, size_t room_bytes, uint64_t id, size_t len_bytes)
{
    char body[MESSAGE_BYTES];
    size_t half = len_bytes / 2;
    put_json(body, id, len_bytes);
    return (uint32_t)snprintf(out, room_bytes, "%zx\r\n%.*s\r\n%zx\r\n%.*s\r\n0\r\n\r\n", half, (int)half,
                              body, len_bytes - half, (int)(len_bytes - half), body + half);
}

uint32_t message_response_whole(char *out, const message_response *response, uint64_t id)
{
    uint32_t head_bytes = message_response_head(out, response);
    if (response->chunked)
        return head_bytes +
               put_chunked(out + head_bytes, MESSAGE_BYTES - head_bytes, id, response->body_bytes);
    put_json(out + head_bytes, id, response->body_bytes);
    return head_bytes + (uint32_t)response->body_bytes;
}
