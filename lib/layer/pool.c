#include "layer/pool.h"

#include "kernel/kernel.h"

void rs_pool_forward(struct rs_map y, struct rs_map x)
{
    for (int row = 0; row < y.n * y.h; row++)
        rs_kernel()->pool(&y, &x, row / y.h, row % y.h);
}

void rs_pool_backward(struct rs_map dx, struct rs_map dy, struct rs_map x)
{
    for (int row = 0; row < dy.n * dy.h; row++)
        rs_kernel()->pool_back(&dx, &dy, &x, row / dy.h, row % dy.h);
}
