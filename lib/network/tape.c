#include "network/tape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"

static bool has_weights(const struct rs_step *step)
{
    return step->conv.conv.size > 0;
}

/* A stage ends with a unit, the last one with the plan. */
static void find_stages(struct rs_tape *tape)
{
    struct rs_tape_stage *stage = tape->stages;
    int units = 0;
    for (int i = 0; i < tape->plan.count; i++) {
        tape->steps[i].unit = units;
        if (has_weights(&tape->plan.steps[i])) {
            tape->steps[i].sums = stage->sums;
            stage->sums += rs_conv_sums(tape->plan.steps[i].conv.conv);
        }
        stage->end = i + 1;
        if (tape->plan.steps[i].kind == RS_STEP_UNIT) {
            units++;
            *++stage = (struct rs_tape_stage){.begin = i + 1, .end = i + 1};
        }
    }
    tape->stage_count = (int)(stage - tape->stages) + 1;
}

void rs_tape_start(struct rs_tape *tape, const struct rs_unet_shape *shape)
{
    *tape = (struct rs_tape){.plan = rs_plan_of(shape)};
    tape->workers = rs_alloc((size_t)rs_threads(), sizeof *tape->workers);
    find_stages(tape);
    for (int m = 0; m < tape->plan.map_count; m++)
        if (tape->plan.maps[m].c > tape->most_channels)
            tape->most_channels = tape->plan.maps[m].c;
}

void rs_tape_free(struct rs_tape *tape)
{
    rs_arena_free(&tape->arena);
    free(tape->workers);
}

static void take_norm(struct rs_arena *arena, struct rs_norm *norm, size_t c)
{
    float **const arrays[] = {&norm->mean, &norm->inverse, &norm->scale, &norm->slope, &norm->shift};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = rs_arena_take(arena, c, sizeof(float));
}

static void fill(float *values, size_t count, float value)
{
    for (size_t i = 0; values && i < count; i++)
        values[i] = value;
}

static void take_identity(struct rs_arena *arena, struct rs_norm *norm, size_t c)
{
    take_norm(arena, norm, c);
    norm->gamma = norm->inverse;
    norm->beta = norm->mean;
    fill(norm->inverse, c, 1);
    fill(norm->scale, c, 1);
}

static void take_step(struct rs_tape *tape, int i)
{
    const struct rs_step *step = &tape->plan.steps[i];
    struct rs_tape_step *own = &tape->steps[i];
    struct rs_conv conv = step->conv.conv;
    if (has_weights(step)) {
        own->packed = rs_arena_take(&tape->arena, rs_conv_packed(conv), sizeof(float));
        own->turned = rs_arena_take(&tape->arena, rs_conv_packed(rs_conv_turned(conv)), sizeof(float));
    }
    if (step->kind == RS_STEP_UNIT) {
        struct rs_map z = tape->z[step->out.map];
        own->y = rs_map_take(&tape->arena, z.n, z.h, z.w, step->out.c);
        take_norm(&tape->arena, &own->norm, (size_t)step->out.c);
    }
    if (step->kind == RS_STEP_ADD)
        take_identity(&tape->arena, &own->norm, (size_t)step->out.c);
}

static void most(size_t *largest, size_t size)
{
    *largest = size > *largest ? size : *largest;
}

static void take_workers(struct rs_tape *tape)
{
    size_t scratch = 0, sums = 0;
    for (int i = 0; i < tape->plan.count; i++) {
        const struct rs_step *step = &tape->plan.steps[i];
        struct rs_conv conv = step->conv.conv;
        int w = tape->z[step->in.map].w;
        if (!has_weights(step))
            continue;
        most(&scratch, rs_conv_scratch(conv, w));
        most(&scratch, rs_conv_scratch(rs_conv_turned(conv), w));
        most(&scratch, (size_t)conv.size * (size_t)conv.size * (size_t)conv.ci * (size_t)conv.co);
    }
    for (int s = 0; s < tape->stage_count; s++)
        most(&sums, tape->stages[s].sums);
    for (int i = 0; i < rs_threads(); i++) {
        tape->workers[i].scratch = rs_arena_take(&tape->arena, scratch, sizeof(float));
        tape->workers[i].sums = rs_arena_take(&tape->arena, sums, sizeof(float));
    }
}

void rs_tape_take(struct rs_tape *tape, int n, int h, int w)
{
    const struct rs_plan *plan = &tape->plan;
    for (int m = 0; m < plan->map_count; m++) {
        const struct rs_plan_map *map = &plan->maps[m];
        tape->z[m] = rs_map_take(&tape->arena, n, h >> map->level, w >> map->level, map->c);
        if (m > 0 && m + 1 < plan->map_count)
            tape->d[m] = rs_map_take(&tape->arena, n, h >> map->level, w >> map->level, map->c);
    }
    for (int i = 0; i < plan->count; i++)
        take_step(tape, i);
    take_workers(tape);
    tape->infinite = rs_arena_take(&tape->arena, (size_t)tape->most_channels, sizeof(float));
    fill(tape->infinite, (size_t)tape->most_channels, INFINITY);
}

void rs_tape_pack(struct rs_tape *tape, int i, const float *parameters, int worker, bool back)
{
    const struct rs_step *step = &tape->plan.steps[i];
    const float *w = parameters + step->conv.w;
    float *scratch = tape->workers[worker].scratch;
    if (!has_weights(step))
        return;
    if (back)
        rs_conv_pack_turned(tape->steps[i].turned, step->conv.conv, w, scratch);
    else
        rs_conv_pack(tape->steps[i].packed, step->conv.conv, w,
                     rs_layout_bias(&step->conv, parameters, scratch));
}

void rs_tape_clear(const struct rs_tape *tape, const struct rs_tape_stage *stage, int worker)
{
    memset(tape->workers[worker].sums, 0, stage->sums * sizeof(float));
}

void rs_tape_keep(const struct rs_tape *tape, const struct rs_tape_stage *stage, int worker, float *gradient)
{
    float *sums = tape->workers[worker].sums, *db = tape->workers[worker].scratch;
    for (int i = stage->begin; i < stage->end; i++) {
        const struct rs_conv_place *at = &tape->plan.steps[i].conv;
        if (!has_weights(&tape->plan.steps[i]))
            continue;
        rs_conv_gradient(gradient + at->w, at->biases ? db : NULL, at->conv, sums + tape->steps[i].sums);
        if (at->biases)
            rs_layout_bias_gradient(at, gradient + at->b, db);
    }
}
