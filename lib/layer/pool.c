#include "layer/pool.h"

#include "base/thread.h"

struct pass {
    struct rs_map y, x, dx;
};

static void forward_band(void *context, int shard, int worker)
{
    (void)worker;
    const struct pass *pass = context;
    struct rs_band band = rs_map_band(&pass->y, shard);
    int c = pass->y.c;
    for (int i = band.from; i < band.to; i++) {
        float *y = rs_map_at(&pass->y, band.image, i, 0);
        const float *top = rs_map_at(&pass->x, band.image, 2 * i, 0);
        const float *low = rs_map_at(&pass->x, band.image, 2 * i + 1, 0);
        for (int j = 0; j < pass->y.w; j++, y += c, top += 2 * c, low += 2 * c)
            for (int k = 0; k < c; k++) {
                float a = top[k] > top[k + c] ? top[k] : top[k + c];
                float b = low[k] > low[k + c] ? low[k] : low[k + c];
                y[k] = a > b ? a : b;
            }
    }
}

void rs_pool_forward(struct rs_map y, struct rs_map x)
{
    struct pass pass = {.y = y, .x = x};
    rs_parallel(forward_band, &pass, rs_map_bands(&y));
}

static void backward_band(void *context, int shard, int worker)
{
    (void)worker;
    const struct pass *pass = context;
    struct rs_band band = rs_map_band(&pass->y, shard);
    int c = pass->y.c;
    ptrdiff_t row = (ptrdiff_t)(pass->x.w + 2) * c;
    for (int i = band.from; i < band.to; i++) {
        const float *dy = rs_map_at(&pass->y, band.image, i, 0);
        const float *x = rs_map_at(&pass->x, band.image, 2 * i, 0);
        float *dx = rs_map_at(&pass->dx, band.image, 2 * i, 0);
        for (int j = 0; j < pass->y.w; j++, dy += c, x += 2 * c, dx += 2 * c)
            for (int k = 0; k < c; k++) {
                float a = x[k], b = x[k + c], d = x[k + row], e = x[k + row + c];
                float top = a >= b ? a : b, low = d >= e ? d : e;
                ptrdiff_t at = top >= low ? (a >= b ? 0 : c) : row + (d >= e ? 0 : c);
                dx[k + at] += dy[k];
            }
    }
}

void rs_pool_backward(struct rs_map dx, struct rs_map dy, struct rs_map x)
{
    struct pass pass = {.y = dy, .x = x, .dx = dx};
    rs_parallel(backward_band, &pass, rs_map_bands(&dy));
}
