#include "network/pass.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "layer/conv.h"
#include "layer/pool.h"
#include "layer/up.h"

/* A batch is cut into SHARDS whatever the number of threads, and a shard into chunks whose maps stay in a core's
 * cache from one layer to the next. Batch norm, which wants the whole batch, is where shards wait for each other;
 * all that lies between two of its statistics is one stage. */
enum { SHARDS = 8, CHUNK = 131072 /* floats */, UNITS = 2 * (2 * RS_MAX_LEVELS - 1) };

/* A convolution of the pass: its packed weights, there and back. */
struct weights {
    struct rs_conv conv;
    struct rs_conv_place at;
    float *packed, *turned;
};

/* How a unit's input comes from the result of the unit before. */
enum link { SAME, POOLED, JOINED };

/* Convolution, batch norm, ReLU, dropout: y behind the first, z behind the last; d is the gradient of z, then of y. */
struct unit {
    enum link link;
    struct weights weights;
    struct rs_norm_place at;
    struct rs_norm norm;
    struct rs_map x, y, z, d, dx;
    struct weights up; /* JOINED: 1x1, before upsampling, with which it commutes at a quarter of the cost */
    struct rs_map small, dsmall;
};

struct worker {
    float *scratch, *sums, *up_sums;
};

struct rs_pass {
    struct rs_arena arena;
    int n, units;
    struct unit unit[UNITS];
    struct weights head;
    struct rs_map logits;
    struct worker *workers;
    float *partial[SHARDS];  /* gradients, each as long as the parameters */
    double *moments[SHARDS]; /* [2][most channels] */
    size_t parameters;

    /* Of the stage under way: */
    const struct rs_unet *net;
    struct rs_drop drop;
    int at;
    struct rs_map dlogits;
    float *gradient;
};

static struct weights take_weights(struct rs_arena *arena, struct rs_conv_place at)
{
    struct weights weights = {.conv = {at.size, at.ci, at.co}, .at = at};
    weights.packed = rs_arena_take(arena, rs_conv_packed(weights.conv), sizeof(float));
    weights.turned = rs_arena_take(arena, rs_conv_packed(rs_conv_turned(weights.conv)), sizeof(float));
    return weights;
}

static void take_norm(struct rs_arena *arena, struct rs_norm *norm, size_t c)
{
    float **const arrays[] = {&norm->mean, &norm->inverse, &norm->scale, &norm->slope, &norm->shift};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = rs_arena_take(arena, c, sizeof(float));
}

static struct rs_map take_like(struct rs_arena *arena, struct rs_map like, int c)
{
    return rs_map_take(arena, like.n, like.h, like.w, c);
}

/* A map and its gradient. */
struct pair {
    struct rs_map z, d;
};

static struct pair take_pair(struct rs_arena *arena, struct rs_map like, int c)
{
    return (struct pair){take_like(arena, like, c), take_like(arena, like, c)};
}

static struct pair lower_half(struct pair join)
{
    return (struct pair){rs_map_channels(join.z, 0, join.z.c / 2), rs_map_channels(join.d, 0, join.d.c / 2)};
}

static void take_unit(struct rs_pass *pass, const struct rs_block_place *block, int half, struct pair in,
                      struct pair out)
{
    struct unit *unit = &pass->unit[pass->units++];
    *unit = (struct unit){.at = block->norm[half], .x = in.z, .dx = in.d, .z = out.z, .d = out.d};
    unit->weights = take_weights(&pass->arena, block->conv[half]);
    unit->y = take_like(&pass->arena, in.z, out.z.c);
    take_norm(&pass->arena, &unit->norm, (size_t)out.z.c);
}

/* The two units of a block; returns the first. */
static struct unit *take_block(struct rs_pass *pass, const struct rs_block_place *block, struct pair in,
                               struct pair out, enum link link)
{
    struct pair between = take_pair(&pass->arena, in.z, out.z.c);
    take_unit(pass, block, 0, in, between);
    take_unit(pass, block, 1, between, out);
    pass->unit[pass->units - 2].link = link;
    return &pass->unit[pass->units - 2];
}

