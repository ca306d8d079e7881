#include "filter/matched.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"
#include "kernel/kernel.h"

/* How far filters reach, in deviations of their Gaussians; the part of the plane that a shard is, which its maps
 * (and no long rows) hold in the cache. */
static const double REACH = 3;
enum { ROWS = 96, COLUMNS = 512 };

enum { XX, XY, YY, DERIVATIVES };

/* A filter along a row or a column: [2 reach + 1]. */
struct taps {
    int reach;
    float *weights;
};

/* A Gaussian along a direction: row `down`, column `right` from here, for every tap. */
struct slant {
    int count;
    int *down, *right;
    float *weights;
};

/* All that one size needs. */
struct bank {
    struct taps gauss, first, second; /* a Gaussian and its derivatives */
    int reach;                        /* of the slants, in rows and columns */
    struct slant slants[RS_MATCHED_DIRECTIONS];
    float steer[RS_MATCHED_DIRECTIONS][DERIVATIVES];
};

/* A rectangle of the plane, or of what is made of it: from its pixel (left, top) on. */
struct part {
    int left, top, width, height;
    float *at; /* [height][width] */
};

struct worker {
    struct part plane, along[3], derivatives[DERIVATIVES], steered; /* along rows: by gauss, first, second */
    struct part best;
    float *answer;      /* [COLUMNS] */
    const float **from; /* of the taps */
};

struct matched {
    float *response;
    const struct rs_plane *plane;
    struct bank *banks;
    int count;
    struct worker *workers;
};

/* --- Filters --- */

static struct taps taps_of(double deviation, int order)
{
    struct taps taps = {.reach = (int)ceil(REACH * deviation)};
    taps.weights = rs_alloc(2 * (size_t)taps.reach + 1, sizeof *taps.weights);
    double sum = 0;
    for (int i = -taps.reach; i <= taps.reach; i++) {
        double x = i / deviation, g = exp(-x * x / 2) / (sqrt(2 * M_PI) * deviation);
        double value = order == 0   ? g
                       : order == 1 ? -x * g / deviation
                                    : (x * x - 1) * g / (deviation * deviation);
        taps.weights[i + taps.reach] = (float)value;
        sum += value;
    }
    /* a Gaussian's taps sum up to 1, those of its derivatives to 0: what is flat has no answer */
    for (int i = 0; i <= 2 * taps.reach; i++)
        taps.weights[i] = (float)(order == 0 ? (double)taps.weights[i] / sum
                                             : (double)taps.weights[i] - sum / (2 * taps.reach + 1));
    return taps;
}

/* A step along the axis that is nearer to the direction is one pixel; across that axis, what lies between two pixels
 * is taken from both. */
static struct slant slant_of(double angle, double deviation)
{
    double x = cos(angle), y = sin(angle);
    bool steep = fabs(y) > fabs(x);
    double slope = steep ? x / y : y / x, step = hypot(1, slope), sum = 0;
    int reach = (int)floor(REACH * deviation / step);
    size_t most = 2 * (2 * (size_t)reach + 1);
    struct slant slant = {.down = rs_alloc(most, sizeof *slant.down),
                          .right = rs_alloc(most, sizeof *slant.right),
                          .weights = rs_alloc(most, sizeof *slant.weights)};
    for (int t = -reach; t <= reach; t++) {
        double weight = exp(-.5 * pow(t * step / deviation, 2)), off = t * slope, before = floor(off + 1e-9);
        double share = fmax(0, off - before);
        sum += weight;
        for (int k = 0; k < 2; k++) {
            double part = weight * (k ? share : 1 - share);
            if (part < 1e-9)
                continue;
            slant.down[slant.count] = steep ? t : (int)before + k;
            slant.right[slant.count] = steep ? (int)before + k : t;
            slant.weights[slant.count++] = (float)part;
        }
    }
    for (int i = 0; i < slant.count; i++)
        slant.weights[i] /= (float)sum;
    return slant;
}

