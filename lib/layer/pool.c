#include "layer/pool.h"

struct pass {
    struct rs_map y, x, dx;
};

static void forward_row(void *context, int image, int i)
{
    const struct pass *pass = context;
    int c = pass->y.c;
    float *y = rs_map_at(&pass->y, image, i, 0);
    const float *top = rs_map_at(&pass->x, image, 2 * i, 0);
    const float *low = rs_map_at(&pass->x, image, 2 * i + 1, 0);
    for (int j = 0; j < pass->y.w; j++, y += c, top += 2 * c, low += 2 * c)
        for (int k = 0; k < c; k++) {
            float a = top[k] > top[k + c] ? top[k] : top[k + c];
            float b = low[k] > low[k + c] ? low[k] : low[k + c];
            y[k] = a > b ? a : b;
        }
}

void rs_pool_forward(struct rs_map y, struct rs_map x)
{
    struct pass pass = {.y = y, .x = x};
    rs_map_rows(&y, forward_row, &pass);
}

static void backward_row(void *context, int image, int i)
{
    const struct pass *pass = context;
    int c = pass->y.c;
    ptrdiff_t row = (ptrdiff_t)(pass->x.w + 2) * c;
    const float *dy = rs_map_at(&pass->y, image, i, 0), *x = rs_map_at(&pass->x, image, 2 * i, 0);
    float *dx = rs_map_at(&pass->dx, image, 2 * i, 0);
    for (int j = 0; j < pass->y.w; j++, dy += c, x += 2 * c, dx += 2 * c)
        for (int k = 0; k < c; k++) {
            float a = x[k], b = x[k + c], d = x[k + row], e = x[k + row + c];
            float top = a >= b ? a : b, low = d >= e ? d : e;
            ptrdiff_t at = top >= low ? (a >= b ? 0 : c) : row + (d >= e ? 0 : c);
            dx[k + at] += dy[k];
        }
}

void rs_pool_backward(struct rs_map dx, struct rs_map dy, struct rs_map x)
{
    struct pass pass = {.y = dy, .x = x, .dx = dx};
    rs_map_rows(&dy, backward_row, &pass);
}
