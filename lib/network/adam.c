#include "network/adam.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/thread.h"

void rs_adam_start(struct rs_adam *adam, size_t count)
{
    adam->step = 0;
    adam->count = count;
    adam->mean = rs_alloc(count, sizeof *adam->mean);
    adam->square = rs_alloc(count, sizeof *adam->square);
}

void rs_adam_free(struct rs_adam *adam)
{
    free(adam->mean);
    free(adam->square);
    adam->mean = adam->square = NULL;
}

enum { SHARDS = 8 };

struct step {
    struct rs_adam *adam;
    float *parameters;
    const float *gradient;
    float rate, root;
};

static void step_shard(void *context, int shard, int worker)
{
    const struct step *step = context;
    const struct rs_adam *adam = step->adam;
    float beta1 = (float)adam->beta1, beta2 = (float)adam->beta2, epsilon = (float)adam->epsilon;
    float rest1 = (float)(1 - adam->beta1), rest2 = (float)(1 - adam->beta2); /* 1 - .999f is off by 1e-5 */
    size_t end = adam->count * (size_t)(shard + 1) / SHARDS;
    (void)worker;
    for (size_t i = adam->count * (size_t)shard / SHARDS; i < end; i++) {
        float g = step->gradient[i];
        float m = adam->mean[i] = beta1 * adam->mean[i] + rest1 * g;
        float v = adam->square[i] = beta2 * adam->square[i] + rest2 * (g * g);
        step->parameters[i] -= step->rate * m / (sqrtf(v) * step->root + epsilon);
    }
}

void rs_adam_step(struct rs_adam *adam, float *parameters, const float *gradient)
{
    double number = (double)++adam->step;
    struct step step = {.adam = adam,
                        .parameters = parameters,
                        .gradient = gradient,
                        .rate = (float)(adam->lr / (1 - pow(adam->beta1, number))),
                        .root = (float)(1 / sqrt(1 - pow(adam->beta2, number)))};
    rs_parallel(step_shard, &step, SHARDS);
}
