#include "layer/sum.h"

#include <string.h>

static float *row_of(const struct rs_map *map, int row)
{
    return rs_map_at(map, row / map->h, row % map->h, 0);
}

void rs_sum_forward(struct rs_map y, struct rs_map a, struct rs_map b, bool relu)
{
    for (int row = 0; row < y.n * y.h; row++) {
        float *to = row_of(&y, row);
        const float *one = row_of(&a, row), *other = row_of(&b, row);
        for (int j = 0; j < y.w; j++, to += y.pixel, one += a.pixel, other += b.pixel)
            for (int k = 0; k < y.c; k++) {
                float sum = one[k] + other[k];
                to[k] = relu && sum < 0 ? 0 : sum;
            }
    }
}

void rs_sum_copy(struct rs_map y, struct rs_map x)
{
    for (int row = 0; row < y.n * y.h; row++) {
        float *to = row_of(&y, row);
        const float *from = row_of(&x, row);
        for (int j = 0; j < y.w; j++, to += y.pixel, from += x.pixel)
            memcpy(to, from, (size_t)y.c * sizeof *to);
    }
}

void rs_sum_mask(struct rs_map d, struct rs_map y)
{
    for (int row = 0; row < y.n * y.h; row++) {
        float *to = row_of(&d, row);
        const float *at = row_of(&y, row);
        for (int j = 0; j < y.w; j++, to += d.pixel, at += y.pixel)
            for (int k = 0; k < y.c; k++)
                to[k] = at[k] <= 0 ? 0 : to[k];
    }
}