static void take_network(struct rs_pass *pass, const struct rs_unet *net, int h, int w)
{
    struct rs_arena *arena = &pass->arena;
    struct rs_unet_plan plan = rs_unet_plan_of(&net->shape);
    const int *c = net->shape.channels;
    int levels = net->shape.levels;
    struct pair join[RS_MAX_LEVELS], in = {.z = rs_map_take(arena, pass->n, h, w, net->shape.inputs)}, out;
    pass->units = 0;
    for (int l = 0; l < levels; l++) {
        bool lowest = l + 1 == levels;
        join[l] = take_pair(arena, in.z, lowest ? c[l] : 2 * c[l]);
        out = lowest ? join[l] : lower_half(join[l]);
        take_block(pass, &plan.enc[l], in, out, l ? POOLED : SAME);
        in = (struct pair){.z = {.n = pass->n, .h = in.z.h / 2, .w = in.z.w / 2}};
        if (!lowest)
            in = take_pair(arena, in.z, c[l]);
    }
    for (int l = levels - 2; l >= 0; l--) {
        struct rs_map below = out.z;
        out = take_pair(arena, join[l].z, c[l]);
        struct unit *first = take_block(pass, &plan.dec[l], join[l], out, JOINED);
        first->up = take_weights(arena, plan.up[l]);
        first->small = take_like(arena, below, c[l]);
        first->dsmall = take_like(arena, below, c[l]);
    }
    pass->head = take_weights(arena, plan.head);
    pass->logits = rs_map_take(arena, pass->n, h, w, 1);
}

static void most(size_t *largest, size_t size)
{
    *largest = size > *largest ? size : *largest;
}

struct sizes {
    size_t scratch, sums, channels;
};

static void measure_weights(struct sizes *sizes, const struct weights *weights, int w)
{
    size_t count =
        (size_t)weights->at.size * (size_t)weights->at.size * (size_t)weights->at.ci * (size_t)weights->at.co;
    most(&sizes->scratch, rs_conv_scratch(weights->conv, w));
    most(&sizes->scratch, rs_conv_scratch(rs_conv_turned(weights->conv), w));
    most(&sizes->scratch, count);
    most(&sizes->sums, rs_conv_sums(weights->conv));
    most(&sizes->channels, (size_t)weights->conv.co);
}

static void take_workers(struct rs_pass *pass)
{
    struct sizes sizes = {0};
    for (int u = 0; u < pass->units; u++) {
        measure_weights(&sizes, &pass->unit[u].weights, pass->unit[u].x.w);
        if (pass->unit[u].link == JOINED)
            measure_weights(&sizes, &pass->unit[u].up, pass->unit[u].x.w);
    }
    measure_weights(&sizes, &pass->head, pass->logits.w);
    for (int i = 0; i < rs_threads(); i++) {
        pass->workers[i].scratch = rs_arena_take(&pass->arena, sizes.scratch, sizeof(float));
        pass->workers[i].sums = rs_arena_take(&pass->arena, sizes.sums, sizeof(float));
        pass->workers[i].up_sums = rs_arena_take(&pass->arena, sizes.sums, sizeof(float));
    }
    for (int s = 0; s < SHARDS; s++) {
        pass->partial[s] = rs_arena_take(&pass->arena, pass->parameters, sizeof(float));
        pass->moments[s] = rs_arena_take(&pass->arena, 2 * sizes.channels, sizeof(double));
    }
}

struct rs_pass *rs_pass_new(const struct rs_unet *net, int n, int h, int w)
{
    struct rs_pass *pass = rs_alloc(1, sizeof *pass);
    pass->n = n;
    pass->parameters = net->parameter_count;
    pass->workers = rs_alloc((size_t)rs_threads(), sizeof *pass->workers);
    for (int taking = 0; taking < 2; taking++) {
        take_network(pass, net, h, w);
        take_workers(pass);
        if (!taking)
            rs_arena_reserve(&pass->arena);
    }
    return pass;
}

void rs_pass_free(struct rs_pass *pass)
{
    if (!pass)
        return;
    rs_arena_free(&pass->arena);
    free(pass->workers);
    free(pass);
}

void rs_pass_use(struct rs_pass *pass, int n)
{
    pass->n = n;
}

