#include "picture/jitter.h"

#include "base/rng.h"

static void jitter_plane(float *x, size_t pixels, const uint8_t *fov, double gain, double offset)
{
    for (size_t i = 0; i < pixels; i++)
        if (!fov || fov[i])
            x[i] = (float)((double)x[i] * gain + offset);
}

void rs_jitter_apply(const struct rs_jitter *jitter, uint64_t image, float *x, int channels, size_t pixels,
                     const uint8_t *fov)
{
    if (jitter->shared == 0 && jitter->plane == 0)
        return;
    struct rs_rng rng = rs_rng_at(jitter->seed, "rs-norm", image, 0);
    double gain = 1 + jitter->shared * rs_rng_normal(&rng), offset = jitter->shared * rs_rng_normal(&rng);
    for (int p = 0; p < channels; p++) {
        double more = jitter->plane * rs_rng_normal(&rng), up = jitter->plane * rs_rng_normal(&rng);
        jitter_plane(x + (size_t)p * pixels, pixels, fov, gain + more, offset + up);
    }
}
