/* A line on a terminal that says how far a long job is: share, count, rate, time left, and a word of its own.
 */
#ifndef RS_BASE_PROGRESS_H
#define RS_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct rs_progress {
    bool shown; /* whether anything is printed */
    const char *unit;
    uint64_t total, first;   /* first: done before, when the job was taken up again */
    double started, printed; /* seconds */
};

double rs_now(void); /* seconds of a clock that only goes forward */

/* Starts counting to `total` `unit`s ("patches"; 0: nobody knows how many). Prints nothing unless `wanted` and stderr is a terminal. */
struct rs_progress rs_progress_start(const char *unit, uint64_t total, bool wanted);

/* `done` of the total; `note` ends the line. Prints a few times a second at most. */
void rs_progress_show(struct rs_progress *progress, uint64_t done, const char *note);

void rs_progress_clear(void); /* wipes the line, if there is one, so that a message may stand there */

#endif
