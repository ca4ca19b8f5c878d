/* wlan.h - IEEE 802.11 data frames, with what a monitoring driver puts before them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PACKET_WLAN_H
#define PACKET_WLAN_H

#include "link.h"

typedef enum wlan_radio_header { WLAN_PLAIN, WLAN_RADIOTAP, WLAN_PRISM_OR_AVS } wlan_radio_header;

/* As link_parse. Encrypted frames are PACKET_OTHER; aggregates of several packets, and pieces of one, are
 * PACKET_AGGREGATE. */
packet_verdict wlan_parse(wlan_radio_header radio, packet_bytes packet, packet_path *path, link_payload *out);

#endif
