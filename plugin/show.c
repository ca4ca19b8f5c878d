/* show.c - a frame's results as a subtree, and its findings as expert infos.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "show.h"

#include "fields.h"
#include "label.h"

enum { SENTENCE_BYTES = 1024 }; /* the longest sentence of the catalogue with its numbers has about 500 */
enum { LINE_BYTES = 150 };      /* fits a window */

static int protocol_id;
static int ett_audit = -1;
static int ett_fact = -1;
static int ett_close = -1;
static int ett_finding = -1;
static int ett_line = -1;

void show_register(int protocol)
{
    static int *etts[] = {&ett_audit, &ett_fact, &ett_close, &ett_finding, &ett_line};
    protocol_id = protocol;
    proto_register_subtree_array(etts, (int)G_N_ELEMENTS(etts));
}

/* One place in the tree; everything here is generated, nothing stands in the packet's bytes. */
typedef struct branch {
    proto_tree *tree;
    tvbuff_t *tvb;
    packet_info *pinfo;
} branch;

/* ---- Leaves ---- */

static void generated(proto_item *item)
{
    proto_item_set_generated(item);
}

static void add_uint(const branch *at, field which, int64_t number)
{
    if (number != KA_NONE && number >= 0 && number <= UINT32_MAX)
        generated(proto_tree_add_uint(at->tree, fields_id(which), at->tvb, 0, 0, (uint32_t)number));
}

static void add_int(const branch *at, field which, int64_t number)
{
    if (number != KA_NONE)
        generated(proto_tree_add_int64(at->tree, fields_id(which), at->tvb, 0, 0, number));
}

static void add_seconds(const branch *at, field which, int64_t duration_ns)
{
    char text[32];
    if (duration_ns == KA_NONE)
        return;
    ka_seconds_text(duration_ns, 6, text, sizeof text);
    double seconds = (double)duration_ns / (double)KA_SECOND_NS;
    generated(
        proto_tree_add_double_format_value(at->tree, fields_id(which), at->tvb, 0, 0, seconds, "%s s", text));
}

static void add_timeout(const branch *at, int64_t timeout_s)
{
    if (timeout_s != KA_NONE)
        generated(proto_tree_add_uint_format_value(at->tree, fields_id(FIELD_TIMEOUT), at->tvb, 0, 0,
                                                   (uint32_t)timeout_s, "%" PRId64 " s", timeout_s));
}

static void add_time(const branch *at, field which, int64_t time_ns)
{
    if (time_ns == KA_NONE)
        return;
    int64_t nsecs = time_ns % KA_SECOND_NS;
    nstime_t time = {(time_t)(time_ns / KA_SECOND_NS), (int)nsecs};
    generated(proto_tree_add_time(at->tree, fields_id(which), at->tvb, 0, 0, &time));
}

/* How much of the text fits a line: up to its last space, or all of it. */
static int line_len(const char *text)
{
    size_t len = strlen(text);
    if (len <= LINE_BYTES)
        return (int)len;
    for (len = LINE_BYTES; len > 0 && text[len] != ' ';)
        len--;
    return len > 0 ? (int)len : LINE_BYTES;
}

static void add_text(const branch *at, field which, const char *text)
{
    generated(proto_tree_add_string(at->tree, fields_id(which), at->tvb, 0, 0, text));
}

/* Wireshark cuts labels at 240 bytes, and a person reads short lines better: the text goes on in lines below,
 * while the field has all of it. */
static void add_wrapped(const branch *at, field which, const char *text)
{
    const char *name = proto_registrar_get_name(fields_id(which));
    int len = line_len(text);
    generated(proto_tree_add_string_format(at->tree, fields_id(which), at->tvb, 0, 0, text, "%s: %.*s", name,
                                           len, text));
    for (text += len; *text != '\0'; text += len) {
        proto_item *item;
        text += *text == ' ';
        len = line_len(text);
        proto_tree_add_subtree_format(at->tree, at->tvb, 0, 0, ett_line, &item, "    %.*s", len, text);
        generated(item);
    }
}

/* ---- Facts ---- */

static void begin_with_capital(label *text)
{
    text->text[0] = g_ascii_toupper(text->text[0]);
}

static proto_item *add_event(const branch *at, const frame_fact *fact, bool all_known)
{
    static const char *const names[] = {
        [FRAME_FACT_OPEN] = "open", [FRAME_FACT_REQUEST] = "request", [FRAME_FACT_RESPONSE] = "response",
        [FRAME_FACT_FIN] = "fin",   [FRAME_FACT_RST] = "rst",
    };
    label text = label_of_fact(fact, all_known);
    begin_with_capital(&text);
    proto_item *item = proto_tree_add_string_format(at->tree, fields_id(FIELD_EVENT), at->tvb, 0, 0,
                                                    names[fact->kind], "%s", text.text);
    generated(item);
    return item;
}

