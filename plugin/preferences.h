/* preferences.h - Edit > Preferences > Protocols > Keptalive: the tool's options, with _ for -.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Durations are whole milliseconds, which Wireshark checks itself; nothing finer is of use here.
 */
#ifndef PLUGIN_PREFERENCES_H
#define PLUGIN_PREFERENCES_H

#include "compat.h"
#include "keptalive.h"

void preferences_register(int protocol);

bool preferences_enabled(void);
void preferences_thresholds(ka_thresholds *out);

/* Addresses of one proxy, as --proxy of the tool; what is no address is left out. Returns how many. */
enum { PREFERENCES_PROXY_MAX = 8 };
size_t preferences_proxy(ka_address out[PREFERENCES_PROXY_MAX]);

#endif
