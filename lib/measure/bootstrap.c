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

double rs_two_sided_p(const double *values, size_t count)
{
    size_t below = 0, above = 0, defined = 0;
    for (size_t i = 0; i < count; i++) {
        below += values[i] <= 0;
        above += values[i] >= 0;
        defined += !isnan(values[i]);
    }
    if (defined == 0)
        return (double)NAN;
    size_t beyond = below < above ? below : above;
    return fmin(1, 2 * (double)(beyond + 1) / (double)(defined + 1));
}

/* A draw of fewer than two images says nothing. */
static size_t draws_of(const struct rs_bootstrap *how)
{
    return how->images < 2 ? 0 : (size_t)how->draws;
}

static void draw(const struct rs_bootstrap *how, const struct rs_maps *maps, size_t number,
                 struct rs_histogram *pooled)
{
    struct rs_rng rng = rs_rng_at(how->seed, "rs-score", 0, number);
    rs_histogram_clear(pooled);
    for (size_t i = 0; i < how->images; i++)
        rs_histogram_merge_packed(pooled, &maps->images[rs_rng_below(&rng, how->images)]);
}

/* Adds `sign` times the figures of every draw to `drawn`: [RS_FIGURES][draws_of(how)]. */
static void add_draws(const struct rs_bootstrap *how, const struct rs_maps *maps, double sign, double *drawn)
{
    size_t draws = draws_of(how);
    struct rs_histogram pooled = rs_histogram_start(maps->levels);
    for (size_t i = 0; i < draws; i++) {
        draw(how, maps, i, &pooled);
        struct rs_scores scores = rs_scores_of(&pooled, maps->threshold);
        for (size_t f = 0; f < RS_FIGURES; f++)
            drawn[f * draws + i] += sign * scores.figures[f];
    }
    rs_histogram_free(&pooled);
}

static uint64_t pixels(const struct rs_packed *images, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < images[i].used; k++)
            sum += (uint64_t)images[i].at[k].vessel + images[i].at[k].background;
    return sum;
}

void rs_bootstrap(const struct rs_bootstrap *how, const struct rs_maps *maps, struct rs_scores *lower,
                  struct rs_scores *upper)
{
    size_t draws = draws_of(how);
    double *drawn = rs_alloc(draws * RS_FIGURES, sizeof *drawn);
    add_draws(how, maps, 1, drawn);
    for (size_t f = 0; f < RS_FIGURES; f++) {
        lower->figures[f] = rs_quantile(drawn + f * draws, draws, .025);
        upper->figures[f] = rs_quantile(drawn + f * draws, draws, .975);
    }
    lower->count = upper->count = pixels(maps->images, how->images);
    free(drawn);
}

void rs_bootstrap_paired(const struct rs_bootstrap *how, const struct rs_maps *first,
                         const struct rs_maps *second, struct rs_difference differences[RS_FIGURES])
{
    size_t draws = draws_of(how);
    double *drawn = rs_alloc(draws * RS_FIGURES, sizeof *drawn);
    add_draws(how, first, 1, drawn);
    add_draws(how, second, -1, drawn);
    for (size_t f = 0; f < RS_FIGURES; f++) {
        double *values = drawn + f * draws;
        differences[f].p = rs_two_sided_p(values, draws);
        differences[f].lower = rs_quantile(values, draws, .025);
        differences[f].upper = rs_quantile(values, draws, .975);
    }
    free(drawn);
}
