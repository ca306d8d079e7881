#include "network/folded.h"

#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "layer/norm.h"

static void take_all(struct rs_folded *folded)
{
    for (int i = 0; i < folded->plan.count; i++) {
        const struct rs_step *step = &folded->plan.steps[i];
        if (step->conv.conv.size)
            folded->packed[i] = rs_arena_take(&folded->arena, rs_conv_packed(step->conv.conv), sizeof(float));
    }
}

static void pack_plain(float *packed, const struct rs_unet *net, const struct rs_conv_place *at)
{
    float *scratch = rs_alloc((size_t)at->conv.co, sizeof *scratch);
    rs_conv_pack(packed, at->conv, net->parameters + at->w, rs_layout_bias(at, net->parameters, scratch));
    free(scratch);
}

static void pack_unit(float *packed, const struct rs_unet *net, const struct rs_step *step)
{
    struct rs_conv conv = step->conv.conv;
    size_t k = (size_t)conv.size * (size_t)conv.size * (size_t)conv.ci, co = (size_t)conv.co;
    float *w = rs_alloc((k + 1) * co, sizeof *w), *bias = w + k * co;
    struct rs_norm norm = {.gamma = net->parameters + step->norm.gamma,
                           .beta = net->parameters + step->norm.beta};
    memcpy(w, net->parameters + step->conv.w, k * co * sizeof *w);
    rs_norm_fold(w, bias, (int)k, (int)co, &norm, net->statistics + step->norm.mean,
                 net->statistics + step->norm.variance);
    rs_conv_pack(packed, conv, w, bias);
    free(w);
}

struct folding {
    struct rs_folded *folded;
    const struct rs_unet *net;
};

static void pack_step(void *context, int number, int worker)
{
    const struct folding *folding = context;
    const struct rs_step *step = &folding->folded->plan.steps[number];
    float *packed = folding->folded->packed[number];
    (void)worker;
    if (step->kind == RS_STEP_UNIT)
        pack_unit(packed, folding->net, step);
    else if (packed)
        pack_plain(packed, folding->net, &step->conv);
}

void rs_folded_make(struct rs_folded *folded, const struct rs_unet *net)
{
    struct folding folding = {folded, net};
    *folded = (struct rs_folded){.plan = rs_plan_of(&net->shape)};
    take_all(folded);
    rs_arena_reserve(&folded->arena);
    take_all(folded);
    rs_parallel(pack_step, &folding, folded->plan.count);
}

void rs_folded_free(struct rs_folded *folded)
{
    rs_arena_free(&folded->arena);
}
