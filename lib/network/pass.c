#include "network/pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "network/chunk.h"

/* A batch is cut into SHARDS whatever the number of threads, and a shard into chunks whose maps stay in a core's
 * cache from one layer to the next. Batch norm, which wants the whole batch, is where shards wait for each other;
 * all that lies between two of its statistics is one stage. */
enum { SHARDS = 8, CHUNK = 131072 /* floats */ };

struct rs_pass {
    struct rs_tape tape;
    int n;
    float *partial[SHARDS];  /* gradients, each as long as the parameters */
    double *moments[SHARDS]; /* [2][most channels] */
    size_t parameters;

    /* Of the stage under way: */
    const struct rs_unet *net;
    struct rs_drop drop;
    const struct rs_tape_stage *stage;
    float *gradient;
};

struct rs_pass *rs_pass_new(const struct rs_unet *net, int n, int h, int w)
{
    struct rs_pass *pass = rs_alloc(1, sizeof *pass);
    struct rs_arena *arena = &pass->tape.arena;
    rs_tape_start(&pass->tape, &net->shape);
    pass->n = n;
    pass->parameters = net->parameter_count;
    for (int taking = 0; taking < 2; taking++) {
        rs_tape_take(&pass->tape, n, h, w);
        for (int s = 0; s < SHARDS; s++) {
            pass->partial[s] = rs_arena_take(arena, pass->parameters, sizeof(float));
            pass->moments[s] = rs_arena_take(arena, 2 * (size_t)pass->tape.most_channels, sizeof(double));
        }
        if (!taking)
            rs_arena_reserve(arena);
    }
    return pass;
}

void rs_pass_free(struct rs_pass *pass)
{
    if (!pass)
        return;
    rs_tape_free(&pass->tape);
    free(pass);
}

void rs_pass_use(struct rs_pass *pass, int n)
{
    pass->n = n;
}

struct rs_map rs_pass_input(const struct rs_pass *pass)
{
    return rs_map_images(pass->tape.z[0], 0, pass->n);
}

static void pack_forward(void *context, int step, int worker)
{
    struct rs_pass *pass = context;
    rs_tape_pack(&pass->tape, step, pass->net->parameters, worker, false);
}

static void pack_backward(void *context, int step, int worker)
{
    struct rs_pass *pass = context;
    rs_tape_pack(&pass->tape, step, pass->net->parameters, worker, true);
}

static bool is_unit(const struct rs_pass *pass, int step)
{
    return step >= 0 && pass->tape.plan.steps[step].kind == RS_STEP_UNIT;
}

static void set_parameters(struct rs_pass *pass, const struct rs_unet *net)
{
    pass->net = net;
    for (int i = 0; i < pass->tape.plan.count; i++) {
        if (!is_unit(pass, i))
            continue;
        pass->tape.steps[i].norm.gamma = net->parameters + pass->tape.plan.steps[i].norm.gamma;
        pass->tape.steps[i].norm.beta = net->parameters + pass->tape.plan.steps[i].norm.beta;
    }
}

/* The unit whose maps measure a stage's chunks: its last step or, in the last stage, the step before it. */
static const struct rs_tape_step *unit_of(const struct rs_pass *pass)
{
    int last = pass->stage->end - 1;
    return &pass->tape.steps[is_unit(pass, last) ? last : pass->stage->begin - 1];
}

/* Calls work for the chunks of a shard of the stage, in order. */
static void for_chunks(struct rs_pass *pass, int shard, int worker,
                       void (*work)(const struct rs_chunk *, const struct rs_tape_stage *))
{
    const struct rs_map *map = &unit_of(pass)->y;
    int end = (shard + 1) * pass->n / SHARDS,
        each = (int)(CHUNK / ((size_t)map->h * (size_t)map->w * (size_t)map->c));
    struct rs_chunk chunk = {.tape = &pass->tape,
                             .drop = pass->drop,
                             .worker = &pass->tape.workers[worker],
                             .moments = pass->moments[shard]};
    memset(chunk.moments, 0, 2 * (size_t)pass->tape.most_channels * sizeof *chunk.moments);
    for (chunk.first = shard * pass->n / SHARDS; chunk.first < end; chunk.first += chunk.count) {
        chunk.count = each < 1 ? 1 : end - chunk.first < each ? end - chunk.first : each;
        work(&chunk, pass->stage);
    }
}