static void add_other_side(const branch *at, const results *known)
{
    int64_t onwards = known != NULL ? (int64_t)results_forwarded_in(known, at->pinfo->num) : 0;
    int64_t back = known != NULL ? (int64_t)results_forwarded_from(known, at->pinfo->num) : 0;
    add_uint(at, FIELD_FORWARDED_IN, onwards != 0 ? onwards : KA_NONE);
    add_uint(at, FIELD_FORWARDED_FROM, back != 0 ? back : KA_NONE);
}

static void add_request(const branch *at, const frame_fact *fact)
{
    if (fact->other_frame != 0)
        add_uint(at, FIELD_RESPONSE_IN, fact->other_frame);
    add_seconds(at, FIELD_IDLE, fact->idle_ns);
    if (fact->idle_ns != KA_NONE && fact->since_frame != 0)
        add_uint(at, FIELD_IDLE_SINCE, fact->since_frame);
    add_seconds(at, FIELD_MARGIN, fact->margin_ns);
}

static void add_response(const branch *at, const frame_fact *fact)
{
    if (fact->other_frame != 0)
        add_uint(at, FIELD_REQUEST_IN, fact->other_frame);
    add_timeout(at, fact->timeout_s);
    add_uint(at, FIELD_MAX, fact->max);
    if (fact->timeout_s != KA_NONE || fact->max != KA_NONE)
        generated(proto_tree_add_boolean(at->tree, fields_id(FIELD_COUNTS), at->tvb, 0, 0, fact->counts));
    add_int(at, FIELD_REMAINING, fact->remaining);
    add_time(at, FIELD_DEADLINE, fact->deadline_ns);
}

static void add_fact(const branch *at, const frame_fact *fact, const results *known)
{
    branch in = *at;
    bool all_known = known != NULL;
    proto_item *item = add_event(at, fact, all_known);
    if (fact->kind != FRAME_FACT_REQUEST && fact->kind != FRAME_FACT_RESPONSE)
        return;
    in.tree = proto_item_add_subtree(item, ett_fact);
    add_uint(&in, FIELD_REQUEST_NUMBER, fact->number);
    if (fact->kind == FRAME_FACT_REQUEST) {
        add_request(&in, fact);
        add_other_side(&in, known);
    } else {
        add_response(&in, fact);
    }
}

/* ---- The end of the connection ---- */

static void add_gates(const branch *at, uint32_t failed_gates)
{
    for (unsigned gate = 0; gate < KA_GATE_COUNT; gate++) {
        if (failed_gates >> gate & 1)
            generated(proto_tree_add_string_format_value(at->tree, fields_id(FIELD_CONFIDENCE), at->tvb, 0, 0,
                                                         ka_gate_name(gate), "%s (%s)", ka_gate_name(gate),
                                                         ka_gate_reason(gate)));
    }
}

static void add_close(const branch *at, const ka_record *record)
{
    branch in = *at;
    bool open = record->close.by == KA_SIDE_NONE;
    label text = label_of_close(record);
    proto_item *item = proto_tree_add_item(at->tree, fields_id(FIELD_CLOSE), at->tvb, 0, 0, ENC_NA);
    begin_with_capital(&text);
    proto_item_set_text(item, "%s", text.text);
    generated(item);
    in.tree = proto_item_add_subtree(item, ett_close);
    add_text(&in, FIELD_CLOSE_VERDICT, ka_verdict_name(record->close.verdict));
    add_text(&in, FIELD_CLOSE_BY, ka_side_name(record->close.by));
    add_text(&in, FIELD_CLOSE_HOW, ka_how_name(record->close.how));
    if (!open) {
        add_uint(&in, FIELD_CLOSE_FRAME, (int64_t)record->close.at.frame);
        add_time(&in, FIELD_CLOSE_TIME, record->close.at.time_ns);
    }
    add_seconds(&in, FIELD_CLOSE_IDLE, record->close.idle_ns);
    add_gates(&in, record->failed_gates);
}

/* ---- Findings ---- */

static void add_evidence(const branch *at, const ka_finding *finding)
{
    for (unsigned i = 0; i < finding->frame_count; i++) {
        uint32_t frame = (uint32_t)finding->frames[i].at.frame;
        if (frame != 0)
            generated(proto_tree_add_uint_format_value(at->tree, fields_id(FIELD_FINDING_FRAME), at->tvb, 0,
                                                       0, frame, "%s in frame %u",
                                                       label_of_role(finding->frames[i].role).text, frame));
    }
}