static struct bank bank_of(const struct rs_matched *size)
{
    double s = size->across, l = size->along, rest = sqrt(l * l - s * s);
    struct bank bank = {taps_of(s, 0), taps_of(s, 1), taps_of(s, 2), .reach = (int)ceil(REACH * rest) + 1};
    /* of the second derivative of the Gaussian across, times the Gaussian along: both have an area of 1 here */
    double squares = 3 / (8 * sqrt(M_PI) * pow(s, 5)) / (2 * sqrt(M_PI) * l), scale = -1 / sqrt(squares);
    for (int k = 0; k < RS_MATCHED_DIRECTIONS; k++) {
        double angle = M_PI * k / RS_MATCHED_DIRECTIONS, x = -sin(angle), y = cos(angle);
        bank.slants[k] = slant_of(angle, rest);
        bank.steer[k][XX] = (float)(scale * x * x);
        bank.steer[k][XY] = (float)(scale * 2 * x * y);
        bank.steer[k][YY] = (float)(scale * y * y);
    }
    return bank;
}

static void free_bank(struct bank *bank)
{
    free(bank->gauss.weights);
    free(bank->first.weights);
    free(bank->second.weights);
    for (int k = 0; k < RS_MATCHED_DIRECTIONS; k++) {
        free(bank->slants[k].down);
        free(bank->slants[k].right);
        free(bank->slants[k].weights);
    }
}

/* --- Parts --- */

/* Pixel (x, y) of the plane. */
static float *at(const struct part *part, int x, int y)
{
    return part->at + (ptrdiff_t)(y - part->top) * part->width + (x - part->left);
}

static void take_part(struct part *to, const struct rs_plane *plane)
{
    int left = to->left > 0 ? to->left : 0;
    int right = to->left + to->width < plane->width ? to->left + to->width : plane->width;
    memset(to->at, 0, (size_t)to->height * (size_t)to->width * sizeof *to->at);
    for (int y = to->top; y < to->top + to->height; y++)
        if (y >= 0 && y < plane->height)
            memcpy(at(to, left, y), plane->at + (size_t)y * (size_t)plane->width + left,
                   (size_t)(right - left) * sizeof *to->at);
}

/* Along rows, or down columns. */
static void filter_part(struct part *to, const struct part *from, const struct taps *taps, bool down,
                        const float **scratch)
{
    for (int y = to->top; y < to->top + to->height; y++) {
        for (int i = 0; i <= 2 * taps->reach; i++) {
            int off = i - taps->reach;
            scratch[i] = at(from, to->left + (down ? 0 : off), y + (down ? off : 0));
        }
        rs_kernel()->combine(at(to, to->left, y), to->width, 2 * taps->reach + 1, scratch, taps->weights);
    }
}

/* The second derivative across a direction. */
static void steer(struct worker *w, const float weights[DERIVATIVES])
{
    struct part *to = &w->steered;
    for (int y = to->top; y < to->top + to->height; y++) {
        const float *from[DERIVATIVES];
        for (int i = 0; i < DERIVATIVES; i++)
            from[i] = at(&w->derivatives[i], to->left, y);
        rs_kernel()->combine(at(to, to->left, y), to->width, DERIVATIVES, from, weights);
    }
}

/* `of` with as many pixels more on every side. */
static void place(struct part *part, const struct part *of, int across, int down)
{
    part->left = of->left - across;
    part->top = of->top - down;
    part->width = of->width + 2 * across;
    part->height = of->height + 2 * down;
}

static void derive(struct worker *w, const struct bank *bank, const struct rs_plane *plane)
{
    int slant = bank->reach, all = slant + bank->gauss.reach;
    const struct taps *taps[3] = {&bank->gauss, &bank->first, &bank->second};
    place(&w->plane, &w->best, all, all);
    take_part(&w->plane, plane);
    for (int i = 0; i < 3; i++) {
        place(&w->along[i], &w->best, slant, all);
        filter_part(&w->along[i], &w->plane, taps[i], false, w->from);
    }
    for (int i = 0; i < DERIVATIVES; i++) {
        place(&w->derivatives[i], &w->best, slant, slant);
        filter_part(&w->derivatives[i], &w->along[2 - i], taps[i], true, w->from);
    }
    place(&w->steered, &w->best, slant, slant);
}

/* --- Answers --- */

/* The answer of one direction in a row. */
static void answer_row(struct worker *w, const struct slant *slant, int y)
{
    for (int i = 0; i < slant->count; i++)
        w->from[i] = at(&w->steered, w->best.left + slant->right[i], y + slant->down[i]);
    rs_kernel()->combine(w->answer, w->best.width, slant->count, w->from, slant->weights);
}

static void keep_larger(float *best, const float *answer, int width)
{
    for (int x = 0; x < width; x++)
        best[x] = best[x] > answer[x] ? best[x] : answer[x];
}

