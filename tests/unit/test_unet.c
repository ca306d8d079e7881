/* The whole network in training against its twin: logits, loss, and gradients against the twin's central
 * differences; what it starts from; the same bytes from any number of threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "kernel/kernel.h"
#include "network/pass.h"
#include "tap.h"
#include "twins.h"

/* A network, a batch, and both once more in double. */
struct net_case {
    struct rs_unet net;
    struct rs_pass *pass;
    struct rs_map x, dlogits;
    struct loss_case loss; /* for its truth alone */
    float *gradient;
    struct net_twin twin;
    struct field xd;
    double *p;
};

static double net_function(const void *context)
{
    const struct net_case *t = context;
    struct net_twin twin = t->twin;
    struct loss_case loss = t->loss;
    loss.xd = logits_twin(&twin, &t->xd);
    double mean = mean_loss(&loss);
    free(loss.xd.v);
    return mean;
}

static struct net_case net_case_new(const struct rs_unet_shape *shape, int n, int size,
                                    const struct rs_drop *drop)
{
    struct net_case t = {0};
    rs_unet_build(&t.net, shape);
    draw_all(&t.net);
    t.pass = rs_pass_new(&t.net, n, size, size);
    t.x = map_noise(n, size, size, shape->inputs);
    t.dlogits = map_new(n, size, size, 1);
    t.loss = loss_case_new(n, size, size, true);
    t.gradient = rs_alloc(t.net.parameter_count, sizeof *t.gradient);
    t.xd = field_of(&t.x);
    t.p = doubles(t.net.parameters, t.net.parameter_count);
    t.twin = (struct net_twin){.net = t.net, .p = t.p, .drop = *drop};
    map_copy(rs_pass_input(t.pass), &t.x);
    return t;
}

static void net_case_free(struct net_case *t)
{
    rs_pass_free(t->pass);
    rs_unet_free(&t->net);
    loss_case_free(&t->loss);
    map_free(t->x);
    map_free(t->dlogits);
    free(t->gradient);
    free(t->xd.v);
    free(t->p);
}

static double run_net(struct net_case *t, const struct rs_drop *drop)
{
    struct rs_map logits = rs_pass_forward(t->pass, &t->net, drop);
    struct rs_loss loss = rs_loss_forward(logits, &t->loss.truth);
    rs_loss_backward(t->dlogits, logits, &t->loss.truth, loss.count);
    rs_pass_backward(t->pass, &t->net, t->dlogits, t->gradient, drop);
    return loss.sum / (double)loss.count;
}

/* Of the largest logit, if that is above 1, behind up to 16 convolutions and batch norms: each sum of K <= 300 terms
 * errs by about sqrt(K) U, some 1e-6 of its size, and a batch norm of few pixels may pass on several times that. */
static void check_net_logits(struct net_case *t, struct rs_map logits)
{
    struct field wanted = logits_twin(&t->twin, &t->xd), found = field_of(&logits);
    double most = 0, largest = 1;
    for (size_t i = 0; i < cells(&found); i++) {
        most = fmax(most, isnan(found.v[i]) ? (double)INFINITY : fabs(found.v[i] - wanted.v[i]));
        largest = fmax(largest, fabs(wanted.v[i]));
    }
    ok(t->twin.margin > 1e-5, "%d levels, %s, dropout %g: no unit is within %.2g of its kink",
       t->net.shape.levels, kind_name(&t->net.shape), t->twin.drop.p, t->twin.margin);
    near(most / largest, 0, 2e-5, "  logits are the twin's, of up to %.3g", largest);
    free(wanted.v);
    free(found.v);
}

/* By comparison: gcc 12 for aarch64 fails on a loop of fmax. */
static double largest_size(const float *values, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        if (fabs((double)values[i]) > largest)
            largest = fabs((double)values[i]);
    return largest;
}

/* A few entries of every part against the twin's central differences, in units of the part's largest
 * gradient; the worst of all parts. A step of 1e-7 crosses no kink that is 1e-5 away, and leaves double's
 * rounding 1e-9. */
static double worst_part(struct net_case *t, const char **name)
{
    enum { SAMPLES = 4 };
    struct function f = {net_function, t};
    double worst = 0;
    for (int i = 0; i < t->net.count; i++) {
        const struct rs_unet_entry *e = &t->net.entries[i];
        double most = 0;
        if (e->statistic)
            continue;
        double largest = largest_size(t->gradient + e->offset, e->count);
        for (size_t s = 0; s < SAMPLES && s < e->count; s++) {
            size_t at = e->offset + (e->count > SAMPLES ? rs_rng_below(&rng, e->count) : s);
            most = fmax(most, fabs(slope(&f, &t->p[at], 1e-7) - (double)t->gradient[at]));
        }
        if (!(most / largest <= worst)) {
            worst = most / largest;
            *name = e->name;
        }
    }
    return worst;
}

