#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/thread.h"
#include "filter/clahe.h"
#include "filter/lines.h"
#include "filter/matched.h"
#include "filter/plane.h"
#include "format/pam.h"
#include "tap.h"

static struct rs_rng rng;

static double noise(void)
{
    return rs_rng_normal(&rng);
}

/* Noise with a field of view that is a disc with a hole. */
static struct rs_plane noisy_plane(int width, int height)
{
    struct rs_plane plane = rs_plane_start(width, height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double r = hypot(x - width / 2., y - height / 2.);
            plane.inside[y * width + x] = r < .45 * width && r > 2;
            plane.at[y * width + x] = (float)(100 + 20 * noise());
        }
    return plane;
}

/* --- Planes --- */

static bool in_plane(const struct rs_plane *plane, int x, int y)
{
    return x >= 0 && y >= 0 && x < plane->width && y < plane->height;
}

static void test_shrink(void)
{
    for (int radius = 0; radius < 5; radius++) {
        struct rs_plane plane = noisy_plane(40, 31), before = noisy_plane(40, 31);
        int wrong = 0;
        rs_plane_shrink(&plane, radius);
        for (int i = 0; i < 40 * 31; i++) {
            bool all = true;
            for (int y = -radius; y <= radius; y++)
                for (int x = -radius; x <= radius; x++)
                    all &= !in_plane(&before, i % 40 + x, i / 40 + y) || before.inside[i + y * 40 + x];
            wrong += plane.inside[i] != all;
        }
        ok(wrong == 0, "shrunk by %d", radius);
        rs_plane_free(&plane);
        rs_plane_free(&before);
    }
}

static double mean_twin(const struct rs_plane *plane, const float *from, int at, int radius)
{
    double sum = 0;
    int count = 0, width = plane->width;
    for (int y = -radius; y <= radius; y++)
        for (int x = -radius; x <= radius; x++)
            if (in_plane(plane, at % width + x, at / width + y) && plane->inside[at + y * width + x]) {
                sum += (double)from[at + y * width + x];
                count++;
            }
    return count ? sum / count : 0;
}

static void test_mean(void)
{
    const int cases[][3] = {{40, 31, 3}, {40, 31, 60}, {7, 300, 4}, {1, 1, 1}, {300, 2, 140}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct rs_plane plane = noisy_plane(cases[c][0], cases[c][1]);
        int pixels = plane.width * plane.height;
        float *mean = rs_alloc((size_t)pixels, sizeof *mean);
        double most = 0;
        rs_plane_mean(&plane, mean, plane.at, cases[c][2]);
        for (int i = 0; i < pixels; i++)
            most = fmax(most, fabs((double)mean[i] - mean_twin(&plane, plane.at, i, cases[c][2])));
        ok(most < 1e-4, "means of %d x %d in squares of %d: off by %g", plane.width, plane.height,
           cases[c][2], most);
        free(mean);
        rs_plane_free(&plane);
    }
}

static void test_flatten(void)
{
    enum { WIDTH = 60, HEIGHT = 50, RADIUS = 6 };
    struct rs_plane plane = noisy_plane(WIDTH, HEIGHT), d = rs_plane_start(WIDTH, HEIGHT);
    double most = 0, squares = 0;
    float *square = rs_alloc(WIDTH * HEIGHT, sizeof *square);
    int count = 0;
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        d.inside[i] = plane.inside[i];
        d.at[i] = plane.inside[i] ? (float)((double)plane.at[i] - mean_twin(&plane, plane.at, i, RADIUS)) : 0;
        square[i] = d.at[i] * d.at[i];
        squares += (double)square[i];
        count += plane.inside[i];
    }
    rs_plane_flatten(&plane, RADIUS);
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        double here = sqrt(mean_twin(&d, square, i, RADIUS) + 1), whole = sqrt(squares / count + 1);
        most = fmax(most, fabs((double)plane.at[i] - (double)d.at[i] / sqrt(here * whole)));
    }
    ok(most < 1e-5, "flattened as the definition says: off by %g", most);
    memset(plane.inside, 0, WIDTH * HEIGHT);
    rs_plane_flatten(&plane, RADIUS);
    int wrong = 0;
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        wrong += fpclassify(plane.at[i]) != FP_ZERO;
    ok(wrong == 0, "nothing inside: all 0");
    free(square);
    rs_plane_free(&plane);
    rs_plane_free(&d);
}

