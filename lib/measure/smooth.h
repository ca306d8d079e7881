/* Curves over time, made calm. */
#ifndef RS_MEASURE_SMOOTH_H
#define RS_MEASURE_SMOOTH_H

#include <stddef.h>

/* A first-order recursive filter (IIR): y[i] = N / D, where with every row
 *
 * N = s N + x,  D = s D + 1,  from N = D = 0;  with no x, that is NaN:  N = s N,  D = s D
 *
 * so that y is the mean of all x so far, in which one that is k rows old weighs s^k. Where every row has
 * an x, D tends to 1 / (1 - s), and then y += (1 - s) (x - y): D takes away what the start would bias, as
 * Adam does (Kingma and Ba, 2015). An x after n rows without pulls y by 1 - s^n: curves with values in all
 * rows and in few have the same memory. s in [0, 1); at 0, y = x. y[i] is NaN where x[i] is; `y` may be
 * `x`. */
void rs_smooth(size_t count, const double *x, double s, double *y);

#endif