static void test_net(const struct rs_unet_shape *shape, int n, int size, double dropout)
{
    const struct rs_drop drop = {.p = dropout, .seed = 6, .layer = 99, .step = 9};
    struct net_case t = net_case_new(shape, n, size, &drop);
    const char *name = "none";
    double loss = run_net(&t, &drop);
    check_net_logits(&t, rs_pass_forward(t.pass, &t.net, &drop));
    near(loss, net_function(&t), 2e-5, "  the loss is the twin's"); /* no steeper in the logits than 1 */
    double worst = worst_part(&t, &name);
    near(worst, 0, GRADIENT, "  gradients of all parts, %s the worst", name);
    net_case_free(&t);
}

/* Channels that fill vectors and that do not; more images than there are shards. */
static void test_nets(void)
{
    const struct {
        struct rs_unet_shape shape;
        int n, size;
    } nets[] = {{{1, 2, {3, 2}, RS_BLOCK_DOUBLE, RS_UP_NEAREST}, 3, 6},
                {{3, 3, {2, 3, 5}, RS_BLOCK_DOUBLE, RS_UP_NEAREST}, 2, 8},
                {{3, 4, {2, 3, 2, 3}, RS_BLOCK_DOUBLE, RS_UP_NEAREST}, 2, 16},
                {{1, 2, {16, 16}, RS_BLOCK_DOUBLE, RS_UP_NEAREST}, 2, 6},
                {{1, 2, {2, 3}, RS_BLOCK_DOUBLE, RS_UP_NEAREST}, 19, 4},
                {{1, 2, {3, 2}, RS_BLOCK_DOUBLE, RS_UP_BILINEAR}, 3, 6},
                {{3, 4, {2, 3, 2, 3}, RS_BLOCK_DOUBLE, RS_UP_BILINEAR}, 2, 16},
                {{1, 2, {16, 16}, RS_BLOCK_DOUBLE, RS_UP_BILINEAR}, 2, 6},
                {{1, 2, {3, 2}, RS_BLOCK_DOUBLE, RS_UP_TRANSPOSED}, 3, 6},
                {{3, 4, {2, 3, 2, 3}, RS_BLOCK_DOUBLE, RS_UP_TRANSPOSED}, 2, 16},
                {{1, 2, {16, 16}, RS_BLOCK_DOUBLE, RS_UP_TRANSPOSED}, 2, 6},
                {{1, 2, {2, 3}, RS_BLOCK_DOUBLE, RS_UP_TRANSPOSED}, 19, 4},
                {{1, 2, {3, 2}, RS_BLOCK_RESIDUAL, RS_UP_NEAREST}, 3, 6},
                {{3, 4, {3, 2, 2, 3}, RS_BLOCK_RESIDUAL, RS_UP_BILINEAR}, 2, 16},
                {{1, 2, {16, 16}, RS_BLOCK_RESIDUAL, RS_UP_TRANSPOSED}, 2, 6},
                {{1, 2, {3, 4}, RS_BLOCK_RESIDUAL, RS_UP_NEAREST}, 19, 4},
                {{1, 2, {5, 2}, RS_BLOCK_ATTENTION, RS_UP_NEAREST}, 3, 6},
                {{3, 4, {1, 3, 2, 3}, RS_BLOCK_ATTENTION, RS_UP_BILINEAR}, 2, 16},
                {{1, 2, {16, 16}, RS_BLOCK_ATTENTION, RS_UP_TRANSPOSED}, 2, 6},
                {{1, 2, {4, 3}, RS_BLOCK_ATTENTION, RS_UP_NEAREST}, 19, 4}};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        test_net(&nets[i].shape, nets[i].n, nets[i].size, 0);
        test_net(&nets[i].shape, nets[i].n, nets[i].size, .25);
    }
}

/* He's variance, 2 / (k k ci). The mean of N squares of normal numbers has a standard deviation of sqrt(2 /
 * N), that of N normal numbers 1 / sqrt(N); five of them. */
static void check_drawn(const struct rs_unet *net, const struct rs_unet_entry *e)
{
    const float *values = net->parameters + e->offset;
    double sum = 0, squares = 0, count = (double)e->count, variance = 2. / e->terms;
    int wrong = 0, wanted = strstr(e->name, "norm") && strstr(e->name, "weight");
    for (size_t k = 0; k < e->count; k++) {
        sum += (double)values[k];
        squares += (double)values[k] * (double)values[k];
        wrong += values[k] != (float)wanted;
    }
    if (!e->terms) {
        ok(wrong == 0, "%s starts as %d", e->name, wanted);
        return;
    }
    near(squares / count / variance, 1, 5 * sqrt(2 / count), "%s has He's variance", e->name);
    near(sum / sqrt(count * variance), 0, 5, "%s has mean 0", e->name);
}

