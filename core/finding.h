/* finding.h - putting a finding together, for rules.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_FINDING_BUILD_H
#define KA_FINDING_BUILD_H

#include "keptalive.h"

/* The catalogue's severity and fault, no frames, no value but "count"; whom it is about is not set. */
void ka_finding_init(ka_finding *finding, ka_finding_id id);
bool ka_finding_is_blank(const ka_finding *finding);
/* KA_NONE is left out. The name must be a literal. */
void ka_finding_value(ka_finding *finding, const char *name, int64_t number, ka_unit unit);
/* Frame 0 is left out. */
void ka_finding_frame(ka_finding *finding, const char *role, ka_moment at);
void ka_finding_detail(ka_finding *finding, ka_slice text);
void ka_finding_cause(ka_finding *finding, ka_finding_id cause);
/* Adds to the value "count". */
void ka_finding_again(ka_finding *finding);

#endif
