#include "layer/act.h"

#include "base/rng.h"

enum { STEPS = 65536 };

struct pass {
    struct rs_map dz, z;
    const struct rs_drop *drop;
    unsigned threshold; /* of 16 random bits: below it, dropped */
    float scale;
};

static struct pass pass_of(struct rs_map dz, struct rs_map z, const struct rs_drop *drop)
{
    unsigned threshold = (unsigned)(drop->p * STEPS + .5);
    return (struct pass){dz, z, drop, threshold, (float)STEPS / (float)(STEPS - threshold)};
}

/* As written, NaN stays NaN: a run that has broken must show it. */
static void relu_row(float *z, int count)
{
    for (int i = 0; i < count; i++)
        z[i] = z[i] < 0 ? 0 : z[i];
}

/* Four decisions from each random number. */
static void drop_row(float *z, int count, struct rs_rng *rng, unsigned threshold, float scale)
{
    for (int i = 0; i < count;) {
        uint64_t bits = rs_rng_next(rng);
        for (int end = i + 4 < count ? i + 4 : count; i < end; i++, bits >>= 16)
            z[i] *= (bits & (STEPS - 1)) < threshold ? 0 : scale;
    }
}

static void forward_row(void *context, int image, int i)
{
    const struct pass *pass = context;
    const struct rs_drop *drop = pass->drop;
    const struct rs_map *z = &pass->z;
    float *row = rs_map_at(z, image, i, 0);
    relu_row(row, z->w * z->c);
    if (!pass->threshold)
        return;
    uint64_t place = (uint64_t)image * (uint64_t)z->h + (uint64_t)i;
    struct rs_rng rng = rs_rng_at(drop->seed, "dropout", drop->step << 8 | drop->layer, place);
    drop_row(row, z->w * z->c, &rng, pass->threshold, pass->scale);
}

void rs_act_forward(struct rs_map z, const struct rs_drop *drop)
{
    struct pass pass = pass_of(z, z, drop);
    rs_map_rows(&z, forward_row, &pass);
}

static void backward_row(void *context, int image, int i)
{
    const struct pass *pass = context;
    const float scale = pass->scale, *z = rs_map_at(&pass->z, image, i, 0);
    float *dz = rs_map_at(&pass->dz, image, i, 0);
    for (int j = 0; j < pass->z.w * pass->z.c; j++)
        dz[j] *= z[j] > 0 ? scale : 0;
}

void rs_act_backward(struct rs_map dz, struct rs_map z, const struct rs_drop *drop)
{
    struct pass pass = pass_of(dz, z, drop);
    rs_map_rows(&z, backward_row, &pass);
}
