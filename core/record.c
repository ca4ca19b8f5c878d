/* record.c - the output contract: connections, exchanges and findings, one JSON object a line;
 * record_endpoint.c has the endpoints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The names and their order are published in docs/keptalive-1.schema.json; changing one breaks readers.
 */
#include "record_parts.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

/* The longest catalogue sentence with every number at its widest and a detail of 48 escaped bytes, then all
 * gate reasons: about 1400 bytes. */
enum { MESSAGE_BYTES = 2048 };

/* Frames and status codes: 0 stands for none. */
static void put_unless_zero(ka_json *json, const char *key, uint64_t number)
{
    if (number == 0)
        ka_json_null(json, key);
    else
        ka_json_count(json, key, number);
}

/* The time of something that may never have happened. */
static void put_time(ka_json *json, const char *key, const ka_moment *at)
{
    ka_json_time(json, key, at->frame == 0 ? KA_NONE : at->time_ns);
}

void ka_record_open_address(ka_json *json, const char *key, const ka_address *address)
{
    char ip[KA_IP_TEXT_BYTES];
    ka_ip_text(address, ip);
    ka_json_open(json, key, '{');
    ka_json_name(json, "ip", ip);
    ka_json_count(json, "port", address->port);
}

static void put_address(ka_json *json, const char *key, const ka_address *address)
{
    ka_record_open_address(json, key, address);
    ka_json_close(json, '}');
}

void ka_record_advertised(ka_json *json, int64_t timeout_s, int64_t max, ka_max_style style)
{
    ka_json_open(json, "advertised", '{');
    ka_json_integer(json, "timeout", timeout_s);
    ka_json_integer(json, "max", max);
    if (style == KA_MAX_NONE)
        ka_json_null(json, "max_style");
    else
        ka_json_name(json, "max_style", ka_max_style_name(style));
    ka_json_close(json, '}');
}

static void put_gates(ka_json *json, const char *key, uint32_t failed_gates)
{
    ka_json_open(json, key, '[');
    for (unsigned i = 0; failed_gates >> i != 0; i++) {
        if (failed_gates >> i & 1)
            ka_json_name(json, NULL, ka_gate_name(i));
    }
    ka_json_close(json, ']');
}

/* ---- connection ------------------------------------------------------------------------------ */

static void put_close(ka_json *json, const ka_record *record)
{
    ka_json_open(json, "close", '{');
    ka_json_name(json, "by", ka_side_name(record->close.by));
    ka_json_name(json, "how", ka_how_name(record->close.how));
    put_unless_zero(json, "frame", record->close.at.frame);
    put_time(json, "time", &record->close.at);
    ka_json_duration(json, "idle", record->close.idle_ns);
    ka_json_name(json, "verdict", ka_verdict_name(record->close.verdict));
    ka_json_close(json, '}');
}

/* Only HTTP/2 has it. */
static void put_goaway(ka_json *json, const ka_record *record)
{
    if (strncmp(record->protocol, "h2", 2) != 0)
        return;
    if (record->goaway.by == KA_SIDE_NONE) {
        ka_json_null(json, "goaway");
        return;
    }
    ka_json_open(json, "goaway", '{');
    ka_json_name(json, "by", ka_side_name(record->goaway.by));
    put_unless_zero(json, "frame", record->goaway.at.frame);
    ka_json_count(json, "last_stream", record->goaway.last_stream);
    ka_json_close(json, '}');
}

static void put_ids(ka_json *json, const uint64_t mask[])
{
    for (unsigned i = 0; i < KA_FINDING_COUNT; i++) {
        if (mask[i / 64] >> i % 64 == 0)
            i |= 63; /* none of the others of this word */
        else if (mask[i / 64] >> i % 64 & 1)
            ka_json_name(json, NULL, ka_catalogue((ka_finding_id)i)->id);
    }
}

