#include "network/pass.h"

#include <stdlib.h>

#include "layer/conv.h"
#include "layer/norm.h"
#include "layer/pool.h"
#include "layer/up.h"

/* The maps of a block: y behind a convolution, z behind batch norm, ReLU and dropout. Without training y and
 * z share their memory. `dz` [0] is scratch for the gradient between the two halves; dz [1] is that of the
 * block's result. */
struct block_maps {
    struct rs_map in, y[2], z[2], dz[2], din;
    float *mean[2], *inverse[2];
};

struct rs_unet_work {
    struct rs_arena arena;
    struct rs_unet_plan plan;
    int levels;
    struct block_maps enc[RS_MAX_LEVELS], dec[RS_MAX_LEVELS];
    struct rs_map small[RS_MAX_LEVELS],
        large[RS_MAX_LEVELS]; /* behind up_l's 1x1 convolution; then upsampled */
    struct rs_map dsmall[RS_MAX_LEVELS], dlarge[RS_MAX_LEVELS];
    struct rs_map logits;
    float *scratch;
    double *sums;
};

static void take_block(struct rs_arena *arena, struct block_maps *maps, struct rs_map in, struct rs_map din,
                       int c, bool training)
{
    maps->in = in;
    maps->din = din;
    for (int i = 0; i < 2; i++) {
        maps->y[i] = rs_map_take(arena, in.n, in.h, in.w, c);
        maps->z[i] = training ? rs_map_take(arena, in.n, in.h, in.w, c) : maps->y[i];
        if (training)
            maps->dz[i] = rs_map_take(arena, in.n, in.h, in.w, c);
        maps->mean[i] = rs_arena_take(arena, (size_t)c, sizeof(float));
        maps->inverse[i] = rs_arena_take(arena, (size_t)c, sizeof(float));
    }
}

static struct rs_map take_if(bool wanted, struct rs_arena *arena, struct rs_map like, int c)
{
    struct rs_map none = {NULL, like.n, like.h, like.w, c};
    return wanted ? rs_map_take(arena, like.n, like.h, like.w, c) : none;
}

static void grow(size_t *most, size_t wanted)
{
    *most = wanted > *most ? wanted : *most;
}

static void scratch_of_block(const struct rs_block_place *at, const struct rs_map *y, size_t *scratch,
                             size_t *sums)
{
    for (int i = 0; i < 2; i++)
        grow(scratch, rs_conv_scratch(3, at->conv[i].ci, at->conv[i].co));
    grow(sums, rs_norm_sums(y));
}

/* Hands out every map; called twice, to count and to take. */
static void take_all(struct rs_unet_work *work, const struct rs_unet_shape *shape, int n, int h, int w,
                     bool training)
{
    struct rs_arena *arena = &work->arena;
    const int *c = shape->channels;
    int levels = shape->levels;
    size_t scratch = 0, sums = 0;
    struct rs_map in = rs_map_take(arena, n, h, w, shape->inputs), din = {0};
    for (int l = 0; l < levels; l++) {
        take_block(arena, &work->enc[l], in, din, c[l], training);
        scratch_of_block(&work->plan.enc[l], &work->enc[l].y[0], &scratch, &sums);
        if (l + 1 < levels) {
            in = rs_map_take(arena, n, h >> (l + 1), w >> (l + 1), c[l]);
            din = take_if(training, arena, in, c[l]);
        }
    }
    for (int l = levels - 2; l >= 0; l--) {
        struct rs_map same = work->enc[l].z[1], below = work->enc[l + 1].z[1];
        work->small[l] = rs_map_take(arena, n, below.h, below.w, c[l]);
        work->large[l] = rs_map_take(arena, n, same.h, same.w, c[l]);
        work->dsmall[l] = take_if(training, arena, work->small[l], c[l]);
        work->dlarge[l] = take_if(training, arena, work->large[l], c[l]);
        in = rs_map_take(arena, n, same.h, same.w, 2 * c[l]);
        din = take_if(training, arena, in, 2 * c[l]);
        take_block(arena, &work->dec[l], in, din, c[l], training);
        scratch_of_block(&work->plan.dec[l], &work->dec[l].y[0], &scratch, &sums);
        grow(&scratch, rs_conv_scratch(1, c[l + 1], c[l]));
    }
    work->logits = rs_map_take(arena, n, h, w, 1);
    work->scratch = rs_arena_take(arena, scratch, sizeof *work->scratch);
    work->sums = rs_arena_take(arena, sums, sizeof *work->sums);
}

