#include "layer/loss.h"

#include <math.h>
#include <stdbool.h>

#include "layer/probability.h"

static bool counts(const struct rs_truth *truth, size_t pixel)
{
    return !truth->fov || truth->fov[pixel] > 127;
}

/* A logit a pixel is so little work that threads would cost more than they give; one order of sums for all.
 */
struct rs_loss rs_loss_forward(struct rs_map x, const struct rs_truth *truth)
{
    struct rs_loss loss = {0};
    size_t pixel = 0;
    for (int row = 0; row < x.n * x.h; row++) {
        const float *at = rs_map_at(&x, row / x.h, row % x.h, 0);
        for (int j = 0; j < x.w; j++, pixel++) {
            if (!counts(truth, pixel))
                continue;
            double logit = (double)at[j], t = truth->vessel[pixel] / 255.;
            loss.sum += fmax(logit, 0) - logit * t + log1p(exp(-fabs(logit)));
            loss.correct += (logit > 0) == (truth->vessel[pixel] > 127);
            loss.predicted += logit > 0;
            loss.count++;
        }
    }
    return loss;
}

void rs_loss_backward(struct rs_map dx, struct rs_map x, const struct rs_truth *truth, int64_t count)
{
    size_t pixel = 0;
    for (int row = 0; row < x.n * x.h; row++) {
        const float *from = rs_map_at(&x, row / x.h, row % x.h, 0);
        float *to = rs_map_at(&dx, row / x.h, row % x.h, 0);
        for (int j = 0; j < x.w; j++, pixel++) {
            double p = rs_sigmoid((double)from[j]), t = truth->vessel[pixel] / 255.;
            to[j] = counts(truth, pixel) ? (float)((p - t) / (double)count) : 0;
        }
    }
}
