/* ZCA whitening against numpy (data/dump_whiten.py made the figures), on drawn data, and against itself in parts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/thread.h"
#include "blas/eigen.h"
#include "blas/gemm.h"
#include "format/safetensors.h"
#include "picture/whiten.h"
#include "tap.h"
#include "task/whiten.h"

enum { D = 27, RANK = 5, SHOWN = 40 };
static const double EPSILON = .1;

/* Of the largest number: sums of up to 700 single products, and eigenvectors as far apart as the data have them. */
static const double NUMPY = 1e-5;

static struct rs_record record;
static float *values; /* of the record, which begin anywhere in its file */

static const float *dumped(const char *name, size_t *count)
{
    const struct rs_array *array = rs_record_find(&record, name);
    if (!array) {
        printf("Bail out! no array %s\n", name);
        exit(1);
    }
    *count = array->bytes / sizeof(float);
    return values + array->offset / sizeof *values;
}

/* The larger; of a number that is none, infinity, which no tolerance lets pass. */
static double worse(double most, double apart)
{
    return isnan(apart) ? (double)INFINITY : fmax(most, apart);
}

static void same(const float *found, const char *name, size_t wanted_count, const char *what)
{
    size_t count;
    const float *wanted = dumped(name, &count);
    double most = 0, apart = 0;
    for (size_t i = 0; i < count && i < wanted_count; i++) {
        most = fmax(most, fabs((double)wanted[i]));
        apart = worse(apart, fabs((double)found[i] - (double)wanted[i]));
    }
    ok(count == wanted_count && apart <= NUMPY * most, "%s as numpy has it (%.2g of %.2g apart)", what, apart,
       most);
}

/* What is learnt from numpy's vectors. */
static struct rs_whitening learn(int rank, bool filter)
{
    struct rs_whitening w = {.planes = 3, .width = 3, .height = 3, .rank = rank, .filter = filter};
    struct rs_covariance sums;
    size_t count;
    const float *vectors = dumped("vectors", &count);
    rs_covariance_start(&sums, D);
    for (size_t i = 0; i < count; i += D) {
        memcpy(rs_covariance_next(&sums), vectors + i, D * sizeof *vectors);
        rs_covariance_add(&sums);
    }
    no_error(rs_whitening_fit(&w, &sums, EPSILON, false), "rank %d%s is learnt", rank,
             filter ? ", a filter" : "");
    rs_covariance_free(&sums);
    return w;
}

static void whiten_shown(const struct rs_whitening *w, const char *name)
{
    size_t count;
    const float *vectors = dumped("vectors", &count);
    float *x = rs_alloc(SHOWN, D * sizeof *x), *one = rs_alloc(1, D * sizeof *one);
    memcpy(x, vectors, SHOWN * D * sizeof *x);
    rs_whiten(w, x, SHOWN);
    same(x, name, (size_t)SHOWN * D, "whitened vectors");
    memcpy(one, vectors + (size_t)(SHOWN - 1) * D, D * sizeof *one);
    rs_whiten(w, one, 1);
    ok(!memcmp(one, x + (size_t)(SHOWN - 1) * D, D * sizeof *one), "%s: the same bits alone and among others",
       name);
    free(x);
    free(one);
}

static void test_numpy(void)
{
    struct rs_whitening full = learn(0, false), truncated = learn(RANK, false);
    same(full.mean, "mean", D, "the mean");
    same(full.matrix, "matrix", (size_t)D * D, "the matrix");
    whiten_shown(&full, "full");
    same(truncated.scales, "scales", RANK, "scales");
    same(truncated.tail, "tail", 1, "the tail");
    whiten_shown(&truncated, "truncated");
    rs_whitening_free(&full);
    rs_whitening_free(&truncated);
}

static void test_filter(void)
{
    enum { WIDTH = 6, HEIGHT = 5, WIDE = WIDTH + 2, PLANE = WIDTH * HEIGHT };
    struct rs_whitening w = learn(0, true);
    size_t count;
    const float *photograph = dumped("photograph", &count);
    float y[3 * PLANE], row[3 * WIDTH], part[3 * 3 * WIDE];
    same(w.matrix, "filter", 3 * D, "the centre's rows");
    rs_whiten_filter(&w, y, photograph, WIDTH, HEIGHT);
    same(y, "filtered", 3 * PLANE, "a filtered photograph");
    for (int plane = 0; plane < 3; plane++)
        memcpy(part + plane * 3 * WIDE, photograph + plane * (HEIGHT + 2) * WIDE + 2 * WIDE,
               3 * WIDE * sizeof *part);
    rs_whiten_filter(&w, row, part, WIDTH, 1);
    bool equal = true;
    for (int plane = 0; plane < 3; plane++)
        equal &= !memcmp(row + plane * WIDTH, y + plane * PLANE + 2 * WIDTH, WIDTH * sizeof *row);
    ok(equal, "a row by itself has the bits that it has in the whole");
    const float *mean = dumped("mean", &count);
    for (int plane = 0; plane < 3; plane++, mean += 9) {
        double sum = 0;
        for (int i = 0; i < 9; i++)
            sum += (double)mean[i];
        near((double)w.mean[plane], sum / 9, 1e-6, "the mean of plane %d is that of all places", plane + 1);
    }
    rs_whitening_free(&w);
}

/* Correlated Gaussian data: each number leans on the one before it. */
static void draw(float *x, int d, uint64_t n)
{
    struct rs_rng rng = rs_rng_at(1, "test_whiten", n, 0);
    double before = 0;
    for (int i = 0; i < d; i++) {
        before = .9 * before + .1 * (1 + i % 5) * rs_rng_normal(&rng);
        x[i] = (float)(3 + before);
    }
}