struct rs_unet_work *rs_unet_work_new(const struct rs_unet *net, int n, int h, int w, bool training)
{
    struct rs_unet_work *work = rs_alloc(1, sizeof *work);
    work->plan = rs_unet_plan_of(&net->shape);
    work->levels = net->shape.levels;
    take_all(work, &net->shape, n, h, w, training);
    rs_arena_reserve(&work->arena);
    take_all(work, &net->shape, n, h, w, training);
    return work;
}

void rs_unet_work_free(struct rs_unet_work *work)
{
    if (work)
        rs_arena_free(&work->arena);
    free(work);
}

static void use_block(struct block_maps *maps, int n)
{
    maps->in.n = maps->din.n = n;
    for (int i = 0; i < 2; i++)
        maps->y[i].n = maps->z[i].n = maps->dz[i].n = n;
}

void rs_unet_work_use(struct rs_unet_work *work, int n)
{
    for (int l = 0; l < work->levels; l++) {
        use_block(&work->enc[l], n);
        use_block(&work->dec[l], n);
        work->small[l].n = work->large[l].n = work->dsmall[l].n = work->dlarge[l].n = n;
    }
    work->logits.n = n;
}

struct rs_map rs_unet_input(const struct rs_unet_work *work)
{
    return work->enc[0].in;
}

static struct rs_conv conv_of(const struct rs_unet *net, const struct rs_unet_work *work,
                              const struct rs_conv_place *at, bool bias)
{
    return (struct rs_conv){at->size, net->parameters + at->w, bias ? net->parameters + at->b : NULL,
                            work->scratch};
}

static struct rs_norm norm_of(const struct rs_unet *net, const struct rs_unet_work *work,
                              const struct block_maps *maps, const struct rs_norm_place *at, int i)
{
    return (struct rs_norm){net->parameters + at->gamma, net->parameters + at->beta, maps->mean[i],
                            maps->inverse[i], work->sums};
}

/* One pass over the network: with `drop`, in training. Layers are numbered in the order they come, for
 * dropout. */
struct pass {
    const struct rs_unet *net;
    struct rs_unet_work *work;
    float *statistics; /* to be moved; NULL without training */
    struct rs_drop drop;
    float *gradient;
};

static void block_forward(struct pass *pass, const struct rs_block_place *at, struct block_maps *maps)
{
    const struct rs_unet *net = pass->net;
    for (int i = 0; i < 2; i++) {
        struct rs_conv conv = conv_of(net, pass->work, &at->conv[i], false);
        struct rs_norm norm = norm_of(net, pass->work, maps, &at->norm[i], i);
        size_t mean = at->norm[i].mean, variance = at->norm[i].variance;
        rs_conv_forward(maps->y[i], i ? maps->z[0] : maps->in, &conv);
        if (pass->statistics)
            rs_norm_measure(&norm, maps->y[i], pass->statistics + mean, pass->statistics + variance);
        else
            rs_norm_recall(&norm, maps->y[i].c, net->statistics + mean, net->statistics + variance);
        rs_norm_forward(maps->z[i], maps->y[i], &norm);
        rs_act_forward(maps->z[i], &pass->drop);
        pass->drop.layer++;
    }
}

/* From dz[1] down to din, unless the block reads the photograph. */
static void block_backward(struct pass *pass, const struct rs_block_place *at, struct block_maps *maps)
{
    for (int i = 1; i >= 0; i--) {
        struct rs_conv conv = conv_of(pass->net, pass->work, &at->conv[i], false);
        struct rs_norm norm = norm_of(pass->net, pass->work, maps, &at->norm[i], i);
        struct rs_map din = i ? maps->dz[0] : maps->din;
        rs_act_backward(maps->dz[i], maps->z[i], &pass->drop);
        rs_norm_backward(maps->dz[i], pass->gradient + at->norm[i].gamma, pass->gradient + at->norm[i].beta,
                         maps->dz[i], maps->y[i], &norm);
        rs_conv_backward_weights(pass->gradient + at->conv[i].w, NULL, maps->dz[i], i ? maps->z[0] : maps->in,
                                 &conv);
        if (din.data)
            rs_conv_backward_data(din, maps->dz[i], &conv);
    }
}