struct rs_map rs_pass_input(const struct rs_pass *pass)
{
    return rs_map_images(pass->unit[0].x, 0, pass->n);
}

/* Calls work(pass, first, count, worker) for the chunks of a shard of `map`'s images, in order. */
static void for_chunks(struct rs_pass *pass, const struct rs_map *map, int shard, int worker,
                       void (*work)(struct rs_pass *, int first, int count, int shard, int worker))
{
    int end = (shard + 1) * pass->n / SHARDS, each = CHUNK / (map->h * map->w * map->c);
    for (int first = shard * pass->n / SHARDS, count; first < end; first += count) {
        count = each < 1 ? 1 : end - first < each ? end - first : each;
        work(pass, first, count, shard, worker);
    }
}

static void pack(struct rs_pass *pass, const struct weights *weights, int worker, bool back)
{
    const float *w = pass->net->parameters + weights->at.w;
    if (back)
        rs_conv_pack_turned(weights->turned, weights->conv, w, pass->workers[worker].scratch);
    else
        rs_conv_pack(weights->packed, weights->conv, w,
                     weights->at.size == 1 ? pass->net->parameters + weights->at.b : NULL);
}

/* Shard u is unit u, the last one the head. */
static void pack_shard(struct rs_pass *pass, int u, int worker, bool back)
{
    if (u == pass->units) {
        pack(pass, &pass->head, worker, back);
        return;
    }
    pack(pass, &pass->unit[u].weights, worker, back);
    if (pass->unit[u].link == JOINED)
        pack(pass, &pass->unit[u].up, worker, back);
}

static void pack_forward(void *context, int u, int worker)
{
    pack_shard(context, u, worker, false);
}

static void pack_backward(void *context, int u, int worker)
{
    pack_shard(context, u, worker, true);
}

static void set_parameters(struct rs_pass *pass, const struct rs_unet *net)
{
    pass->net = net;
    for (int u = 0; u < pass->units; u++) {
        pass->unit[u].norm.gamma = net->parameters + pass->unit[u].at.gamma;
        pass->unit[u].norm.beta = net->parameters + pass->unit[u].at.beta;
    }
}

static struct rs_drop drop_of(const struct rs_pass *pass, int u)
{
    struct rs_drop drop = pass->drop;
    drop.layer = (uint64_t)u;
    return drop;
}

/* z of unit u from its y. */
static void finish_unit(struct rs_pass *pass, int u, int first, int count)
{
    struct unit *unit = &pass->unit[u];
    struct rs_drop drop = drop_of(pass, u);
    rs_norm_forward(rs_map_images(unit->z, first, count), rs_map_images(unit->y, first, count), &unit->norm,
                    &drop, first);
}

static struct rs_map upper_half(struct rs_map join)
{
    return rs_map_channels(join, join.c / 2, join.c / 2);
}

static void link_forward(struct rs_pass *pass, int u, int first, int count, int worker)
{
    struct unit *unit = &pass->unit[u];
    struct rs_map z = rs_map_images(unit[-1].z, first, count), x = rs_map_images(unit->x, first, count);
    if (unit->link == POOLED)
        rs_pool_forward(x, z);
    if (unit->link == JOINED) {
        struct rs_map small = rs_map_images(unit->small, first, count);
        rs_conv_forward(small, z, unit->up.conv, unit->up.packed, false, pass->workers[worker].scratch);
        rs_up_forward(upper_half(x), small);
    }
}

static void forward_chunk(struct rs_pass *pass, int first, int count, int shard, int worker)
{
    struct unit *unit = &pass->unit[pass->at];
    if (pass->at > 0) {
        finish_unit(pass, pass->at - 1, first, count);
        link_forward(pass, pass->at, first, count, worker);
    }
    struct rs_map y = rs_map_images(unit->y, first, count);
    rs_conv_forward(y, rs_map_images(unit->x, first, count), unit->weights.conv, unit->weights.packed, false,
                    pass->workers[worker].scratch);
    rs_norm_moments(pass->moments[shard], y);
}

static void clear_moments(struct rs_pass *pass, int shard, const struct unit *unit)
{
    memset(pass->moments[shard], 0, 2 * (size_t)unit->y.c * sizeof **pass->moments);
}

