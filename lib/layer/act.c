#include "layer/act.h"

#include "base/rng.h"
#include "base/thread.h"

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
            z[i] = (bits & (STEPS - 1)) < threshold ? 0 : z[i] * scale;
    }
}

static void forward_band(void *context, int shard, int worker)
{
    (void)worker;
    const struct pass *pass = context;
    const struct rs_map *z = &pass->z;
    struct rs_band band = rs_map_band(z, shard);
    struct rs_rng rng =
        rs_rng_at(pass->drop->seed, "dropout", pass->drop->step << 8 | pass->drop->layer, (uint64_t)shard);
    for (int i = band.from; i < band.to; i++) {
        float *row = rs_map_at(z, band.image, i, 0);
        relu_row(row, z->w * z->c);
        if (pass->threshold)
            drop_row(row, z->w * z->c, &rng, pass->threshold, pass->scale);
    }
}

void rs_act_forward(struct rs_map z, const struct rs_drop *drop)
{
    struct pass pass = pass_of(z, z, drop);
    rs_parallel(forward_band, &pass, rs_map_bands(&z));
}

static void backward_band(void *context, int shard, int worker)
{
    (void)worker;
    const struct pass *pass = context;
    struct rs_band band = rs_map_band(&pass->z, shard);
    for (int i = band.from; i < band.to; i++) {
        const float *z = rs_map_at(&pass->z, band.image, i, 0);
        float *dz = rs_map_at(&pass->dz, band.image, i, 0);
        for (int j = 0; j < pass->z.w * pass->z.c; j++)
            dz[j] = z[j] > 0 ? dz[j] * pass->scale : 0;
    }
}

void rs_act_backward(struct rs_map dz, struct rs_map z, const struct rs_drop *drop)
{
    struct pass pass = pass_of(dz, z, drop);
    rs_parallel(backward_band, &pass, rs_map_bands(&z));
}
