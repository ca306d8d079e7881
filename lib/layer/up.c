#include "layer/up.h"

#include <string.h>

void rs_up_forward(struct rs_map y, struct rs_map x)
{
    for (int row = 0; row < y.n * y.h; row++) {
        float *to = rs_map_at(&y, row / y.h, row % y.h, 0);
        const float *from = rs_map_at(&x, row / y.h, row % y.h / 2, 0);
        for (int j = 0; j < y.w; j++, to += y.pixel)
            memcpy(to, from + j / 2 * x.pixel, (size_t)y.c * sizeof *to);
    }
}

void rs_up_backward(struct rs_map dx, struct rs_map dy)
{
    for (int row = 0; row < dx.n * dx.h; row++) {
        float *to = rs_map_at(&dx, row / dx.h, row % dx.h, 0);
        const float *top = rs_map_at(&dy, row / dx.h, row % dx.h * 2, 0), *low = top + dy.row;
        for (int j = 0; j < dx.w; j++, to += dx.pixel, top += 2 * dy.pixel, low += 2 * dy.pixel)
            for (int k = 0; k < dx.c; k++)
                to[k] = (top[k] + top[k + dy.pixel]) + (low[k] + low[k + dy.pixel]);
    }
}
