/* setting.c - the values to try between two ends.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "setting.h"

#include <math.h>

const what_if_setting what_if_as_captured = {{KA_NONE, KA_NONE, KA_NONE}};

void what_if_question_init(what_if_question *question)
{
    *question = (what_if_question){.steps = WHAT_IF_STEPS, .price = WHAT_IF_PRICE};
}

bool what_if_asked(const what_if_question *question)
{
    return question->given[WHAT_IF_CLIENT_IDLE] || question->given[WHAT_IF_SERVER_IDLE] ||
           question->given[WHAT_IF_MAX_REQUESTS];
}

what_if_knob what_if_range(const what_if_question *question)
{
    unsigned knob = 0;
    while (knob < WHAT_IF_KNOBS && (!question->given[knob] || question->from[knob] == question->to[knob]))
        knob++;
    return (what_if_knob)knob;
}

/* To three significant digits: 1.55 s is as good as 1.5453 s, and easier to type. */
static int64_t rounded(double value)
{
    int64_t whole = (int64_t)(value + 0.5);
    int64_t unit = 1;
    while (whole / unit >= 1000)
        unit *= 10;
    return (whole + unit / 2) / unit * unit;
}

static int64_t value_at(int64_t from, int64_t to, unsigned step, unsigned steps)
{
    if (step == 0)
        return from;
    if (step + 1 >= steps)
        return to;
    return rounded((double)from * pow((double)to / (double)from, (double)step / (steps - 1)));
}

size_t what_if_settings(const what_if_question *question, what_if_setting out[WHAT_IF_STEPS_MAX])
{
    what_if_knob range = what_if_range(question);
    unsigned steps = range == WHAT_IF_KNOBS ? 1 : question->steps;
    size_t count = 0;
    for (unsigned step = 0; step < steps; step++) {
        what_if_setting next = what_if_as_captured;
        for (unsigned knob = 0; knob < WHAT_IF_KNOBS; knob++) {
            if (question->given[knob])
                next.value[knob] = question->from[knob];
        }
        if (range != WHAT_IF_KNOBS) {
            next.value[range] = value_at(question->from[range], question->to[range], step, steps);
            int64_t before = count > 0 ? out[count - 1].value[range] : 0;
            bool last = step + 1 == steps;
            if (next.value[range] <= before || (!last && next.value[range] >= question->to[range]))
                continue; /* rounding made it another one again */
        }
        out[count++] = next;
    }
    return count;
}

size_t what_if_seconds_text(int64_t duration_ns, char out[WHAT_IF_SECONDS_BYTES])
{
    size_t length = ka_seconds_text(duration_ns, 9, out, WHAT_IF_SECONDS_BYTES);
    while (out[length - 1] == '0')
        length--;
    length -= out[length - 1] == '.';
    out[length] = '\0';
    return length;
}
