/* what_if_options.c - the options of `keptalive what-if`: values and ranges, prices, a server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "what_if_options.h"

#include "number.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest text of one number, address or port that means anything. */
enum { PART_BYTES = 64 };

/* Costs stay exact enough as double, and readable. */
#define PRICE_MAX 1e9

const char *what_if_option_name(what_if_option option)
{
    static const char *const names[] = {"client-idle", "server-idle", "max-requests",
                                        "steps",       "price",       "server"};
    return names[option];
}

static bool copy_part(const char *from, size_t length, char out[PART_BYTES])
{
    if (length >= PART_BYTES)
        return false;
    memcpy(out, from, length);
    out[length] = '\0';
    return true;
}

/* ---- Values and ranges ---- */

static const char *parse_positive(const char *text, ka_unit unit, int64_t *out)
{
    int64_t value;
    const char *fault = number_parse(text, unit, &value);
    if (fault)
        return fault;
    if (value <= 0)
        return "must be more than 0";
    *out = value;
    return NULL;
}

/* VALUE or VALUE..VALUE */
static const char *set_knob(what_if_question *question, what_if_knob knob, const char *text)
{
    ka_unit unit = knob == WHAT_IF_MAX_REQUESTS ? KA_COUNT : KA_NS;
    const char *dots = strstr(text, "..");
    char first[PART_BYTES];
    int64_t from, to;
    if (!copy_part(text, dots ? (size_t)(dots - text) : strlen(text), first))
        return "is too long";
    const char *fault = parse_positive(first, unit, &from);
    to = from;
    if (!fault && dots)
        fault = parse_positive(dots + 2, unit, &to);
    if (fault)
        return fault;
    if (to < from)
        return "is a range whose end is below its beginning";
    question->given[knob] = true;
    question->from[knob] = from;
    question->to[knob] = to;
    return NULL;
}

static const char *set_steps(what_if_question *question, const char *text)
{
    int64_t steps;
    const char *fault = number_parse(text, KA_COUNT, &steps);
    if (fault)
        return fault;
    if (steps < 2 || steps > WHAT_IF_STEPS_MAX)
        return "is not 2 to 64";
    question->steps = (unsigned)steps;
    return NULL;
}

/* ---- Prices ---- */

static bool parse_price(const char *text, double *out)
{
    char *end;
    if (text[0] == '\0' || strspn(text, "0123456789.") != strlen(text))
        return false; /* strtod would take more: signs, exponents, names */
    double price = strtod(text, &end);
    if (*end != '\0' || price > PRICE_MAX)
        return false;
    *out = price;
    return true;
}

/* LOST:CONNECTION:SECOND */
static const char *set_price(what_if_question *question, const char *text)
{
    static const char fault[] = "is not LOST:CONNECTION:SECOND, three numbers up to 1000000000";
    double prices[3];
    for (unsigned i = 0; i < 3; i++) {
        char part[PART_BYTES];
        size_t length = strcspn(text, ":");
        if (!copy_part(text, length, part) || !parse_price(part, &prices[i]) ||
            (text[length] == ':') != (i < 2))
            return fault;
        text += length + 1;
    }
    question->price = (what_if_price){prices[0], prices[1], prices[2]};
    return NULL;
}

/* ---- A server ---- */

static bool parse_port(const char *text, uint16_t *out)
{
    int64_t port;
    if (number_parse(text, KA_COUNT, &port) || port > UINT16_MAX)
        return false;
    *out = (uint16_t)port;
    return true;
}

/* ADDRESS:PORT, of IPv6 [ADDRESS]:PORT */
static const char *set_server(what_if_question *question, const char *text)
{
    static const char fault[] = "is not ADDRESS:PORT, as 192.0.2.1:80 or [2001:db8::1]:80";
    ka_address server = {.version = 4};
    char host[PART_BYTES];
    const char *colon = strrchr(text, ':');
    if (!colon || !parse_port(colon + 1, &server.port))
        return fault;
    size_t length = (size_t)(colon - text);
    if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
        server.version = 6;
        text++;
        length -= 2;
    }
    if (!copy_part(text, length, host) ||
        inet_pton(server.version == 6 ? AF_INET6 : AF_INET, host, server.ip) != 1)
        return fault;
    question->server = server;
    question->has_server = true;
    return NULL;
}

const char *what_if_option_set(what_if_question *question, what_if_option option, const char *value)
{
    switch (option) {
    case WHAT_IF_OPTION_CLIENT_IDLE:
        return set_knob(question, WHAT_IF_CLIENT_IDLE, value);
    case WHAT_IF_OPTION_SERVER_IDLE:
        return set_knob(question, WHAT_IF_SERVER_IDLE, value);
    case WHAT_IF_OPTION_MAX_REQUESTS:
        return set_knob(question, WHAT_IF_MAX_REQUESTS, value);
    case WHAT_IF_OPTION_STEPS:
        return set_steps(question, value);
    case WHAT_IF_OPTION_PRICE:
        return set_price(question, value);
    case WHAT_IF_OPTION_SERVER:
        return set_server(question, value);
    case WHAT_IF_OPTIONS:
        break;
    }
    return "is no option";
}

const char *what_if_options_check(const what_if_question *question)
{
    unsigned ranges = 0;
    for (unsigned knob = 0; knob < WHAT_IF_KNOBS; knob++)
        ranges += question->given[knob] && question->from[knob] != question->to[knob];
    if (!what_if_asked(question))
        return "what-if needs --client-idle, --server-idle or --max-requests";
    return ranges > 1 ? "what-if takes a range for one option at a time" : NULL;
}
