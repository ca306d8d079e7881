/* Forward, loss, every gradient and ten optimiser steps against PyTorch; data/dump_torch.py made the figures.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"
#include "format/safetensors.h"
#include "kernel/kernel.h"
#include "layer/loss.h"
#include "network/adam.h"
#include "network/evaluate.h"
#include "network/pass.h"
#include "tap.h"
#include "twins.h"

enum { N = 3, H = 8, W = 12, STEPS = 10 };

static const double LR = 1e-3;

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

static void load(struct rs_unet *net, const char *prefix)
{
    for (int i = 0; i < net->count; i++) {
        const struct rs_unet_entry *e = &net->entries[i];
        if (e->statistic)
            continue;
        float *torch = rs_alloc(e->count, sizeof *torch);
        memcpy(torch, dumped(prefix, e->name), e->count * sizeof *torch);
        rs_unet_from_torch(e, net->parameters, torch);
        free(torch);
    }
}

/* Our values of a part in PyTorch's order, to be freed. */
static float *turned(const struct rs_unet_entry *e, const float *ours)
{
    float *values = rs_alloc(e->count, sizeof *values);
    rs_unet_to_torch(e, values, ours);
    return values;
}

/* The largest difference of a part, in units of the largest value that PyTorch has in it. */
static double difference(const struct rs_unet_entry *e, const float *ours, const void *torch)
{
    double most = 0, largest = 1e-12;
    float *found = turned(e, ours);
    for (size_t k = 0; k < e->count; k++) {
        double wanted = (double)torch_at(torch, k);
        most = fmax(most, fabs((double)found[k] - wanted));
        largest = fmax(largest, fabs(wanted));
    }
    free(found);
    return most / largest;
}

/* How many weights are further from PyTorch's after STEPS steps than their gradients explain. One that is off by
 * e = GRADIENT of its part's largest moves Adam's quotient m / sqrt(v) at step t by e sqrt(t) / |g| in the
 * numerator, g the gradient of the first step, since v is at least g^2 / t, and by 1.24 times that in the
 * denominator, since for t <= 10 the quotient is 1.24 at most. That makes 50 lr e / |g| in all, and 25 lr for a
 * weight without a gradient, which Adam walks by what its rounding says. */
static int count_strayed(const struct rs_unet_entry *e, const float *ours, const void *torch,
                         const void *gradients)
{
    int strayed = 0;
    double largest = 0;
    float *found = turned(e, ours);
    for (size_t k = 0; k < e->count; k++)
        largest = fmax(largest, fabs((double)torch_at(gradients, k)));
    for (size_t k = 0; k < e->count; k++) {
        double wanted = (double)torch_at(torch, k);
        double g = fabs((double)torch_at(gradients, k));
        double tolerance = LR * fmin(25, 50 * GRADIENT * largest / g) + STEPS * U * fabs(wanted);
        strayed += !(fabs((double)found[k] - wanted) <= tolerance);
    }
    free(found);
    return strayed;
}

static void check_end(const struct rs_unet *net)
{
    for (int i = 0; i < net->count; i++) {
        const struct rs_unet_entry *e = &net->entries[i];
        const void *torch = dumped("end/", e->name);
        if (e->statistic)
            near(difference(e, net->statistics, torch), 0, 2e-3, "%s after %d steps", e->name, STEPS);
        else
            ok(count_strayed(e, net->parameters, torch, dumped("grad/", e->name)) == 0,
               "%s after %d steps: none of %zu strayed", e->name, STEPS, e->count);
    }
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

/* A network that PyTorch has run: its file is torch_NAME.safetensors. */
struct torch_case {
    const char *name;
    struct rs_unet_shape shape;
};

static void train(struct rs_unet *net, struct rs_adam *adam)
{
    struct rs_pass *pass = rs_pass_new(net, N, H, W);
    struct rs_map dlogits = map_new(N, H, W, 1);
    float *gradient = calloc(net->parameter_count, sizeof *gradient);
    struct rs_truth truth = {dumped("", "vessel"), dumped("", "fov")};
    struct rs_drop drop = {0};
    fill_input(rs_pass_input(pass));
    for (int step = 0; step < STEPS; step++) {
        struct rs_map logits = rs_pass_forward(pass, net, &drop);
        struct rs_loss loss = rs_loss_forward(logits, &truth);
        near(loss.sum / (double)loss.count, (double)torch_at(dumped("", "losses"), (size_t)step), 2e-6,
             "loss of step %d", step + 1);
        rs_loss_backward(dlogits, logits, &truth, loss.count);
        rs_pass_backward(pass, net, dlogits, gradient, &drop);
        if (step == 0) {
            check_logits(logits, "logits");
            for (int i = 0; i < net->count; i++)
                if (!net->entries[i].statistic)
                    near(difference(&net->entries[i], gradient, dumped("grad/", net->entries[i].name)), 0,
                         GRADIENT, "gradient of %s", net->entries[i].name);
        }
        rs_adam_step(adam, net->parameters, gradient);
    }
    rs_pass_free(pass);
    map_free(dlogits);
    free(gradient);
}

static void test_case(const struct torch_case *t)
{
    size_t bytes;
    char name[64];
    struct rs_unet net;
    struct rs_adam adam = {.lr = LR, .beta1 = .9, .beta2 = .999, .epsilon = 1e-8};
    snprintf(name, sizeof name, "torch_%s.safetensors", t->name);
    file = test_data(name, &bytes);
    no_error(rs_record_parse(&record, file, bytes, &header), "PyTorch's %s is read", name);
    rs_unet_build(&net, &t->shape);
    load(&net, "start/");
    rs_adam_start(&adam, net.parameter_count);
    train(&net, &adam);
    check_end(&net);
    struct rs_evaluator *evaluator = rs_evaluator_new(&net, N, H, W, 2);
    fill_input(rs_evaluator_input(evaluator));
    check_logits(rs_evaluator_run(evaluator, N), "logits_eval");
    rs_evaluator_free(evaluator);
    rs_unet_free(&net);
    rs_adam_free(&adam);
    rs_record_free(&record);
    free(file);
}

int main(void)
{
    static const struct torch_case cases[] = {
        {"unet", {3, 3, {4, 6, 8}, RS_BLOCK_DOUBLE, RS_UP_NEAREST}},
        {"double_bilinear", {3, 3, {3, 4, 5}, RS_BLOCK_DOUBLE, RS_UP_BILINEAR}},
        {"double_transposed", {3, 3, {3, 4, 5}, RS_BLOCK_DOUBLE, RS_UP_TRANSPOSED}},
        {"residual_nearest", {3, 3, {3, 4, 4}, RS_BLOCK_RESIDUAL, RS_UP_NEAREST}},
        {"attention_nearest", {3, 3, {4, 4, 5}, RS_BLOCK_ATTENTION, RS_UP_NEAREST}}};
    no_error(rs_threads_start(3), "threads start");
    no_error(rs_kernel_start(), "a kernel");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        test_case(&cases[i]);
    return done();
}
