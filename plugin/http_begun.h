/* http_begun.h - an HTTP/1 message that has begun, but that Wireshark does not show (yet).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_HTTP_BEGUN_H
#define PLUGIN_HTTP_BEGUN_H

#include "collect.h"

/* Looks what begins where the next message must, in a frame in which Wireshark shows none. */
void http_begun_tell(collect_frame *frame);

#endif
