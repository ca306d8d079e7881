#include "network/adam.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

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

void rs_adam_step(struct rs_adam *adam, float *parameters, const float *gradient)
{
    double step = (double)++adam->step;
    float beta1 = (float)adam->beta1, beta2 = (float)adam->beta2, epsilon = (float)adam->epsilon;
    float rest1 = (float)(1 - adam->beta1), rest2 = (float)(1 - adam->beta2); /* 1 - .999f is off by 1e-5 */
    float rate = (float)(adam->lr / (1 - pow(adam->beta1, step)));
    float root = (float)(1 / sqrt(1 - pow(adam->beta2, step)));
    for (size_t i = 0; i < adam->count; i++) {
        float g = gradient[i];
        float m = adam->mean[i] = beta1 * adam->mean[i] + rest1 * g;
        float v = adam->square[i] = beta2 * adam->square[i] + rest2 * (g * g);
        parameters[i] -= rate * m / (sqrtf(v) * root + epsilon);
    }
}
