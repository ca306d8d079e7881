#include "base/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static bool stands; /* a line of progress is what the terminal ends with */

double rs_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct rs_progress rs_progress_start(const char *unit, uint64_t total, bool wanted)
{
    return (struct rs_progress){
        .shown = wanted && isatty(STDERR_FILENO), .unit = unit, .total = total, .started = rs_now()};
}

void rs_progress_show(struct rs_progress *progress, uint64_t done, const char *note)
{
    double now = rs_now(), seconds = now - progress->started;
    if (!progress->shown || done <= progress->first || now - progress->printed < .2)
        return;
    progress->printed = now;
    stands = true;
    double rate = (double)(done - progress->first) / seconds;
    if (!progress->total) {
        fprintf(stderr, "\r\033[K%ju %s  %.1f/s  %s", (uintmax_t)done, progress->unit, rate, note);
        fflush(stderr);
        return;
    }
    intmax_t left = (intmax_t)((double)(progress->total - done) / rate + .5);
    fprintf(stderr, "\r\033[K%3.0f%%  %ju of %ju %s  %.1f/s  %jd:%02jd:%02jd left  %s",
            100. * (double)done / (double)progress->total, (uintmax_t)done, (uintmax_t)progress->total,
            progress->unit, rate, left / 3600, left / 60 % 60, left % 60, note);
    fflush(stderr);
}

void rs_progress_clear(void)
{
    if (stands)
        fprintf(stderr, "\r\033[K");
    stands = false;
}
