/* recommendation.h - what to set at a server and at its clients, and how exposed they are as it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_RECOMMENDATION_H
#define KA_RECOMMENDATION_H

#include "inference.h"
#include "site.h"
#include "usage.h"

/* Fills exposure and recommended of a record that has server_timer and timeout_s. */
void ka_recommend(const ka_usage *usage, ka_endpoint_record *record);
/* Then, of those that record->site_count sites are told of: pool_idle_ns of each and, unless all are of one
 * timer, the record's exposure and pool_* by them. */
void ka_recommend_sites(const ka_site *const *sites, ka_site_record *told, ka_endpoint_record *record);

#endif
