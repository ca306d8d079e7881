#include "layer/gate.h"

#include "layer/probability.h"

void rs_gate_forward(struct rs_map y, struct rs_map x, struct rs_map s)
{
    for (int row = 0; row < y.n * y.h; row++)
        for (int j = 0; j < y.w; j++) {
            float *to = rs_map_at(&y, row / y.h, row % y.h, j);
            const float *from = rs_map_at(&x, row / y.h, row % y.h, j);
            float open = (float)rs_sigmoid((double)*rs_map_at(&s, row / y.h, row % y.h, j));
            for (int k = 0; k < y.c; k++)
                to[k] = open * from[k];
        }
}

void rs_gate_backward(struct rs_map dx, struct rs_map ds, struct rs_map dy, struct rs_map x, struct rs_map s)
{
    for (int row = 0; row < x.n * x.h; row++)
        for (int j = 0; j < x.w; j++) {
            float *to = rs_map_at(&dx, row / x.h, row % x.h, j);
            const float *from = rs_map_at(&dy, row / x.h, row % x.h, j);
            const float *at = rs_map_at(&x, row / x.h, row % x.h, j);
            double open = rs_sigmoid((double)*rs_map_at(&s, row / x.h, row % x.h, j)), sum = 0;
            for (int k = 0; k < x.c; k++)
                sum += (double)from[k] * (double)at[k];
            for (int k = 0; k < x.c; k++)
                to[k] = (float)open * from[k];
            *rs_map_at(&ds, row / x.h, row % x.h, j) = (float)(open * (1 - open) * sum);
        }
}
