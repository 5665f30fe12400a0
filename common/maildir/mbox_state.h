/* common/maildir/mbox_state.h - what mbox.c shares with mbox_state.c */
#pragma once

#include "common/maildir/mbox.h"

/* Is it a header line of state? `s`, which may be null, gets what it says. */
bool mbox_state_line(struct span line, struct mbox_state *s);
