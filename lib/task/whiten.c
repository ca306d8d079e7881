#include "task/whiten.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/thread.h"
#include "blas/eigen.h"
#include "blas/gemm.h"

enum { TILE = 256 };

/* Eigenvectors and what each is scaled by, the largest eigenvalue last. */
struct spectrum {
    int d, count;
    double *vectors, *scales; /* [count][d], [count] */
    double tail;
};

/* What rounding has left below 0 is 0. */
static double scale_of(double eigenvalue, double floor)
{
    return 1 / sqrt((eigenvalue > 0 ? eigenvalue : 0) + floor);
}

static double trace_of(const struct rs_covariance *sums)
{
    double trace = 0;
    for (int i = 0; i < sums->size; i++)
        trace += sums->scatter[(size_t)i * (size_t)sums->size + (size_t)i];
    return trace;
}

/* LAPACK's work, which tells nobody how far it is, and a clock beside it. */
struct solution {
    double *matrix, *values, *vectors;
    int d, count;
    double expected; /* seconds; 0: show nothing */
    const char *error;
    atomic_bool done;
};

static void show_clock(struct solution *s)
{
    uint64_t expected = (uint64_t)ceil(s->expected * 10);
    struct rs_progress progress = rs_progress_start("tenths of a second for eigenvectors", expected, true);
    for (uint64_t tenth = 1; !atomic_load(&s->done); tenth++) {
        usleep(100000);
        rs_progress_show(&progress, tenth < expected ? tenth : expected, "");
    }
    rs_progress_clear();
}

static void solve_or_show(void *context, int shard, int worker)
{
    struct solution *s = context;
    (void)worker;
    if (shard == 0) {
        s->error = rs_eigen(s->matrix, s->d, s->count, s->values, s->vectors);
        atomic_store(&s->done, true);
    } else {
        show_clock(s);
    }
}

/* Seconds, from those that the first quarter of rows and columns takes, a 64th of the work. */
static double foretell(const struct solution *s)
{
    int part = s->d / 4, count = (s->count + 3) / 4 < part ? (s->count + 3) / 4 : part;
    if (part < 64)
        return 0;
    size_t n = (size_t)part;
    double *matrix = rs_alloc(n, n * sizeof *matrix), *values = rs_alloc(n, sizeof *values);
    double *vectors = rs_alloc((size_t)count, n * sizeof *vectors);
    for (size_t i = 0; i < n; i++)
        memcpy(matrix + i * n, s->matrix + i * (size_t)s->d, n * sizeof *matrix);
    double started = rs_now();
    const char *error = rs_eigen(matrix, part, count, values, vectors);
    free(matrix);
    free(values);
    free(vectors);
    return error ? 0 : 64 * (rs_now() - started);
}

static const char *solve(struct solution *s, bool progress)
{
    s->expected = progress ? foretell(s) : 0;
    rs_parallel(solve_or_show, s, s->expected > 1 ? 2 : 1);
    return s->error;
}

static const char *decompose(struct spectrum *spectrum, struct rs_covariance *sums,
                             const struct rs_whitening *w, double epsilon, bool progress)
{
    int d = spectrum->d = sums->size;
    size_t entries = (size_t)d * (size_t)d;
    spectrum->count = w->rank ? w->rank : d;
    for (size_t i = 0; i < entries; i++)
        sums->scatter[i] /= (double)sums->count;
    double trace = trace_of(sums), mean = trace / d, top = 0;
    if (!(mean > 0))
        return rs_error("nothing varies in what whitening was to be learnt from");
    spectrum->vectors = rs_alloc((size_t)spectrum->count, (size_t)d * sizeof *spectrum->vectors);
    spectrum->scales = rs_alloc((size_t)d, sizeof *spectrum->scales);
    struct solution solution = {.matrix = sums->scatter,
                                .values = spectrum->scales,
                                .vectors = spectrum->vectors,
                                .d = d,
                                .count = spectrum->count};
    const char *error = solve(&solution, progress);
    for (int k = 0; k < spectrum->count && !error; k++) {
        top += spectrum->scales[k];
        spectrum->scales[k] = scale_of(spectrum->scales[k], epsilon * mean);
    }
    if (spectrum->count < d)
        spectrum->tail = scale_of((trace - top) / (d - spectrum->count), epsilon * mean);
    return error;
}

