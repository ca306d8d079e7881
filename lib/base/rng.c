#include "base/rng.h"

#include <math.h>

static const uint64_t GOLDEN = 0x9e3779b97f4a7c15; /* 2^64 over the golden ratio: SplitMix64's step */

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

struct rs_rng rs_rng_at(uint64_t seed, const char *tool, uint64_t image, uint64_t item)
{
    uint64_t key = mix(seed + GOLDEN);
    for (const char *c = tool; *c; c++)
        key = mix((key ^ (unsigned char)*c) + GOLDEN);
    key = mix((key ^ image) + GOLDEN);
    key = mix((key ^ item) + GOLDEN);
    return (struct rs_rng){key};
}

uint64_t rs_rng_next(struct rs_rng *rng)
{
    return mix(rng->state += GOLDEN);
}

double rs_rng_uniform(struct rs_rng *rng)
{
    return (double)(rs_rng_next(rng) >> 11) * 0x1p-53;
}

uint64_t rs_rng_below(struct rs_rng *rng, uint64_t bound)
{
    uint64_t uneven = -bound % bound; /* 2^64 mod bound: draws below it would favour some results */
    uint64_t draw;
    do
        draw = rs_rng_next(rng);
    while (draw < uneven);
    return draw % bound;
}

double rs_rng_normal(struct rs_rng *rng)
{
    double radius = sqrt(-2 * log(1 - rs_rng_uniform(rng)));
    return radius * cos(2 * M_PI * rs_rng_uniform(rng));
}

void rs_rng_shuffle(struct rs_rng *rng, uint32_t *order, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = (uint32_t)rs_rng_below(rng, i);
        uint32_t swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}