/* A 1x1 convolution commutes with nearest upsampling; before it, it costs a quarter. */
static void up_forward(struct pass *pass, int l, struct rs_map below)
{
    struct rs_unet_work *work = pass->work;
    struct rs_conv conv = conv_of(pass->net, work, &work->plan.up[l], true);
    rs_conv_forward(work->small[l], below, &conv);
    rs_up_forward(work->large[l], work->small[l]);
    rs_join_forward(work->dec[l].in, work->enc[l].z[1], work->large[l]);
}

static void up_backward(struct pass *pass, int l, struct block_maps *below)
{
    struct rs_unet_work *work = pass->work;
    const struct rs_conv_place *at = &work->plan.up[l];
    struct rs_conv conv = conv_of(pass->net, work, at, true);
    rs_join_backward(work->enc[l].dz[1], work->dlarge[l], work->dec[l].din);
    rs_up_backward(work->dsmall[l], work->dlarge[l]);
    rs_conv_backward_weights(pass->gradient + at->w, pass->gradient + at->b, work->dsmall[l], below->z[1],
                             &conv);
    rs_conv_backward_data(below->dz[1], work->dsmall[l], &conv);
}

static struct rs_map run_forward(struct pass *pass)
{
    struct rs_unet_work *work = pass->work;
    int levels = work->levels;
    for (int l = 0; l < levels; l++) {
        block_forward(pass, &work->plan.enc[l], &work->enc[l]);
        if (l + 1 < levels)
            rs_pool_forward(work->enc[l + 1].in, work->enc[l].z[1]);
    }
    struct rs_map below = work->enc[levels - 1].z[1];
    for (int l = levels - 2; l >= 0; l--) {
        up_forward(pass, l, below);
        block_forward(pass, &work->plan.dec[l], &work->dec[l]);
        below = work->dec[l].z[1];
    }
    struct rs_conv head = conv_of(pass->net, work, &work->plan.head, true);
    rs_conv_forward(work->logits, below, &head);
    return work->logits;
}

struct rs_map rs_unet_infer(const struct rs_unet *net, struct rs_unet_work *work)
{
    struct pass pass = {.net = net, .work = work};
    return run_forward(&pass);
}

struct rs_map rs_unet_forward(struct rs_unet *net, struct rs_unet_work *work, const struct rs_drop *drop)
{
    struct pass pass = {.net = net, .work = work, .statistics = net->statistics, .drop = *drop};
    pass.drop.layer = 0;
    return run_forward(&pass);
}

void rs_unet_backward(const struct rs_unet *net, struct rs_unet_work *work, struct rs_map dlogits,
                      float *gradient, const struct rs_drop *drop)
{
    struct pass pass = {.net = net, .work = work, .drop = *drop, .gradient = gradient};
    int levels = work->levels;
    const struct rs_conv_place *at = &work->plan.head;
    struct rs_conv head = conv_of(net, work, at, true);
    rs_conv_backward_weights(gradient + at->w, gradient + at->b, dlogits, work->dec[0].z[1], &head);
    rs_conv_backward_data(work->dec[0].dz[1], dlogits, &head);
    for (int l = 0; l < levels - 1; l++) {
        block_backward(&pass, &work->plan.dec[l], &work->dec[l]);
        up_backward(&pass, l, l + 2 < levels ? &work->dec[l + 1] : &work->enc[levels - 1]);
    }
    for (int l = levels - 1; l >= 0; l--) {
        block_backward(&pass, &work->plan.enc[l], &work->enc[l]);
        if (l > 0)
            rs_pool_backward(work->enc[l - 1].dz[1], work->enc[l].din, work->enc[l - 1].z[1]);
    }
}