static void forward_stage(void *context, int shard, int worker)
{
    struct rs_pass *pass = context;
    struct unit *unit = &pass->unit[pass->at];
    clear_moments(pass, shard, unit);
    for_chunks(pass, &unit->y, shard, worker, forward_chunk);
}

static void head_chunk(struct rs_pass *pass, int first, int count, int shard, int worker)
{
    (void)shard;
    int last = pass->units - 1;
    finish_unit(pass, last, first, count);
    rs_conv_forward(rs_map_images(pass->logits, first, count),
                    rs_map_images(pass->unit[last].z, first, count), pass->head.conv, pass->head.packed,
                    false, pass->workers[worker].scratch);
}

static void head_stage(void *context, int shard, int worker)
{
    struct rs_pass *pass = context;
    for_chunks(pass, &pass->unit[pass->units - 1].y, shard, worker, head_chunk);
}

/* The shards' sums, added up in order. */
static const double *total_moments(struct rs_pass *pass, const struct unit *unit)
{
    for (int s = 1; s < SHARDS; s++)
        for (int k = 0; k < 2 * unit->y.c; k++)
            pass->moments[0][k] += pass->moments[s][k];
    return pass->moments[0];
}

static double pixels_of(const struct rs_pass *pass, const struct unit *unit)
{
    return (double)pass->n * unit->y.h * unit->y.w;
}

struct rs_map rs_pass_forward(struct rs_pass *pass, struct rs_unet *net, const struct rs_drop *drop)
{
    set_parameters(pass, net);
    pass->drop = *drop;
    rs_parallel(pack_forward, pass, pass->units + 1);
    for (pass->at = 0; pass->at < pass->units; pass->at++) {
        struct unit *unit = &pass->unit[pass->at];
        rs_parallel(forward_stage, pass, SHARDS);
        rs_norm_measure(&unit->norm, unit->y.c, total_moments(pass, unit), pixels_of(pass, unit),
                        net->statistics + unit->at.mean, net->statistics + unit->at.variance);
    }
    rs_parallel(head_stage, pass, SHARDS);
    return rs_map_images(pass->logits, 0, pass->n);
}

/* The sums for the gradient of unit u's batch norm, once its d is complete. */
static void add_slopes(struct rs_pass *pass, int u, int first, int count, int shard)
{
    struct unit *unit = &pass->unit[u];
    struct rs_drop drop = drop_of(pass, u);
    rs_norm_slopes(pass->moments[shard], rs_map_images(unit->d, first, count),
                   rs_map_images(unit->y, first, count), &unit->norm, &drop, first);
}

static void head_back_chunk(struct rs_pass *pass, int first, int count, int shard, int worker)
{
    struct unit *last = &pass->unit[pass->units - 1];
    struct worker *own = &pass->workers[worker];
    struct rs_map dy = rs_map_images(pass->dlogits, first, count), z = rs_map_images(last->z, first, count);
    rs_conv_backward(own->sums, dy, z, pass->head.conv, own->scratch);
    rs_conv_forward(rs_map_images(last->d, first, count), dy, rs_conv_turned(pass->head.conv),
                    pass->head.turned, false, own->scratch);
    add_slopes(pass, pass->units - 1, first, count, shard);
}

static void link_backward(struct rs_pass *pass, int u, int first, int count, int worker)
{
    struct unit *unit = &pass->unit[u];
    struct worker *own = &pass->workers[worker];
    struct rs_map dx = rs_map_images(unit->dx, first, count), d = rs_map_images(unit[-1].d, first, count);
    struct rs_map z = rs_map_images(unit[-1].z, first, count);
    if (unit->link == POOLED)
        rs_pool_backward(d, dx, z);
    if (unit->link == JOINED) {
        struct rs_map dsmall = rs_map_images(unit->dsmall, first, count);
        rs_up_backward(dsmall, upper_half(dx));
        rs_conv_backward(own->up_sums, dsmall, z, unit->up.conv, own->scratch);
        rs_conv_forward(d, dsmall, rs_conv_turned(unit->up.conv), unit->up.turned, false, own->scratch);
    }
}

