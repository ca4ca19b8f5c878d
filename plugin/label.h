/* label.h - lines of the tree: what a frame shows, in words.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_LABEL_H
#define PLUGIN_LABEL_H

#include "frame_facts.h"

typedef struct label {
    char text[240]; /* Wireshark cuts longer ones; NUL-terminated */
    size_t len_bytes;
} label;

/* "request 2, 1.966 s idle before it". all_known: the first pass is over, what is not known never came. */
label label_of_fact(const frame_fact *fact, bool all_known);
/* "closed by the server with FIN in frame 83 after 2.002 s idle: punctual". */
label label_of_close(const ka_record *record);
/* "response_end" to "response end", "first_fin" to "first FIN". */
label label_of_role(const char *role);

#endif