bool ka_write_connection(const ka_writer *writer, const ka_record *record)
{
    ka_json json;
    ka_json_begin(&json, writer, "connection");
    ka_json_count(&json, "stream", record->stream);
    ka_json_name(&json, "protocol", record->protocol);
    put_address(&json, "client", &record->client);
    put_address(&json, "server", &record->server);
    if (record->proxied_for.version != 0)
        put_address(&json, "proxied_for", &record->proxied_for);
    if (record->tunnel != KA_TUNNEL_NONE)
        ka_json_name(&json, "tunnel", ka_tunnel_name(record->tunnel));
    if (record->encapsulation != NULL)
        ka_json_name(&json, "encapsulation", record->encapsulation);
    ka_json_time(&json, "start", record->first.time_ns);
    ka_json_time(&json, "end", record->last.time_ns);
    put_unless_zero(&json, "first_frame", record->first.frame);
    put_unless_zero(&json, "last_frame", record->last.frame);
    ka_json_count(&json, "requests", record->requests);
    ka_json_count(&json, "responses", record->responses);
    ka_record_advertised(&json, record->timeout_s, record->max, record->max_style);

    ka_json_open(&json, "idle", '{');
    ka_json_count(&json, "count", record->idle_count);
    ka_json_duration(&json, "longest", record->idle_longest_ns);
    ka_json_duration(&json, "total", record->idle_total_ns);
    ka_json_close(&json, '}');

    put_close(&json, record);
    put_goaway(&json, record);
    put_gates(&json, "confidence", record->failed_gates);
    ka_json_open(&json, "findings", '[');
    put_ids(&json, record->finding_mask);
    ka_json_close(&json, ']');
    return ka_json_end(&json);
}

/* ---- exchange -------------------------------------------------------------------------------- */

static void put_method(ka_json *json, const ka_exchange_record *exchange)
{
    const char *method = exchange->method;
    const char *end = memchr(method, '\0', sizeof exchange->method);
    size_t len = end != NULL ? (size_t)(end - method) : sizeof exchange->method;
    if (len == 0)
        ka_json_null(json, "method");
    else
        ka_json_text(json, "method", (ka_slice){method, len});
}

bool ka_write_exchange(const ka_writer *writer, const ka_exchange_record *exchange)
{
    ka_json json;
    ka_json_begin(&json, writer, "exchange");
    ka_json_count(&json, "stream", exchange->stream);
    ka_json_count(&json, "number", exchange->number);
    put_unless_zero(&json, "request_frame", exchange->request.frame);
    put_unless_zero(&json, "response_frame", exchange->response.frame);
    put_method(&json, exchange);
    put_unless_zero(&json, "status", exchange->status);
    put_time(&json, "request_time", &exchange->request);
    put_time(&json, "response_time", &exchange->response);
    put_unless_zero(&json, "response_end_frame", exchange->response_end.frame);
    ka_json_duration(&json, "idle_before", exchange->idle_before_ns);
    ka_json_integer(&json, "timeout", exchange->timeout_s);
    ka_json_integer(&json, "max", exchange->max);
    return ka_json_end(&json);
}

/* ---- finding --------------------------------------------------------------------------------- */

static void put_place(ka_json *json, const ka_finding *finding)
{
    const char *file;
    uint64_t file_frame;
    const ka_writer *writer = json->writer;
    put_unless_zero(json, "frame", finding->at.frame);
    if (finding->at.frame != 0 && writer->file != NULL) {
        ka_json_count(json, "file_frame", finding->at.frame);
    } else if (finding->at.frame != 0 && writer->locate != NULL &&
               writer->locate(writer->user, finding->at.frame, &file, &file_frame)) {
        ka_json_name(json, "file", file);
        ka_json_count(json, "file_frame", file_frame);
    }
    put_time(json, "time", &finding->at);
}

/* How often the role of frames[index] has come up to there. */
static unsigned occurrence(const ka_finding *finding, unsigned index)
{
    unsigned count = 0;
    for (unsigned i = 0; i <= index; i++) {
        const ka_evidence *other = &finding->frames[i];
        count += other->at.frame != 0 && strcmp(other->role, finding->frames[index].role) == 0;
    }
    return count;
}

/* {role: frame}; a role that comes again gets _2, _3, ... for a JSON object has a name only once. */
static void put_evidence(ka_json *json, const ka_finding *finding)
{
    ka_json_open(json, "frames", '{');
    for (unsigned i = 0; i < finding->frame_count && i < KA_EVIDENCE_MAX; i++) {
        const ka_evidence *evidence = &finding->frames[i];
        if (evidence->at.frame == 0)
            continue;
        char key[32];
        ka_text text = ka_text_init(key, sizeof key);
        ka_text_add_name(&text, evidence->role);
        unsigned nth = occurrence(finding, i);
        if (nth > 1) {
            ka_text_add_name(&text, "_");
            ka_text_add_integer(&text, nth);
        }
        ka_json_count(json, key, evidence->at.frame);
    }
    ka_json_close(json, '}');
}