static void test_draw(void)
{
    const struct rs_unet_shape shape = {
        .inputs = 3, .levels = 2, .channels = {24, 40}, .up = RS_UP_TRANSPOSED};
    struct rs_unet net[3];
    for (int i = 0; i < 3; i++) {
        rs_unet_build(&net[i], &shape);
        rs_unet_draw(&net[i], i < 2 ? 11 : 12);
    }
    size_t bytes = net[0].parameter_count * sizeof(float);
    ok(!memcmp(net[0].parameters, net[1].parameters, bytes), "the same seed draws the same network");
    ok(memcmp(net[0].parameters, net[2].parameters, bytes), "another seed another");
    for (int i = 0; i < net[0].count; i++)
        if (!net[0].entries[i].statistic)
            check_drawn(&net[0], &net[0].entries[i]);
    int wrong = 0;
    for (int i = 0; i < net[0].count; i++)
        for (size_t k = 0; net[0].entries[i].statistic && k < net[0].entries[i].count; k++)
            wrong += net[0].statistics[net[0].entries[i].offset + k] !=
                     (float)(strstr(net[0].entries[i].name, "var") != 0);
    ok(wrong == 0, "statistics are those of a fresh batch norm");
    for (int i = 0; i < 3; i++)
        rs_unet_free(&net[i]);
}

static void test_not_finite(void)
{
    const struct rs_unet_shape shape = {.inputs = 1, .levels = 2, .channels = {2, 3}};
    struct rs_unet net;
    int wrong = 0, parts = 0;
    rs_unet_build(&net, &shape);
    ok(!rs_unet_not_finite(&net, net.parameters), "a fresh network is finite");
    for (int i = 0; i < net.count; i++) {
        const struct rs_unet_entry *e = &net.entries[i];
        if (e->statistic)
            continue;
        float *last = &net.parameters[e->offset + e->count - 1];
        *last = parts++ % 2 ? (float)NAN : -INFINITY;
        const char *name = rs_unet_not_finite(&net, net.parameters);
        wrong += !name || strcmp(name, e->name);
        *last = 0;
    }
    ok(wrong == 0 && parts == 22, "each of %d parts is named when its last entry is not finite", parts);
    rs_unet_free(&net);
}

/* --- The same bytes --- */

static void test_pass_use(void)
{
    const struct rs_unet_shape shape = {.inputs = 3, .levels = 3, .channels = {3, 4, 5}};
    const struct rs_drop drop = {.p = .25, .seed = 3};
    struct net_case small = net_case_new(&shape, 2, 8, &drop), large = net_case_new(&shape, 5, 8, &drop);
    size_t bytes = small.net.parameter_count * sizeof(float),
           statistics = small.net.statistic_count * sizeof(float);
    memcpy(large.net.parameters, small.net.parameters, bytes);
    run_net(&large, &drop); /* leaves something of five images everywhere */
    memcpy(large.net.statistics, small.net.statistics, statistics);
    rs_pass_use(large.pass, 2);
    map_copy(rs_pass_input(large.pass), &small.x);
    struct net_case part = large;
    part.dlogits = rs_map_images(large.dlogits, 0, 2);
    part.loss = small.loss;
    ok(run_net(&part, &drop) == run_net(&small, &drop), "two images in memory for five: the same loss");
    ok(!memcmp(small.gradient, large.gradient, bytes), "the same gradient");
    ok(!memcmp(small.net.statistics, large.net.statistics, statistics), "the same running statistics");
    ok(rs_pass_input(large.pass).n == 2, "and an input of two");
    net_case_free(&small);
    net_case_free(&large);
}

/* Twenty copies of a batch, which make shards of several chunks: statistics, and so the gradient, are the
 * batch's own. */
