#include "layer/loss.h"

#include <math.h>
#include <stdbool.h>

#include "base/thread.h"
#include "layer/probability.h"

static bool counts(const struct rs_truth *truth, size_t pixel)
{
    return !truth->fov || truth->fov[pixel] > 127;
}

/* A batch's rows in SHARDS, whatever the number of threads. */
enum { SHARDS = 8 };

struct work {
    struct rs_map x, dx;
    const struct rs_truth *truth;
    int64_t count;
    struct rs_loss loss[SHARDS];
};

static int row_of(const struct work *work, int shard)
{
    return (int)((int64_t)work->x.n * work->x.h * shard / SHARDS);
}

static void forward_row(struct rs_loss *loss, const struct work *work, int row)
{
    const struct rs_map *x = &work->x;
    const float *at = rs_map_at(x, row / x->h, row % x->h, 0);
    size_t pixel = (size_t)row * (size_t)x->w;
    for (int j = 0; j < x->w; j++, pixel++) {
        if (!counts(work->truth, pixel))
            continue;
        double logit = (double)at[j], t = work->truth->vessel[pixel] / 255.;
        loss->sum += fmax(logit, 0) - logit * t + log1p(exp(-fabs(logit)));
        loss->correct += (logit >= 0) == (work->truth->vessel[pixel] > 127);
        loss->predicted += logit >= 0;
        loss->count++;
    }
}

static void forward_shard(void *context, int shard, int worker)
{
    struct work *work = context;
    struct rs_loss loss = {0};
    (void)worker;
    for (int row = row_of(work, shard); row < row_of(work, shard + 1); row++)
        forward_row(&loss, work, row);
    work->loss[shard] = loss;
}

struct rs_loss rs_loss_forward(struct rs_map x, const struct rs_truth *truth)
{
    struct work work = {.x = x, .truth = truth};
    struct rs_loss loss = {0};
    rs_parallel(forward_shard, &work, SHARDS);
    for (int s = 0; s < SHARDS; s++) {
        loss.sum += work.loss[s].sum;
        loss.count += work.loss[s].count;
        loss.correct += work.loss[s].correct;
        loss.predicted += work.loss[s].predicted;
    }
    return loss;
}

static void backward_row(const struct work *work, int row)
{
    const struct rs_map *x = &work->x;
    const float *from = rs_map_at(x, row / x->h, row % x->h, 0);
    float *to = rs_map_at(&work->dx, row / x->h, row % x->h, 0);
    size_t pixel = (size_t)row * (size_t)x->w;
    for (int j = 0; j < x->w; j++, pixel++) {
        double p = rs_sigmoid((double)from[j]), t = work->truth->vessel[pixel] / 255.;
        to[j] = counts(work->truth, pixel) ? (float)((p - t) / (double)work->count) : 0;
    }
}

static void backward_shard(void *context, int shard, int worker)
{
    const struct work *work = context;
    (void)worker;
    for (int row = row_of(work, shard); row < row_of(work, shard + 1); row++)
        backward_row(work, row);
}

void rs_loss_backward(struct rs_map dx, struct rs_map x, const struct rs_truth *truth, int64_t count)
{
    struct work work = {.x = x, .dx = dx, .truth = truth, .count = count};
    rs_parallel(backward_shard, &work, SHARDS);
}