/* W = R^T R with the rows of R = sqrt(s) v. */
struct square {
    int d;
    const float *roots; /* [d][d] */
    float *matrix;
};

static int extent(int d, int from)
{
    return d - from < TILE ? d - from : TILE;
}

/* A row of tiles, from the diagonal on; what is below is the same. */
static void multiply_tiles(void *context, int shard, int worker)
{
    const struct square *square = context;
    int d = square->d, row = shard * TILE;
    (void)worker;
    for (int column = row; column < d; column += TILE) {
        struct rs_gemm shape = {
            .m = extent(d, row), .n = extent(d, column), .k = d, .ta = true, .lda = d, .ldb = d, .ldc = d};
        rs_gemm(&shape, square->roots + row, square->roots + column, 0,
                square->matrix + (size_t)row * (size_t)d + column);
    }
}

static void fill_matrix(struct rs_whitening *w, const struct spectrum *spectrum)
{
    size_t d = (size_t)spectrum->d;
    float *roots = rs_alloc(d, d * sizeof *roots);
    for (size_t k = 0; k < d; k++)
        for (size_t i = 0; i < d; i++)
            roots[k * d + i] = (float)(spectrum->vectors[k * d + i] * sqrt(spectrum->scales[k]));
    struct square square = {spectrum->d, roots, w->matrix};
    rs_parallel(multiply_tiles, &square, (spectrum->d + TILE - 1) / TILE);
    free(roots);
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < i; j++)
            w->matrix[i * d + j] = w->matrix[j * d + i];
}

static void fill_truncated(struct rs_whitening *w, const struct spectrum *spectrum)
{
    size_t d = (size_t)spectrum->d, rank = (size_t)spectrum->count;
    for (size_t k = 0; k < rank; k++) {
        w->scales[k] = (float)spectrum->scales[rank - 1 - k];
        for (size_t i = 0; i < d; i++)
            w->vectors[k * d + i] = (float)spectrum->vectors[(rank - 1 - k) * d + i];
    }
    *w->tail = (float)spectrum->tail;
}

static void fill_filter(struct rs_whitening *w, const struct spectrum *spectrum)
{
    size_t d = (size_t)spectrum->d, window = d / (size_t)w->planes;
    for (size_t plane = 0; plane < (size_t)w->planes; plane++)
        for (size_t i = 0; i < d; i++) {
            double sum = 0;
            for (size_t k = 0; k < d; k++) {
                const double *vector = spectrum->vectors + k * d;
                sum += vector[plane * window + window / 2] * spectrum->scales[k] * vector[i];
            }
            w->matrix[plane * d + i] = (float)sum;
        }
}

/* A filter comes by any place: its mean is that of all places. */
static void fill_mean(struct rs_whitening *w, const double *mean)
{
    int means = w->filter ? w->planes : rs_whitening_size(w), each = rs_whitening_size(w) / means;
    for (int m = 0; m < means; m++) {
        double sum = 0;
        for (int i = 0; i < each; i++)
            sum += *mean++;
        w->mean[m] = (float)(sum / each);
    }
}

const char *rs_whitening_fit(struct rs_whitening *w, struct rs_covariance *sums, double epsilon,
                             bool progress)
{
    struct spectrum spectrum = {0};
    rs_covariance_end(sums);
    const char *error = sums->count < 2
                            ? rs_error("%jd vectors, where a covariance wants two", (intmax_t)sums->count)
                            : decompose(&spectrum, sums, w, epsilon, progress);
    if (!error) {
        rs_whitening_reserve(w);
        fill_mean(w, sums->mean);
        (w->filter ? fill_filter : w->rank ? fill_truncated : fill_matrix)(w, &spectrum);
        error = rs_whitening_finish(w);
        if (error)
            rs_whitening_free(w);
    }
    free(spectrum.vectors);
    free(spectrum.scales);
    return error;
}