static void test_copies(void)
{
    enum { BATCH = 2, COPIES = 20 };
    const struct rs_unet_shape shape = {.inputs = 1, .levels = 2, .channels = {16, 32}};
    const struct rs_drop drop = {0};
    struct net_case one = net_case_new(&shape, BATCH, 48, &drop),
                    many = net_case_new(&shape, BATCH * COPIES, 48, &drop);
    size_t pixels = BATCH * 48 * 48;
    memcpy(many.net.parameters, one.net.parameters, one.net.parameter_count * sizeof(float));
    for (int i = 0; i < COPIES; i++) {
        map_copy(rs_map_images(rs_pass_input(many.pass), i * BATCH, BATCH), &one.x);
        memcpy(many.loss.vessel + (size_t)i * pixels, one.loss.vessel, pixels);
        memcpy(many.loss.fov + (size_t)i * pixels, one.loss.fov, pixels);
    }
    double loss = run_net(&one, &drop);
    near(run_net(&many, &drop), loss, 1e-6, "%d copies of a batch: its loss", COPIES);
    size_t count = one.net.parameter_count;
    double *found = doubles(many.gradient, count), *wanted = doubles(one.gradient, count),
           *size = doubles(one.gradient, count);
    make_positive(size, count);
    near(channel_error(found, wanted, size, count, 1), 0, GRADIENT, "and its gradient");
    free(found);
    free(wanted);
    free(size);
    net_case_free(&one);
    net_case_free(&many);
}

/* Running statistics after one batch: a tenth of the way to those of the twin's first convolution. */
static void test_statistics(void)
{
    const struct rs_unet_shape shape = {.inputs = 3, .levels = 2, .channels = {5, 4}};
    const struct rs_drop drop = {0};
    struct net_case t = net_case_new(&shape, 11, 4, &drop);
    struct kernel kernel = {3, 5, t.p + entry_named(&t.net, "enc1.conv1.weight")->offset, NULL};
    const float *running = t.net.statistics + entry_named(&t.net, "enc1.norm1.running_mean")->offset,
                *spread = t.net.statistics + entry_named(&t.net, "enc1.norm1.running_var")->offset;
    struct field y = conv_twin(&t.xd, &kernel);
    double pixels = 11 * 4 * 4, far = 0;
    run_net(&t, &drop);
    for (int k = 0; k < 5; k++) {
        double mean, variance;
        moments(&y, k, &mean, &variance);
        far = fmax(far, fabs((double)running[k] - .1 * mean));
        far = fmax(far, fabs((double)spread[k] - .9 - .1 * variance * pixels / (pixels - 1)));
    }
    near(far, 0, 30 * U, "the running statistics of the first batch norm"); /* sums of 27 products */
    free(y.v);
    net_case_free(&t);
}

/* All that a run gave, behind each other. */
struct bytes {
    char *data;
    size_t size;
};

static void keep(struct bytes *kept, const void *data, size_t size)
{
    kept->data = rs_realloc(kept->data, kept->size + size, 1);
    memcpy(kept->data + kept->size, data, size);
    kept->size += size;
}

static void run_pass(struct bytes *kept, const struct rs_unet_shape *shape, int n, int size)
{
    const struct rs_drop drop = {.p = .2, .seed = 1};
    struct net_case t = net_case_new(shape, n, size, &drop);
    double loss = run_net(&t, &drop);
    keep(kept, &loss, sizeof loss);
    keep(kept, t.gradient, t.net.parameter_count * sizeof(float));
    keep(kept, t.net.statistics, t.net.statistic_count * sizeof(float));
    net_case_free(&t);
}

/* Fewer images than shards, as many as make shards of one and of two, and maps of several chunks a shard. */
static struct bytes run_passes(enum rs_block block, enum rs_up up)
{
    const struct rs_unet_shape odd = {3, 3, {5, 6, 6}, block, up}, even = {1, 2, {16, 32}, block, up};
    struct bytes kept = {0};
    rng = rs_rng_at(1, "test", 0, 0);
    run_pass(&kept, &odd, 3, 24);
    run_pass(&kept, &odd, 11, 24);
    run_pass(&kept, &even, 40, 48);
    return kept;
}

/* The pool only grows: what one thread gave is kept, then made again. */
static void test_threads(void)
{
    struct bytes alone[BLOCKS];
    for (int block = 0; block < BLOCKS; block++)
        alone[block] = run_passes((enum rs_block)block, (enum rs_up)block);
    for (int threads = 2; threads <= 4; threads++) {
        no_error(rs_threads_start(threads), "%d threads start", threads);
        for (int block = 0; block < BLOCKS; block++) {
            struct bytes now = run_passes((enum rs_block)block, (enum rs_up)block);
            ok(now.size == alone[block].size && !memcmp(now.data, alone[block].data, now.size),
               "kind %d: the same %zu bytes from 1 and %d threads", block, now.size, threads);
            free(now.data);
        }
    }
    for (int block = 0; block < BLOCKS; block++)
        free(alone[block].data);
}

int main(void)
{
    rng = rs_rng_at(1, "test", 0, 0);
    no_error(rs_kernel_start(), "a kernel");
    no_error(rs_threads_start(1), "one thread");
    test_nets();
    test_draw();
    test_not_finite();
    test_pass_use();
    test_copies();
    test_statistics();
    test_threads();
    return done();
}
