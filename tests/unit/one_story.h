/* one_story.h - a story for each test of a file: set up before, checked and taken down behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ONE_STORY_H
#define ONE_STORY_H

#include "story.h"

static story s;

static inline int begin(void **state)
{
    (void)state;
    story_begin(&s);
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    assert_int_equal(s.status, KA_OK);
    story_end(&s);
    return 0;
}

#endif
