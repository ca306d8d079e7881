#include "measure/smooth.h"

#include <math.h>

void rs_smooth(size_t count, const double *x, double s, double *y)
{
    double weighted = 0, weight = 0;
    for (size_t i = 0; i < count; i++) {
        weighted *= s;
        weight *= s;
        if (isnan(x[i])) {
            y[i] = x[i];
            continue;
        }
        weighted += x[i];
        weight += 1;
        y[i] = weighted / weight;
    }
}