static void forward_chunk(const struct rs_chunk *chunk, const struct rs_tape_stage *stage)
{
    if (stage->begin > 0)
        rs_chunk_finish(chunk, stage->begin - 1);
    for (int i = stage->begin; i < stage->end; i++)
        rs_chunk_forward(chunk, i);
}

static void forward_stage(void *context, int shard, int worker)
{
    for_chunks(context, shard, worker, forward_chunk);
}

/* The shards' sums, added up in order. */
static const double *total_moments(struct rs_pass *pass, int c)
{
    for (int s = 1; s < SHARDS; s++)
        for (int k = 0; k < 2 * c; k++)
            pass->moments[0][k] += pass->moments[s][k];
    return pass->moments[0];
}

static double pixels_of(const struct rs_pass *pass, const struct rs_tape_step *unit)
{
    return (double)pass->n * unit->y.h * unit->y.w;
}

static void measure(struct rs_pass *pass, int i, float *statistics)
{
    const struct rs_tape_step *unit = &pass->tape.steps[i];
    const struct rs_norm_place *at = &pass->tape.plan.steps[i].norm;
    rs_norm_measure(&unit->norm, unit->y.c, total_moments(pass, unit->y.c), pixels_of(pass, unit),
                    statistics + at->mean, statistics + at->variance);
}

struct rs_map rs_pass_forward(struct rs_pass *pass, struct rs_unet *net, const struct rs_drop *drop)
{
    struct rs_tape *tape = &pass->tape;
    set_parameters(pass, net);
    pass->drop = *drop;
    rs_parallel(pack_forward, pass, tape->plan.count);
    for (int s = 0; s < tape->stage_count; s++) {
        pass->stage = &tape->stages[s];
        rs_parallel(forward_stage, pass, SHARDS);
        if (is_unit(pass, pass->stage->end - 1))
            measure(pass, pass->stage->end - 1, net->statistics);
    }
    return rs_map_images(tape->z[tape->plan.map_count - 1], 0, pass->n);
}

static void backward_chunk(const struct rs_chunk *chunk, const struct rs_tape_stage *stage)
{
    for (int i = stage->end - 1; i >= stage->begin; i--)
        rs_chunk_backward(chunk, i);
    if (stage->begin > 0)
        rs_chunk_slopes(chunk, stage->begin - 1);
}

static void backward_stage(void *context, int shard, int worker)
{
    struct rs_pass *pass = context;
    rs_tape_clear(&pass->tape, pass->stage, worker);
    for_chunks(pass, shard, worker, backward_chunk);
    rs_tape_keep(&pass->tape, pass->stage, worker, pass->partial[shard]);
}

/* The gradient of batch norm comes whole, with the first shard's. */
static void norm_gradient(struct rs_pass *pass, int i)
{
    const struct rs_tape_step *unit = &pass->tape.steps[i];
    const struct rs_norm_place *at = &pass->tape.plan.steps[i].norm;
    rs_norm_gradient(&unit->norm, unit->y.c, total_moments(pass, unit->y.c), pixels_of(pass, unit),
                     pass->partial[0] + at->gamma, pass->partial[0] + at->beta);
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
    struct rs_tape *tape = &pass->tape;
    set_parameters(pass, net);
    pass->drop = *drop;
    pass->gradient = gradient;
    tape->d[tape->plan.map_count - 1] = dlogits;
    rs_parallel(pack_backward, pass, tape->plan.count);
    for (int s = tape->stage_count - 1; s >= 0; s--) {
        pass->stage = &tape->stages[s];
        rs_parallel(backward_stage, pass, SHARDS);
        if (pass->stage->begin > 0)
            norm_gradient(pass, pass->stage->begin - 1);
    }
    rs_parallel(add_partials, pass, SHARDS);
}
