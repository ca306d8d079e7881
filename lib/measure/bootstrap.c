#include "measure/bootstrap.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/rng.h"

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double rs_quantile(double *values, size_t count, double share)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]))
            values[n++] = values[i];
    if (n == 0)
        return (double)NAN;
    qsort(values, n, sizeof *values, ascending);
    double at = share * (double)(n - 1);
    size_t below = (size_t)at, above = below + 1 < n ? below + 1 : below;
    return values[below] + (at - (double)below) * (values[above] - values[below]);
}

static struct rs_scores draw(const struct rs_bootstrap *how, const struct rs_packed *images, size_t count,
                             int64_t number, struct rs_histogram *pooled)
{
    struct rs_rng rng = rs_rng_at(how->seed, "rs-score", 0, (uint64_t)number);
    rs_histogram_clear(pooled);
    for (size_t i = 0; i < count; i++)
        rs_histogram_merge_packed(pooled, &images[rs_rng_below(&rng, count)]);
    return rs_scores_of(pooled, how->threshold);
}

static uint64_t pixels(const struct rs_packed *images, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < images[i].used; k++)
            sum += (uint64_t)images[i].at[k].vessel + images[i].at[k].background;
    return sum;
}

void rs_bootstrap(const struct rs_bootstrap *how, const struct rs_packed *images, size_t count,
                  struct rs_scores *lower, struct rs_scores *upper)
{
    size_t draws = count < 2 ? 0 : (size_t)how->draws;
    double *drawn = rs_alloc(draws * RS_FIGURES, sizeof *drawn); /* [RS_FIGURES][draws] */
    struct rs_histogram pooled = rs_histogram_start(how->levels);
    for (size_t i = 0; i < draws; i++) {
        struct rs_scores scores = draw(how, images, count, (int64_t)i, &pooled);
        for (size_t f = 0; f < RS_FIGURES; f++)
            drawn[f * draws + i] = scores.figures[f];
    }
    for (size_t f = 0; f < RS_FIGURES; f++) {
        lower->figures[f] = rs_quantile(drawn + f * draws, draws, .025);
        upper->figures[f] = rs_quantile(drawn + f * draws, draws, .975);
    }
    lower->count = upper->count = pixels(images, count);
    rs_histogram_free(&pooled);
    free(drawn);
}
