/* fields.c - the plugin's fields and expert infos, as registered with Wireshark.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fields.h"

enum { SEVERITY_COUNT = KA_ERROR + 1 };

static int ids[FIELD_COUNT];
static expert_field experts[KA_FINDING_COUNT][SEVERITY_COUNT];

#define ROW(symbol, name, filter, type, display, strings, description)                                       \
    {&ids[FIELD_##symbol], {name, filter, type, display, strings, 0x0, description, HFILL}},
#define KEPTALIVE_FIELD(symbol, ...) ROW(symbol, __VA_ARGS__)

static void register_ids(int protocol)
{
    static hf_register_info rows[] = {
#include "fields.def"
    };
    proto_register_field_array(protocol, rows, (int)G_N_ELEMENTS(rows));
}

int fields_id(field which)
{
    return ids[which];
}

/* ---- Expert infos ---- */

static const int severities[SEVERITY_COUNT] = {PI_CHAT, PI_NOTE, PI_WARN, PI_ERROR};

/* What a header field says wrong is the protocol; who came too late is the sequence. */
static int group_of(ka_finding_id id)
{
    if (ka_catalogue(id)->fault == KA_FAULT_CAPTURE)
        return PI_ASSUMPTION;
    switch (id) {
    case KA_BARE_NUMBER:
    case KA_BAD_PARAM:
    case KA_TIMEOUT_NOT_INTEGER:
    case KA_TIMEOUT_ZERO:
    case KA_DUPLICATE_CONFLICT:
    case KA_TOKEN_MISSING:
    case KA_CLOSE_CONTRADICTION:
        return PI_PROTOCOL;
    default:
        return PI_SEQUENCE;
    }
}

/* "keptalive.expert.closed_early", and with the severity behind it when that is not the catalogue's. Lives as
 * long as the program, as registered names must. */
static const char *expert_name(ka_finding_id id, ka_severity severity)
{
    const ka_catalogue_row *row = ka_catalogue(id);
    char *name = severity == row->severity
                     ? wmem_strdup_printf(wmem_epan_scope(), "keptalive.expert.%s", row->id)
                     : wmem_strdup_printf(wmem_epan_scope(), "keptalive.expert.%s.%s", row->id,
                                          ka_severity_name(severity));
    for (char *at = name; *at != '\0'; at++)
        *at = *at == '-' ? '_' : *at;
    return name;
}

static void register_experts(int protocol)
{
    enum { COUNT = KA_FINDING_COUNT * SEVERITY_COUNT };
    static ei_register_info rows[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        ka_finding_id id = (ka_finding_id)(i / SEVERITY_COUNT);
        ka_severity severity = (ka_severity)(i % SEVERITY_COUNT);
        experts[id][severity] = (expert_field)EI_INIT;
        rows[i] = (ei_register_info){
            &experts[id][severity],
            {expert_name(id, severity), group_of(id), severities[severity], ka_catalogue(id)->title, EXPFILL},
        };
    }
    expert_register_field_array(expert_register_protocol(protocol), rows, COUNT);
}

expert_field *fields_expert(ka_finding_id id, ka_severity severity)
{
    return &experts[id][severity];
}

void fields_register(int protocol)
{
    register_ids(protocol);
    register_experts(protocol);
}
