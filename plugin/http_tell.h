/* http_tell.h - one HTTP/1 message told to the core, and what the tree shows of it kept with the frame.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_HTTP_TELL_H
#define PLUGIN_HTTP_TELL_H

#include "collect.h"

void http_tell(collect_frame *frame, const ka_message *message);

#endif
