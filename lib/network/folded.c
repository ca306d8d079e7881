#include "network/folded.h"

#include <stdlib.h>
#include <string.h>

#include "layer/norm.h"

static void take(struct rs_arena *arena, struct rs_folded_conv *conv, const struct rs_conv_place *at)
{
    conv->conv = (struct rs_conv){at->size, at->ci, at->co};
    conv->packed = rs_arena_take(arena, rs_conv_packed(conv->conv), sizeof *conv->packed);
}

static void take_all(struct rs_folded *folded, const struct rs_unet_plan *plan)
{
    for (int l = 0; l < folded->shape.levels; l++)
        for (int i = 0; i < 2; i++) {
            take(&folded->arena, &folded->enc[l][i], &plan->enc[l].conv[i]);
            if (l + 1 < folded->shape.levels)
                take(&folded->arena, &folded->dec[l][i], &plan->dec[l].conv[i]);
        }
    for (int l = 0; l + 1 < folded->shape.levels; l++)
        take(&folded->arena, &folded->up[l], &plan->up[l]);
    take(&folded->arena, &folded->head, &plan->head);
}

static void pack_plain(struct rs_folded_conv *conv, const struct rs_unet *net, const struct rs_conv_place *at)
{
    rs_conv_pack(conv->packed, conv->conv, net->parameters + at->w, net->parameters + at->b);
}

static void pack_block(struct rs_folded_conv conv[2], const struct rs_unet *net,
                       const struct rs_block_place *at)
{
    for (int i = 0; i < 2; i++) {
        const struct rs_conv_place *place = &at->conv[i];
        size_t k = (size_t)place->size * (size_t)place->size * (size_t)place->ci, co = (size_t)place->co;
        float *w = rs_alloc((k + 1) * co, sizeof *w), *bias = w + k * co;
        struct rs_norm norm = {.gamma = net->parameters + at->norm[i].gamma,
                               .beta = net->parameters + at->norm[i].beta};
        memcpy(w, net->parameters + place->w, k * co * sizeof *w);
        rs_norm_fold(w, bias, (int)k, (int)co, &norm, net->statistics + at->norm[i].mean,
                     net->statistics + at->norm[i].variance);
        rs_conv_pack(conv[i].packed, conv[i].conv, w, bias);
        free(w);
    }
}

void rs_folded_make(struct rs_folded *folded, const struct rs_unet *net)
{
    struct rs_unet_plan plan = rs_unet_plan_of(&net->shape);
    *folded = (struct rs_folded){.shape = net->shape};
    take_all(folded, &plan);
    rs_arena_reserve(&folded->arena);
    take_all(folded, &plan);
    for (int l = 0; l < folded->shape.levels; l++) {
        pack_block(folded->enc[l], net, &plan.enc[l]);
        if (l + 1 < folded->shape.levels) {
            pack_block(folded->dec[l], net, &plan.dec[l]);
            pack_plain(&folded->up[l], net, &plan.up[l]);
        }
    }
    pack_plain(&folded->head, net, &plan.head);
}

void rs_folded_free(struct rs_folded *folded)
{
    rs_arena_free(&folded->arena);
}
