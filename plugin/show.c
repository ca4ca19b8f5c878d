/* show.c - a frame's results as a subtree, and its findings as expert infos.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "show.h"

#include "fields.h"

enum { SENTENCE_BYTES = 1024 }; /* the longest sentence of the catalogue with its numbers has about 500 */

static int protocol_id;
static int ett_audit = -1;
static int ett_fact = -1;
static int ett_close = -1;
static int ett_finding = -1;

void show_register(int protocol)
{
    static int *etts[] = {&ett_audit, &ett_fact, &ett_close, &ett_finding};
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

static void add_text(const branch *at, field which, const char *text)
{
    generated(proto_tree_add_string(at->tree, fields_id(which), at->tvb, 0, 0, text));
}

/* ---- Facts ---- */

/* The event as its filter has it, and as the tree shows it. */
static proto_item *add_event(const branch *at, const frame_fact *fact)
{
    static const char *const names[] = {
        [FRAME_FACT_OPEN] = "open", [FRAME_FACT_REQUEST] = "request", [FRAME_FACT_RESPONSE] = "response",
        [FRAME_FACT_FIN] = "fin",   [FRAME_FACT_RST] = "rst",
    };
    const char *format = fact->kind == FRAME_FACT_REQUEST    ? "Request %" PRId64
                         : fact->kind == FRAME_FACT_RESPONSE ? "Response to request %" PRId64
                                                             : NULL;
    proto_item *item =
        proto_tree_add_string(at->tree, fields_id(FIELD_EVENT), at->tvb, 0, 0, names[fact->kind]);
    if (format != NULL && fact->number != KA_NONE)
        proto_item_set_text(item, format, fact->number);
    generated(item);
    return item;
}

static void add_fact(const branch *at, const frame_fact *fact)
{
    branch in = *at;
    in.tree = proto_item_add_subtree(add_event(at, fact), ett_fact);
    add_uint(&in, FIELD_REQUEST_NUMBER, fact->number);
    if (fact->other_frame != 0)
        add_uint(&in, FIELD_REQUEST_IN, fact->other_frame);
    add_seconds(&in, FIELD_IDLE, fact->idle_ns);
    add_seconds(&in, FIELD_MARGIN, fact->margin_ns);
    add_timeout(&in, fact->timeout_s);
    add_uint(&in, FIELD_MAX, fact->max);
    if (fact->timeout_s != KA_NONE || fact->max != KA_NONE)
        generated(proto_tree_add_boolean(in.tree, fields_id(FIELD_COUNTS), in.tvb, 0, 0, fact->counts));
    add_int(&in, FIELD_REMAINING, fact->remaining);
    add_time(&in, FIELD_DEADLINE, fact->deadline_ns);
}

/* ---- The end of the connection ---- */

static void add_close(const branch *at, const ka_record *record)
{
    branch in = *at;
    bool open = record->close.by == KA_SIDE_NONE;
    proto_item *item = proto_tree_add_item(at->tree, fields_id(FIELD_CLOSE), at->tvb, 0, 0, ENC_NA);
    if (open)
        proto_item_set_text(item, "Not closed in the capture so far");
    generated(item);
    in.tree = proto_item_add_subtree(item, ett_close);
    add_text(&in, FIELD_CLOSE_BY, ka_side_name(record->close.by));
    add_text(&in, FIELD_CLOSE_HOW, ka_how_name(record->close.how));
    if (!open) {
        add_uint(&in, FIELD_CLOSE_FRAME, (int64_t)record->close.at.frame);
        add_time(&in, FIELD_CLOSE_TIME, record->close.at.time_ns);
    }
    add_seconds(&in, FIELD_CLOSE_IDLE, record->close.idle_ns);
    add_text(&in, FIELD_CLOSE_VERDICT, ka_verdict_name(record->close.verdict));
    for (unsigned gate = 0; gate < KA_GATE_COUNT; gate++) {
        if (record->failed_gates >> gate & 1)
            add_text(&in, FIELD_CONFIDENCE, ka_gate_name(gate));
    }
}

/* ---- Findings ---- */

static proto_item *add_finding(const branch *at, const ka_finding *finding, const char *sentence)
{
    const ka_catalogue_row *row = ka_catalogue(finding->id);
    branch in = *at;
    proto_item *item = proto_tree_add_string(at->tree, fields_id(FIELD_FINDING), at->tvb, 0, 0, row->id);
    generated(item);
    in.tree = proto_item_add_subtree(item, ett_finding);
    add_text(&in, FIELD_FINDING_SEVERITY, ka_severity_name(finding->severity));
    add_text(&in, FIELD_FINDING_FAULT, ka_fault_name(finding->fault));
    add_text(&in, FIELD_FINDING_MESSAGE, sentence);
    add_text(&in, FIELD_FINDING_REMEDY, row->remedy);
    for (unsigned i = 0; i < finding->frame_count; i++) {
        const ka_evidence *evidence = &finding->frames[i];
        uint32_t frame = (uint32_t)evidence->at.frame;
        generated(proto_tree_add_uint_format(in.tree, fields_id(FIELD_FINDING_FRAME), in.tvb, 0, 0, frame,
                                             "Evidence, %s: %u", evidence->role, frame));
    }
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

static proto_tree *plant(tvbuff_t *tvb, proto_tree *tree)
{
    proto_item *item = proto_tree_add_item(tree, protocol_id, tvb, 0, 0, ENC_NA);
    generated(item);
    return proto_item_add_subtree(item, ett_audit);
}

static void add_connection(const branch *at, const show_frame *frame)
{
    uint32_t stream;
    if (!stream_of(frame, &stream))
        return;
    add_uint(at, FIELD_STREAM, stream);
    const ka_record *record = frame->results != NULL ? results_connection(frame->results, stream) : NULL;
    if (record != NULL)
        add_close(at, record);
}

void show(const show_frame *frame, tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree)
{
    const frame_fact *facts = first_to_show(frame->facts);
    const results_finding *const *findings = frame->findings;
    bool found = findings[RESULTS_SETTLED] != NULL || findings[RESULTS_OPEN] != NULL;
    bool wanted = tree != NULL && proto_field_is_referenced(tree, protocol_id);
    if (!found && (facts == NULL || !wanted))
        return;
    branch at = {wanted ? plant(tvb, tree) : NULL, tvb, pinfo};
    if (wanted) {
        for (const frame_fact *fact = facts; fact != NULL; fact = fact->next)
            add_fact(&at, fact);
        add_connection(&at, frame);
    }
    tell_findings(&at, findings[RESULTS_SETTLED]);
    tell_findings(&at, findings[RESULTS_OPEN]);
}
