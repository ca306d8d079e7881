/* Random numbers that depend on what they are for, not on who asks first.
 *
 * A generator is keyed by (seed, tool, image, item): the same four give the same numbers in any order of
 * calls and on any thread. The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
 * number generators", OOPSLA 2014), keyed by running the four through its mixer. */
#ifndef RS_BASE_RNG_H
#define RS_BASE_RNG_H

#include <stdint.h>

struct rs_rng {
    uint64_t state;
};

struct rs_rng rs_rng_at(uint64_t seed, const char *tool, uint64_t image, uint64_t item);

uint64_t rs_rng_next(struct rs_rng *rng);                  /* 64 random bits */
double rs_rng_uniform(struct rs_rng *rng);                 /* [0, 1), 53 bits */
uint64_t rs_rng_below(struct rs_rng *rng, uint64_t bound); /* [0, bound), unbiased; bound > 0 */
double rs_rng_normal(struct rs_rng *rng);                  /* mean 0, variance 1 (Box and Muller, 1958) */

/* Fisher-Yates: `order` becomes a random permutation of its `count` entries. */
void rs_rng_shuffle(struct rs_rng *rng, uint32_t *order, uint32_t count);

#endif