static void test_gaussian(void)
{
    enum {
        WIDTH = 20,
        HEIGHT = 15,
        SIZE = WIDTH * HEIGHT,
        COUNT = 2000
    }; /* more than a tile of either product */
    struct rs_whitening w = {.planes = 1, .width = WIDTH, .height = HEIGHT};
    struct rs_covariance sums;
    rs_covariance_start(&sums, SIZE);
    for (uint64_t n = 0; n < COUNT; n++) {
        draw(rs_covariance_next(&sums), SIZE, n);
        rs_covariance_add(&sums);
    }
    no_error(rs_whitening_fit(&w, &sums, 1e-6, false), "2000 drawn vectors of 300");
    rs_covariance_free(&sums);
    double *covariance = rs_alloc(SIZE, SIZE * sizeof *covariance), most = 0;
    float x[SIZE];
    for (uint64_t n = 0; n < COUNT; n++) {
        draw(x, SIZE, n);
        rs_whiten(&w, x, 1);
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++)
                covariance[i * SIZE + j] += (double)x[i] * (double)x[j] / COUNT;
    }
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++)
            most = worse(most, fabs(covariance[i * SIZE + j] - (i == j)));
    /* on the directions that vary least, some 1/200 of the mean, epsilon takes 1e-6 * 200 */
    ok(most <= 1e-3, "the covariance of whitened Gaussian data is 1, within .001: %.2g", most);
    free(covariance);
    rs_whitening_free(&w);
}

/* All directions but one, and that one as the tail: the same map as in full. */
static void test_nearly_full(void)
{
    struct rs_whitening full = learn(0, false), nearly = learn(D - 1, false);
    size_t count;
    const float *vectors = dumped("vectors", &count);
    float a[D], b[D];
    double most = 0, apart = 0;
    memcpy(a, vectors, sizeof a);
    memcpy(b, vectors, sizeof b);
    rs_whiten(&full, a, 1);
    rs_whiten(&nearly, b, 1);
    for (int i = 0; i < D; i++) {
        most = fmax(most, fabs((double)a[i]));
        apart = worse(apart, fabs((double)(a[i] - b[i])));
    }
    ok(apart <= NUMPY * most, "a rank of d - 1 is as good as full");
    rs_whitening_free(&full);
    rs_whitening_free(&nearly);
}

static void test_nothing(void)
{
    struct rs_whitening w = {.planes = 1, .width = 2, .height = 2};
    struct rs_covariance sums;
    rs_covariance_start(&sums, 4);
    error_has(rs_whitening_fit(&w, &sums, .1, false), "0 vectors", "no vector");
    for (int n = 0; n < 3; n++) {
        for (int i = 0; i < 4; i++)
            rs_covariance_next(&sums)[i] = .5f;
        rs_covariance_add(&sums);
    }
    error_has(rs_whitening_fit(&w, &sums, .1, false), "nothing varies", "vectors that are all alike");
    rs_covariance_free(&sums);
}

static void test_check(void)
{
    struct {
        struct rs_whitening w;
        const char *part;
    } wrong[] = {
        {{.planes = 3, .width = 65, .height = 64}, "more than the 12288"},
        {{.planes = 3, .width = 1 << 30, .height = 1 << 30}, "more than the 12288"},
        {{.planes = 1, .width = 0, .height = 4}, "more than the 12288"},
        {{.planes = 1, .width = 2, .height = 4, .rank = 8}, "a rank of 8"},
        {{.planes = 1, .width = 2, .height = 4, .rank = -1}, "a rank of -1"},
        {{.planes = 1, .width = 3, .height = 4, .filter = true}, "it is odd"},
        {{.planes = 1, .width = 3, .height = 3, .filter = true, .rank = 2}, "it is odd"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        error_has(rs_whitening_check(&wrong[i].w), wrong[i].part, "refused: %s", wrong[i].part);
    struct rs_whitening largest = {.planes = 3, .width = 64, .height = 64, .rank = 12287};
    no_error(rs_whitening_check(&largest), "the largest there is");
}

static void test_finish(void)
{
    struct rs_whitening w = {.planes = 1, .width = 2, .height = 2, .rank = 1};
    rs_whitening_reserve(&w);
    w.scales[0] = 1;
    error_has(rs_whitening_finish(&w), "'whitening.tail' has a value that is not above 0", "a tail of 0");
    *w.tail = 1;
    no_error(rs_whitening_finish(&w), "all set");
    w.scales[0] = -1;
    error_has(rs_whitening_finish(&w), "'whitening.scales' has a value that is not above 0",
              "a scale below 0");
    w.vectors[3] = NAN;
    error_has(rs_whitening_finish(&w), "'whitening.vectors' has a value that is not finite", "NaN");
    rs_whitening_free(&w);
}

static void read_dumped(void)
{
    size_t bytes, header;
    unsigned char *file = test_data("numpy_whiten.safetensors", &bytes);
    no_error(rs_record_parse(&record, file, bytes, &header), "numpy's file is read");
    values = rs_alloc(bytes - header, 1);
    memcpy(values, file + header, bytes - header);
    free(file);
}

int main(void)
{
    read_dumped();
    no_error(rs_threads_start(2), "two threads");
    no_error(rs_gemm_start(2), "OpenBLAS");
    test_numpy();
    test_filter();
    test_gaussian();
    test_nearly_full();
    test_nothing();
    test_check();
    test_finish();
    rs_record_free(&record);
    free(values);
    return done();
}
