/* findings_tree.h - Statistics: how often each diagnosis was made, by severity.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_FINDINGS_TREE_H
#define PLUGIN_FINDINGS_TREE_H

void findings_tree_register(void);
/* Before the file scope goes. */
void findings_tree_file_closes(void);

#endif
