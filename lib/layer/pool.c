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

/* Every entry is added to, most of them nothing: no branch stands in the way of vectors. */
static void backward_row(void *context, int image, int i)
{
    const struct pass *pass = context;
    int c = pass->y.c;
    ptrdiff_t row = (ptrdiff_t)(pass->x.w + 2) * c;
    const float *dy = rs_map_at(&pass->y, image, i, 0), *x = rs_map_at(&pass->x, image, 2 * i, 0);
    float *dx = rs_map_at(&pass->dx, image, 2 * i, 0);
    for (int j = 0; j < pass->y.w; j++, dy += c, x += 2 * c, dx += 2 * c)
        for (int k = 0; k < c; k++) {
            float p = x[k], q = x[k + c], r = x[k + row], s = x[k + row + c];
            float top = p >= q ? p : q, low = r >= s ? r : s;
            float dtop = top >= low ? dy[k] : 0, dlow = top >= low ? 0 : dy[k];
            dx[k] += p >= q ? dtop : 0;
            dx[k + c] += p >= q ? 0 : dtop;
            dx[k + row] += r >= s ? dlow : 0;
            dx[k + row + c] += r >= s ? 0 : dlow;
        }
}

void rs_pool_backward(struct rs_map dx, struct rs_map dy, struct rs_map x)
{
    struct pass pass = {.y = dy, .x = x, .dx = dx};
    rs_map_rows(&dy, backward_row, &pass);
}