static void test_photograph(void)
{
    const struct rs_image like = {.subject = RS_RGB, .has_fov = true, .maxval = 1000};
    struct rs_image image = {0};
    rs_image_shape(&image, &like, 5, 3, false);
    for (int i = 0; i < 15; i++) {
        image.samples[4 * i + 1] = (uint16_t)(60 * i);
        image.samples[4 * i + 3] = i == 7 ? 500 : 1000; /* half is no yes */
    }
    struct rs_plane plane = rs_plane_of(&image, 2);
    ok(plane.width == 3 && plane.height == 2, "squares of two: a plane of 3 x 2");
    near((double)plane.at[0], 255 * (1 - .06 * 3), 1e-3, "a square's mean");
    near((double)plane.at[2], 255 * (1 - .06 * 6.5), 1e-3, "of half a square");
    near((double)plane.at[5], 255 * (1 - .06 * 14), 1e-3, "of a quarter of one");
    ok(plane.inside[0] && !plane.inside[1] && plane.inside[2] && plane.inside[4],
       "inside where all of it is");
    for (int i = 0; i < 6; i++)
        plane.at[i] = (float)(10 * (i % 3) + 100 * (i / 3));
    near((double)rs_plane_between(&plane, 2, 0, 0), 0, 1e-6, "beyond the first middle");
    near((double)rs_plane_between(&plane, 2, 1, 0), 2.5, 1e-5, "a quarter of the way");
    near((double)rs_plane_between(&plane, 2, 2, 1), 7.5 + 25, 1e-5, "and of the other");
    near((double)rs_plane_between(&plane, 2, 4, 2), 17.5 + 75, 1e-5, "near the last");
    near((double)rs_plane_between(&plane, 1, 2, 1), 120, 1e-6, "a pixel a square: itself");
    rs_plane_free(&plane);
    rs_image_free(&image);
}

/* --- Shades against OpenCV --- */

static struct rs_image read_image(FILE *stream)
{
    struct rs_image image = {0};
    bool more;
    no_error(rs_image_read(stream, RS_USUAL_PIXELS, &image, &more), "an image");
    return image;
}

static uint8_t *shades_of(const struct rs_image *image)
{
    int pixels = image->width * image->height;
    uint8_t *shades = rs_alloc((size_t)pixels, 1);
    for (int i = 0; i < pixels; i++)
        shades[i] = (uint8_t)image->samples[i];
    return shades;
}

static int differing(const uint8_t *found, const struct rs_image *wanted)
{
    int count = 0;
    for (int i = 0; i < wanted->width * wanted->height; i++)
        count += found[i] != wanted->samples[i];
    return count;
}