static void add_best(float *response, const float *best, int width)
{
    for (int x = 0; x < width; x++)
        response[x] += best[x];
}

static void find_best(struct worker *w, const struct bank *bank)
{
    for (int i = 0; i < w->best.width * w->best.height; i++)
        w->best.at[i] = -INFINITY;
    for (int k = 0; k < RS_MATCHED_DIRECTIONS; k++) {
        steer(w, bank->steer[k]);
        for (int y = w->best.top; y < w->best.top + w->best.height; y++) {
            answer_row(w, &bank->slants[k], y);
            keep_larger(at(&w->best, w->best.left, y), w->answer, w->best.width);
        }
    }
}

static int across(const struct rs_plane *plane)
{
    return (plane->width + COLUMNS - 1) / COLUMNS;
}

static void filter_shard(void *context, int shard, int worker)
{
    const struct matched *m = context;
    struct worker *w = &m->workers[worker];
    const struct rs_plane *plane = m->plane;
    int left = shard % across(plane) * COLUMNS, top = shard / across(plane) * ROWS;
    w->best.left = left;
    w->best.top = top;
    w->best.width = plane->width - left < COLUMNS ? plane->width - left : COLUMNS;
    w->best.height = plane->height - top < ROWS ? plane->height - top : ROWS;
    for (int b = 0; b < m->count; b++) {
        derive(w, &m->banks[b], plane);
        find_best(w, &m->banks[b]);
        for (int y = top; y < top + w->best.height; y++) {
            float *response = m->response + (size_t)y * (size_t)plane->width + left;
            if (b == 0)
                memset(response, 0, (size_t)w->best.width * sizeof *response);
            add_best(response, at(&w->best, left, y), w->best.width);
        }
    }
}

static void start_worker(struct worker *w, const struct matched *m)
{
    int reach = 0, taps = DERIVATIVES;
    for (int b = 0; b < m->count; b++) {
        const struct bank *bank = &m->banks[b];
        int all = bank->reach + bank->gauss.reach;
        reach = all > reach ? all : reach;
        taps = 2 * bank->gauss.reach + 1 > taps ? 2 * bank->gauss.reach + 1 : taps;
        for (int k = 0; k < RS_MATCHED_DIRECTIONS; k++)
            taps = bank->slants[k].count > taps ? bank->slants[k].count : taps;
    }
    size_t floats = (size_t)(ROWS + 2 * reach) * (size_t)(COLUMNS + 2 * reach);
    w->plane.at = rs_alloc(floats, sizeof(float));
    for (int i = 0; i < 3; i++)
        w->along[i].at = rs_alloc(floats, sizeof(float));
    for (int i = 0; i < DERIVATIVES; i++)
        w->derivatives[i].at = rs_alloc(floats, sizeof(float));
    w->steered.at = rs_alloc(floats, sizeof(float));
    w->best.at = rs_alloc((size_t)ROWS * COLUMNS, sizeof(float));
    w->answer = rs_alloc(COLUMNS, sizeof(float));
    w->from = rs_alloc((size_t)taps, sizeof *w->from);
}

static void free_worker(struct worker *w)
{
    free(w->plane.at);
    for (int i = 0; i < 3; i++)
        free(w->along[i].at);
    for (int i = 0; i < DERIVATIVES; i++)
        free(w->derivatives[i].at);
    free(w->steered.at);
    free(w->answer);
    free(w->best.at);
    free(w->from);
}

void rs_matched_filter(float *response, const struct rs_plane *plane, const struct rs_matched *sizes,
                       int count)
{
    struct matched m = {.response = response, .plane = plane, .count = count};
    m.banks = rs_alloc((size_t)count, sizeof *m.banks);
    for (int b = 0; b < count; b++)
        m.banks[b] = bank_of(&sizes[b]);
    m.workers = rs_alloc((size_t)rs_threads(), sizeof *m.workers);
    for (int i = 0; i < rs_threads(); i++)
        start_worker(&m.workers[i], &m);
    rs_parallel(filter_shard, &m, across(plane) * ((plane->height + ROWS - 1) / ROWS));
    for (int i = 0; i < rs_threads(); i++)
        free_worker(&m.workers[i]);
    free(m.workers);
    for (int b = 0; b < count; b++)
        free_bank(&m.banks[b]);
    free(m.banks);
}
