/* sentence.c - a finding's message: its catalogue sentence with the numbers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * {name} stands for a value; [a part with {name}] is there only when the value is.
 */
#include "text.h"

#include <string.h>

/* Durations read at a glance, and an advertised "5 s" never looks like a measured "5.000 s":
 *   whole seconds        5 s, 0 s
 *   from a millisecond   5.004 s, 0.412 s
 *   from a microsecond   412 us (cut, not rounded: never "1000 us")
 *   below                640 ns */
static void add_duration(ka_text *text, int64_t duration_ns)
{
    char seconds[32];
    uint64_t magnitude = duration_ns < 0 ? 0 - (uint64_t)duration_ns : (uint64_t)duration_ns;
    if (duration_ns % KA_SECOND_NS == 0 || magnitude >= (uint64_t)KA_MILLISECOND_NS) {
        unsigned decimals = duration_ns % KA_SECOND_NS == 0 ? 0 : 3;
        ka_seconds_text(duration_ns, decimals, seconds, sizeof seconds);
        ka_text_add_name(text, seconds);
        ka_text_add_name(text, " s");
    } else if (magnitude >= 1000) {
        ka_text_add_integer(text, duration_ns / 1000);
        ka_text_add_name(text, " us");
    } else {
        ka_text_add_integer(text, duration_ns);
        ka_text_add_name(text, " ns");
    }
}

static void add_value(ka_text *text, const ka_value *value)
{
    if (value->number == KA_NONE) {
        ka_text_add_name(text, "?");
        return;
    }
    if (value->unit == KA_NS) {
        add_duration(text, value->number);
        return;
    }
    ka_text_add_integer(text, value->number);
    if (value->unit == KA_PERCENT)
        ka_text_add_name(text, " %");
    else if (value->unit == KA_BYTES)
        ka_text_add_name(text, value->number == 1 ? " byte" : " bytes");
}

static bool same_name(ka_slice name, const char *other)
{
    return strlen(other) == name.len_bytes && memcmp(other, name.bytes, name.len_bytes) == 0;
}

static bool is_known(ka_slice name, const ka_finding *finding)
{
    for (unsigned i = 0; i < finding->value_count && i < KA_VALUES_MAX; i++) {
        if (same_name(name, finding->values[i].name))
            return finding->values[i].number != KA_NONE;
    }
    return (same_name(name, "detail") && finding->detail_bytes > 0) || same_name(name, "client");
}

/* A part in brackets is left out when one of its values is not there. */
static bool is_wanted(const char *part, const ka_finding *finding)
{
    const char *end = part + strcspn(part, "]");
    while ((part = strchr(part, '{')) != NULL && part < end) {
        size_t len_bytes = strcspn(++part, "}");
        if (!is_known((ka_slice){part, len_bytes}, finding))
            return false;
        part += len_bytes;
    }
    return true;
}

static void add_placeholder(ka_text *text, ka_slice name, const ka_finding *finding)
{
    if (same_name(name, "detail")) {
        size_t len = finding->detail_bytes;
        if (len > sizeof finding->detail)
            len = sizeof finding->detail;
        ka_text_add_quoted(text, (ka_slice){finding->detail, len});
        return;
    }
    if (same_name(name, "client")) {
        char ip[KA_IP_TEXT_BYTES];
        ka_ip_text(&finding->client, ip);
        ka_text_add_name(text, ip);
        return;
    }
    for (unsigned i = 0; i < finding->value_count && i < KA_VALUES_MAX; i++) {
        if (same_name(name, finding->values[i].name)) {
            add_value(text, &finding->values[i]);
            return;
        }
    }
    ka_text_add_name(text, "?");
}

/* " (uncertain: reason; reason)" */
static void add_doubts(ka_text *text, uint32_t failed_gates)
{
    const char *before = " (uncertain: ";
    for (unsigned i = 0; i < KA_GATE_COUNT; i++) {
        if (failed_gates & UINT32_C(1) << i) {
            ka_text_add_name(text, before);
            ka_text_add_name(text, ka_gate_reason(i));
            before = "; ";
        }
    }
    if (before[0] == ';')
        ka_text_add_name(text, ")");
}

size_t ka_sentence(const ka_finding *finding, char *out, size_t size)
{
    ka_text text = ka_text_init(out, size);
    const char *at = ka_catalogue(finding->id)->sentence;
    for (;;) {
        size_t plain = strcspn(at, "{[]");
        ka_text_add(&text, at, plain);
        at += plain;
        if (*at == '[' || *at == ']') {
            at += *at == '[' && !is_wanted(at, finding) ? strcspn(at, "]") : 1;
            continue;
        }
        const char *end = strchr(at, '}');
        if (*at == '\0' || end == NULL)
            break;
        add_placeholder(&text, (ka_slice){at + 1, (size_t)(end - at - 1)}, finding);
        at = end + 1;
    }
    ka_text_add_name(&text, at); /* an opening brace without its end */
    add_doubts(&text, finding->failed_gates);
    return text.len_bytes;
}
