/* Signals that ask a long job to put its work away first. */
#ifndef RS_BASE_INTERRUPT_H
#define RS_BASE_INTERRUPT_H

/* From here on SIGTERM, SIGINT and SIGUSR1 are noted rather than obeyed. */
void rs_interrupt_watch(void);

/* The last of them that came since the last call, or 0. */
int rs_interrupt_take(void);

/* Whether a job that has put its work away ends: SIGTERM and SIGINT, not SIGUSR1. */
int rs_interrupt_ends(int signal);

/* Dies of it, as if it had never been watched. */
void rs_interrupt_obey(int signal);

#endif