static proto_item *add_finding(const branch *at, const ka_finding *finding, const char *sentence)
{
    const ka_catalogue_row *row = ka_catalogue(finding->id);
    branch in = *at;
    proto_item *item = proto_tree_add_string_format_value(at->tree, fields_id(FIELD_FINDING), at->tvb, 0, 0,
                                                          row->id, "%s (%s): %s", row->id,
                                                          ka_severity_name(finding->severity), row->title);
    generated(item);
    in.tree = proto_item_add_subtree(item, ett_finding);
    add_wrapped(&in, FIELD_FINDING_MESSAGE, sentence);
    add_wrapped(&in, FIELD_FINDING_REMEDY, row->remedy);
    add_evidence(&in, finding);
    for (unsigned i = 0; i < finding->cause_count; i++)
        add_text(&in, FIELD_FINDING_CAUSE, ka_catalogue(finding->causes[i])->id);
    add_text(&in, FIELD_FINDING_FAULT, ka_fault_name(finding->fault));
    add_text(&in, FIELD_FINDING_SEVERITY, ka_severity_name(finding->severity));
    if (row->reference[0] != '\0')
        add_text(&in, FIELD_FINDING_REFERENCE, row->reference);
    return item;
}

static void tell_findings(const branch *at, const results_finding *first)
{
    for (const results_finding *each = first; each != NULL; each = each->next_on_frame) {
        char sentence[SENTENCE_BYTES];
        if (each->finding.at.frame != at->pinfo->num)
            continue; /* noted late: two passes show it where it belongs */
        ka_sentence(&each->finding, sentence, sizeof sentence);
        proto_item *item = at->tree != NULL ? add_finding(at, &each->finding, sentence) : NULL;
        expert_add_info_format(at->pinfo, item, fields_expert(each->finding.id, each->finding.severity), "%s",
                               sentence);
    }
}

/* ---- The frame ---- */

static const frame_fact *first_to_show(const frame_fact *fact)
{
    while (fact != NULL && fact->kind == FRAME_FACT_OPEN)
        fact = fact->next;
    return fact;
}

/* Names the connection of the facts, or else of the finding. */
static bool stream_of(const show_frame *frame, uint32_t *stream)
{
    if (frame->facts != NULL) {
        *stream = frame->facts->stream;
        return true;
    }
    for (unsigned i = 0; i < RESULTS_LAYERS; i++) {
        const results_finding *first = frame->findings[i];
        if (first != NULL && first->finding.has_stream) {
            *stream = first->finding.stream;
            return true;
        }
    }
    return false;
}

static proto_item *plant(tvbuff_t *tvb, proto_tree *tree)
{
    proto_item *item = proto_tree_add_item(tree, protocol_id, tvb, 0, 0, ENC_NA);
    generated(item);
    return item;
}

/* What a person sees of the subtree before opening it. */
static void summarise(proto_item *root, const show_frame *frame, const frame_fact *facts,
                      const ka_record *record, uint32_t number)
{
    const char *separator = ": ";
    for (const frame_fact *fact = facts; fact != NULL; fact = fact->next) {
        proto_item_append_text(root, "%s%s", separator, label_of_fact(fact, frame->results != NULL).text);
        separator = "; ";
    }
    if (record != NULL && record->close.at.frame == number)
        proto_item_append_text(root, "%s%s", separator, label_of_close(record).text);
    for (unsigned i = 0; i < RESULTS_LAYERS; i++) {
        for (const results_finding *each = frame->findings[i]; each != NULL; each = each->next_on_frame) {
            proto_item_append_text(root, "%s%s", separator, ka_catalogue(each->finding.id)->id);
            separator = "; ";
        }
    }
}

/* NULL: the frame has none, or its end is not known yet. */
static const ka_record *record_of(const show_frame *frame)
{
    uint32_t stream;
    return frame->results != NULL && stream_of(frame, &stream) ? results_connection(frame->results, stream)
                                                               : NULL;
}

/* The diagnosis first, then what led to it. */
void show(const show_frame *frame, tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree)
{
    const frame_fact *facts = first_to_show(frame->facts);
    const results_finding *const *findings = frame->findings;
    bool found = findings[RESULTS_SETTLED] != NULL || findings[RESULTS_OPEN] != NULL;
    bool wanted = tree != NULL && proto_field_is_referenced(tree, protocol_id);
    if (!found && (facts == NULL || !wanted))
        return;
    uint32_t stream;
    const ka_record *record = record_of(frame);
    proto_item *root = wanted ? plant(tvb, tree) : NULL;
    branch at = {wanted ? proto_item_add_subtree(root, ett_audit) : NULL, tvb, pinfo};
    if (wanted) {
        summarise(root, frame, facts, record, pinfo->num);
        if (stream_of(frame, &stream))
            add_uint(&at, FIELD_STREAM, stream);
    }
    tell_findings(&at, findings[RESULTS_SETTLED]);
    tell_findings(&at, findings[RESULTS_OPEN]);
    if (!wanted)
        return;
    for (const frame_fact *fact = facts; fact != NULL; fact = fact->next)
        add_fact(&at, fact, frame->results);
    if (record != NULL)
        add_close(&at, record);
}
