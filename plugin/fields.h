/* fields.h - the plugin's fields and expert infos, as registered with Wireshark.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_FIELDS_H
#define PLUGIN_FIELDS_H

#include "compat.h"
#include "keptalive.h"

#include <epan/expert.h>

typedef enum field {
#define KEPTALIVE_FIELD(symbol, ...) FIELD_##symbol,
#include "fields.def"
#undef KEPTALIVE_FIELD
    FIELD_COUNT
} field;

void fields_register(int protocol);
int fields_id(field which);

/* One for each diagnosis and severity: Wireshark fixes the severity of an expert info when it is registered,
 * a failed gate lowers that of a finding. */
expert_field *fields_expert(ka_finding_id id, ka_severity severity);

#endif