static void backward_chunk(struct rs_pass *pass, int first, int count, int shard, int worker)
{
    struct unit *unit = &pass->unit[pass->at];
    struct worker *own = &pass->workers[worker];
    struct rs_map d = rs_map_images(unit->d, first, count);
    struct rs_drop drop = drop_of(pass, pass->at);
    rs_norm_backward(d, d, rs_map_images(unit->y, first, count), &unit->norm, &drop, first);
    rs_conv_backward(own->sums, d, rs_map_images(unit->x, first, count), unit->weights.conv, own->scratch);
    if (pass->at == 0)
        return;
    rs_conv_forward(rs_map_images(unit->dx, first, count), d, rs_conv_turned(unit->weights.conv),
                    unit->weights.turned, false, own->scratch);
    link_backward(pass, pass->at, first, count, worker);
    add_slopes(pass, pass->at - 1, first, count, shard);
}

static void clear_sums(float *sums, const struct weights *weights)
{
    memset(sums, 0, rs_conv_sums(weights->conv) * sizeof *sums);
}

static void keep_gradient(float *partial, const float *sums, const struct weights *weights)
{
    rs_conv_gradient(partial + weights->at.w, weights->at.size == 1 ? partial + weights->at.b : NULL,
                     weights->conv, sums);
}

static void head_back_stage(void *context, int shard, int worker)
{
    struct rs_pass *pass = context;
    struct unit *last = &pass->unit[pass->units - 1];
    clear_moments(pass, shard, last);
    clear_sums(pass->workers[worker].sums, &pass->head);
    for_chunks(pass, &last->y, shard, worker, head_back_chunk);
    keep_gradient(pass->partial[shard], pass->workers[worker].sums, &pass->head);
}

static void backward_stage(void *context, int shard, int worker)
{
    struct rs_pass *pass = context;
    struct unit *unit = &pass->unit[pass->at];
    struct worker *own = &pass->workers[worker];
    if (pass->at > 0)
        clear_moments(pass, shard, &unit[-1]);
    clear_sums(own->sums, &unit->weights);
    if (unit->link == JOINED)
        clear_sums(own->up_sums, &unit->up);
    for_chunks(pass, &unit->y, shard, worker, backward_chunk);
    keep_gradient(pass->partial[shard], own->sums, &unit->weights);
    if (unit->link == JOINED)
        keep_gradient(pass->partial[shard], own->up_sums, &unit->up);
}

/* The gradient of batch norm comes whole, with the first shard's. */
static void norm_gradient(struct rs_pass *pass, struct unit *unit)
{
    rs_norm_gradient(&unit->norm, unit->y.c, total_moments(pass, unit), pixels_of(pass, unit),
                     pass->partial[0] + unit->at.gamma, pass->partial[0] + unit->at.beta);
}

static void add_partials(void *context, int part, int worker)
{
    (void)worker;
    struct rs_pass *pass = context;
    size_t from = pass->parameters * (size_t)part / SHARDS,
           to = pass->parameters * (size_t)(part + 1) / SHARDS;
    memcpy(pass->gradient + from, pass->partial[0] + from, (to - from) * sizeof *pass->gradient);
    for (int s = 1; s < SHARDS; s++)
        for (size_t i = from; i < to; i++)
            pass->gradient[i] += pass->partial[s][i];
}

void rs_pass_backward(struct rs_pass *pass, const struct rs_unet *net, struct rs_map dlogits, float *gradient,
                      const struct rs_drop *drop)
{
    set_parameters(pass, net);
    pass->drop = *drop;
    pass->dlogits = dlogits;
    pass->gradient = gradient;
    rs_parallel(pack_backward, pass, pass->units + 1);
    rs_parallel(head_back_stage, pass, SHARDS);
    norm_gradient(pass, &pass->unit[pass->units - 1]);
    for (pass->at = pass->units - 1; pass->at >= 0; pass->at--) {
        rs_parallel(backward_stage, pass, SHARDS);
        if (pass->at > 0)
            norm_gradient(pass, &pass->unit[pass->at - 1]);
    }
    rs_parallel(add_partials, pass, SHARDS);
}
