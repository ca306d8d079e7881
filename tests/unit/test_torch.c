/* Forward, loss, every gradient and ten optimiser steps against PyTorch; data/dump_torch.py made the figures.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "blas/gemm.h"
#include "format/safetensors.h"
#include "layer/loss.h"
#include "network/adam.h"
#include "network/pass.h"
#include "tap.h"

enum { N = 3, H = 8, W = 12 };

static struct rs_record record;
static unsigned char *file;
static size_t header;

static const void *dumped(const char *prefix, const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const struct rs_array *array = rs_record_find(&record, full);
    if (!array) {
        printf("Bail out! no array %s\n", full);
        exit(1);
    }
    return file + header + array->offset;
}

static float torch_at(const void *data, size_t i)
{
    float value;
    memcpy(&value, (const char *)data + i * sizeof value, sizeof value);
    return value;
}

/* Index into PyTorch's [co][ci][k][k] of the i-th of ours, [k][k][ci][co]. */
static size_t torch_index(const struct rs_unet_entry *e, size_t i)
{
    if (!e->convolution)
        return i;
    size_t co = (size_t)e->co, ci = (size_t)e->ci, taps = (size_t)(e->size * e->size);
    size_t o = i % co, c = i / co % ci, k = i / co / ci;
    return (o * ci + c) * taps + k;
}

static void load(struct rs_unet *net, const char *prefix)
{
    for (int i = 0; i < net->count; i++) {
        const struct rs_unet_entry *e = &net->entries[i];
        for (size_t k = 0; k < e->count && !e->statistic; k++)
            net->parameters[e->offset + k] = torch_at(dumped(prefix, e->name), torch_index(e, k));
    }
}

/* The largest difference of a part, in units of the largest value that PyTorch has in it. */
static double difference(const struct rs_unet_entry *e, const float *ours, const void *torch)
{
    double most = 0, largest = 1e-12;
    for (size_t k = 0; k < e->count; k++) {
        double wanted = (double)torch_at(torch, torch_index(e, k));
        most = fmax(most, fabs((double)ours[e->offset + k] - wanted));
        largest = fmax(largest, fabs(wanted));
    }
    return most / largest;
}

static void fill_input(struct rs_map x)
{
    const void *from = dumped("", "x");
    for (int n = 0; n < N; n++)
        for (int c = 0; c < 3; c++)
            for (int i = 0; i < H; i++)
                for (int j = 0; j < W; j++)
                    rs_map_at(&x, n, i, j)[c] = torch_at(from, (size_t)(((n * 3 + c) * H + i) * W + j));
}

static void check_logits(struct rs_map logits, const char *name)
{
    const void *torch = dumped("", name);
    double most = 0;
    for (int i = 0; i < N * H * W; i++) {
        double ours = (double)*rs_map_at(&logits, i / (H * W), i / W % H, i % W);
        most = fmax(most, fabs(ours - (double)torch_at(torch, (size_t)i)));
    }
    near(most, 0, 2e-5, "%s are PyTorch's", name);
}

int main(void)
{
    size_t bytes;
    file = test_data("torch_unet.safetensors", &bytes);
    no_error(rs_record_parse(&record, file, bytes, &header), "PyTorch's safetensors file is read");
    no_error(rs_threads_start(3), "threads start");
    no_error(rs_gemm_start(3), "OpenBLAS is the threaded build");

    struct rs_unet_shape shape = {3, 3, {4, 6, 8}};
    struct rs_unet net;
    rs_unet_build(&net, &shape);
    load(&net, "start/");
    struct rs_unet_work *work = rs_unet_work_new(&net, N, H, W, true);
    struct rs_map dlogits = {calloc(N * (H + 2) * (W + 2), sizeof(float)), N, H, W, 1};
    float *gradient = calloc(net.parameter_count, sizeof *gradient);
    struct rs_truth truth = {dumped("", "vessel"), dumped("", "fov")};
    struct rs_adam adam = {.lr = 1e-3, .beta1 = .9, .beta2 = .999, .epsilon = 1e-8};
    struct rs_drop drop = {0};
    rs_adam_start(&adam, net.parameter_count);
    fill_input(rs_unet_input(work));
    for (int step = 0; step < 10; step++) {
        struct rs_map logits = rs_unet_forward(&net, work, &drop);
        struct rs_loss loss = rs_loss_forward(logits, &truth);
        near(loss.sum / (double)loss.count, (double)torch_at(dumped("", "losses"), (size_t)step), 2e-6,
             "loss of step %d", step + 1);
        rs_loss_backward(dlogits, logits, &truth, loss.count);
        rs_unet_backward(&net, work, dlogits, gradient, &drop);
        if (step == 0) {
            check_logits(logits, "logits");
            for (int i = 0; i < net.count; i++)
                if (!net.entries[i].statistic)
                    near(difference(&net.entries[i], gradient, dumped("grad/", net.entries[i].name)), 0, 1e-4,
                         "gradient of %s", net.entries[i].name);
        }
        rs_adam_step(&adam, net.parameters, gradient);
    }
    for (int i = 0; i < net.count; i++) {
        const struct rs_unet_entry *e = &net.entries[i];
        near(difference(e, e->statistic ? net.statistics : net.parameters, dumped("end/", e->name)), 0, 2e-3,
             "%s after ten steps", e->name);
    }
    check_logits(rs_unet_infer(&net, work), "logits_eval");
    rs_unet_work_free(work);
    rs_unet_free(&net);
    rs_adam_free(&adam);
    rs_record_free(&record);
    free(dlogits.data);
    free(gradient);
    free(file);
    return done();
}
