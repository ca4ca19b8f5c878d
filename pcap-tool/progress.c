/* progress.c - how far a run is: a bar on a terminal, and a line for who asks (SIGUSR1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "progress.h"

#include "report/units.h"

enum { BAR_WIDTH = 24 }; /* with the counts behind it, within 80 columns */

#define FIRST_NS KA_SECOND_NS /* who waits less does not wonder */
#define AGAIN_NS (200 * KA_MILLISECOND_NS)

void progress_begin(progress *self, FILE *out, bool has_bar, int64_t now_ns)
{
    *self = (progress){.out = out, .has_bar = has_bar, .next_ns = now_ns + FIRST_NS};
}

bool progress_is_due(const progress *self, int64_t now_ns)
{
    return self->has_bar && now_ns >= self->next_ns;
}

/* Files that grow while they are read stay below. */
static unsigned share(const progress_state *state, unsigned whole)
{
    double part = (double)state->read_bytes / (double)state->all_bytes;
    return part >= 1 ? whole : (unsigned)(part * whole);
}

void progress_draw(progress *self, int64_t now_ns, const progress_state *state)
{
    char packets[UNITS_COUNT_BYTES], findings[UNITS_COUNT_BYTES];
    self->next_ns = now_ns + AGAIN_NS;
    self->is_drawn = true;
    units_count(state->packets, packets);
    units_count(state->findings, findings);
    fputc('\r', self->out);
    if (state->all_bytes > 0) {
        fputc('[', self->out);
        for (unsigned i = 0; i < BAR_WIDTH; i++)
            fputc(i < share(state, BAR_WIDTH) ? '#' : '.', self->out);
        fprintf(self->out, "] %3u %%  ", share(state, 100));
    }
    fprintf(self->out, "%s packet%s, %s finding%s\033[K", packets, units_plural(state->packets), findings,
            units_plural(state->findings));
    fflush(self->out);
}

void progress_end(progress *self)
{
    if (!self->is_drawn)
        return;
    self->is_drawn = false;
    fputs("\r\033[K", self->out);
    fflush(self->out);
}

void progress_tell(progress *self, const progress_state *state)
{
    char packets[UNITS_COUNT_BYTES], bytes[UNITS_COUNT_BYTES], open[UNITS_COUNT_BYTES],
        findings[UNITS_COUNT_BYTES], percent[32] = "";
    progress_end(self);
    units_count(state->packets, packets);
    units_count(state->bytes, bytes);
    units_count(state->open, open);
    units_count(state->findings, findings);
    if (state->all_bytes > 0)
        snprintf(percent, sizeof percent, " %u %% read,", share(state, 100));
    fprintf(self->out, "keptalive: %s packet%s (%s byte%s),%s %s connection%s open, %s finding%s so far\n",
            packets, units_plural(state->packets), bytes, units_plural(state->bytes), percent, open,
            units_plural(state->open), findings, units_plural(state->findings));
    fflush(self->out);
}
