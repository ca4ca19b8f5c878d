/* what_if_ndjson.c - the answer for programs: one what_if record for each server and setting.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "answer.h"

#include "report/escape.h"

#include <inttypes.h>

static void put_seconds(FILE *out, const char *key, int64_t duration_ns)
{
    char text[WHAT_IF_SECONDS_BYTES] = "null";
    if (duration_ns != KA_NONE)
        what_if_seconds_text(duration_ns, text);
    fprintf(out, "\"%s\":%s", key, text);
}

static void put_count_or_null(FILE *out, const char *key, int64_t count)
{
    if (count == KA_NONE)
        fprintf(out, "\"%s\":null", key);
    else
        fprintf(out, "\"%s\":%" PRId64, key, count);
}

/* Milliseconds as seconds. */
static void put_ms(FILE *out, uint64_t ms)
{
    fprintf(out, "%" PRIu64 ".%03" PRIu64, ms / 1000, ms % 1000);
}

static void put_server(FILE *out, const what_if_answer *answer)
{
    char ip[KA_IP_TEXT_BYTES];
    ka_ip_text(answer->server, ip);
    fprintf(out, "\"server\":{\"ip\":\"%s\",\"port\":%u,\"name\":", ip, answer->server->port);
    if (answer->name[0] == '\0')
        fputs("null", out);
    else
        escape_json(out, answer->name);
    fputs("}", out);
}

static void put_setting(FILE *out, const what_if_setting *setting)
{
    fputs(",\"setting\":{", out);
    put_seconds(out, "client_idle", setting->value[WHAT_IF_CLIENT_IDLE]);
    fputc(',', out);
    put_seconds(out, "server_idle", setting->value[WHAT_IF_SERVER_IDLE]);
    fputc(',', out);
    put_count_or_null(out, "max_requests", setting->value[WHAT_IF_MAX_REQUESTS]);
    fputc('}', out);
}

static void put_bounds(FILE *out, const char *key, what_if_bounds bounds)
{
    fprintf(out, ",\"%s\":{\"least\":%" PRIu64 ",\"most\":%" PRIu64 "}", key, bounds.least, bounds.most);
}

static void put_captured(FILE *out, const what_if_answer *answer)
{
    const what_if_outcome *now = &answer->now;
    fprintf(out,
            ",\"captured\":{\"clients\":%" PRIu64 ",\"connections\":%" PRIu64 ",\"requests\":%" PRIu64
            ",\"gaps\":%" PRIu64 ",\"lost_requests\":%" PRIu64 ",\"at_risk\":%" PRIu64 ",\"open_seconds\":",
            answer->clients, now->connections.most, answer->requests, answer->gaps, now->lost.most,
            now->at_risk);
    put_ms(out, now->open_ms.most);
    fprintf(out, ",\"cost\":%.3f},", now->cost);
    const what_if_deadline *deadline = &answer->deadline;
    const char *basis = what_if_basis_name(deadline->basis);
    fputs("\"server_timeout\":{", out);
    put_seconds(out, "idle", deadline->idle_ns);
    fprintf(out, ",\"from\":%s%s%s,\"closes\":%" PRIu64 ",", basis ? "\"" : "", basis ? basis : "null",
            basis ? "\"" : "", deadline->closes);
    put_count_or_null(out, "advertised", deadline->advertised_s);
    fputc(',', out);
    put_seconds(out, "longest_used", deadline->longest_used_ns);
    fputc('}', out);
}

static void put_predicted(FILE *out, const what_if_outcome *outcome)
{
    fprintf(out, ",\"predicted\":{\"reused\":%" PRIu64 ",\"at_risk\":%" PRIu64, outcome->reused,
            outcome->at_risk);
    put_bounds(out, "lost_requests", outcome->lost);
    put_bounds(out, "connections", outcome->connections);
    fprintf(out, ",\"shareable\":%" PRIu64, outcome->shareable);
    fputs(",\"open_seconds\":{\"least\":", out);
    put_ms(out, outcome->open_ms.least);
    fputs(",\"most\":", out);
    put_ms(out, outcome->open_ms.most);
    fprintf(out, "},\"cost\":%.3f}", outcome->cost);
}

static void put_price(FILE *out, const what_if_price *price)
{
    fprintf(out, ",\"price\":{\"lost_request\":%.6f,\"connection\":%.6f,\"open_second\":%.6f}", price->lost,
            price->connection, price->open_second);
}

/* Of the whole capture: nobody kept which servers they were of. */
static void put_left_out(FILE *out, uint64_t connections)
{
    if (connections > 0)
        fprintf(out, ",\"left_out\":%" PRIu64, connections);
}

void what_if_ndjson(const what_if *self, FILE *out)
{
    static what_if_answer answer; /* large */
    for (size_t server = 0; server < what_if_server_count(self); server++) {
        if (!what_if_answer_of(self, server, &answer))
            continue;
        for (size_t i = 0; i < answer.outcome_count; i++) {
            fputs("{\"type\":\"what_if\",", out);
            put_server(out, &answer);
            put_setting(out, &answer.outcomes[i].setting);
            put_captured(out, &answer);
            put_predicted(out, &answer.outcomes[i]);
            put_price(out, &what_if_asked_of(self)->price);
            put_left_out(out, what_if_left_out(self));
            fprintf(out, ",\"cheapest\":%s}\n", i == answer.best ? "true" : "false");
        }
    }
}
