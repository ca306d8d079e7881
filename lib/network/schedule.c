#include "network/schedule.h"

#include <math.h>

double rs_schedule_rate(const struct rs_schedule *schedule, int64_t step)
{
    int64_t warm = llround(schedule->warmup * (double)schedule->steps);
    if (step < warm)
        return schedule->rate * (double)(step + 1) / (double)(warm + 1);
    if (schedule->kind == RS_CONSTANT)
        return schedule->rate;
    return schedule->rate * .5 * (1 + cos(M_PI * (double)(step - warm) / (double)(schedule->steps - warm)));
}
