/* what_if_options.h - the options of `keptalive what-if`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WHAT_IF_OPTIONS_H
#define WHAT_IF_OPTIONS_H

#include "what-if/setting.h"

/* All take a value. */
typedef enum what_if_option {
    WHAT_IF_OPTION_CLIENT_IDLE,
    WHAT_IF_OPTION_SERVER_IDLE,
    WHAT_IF_OPTION_MAX_REQUESTS,
    WHAT_IF_OPTION_STEPS,
    WHAT_IF_OPTION_PRICE,
    WHAT_IF_OPTION_SERVER,
    WHAT_IF_OPTIONS
} what_if_option;

/* Without the dashes. */
const char *what_if_option_name(what_if_option option);

/* NULL, or what is wrong with the value in a few words; the question is untouched then. */
const char *what_if_option_set(what_if_question *question, what_if_option option, const char *value);

/* When all are set: NULL, or what is missing or contradicts. */
const char *what_if_options_check(const what_if_question *question);

#endif