static void put_values(ka_json *json, const ka_finding *finding)
{
    ka_json_open(json, "values", '{');
    for (unsigned i = 0; i < finding->value_count && i < KA_VALUES_MAX; i++) {
        const ka_value *value = &finding->values[i];
        if (value->unit == KA_NS)
            ka_json_duration(json, value->name, value->number);
        else
            ka_json_integer(json, value->name, value->number);
    }
    ka_json_close(json, '}');
}

/* What the finding is about when it is no connection: a server, or what one client does there. */
static void put_server(ka_json *json, const ka_finding *finding)
{
    char ip[KA_IP_TEXT_BYTES];
    put_address(json, "server", &finding->server);
    if (finding->client.version == 0)
        return;
    ka_ip_text(&finding->client, ip);
    ka_json_open(json, "client", '{');
    ka_json_name(json, "ip", ip);
    ka_json_close(json, '}');
}

static void put_stream(ka_json *json, const char *key, uint32_t stream)
{
    ka_json_open(json, key, '{');
    ka_json_count(json, "stream", stream);
    ka_json_close(json, '}');
}

static void put_pair(ka_json *json, const ka_finding *finding)
{
    ka_json_open(json, "pair", '{');
    put_stream(json, "downstream", finding->stream);
    put_stream(json, "upstream", finding->upstream.stream);
    ka_json_close(json, '}');
}

bool ka_write_finding(const ka_writer *writer, const ka_finding *finding)
{
    const ka_catalogue_row *row = ka_catalogue(finding->id);
    char message[MESSAGE_BYTES];
    ka_sentence(finding, message, sizeof message);

    ka_json json;
    ka_json_begin(&json, writer, "finding");
    ka_json_name(&json, "id", row->id);
    ka_json_name(&json, "severity", ka_severity_name(finding->severity));
    ka_json_name(&json, "fault", ka_fault_name(finding->fault));
    if (finding->has_pair)
        put_pair(&json, finding);
    else if (finding->has_stream)
        ka_json_count(&json, "stream", finding->stream);
    else
        put_server(&json, finding);
    put_place(&json, finding);
    put_evidence(&json, finding);
    put_values(&json, finding);
    ka_json_name(&json, "message", message);
    ka_json_name(&json, "remedy", row->remedy);
    ka_json_open(&json, "cause", '[');
    for (unsigned i = 0; i < finding->cause_count && i < KA_CAUSES_MAX; i++)
        ka_json_name(&json, NULL, ka_catalogue(finding->causes[i])->id);
    ka_json_close(&json, ']');
    if (finding->failed_gates != 0)
        put_gates(&json, "why_uncertain", finding->failed_gates);
    return ka_json_end(&json);
}

/* ---- pair ------------------------------------------------------------------------------------ */

const char *ka_link_confidence_name(ka_link_confidence confidence)
{
    static const char *const names[] = {"low", "medium", "high"};
    return names[confidence];
}

static void put_end(ka_json *json, const char *key, const ka_pair_end *end, const ka_moment *request)
{
    ka_json_open(json, key, '{');
    ka_json_count(json, "stream", end->stream);
    put_address(json, "client", &end->client);
    put_address(json, "server", &end->server);
    put_unless_zero(json, "request_frame", request->frame);
    put_time(json, "request_time", request);
    ka_json_close(json, '}');
}

bool ka_write_pair(const ka_writer *writer, const ka_pair_record *pair)
{
    ka_json json;
    ka_json_begin(&json, writer, "pair");
    put_end(&json, "downstream", &pair->downstream, &pair->asked);
    put_end(&json, "upstream", &pair->upstream, &pair->forwarded);
    ka_json_name(&json, "confidence", ka_link_confidence_name(pair->confidence));
    ka_json_count(&json, "requests", pair->requests);
    ka_json_count(&json, "by_id", pair->by_id);
    ka_json_count(&json, "again", pair->again);
    ka_json_duration(&json, "clock_offset", pair->clock_offset_ns);
    ka_json_integer(&json, "clock_drift_ppb", pair->clock_drift_ppb);
    return ka_json_end(&json);
}
