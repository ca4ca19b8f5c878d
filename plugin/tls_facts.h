/* tls_facts.h - the TLS records of a frame, told to the core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_TLS_FACTS_H
#define PLUGIN_TLS_FACTS_H

#include "collect.h"

void tls_facts_tell(collect_frame *frame);

#endif
