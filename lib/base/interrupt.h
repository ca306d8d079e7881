/* Signals that ask a long job to put its work away first. */
#ifndef RS_BASE_INTERRUPT_H
#define RS_BASE_INTERRUPT_H

#include <stdbool.h>

/* From here on the signal is noted rather than obeyed: SIGTERM, SIGINT or SIGUSR1. If it `wakes` it also ends a read that
 * waits, which fails with EINTR. */
void rs_interrupt_watch(int signal, bool wakes);

/* One that is watched and came since the last call, or 0: the last that ends a job, if one did. */
int rs_interrupt_take(void);

/* Whether a job that has put its work away ends: SIGTERM and SIGINT, not SIGUSR1. */
bool rs_interrupt_ends(int signal);

/* Dies of it, as if it had never been watched. */
void rs_interrupt_obey(int signal);

#endif