static void check_clahe(FILE *stream, const struct rs_image *image)
{
    const struct {
        int tiles;
        double limit;
    } cases[] = {{8, 2}, {8, 40}, {4, .5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rs_image wanted = read_image(stream);
        uint8_t *shades = shades_of(image);
        rs_clahe(shades, image->width, image->height, cases[i].tiles, cases[i].limit);
        int off = differing(shades, &wanted);
        ok(off == 0, "CLAHE of %d x %d, %d tiles, limit %g: %d pixels are not OpenCV's", image->width,
           image->height, cases[i].tiles, cases[i].limit, off);
        free(shades);
        rs_image_free(&wanted);
    }
}

static void check_openings(FILE *stream, const struct rs_image *image)
{
    struct rs_image most = read_image(stream), least = read_image(stream);
    uint8_t *shades = shades_of(image), *high = shades_of(image), *low = shades_of(image);
    rs_line_openings(high, low, shades, image->width, image->height, 9, 4);
    ok(differing(high, &most) == 0 && differing(low, &least) == 0,
       "openings in four directions: the largest and the smallest are OpenCV's");
    free(shades);
    free(high);
    free(low);
    rs_image_free(&most);
    rs_image_free(&least);
}

static void test_opencv(void)
{
    size_t size;
    char *data = test_data("opencv.pgm", &size);
    FILE *stream = fmemopen(data, size, "rb");
    for (int i = 0; i < 3; i++) {
        struct rs_image image = read_image(stream);
        check_clahe(stream, &image);
        if (i == 0)
            check_openings(stream, &image);
        rs_image_free(&image);
    }
    fclose(stream);
    free(data);
}

/* --- Openings by their definition --- */

struct shades {
    int width, height;
    uint8_t *at;
};

/* The pixel that is t steps along the line through (x, y); false beyond the edges. */
static bool step(const struct shades *s, double angle, int x, int y, int t, int *place)
{
    bool steep = fabs(sin(angle)) >= fabs(cos(angle)) - 1e-9;
    double slope = steep ? cos(angle) / sin(angle) : sin(angle) / cos(angle);
    int along = steep ? y : x;
    int off = (int)(floor(.5 + (along + t) * slope) - floor(.5 + along * slope));
    x += steep ? off : t;
    y += steep ? t : off;
    *place = y * s->width + x;
    return x >= 0 && y >= 0 && x < s->width && y < s->height;
}

static uint8_t *extreme_twin(const struct shades *s, double angle, int reach, bool most)
{
    uint8_t *to = rs_alloc((size_t)s->width * (size_t)s->height, 1);
    for (int i = 0; i < s->width * s->height; i++) {
        to[i] = s->at[i];
        for (int t = -reach, place; t <= reach; t++)
            if (step(s, angle, i % s->width, i / s->width, t, &place) &&
                (most ? s->at[place] > to[i] : s->at[place] < to[i]))
                to[i] = s->at[place];
    }
    return to;
}

static void test_openings(void)
{
    const int cases[][4] = {{50, 40, 9, 12}, {700, 9, 13, 5}, {9, 230, 7, 8},
                            {1, 1, 5, 3},    {31, 29, 61, 7}, {20, 20, 1, 4}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct shades s = {cases[c][0], cases[c][1], NULL};
        int pixels = s.width * s.height, wrong = 0, directions = cases[c][3];
        s.at = rs_alloc((size_t)pixels, 1);
        for (int i = 0; i < pixels; i++)
            s.at[i] = (uint8_t)rs_rng_below(&rng, 256);
        uint8_t *most = rs_alloc(2 * (size_t)pixels, 1), *least = most + pixels;
        uint8_t *high = rs_alloc((size_t)pixels, 1), *low = rs_alloc((size_t)pixels, 1);
        memset(low, 255, (size_t)pixels);
        for (int k = 0; k < directions; k++) {
            double angle = M_PI * k / directions;
            int reach = (rs_line_pixels(cases[c][2], angle) - 1) / 2;
            struct shades eroded = {s.width, s.height, extreme_twin(&s, angle, reach, false)};
            uint8_t *opened = extreme_twin(&eroded, angle, reach, true);
            for (int i = 0; i < pixels; i++) {
                high[i] = opened[i] > high[i] ? opened[i] : high[i];
                low[i] = opened[i] < low[i] ? opened[i] : low[i];
            }
            free(eroded.at);
            free(opened);
        }
        rs_line_openings(most, least, s.at, s.width, s.height, cases[c][2], directions);
        for (int i = 0; i < pixels; i++)
            wrong += most[i] != high[i] || least[i] != low[i];
        ok(wrong == 0, "%d x %d, lines of %d in %d directions: as defined", s.width, s.height, cases[c][2],
           directions);
        free(s.at);
        free(most);
        free(high);
        free(low);
    }
    ok(rs_line_pixels(9, 0) == 9 && rs_line_pixels(9, M_PI / 4) == 7 && rs_line_pixels(1, 1) == 1 &&
           rs_line_pixels(.3, 1) == 1,
       "pixels of a line");
}

/* --- Matched filters --- */

enum { HALF = 40, WHOLE = 2 * HALF + 1 }; /* of a kernel, more than any here reaches */

/* A Gaussian, or its derivative, at the pixels up to three deviations away. */
static void taps_twin(double deviation, int order, double taps[WHOLE])
{
    int reach = (int)ceil(3 * deviation);
    double sum = 0;
    memset(taps, 0, WHOLE * sizeof *taps);
    for (int i = -reach; i <= reach; i++) {
        double x = i / deviation, g = exp(-x * x / 2) / (sqrt(2 * M_PI) * deviation);
        taps[HALF + i] = order == 0   ? g
                         : order == 1 ? -x * g / deviation
                                      : (x * x - 1) * g / (deviation * deviation);
        sum += taps[HALF + i];
    }
    for (int i = -reach; i <= reach; i++)
        taps[HALF + i] = order == 0 ? taps[HALF + i] / sum : taps[HALF + i] - sum / (2 * reach + 1);
}

/* The second derivative across the direction of a round Gaussian, at (x, y). */
static double across_twin(double deviation, double angle, int x, int y)
{
    double taps[3][WHOLE], s = sin(angle), c = cos(angle);
    if (abs(x) > HALF || abs(y) > HALF)
        return 0;
    for (int order = 0; order < 3; order++)
        taps_twin(deviation, order, taps[order]);
    return s * s * taps[2][HALF + x] * taps[0][HALF + y] - 2 * s * c * taps[1][HALF + x] * taps[1][HALF + y] +
           c * c * taps[0][HALF + x] * taps[2][HALF + y];
}

/* [WHOLE][WHOLE]: that, drawn along the direction: a pixel a step, and between two pixels a share of each. */
static double *kernel_twin(const struct rs_matched *size, double angle)
{
    double *kernel = rs_alloc(WHOLE * WHOLE, sizeof *kernel), *round = rs_alloc(WHOLE * WHOLE, sizeof *round);
    bool steep = fabs(sin(angle)) > fabs(cos(angle));
    double slope = steep ? cos(angle) / sin(angle) : tan(angle), step = hypot(1, slope), sum = 0;
    double rest = sqrt(size->along * size->along - size->across * size->across);
    double squares = 3 / (8 * sqrt(M_PI) * pow(size->across, 5)) / (2 * sqrt(M_PI) * size->along);
    int reach = (int)floor(3 * rest / step);
    for (int i = 0; i < WHOLE * WHOLE; i++)
        round[i] = across_twin(size->across, angle, i % WHOLE - HALF, i / WHOLE - HALF);
    for (int t = -reach; t <= reach; t++)
        sum += exp(-pow(t * step / rest, 2) / 2);
    for (int t = -reach; t <= reach; t++)
        for (int k = 0; k < 2; k++) {
            int before = (int)floor(t * slope + 1e-9);
            double share = fmax(0, t * slope - before), weight = exp(-pow(t * step / rest, 2) / 2) / sum;
            int x = steep ? before + k : t, y = steep ? t : before + k;
            for (int i = 0; i < WHOLE * WHOLE; i++)
                if (abs(i % WHOLE - HALF - x) <= HALF && abs(i / WHOLE - HALF - y) <= HALF)
                    kernel[i] -= (k ? share : 1 - share) * weight * round[i - y * WHOLE - x] / sqrt(squares);
        }
    free(round);
    return kernel;
}

static double answer_twin(const struct rs_plane *plane, const double *kernel, int at)
{
    double sum = 0;
    for (int i = 0; i < WHOLE * WHOLE; i++) {
        int x = at % plane->width + i % WHOLE - HALF, y = at / plane->width + i / WHOLE - HALF;
        if (in_plane(plane, x, y))
            sum += kernel[i] * (double)plane->at[y * plane->width + x];
    }
    return sum;
}

static void test_matched(void)
{
    const struct rs_matched sizes[] = {{1.5, 5}, {2.5, 6}};
    const int shapes[][2] = {{70, 60}, {520, 7}, {5, 110}, {1, 1}};
    double *kernels[2][RS_MATCHED_DIRECTIONS];
    for (int i = 0; i < 2 * RS_MATCHED_DIRECTIONS; i++)
        kernels[i / RS_MATCHED_DIRECTIONS][i % RS_MATCHED_DIRECTIONS] = kernel_twin(
            &sizes[i / RS_MATCHED_DIRECTIONS], M_PI * (i % RS_MATCHED_DIRECTIONS) / RS_MATCHED_DIRECTIONS);
    for (size_t c = 0; c < sizeof shapes / sizeof *shapes; c++) {
        struct rs_plane plane = rs_plane_start(shapes[c][0], shapes[c][1]);
        int pixels = plane.width * plane.height;
        for (int i = 0; i < pixels; i++)
            plane.at[i] = (float)noise();
        float *response = rs_alloc((size_t)pixels, sizeof *response);
        rs_matched_filter(response, &plane, sizes, 2);
        double most = 0;
        for (int i = 0; i<pixels; i += pixels> 1000 ? 7 : 1) {
            double sum = 0;
            for (int size = 0; size < 2; size++) {
                double best = -INFINITY;
                for (int k = 0; k < RS_MATCHED_DIRECTIONS; k++)
                    best = fmax(best, answer_twin(&plane, kernels[size][k], i));
                sum += best;
            }
            most = fmax(most, fabs(sum - (double)response[i]));
        }
        ok(most < 1e-5, "%d x %d: off by %g", plane.width, plane.height,
           most); /* sums of some 100 floats near 1 */
        free(response);
        rs_plane_free(&plane);
    }
    for (int i = 0; i < 2 * RS_MATCHED_DIRECTIONS; i++)
        free(kernels[i / RS_MATCHED_DIRECTIONS][i % RS_MATCHED_DIRECTIONS]);
}

/* The formula, of which the filters are an approximation: what they take from between two pixels is blurred by a sixth
 * of a pixel squared, which is a fiftieth of the variance of filter and ridge together, to the power of 3/2; and they
 * end at three deviations. A ridge answers as the integral has it, in every direction, less that. */
static void test_ridge(void)
{
    enum { SIDE = 101 };
    const struct rs_matched size = {2, 6};
    float *response = rs_alloc(SIDE * SIDE, sizeof *response);
    struct rs_plane plane = rs_plane_start(SIDE, SIDE);
    for (int k = 0; k < RS_MATCHED_DIRECTIONS; k++) {
        double angle = M_PI * k / RS_MATCHED_DIRECTIONS;
        for (int i = 0; i < SIDE * SIDE; i++) {
            double y = i / SIDE - SIDE / 2, x = i % SIDE - SIDE / 2, v = y * cos(angle) - x * sin(angle);
            plane.at[i] = (float)exp(-v * v / (2 * size.across * size.across));
        }
        rs_matched_filter(response, &plane, &size, 1);
        /* across: the second derivative of a Gaussian of variance 2 s^2; along: 1 */
        double squares = 3 / (8 * sqrt(M_PI) * pow(size.across, 5)) / (2 * sqrt(M_PI) * size.along);
        double wanted = 1 / (sqrt(8.) * size.across * size.across) / sqrt(squares);
        near((double)response[SIDE * SIDE / 2], .975 * wanted, .025 * wanted, "a ridge at %g degrees",
             angle * 180 / M_PI);
    }
    for (int i = 0; i < SIDE * SIDE; i++)
        plane.at[i] = 1000;
    rs_matched_filter(response, &plane, &size, 1);
    near((double)response[SIDE * SIDE / 2], 0, .01, "a plain of 1000 has no answer");
    free(response);
    rs_plane_free(&plane);
}

int main(void)
{
    rng = rs_rng_at(1, "test", 0, 0);
    no_error(rs_threads_start(2), "two threads");
    test_shrink();
    test_mean();
    test_flatten();
    test_photograph();
    test_opencv();
    test_openings();
    test_matched();
    test_ridge();
    return done();
}
