#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "format/pam.h"
#include "picture/warp.h"
#include "tap.h"

static struct rs_image moved(const struct rs_image *image, struct rs_warp_move move)
{
    struct rs_warp warp = {0};
    struct rs_image turned = {0};
    rs_warp_prepare(&warp, image);
    rs_warp_turn(&turned, &warp, &move);
    rs_warp_free(&warp);
    return turned;
}

static struct rs_warp_move by(double degrees)
{
    return (struct rs_warp_move){.zoom = 1, .degrees = degrees};
}

static struct rs_image turn(const struct rs_image *image, double degrees)
{
    return moved(image, by(degrees));
}

static const struct rs_image all_planes = {
    .subject = RS_RGB, .has_vessel = true, .has_fov = true, .maxval = 255};

/* Noise in every plane; the field of view is a disc. */
static struct rs_image noise(struct rs_image like, int width, int height)
{
    struct rs_image image = {0};
    struct rs_rng rng = rs_rng_at(1, "test", (uint64_t)width, (uint64_t)height);
    rs_image_shape(&image, &like, width, height, false);
    int planes = rs_image_planes(&image);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint16_t *at = rs_image_at(&image, x, y);
            for (int p = 0; p < planes; p++)
                at[p] = (uint16_t)rs_rng_below(&rng, (uint64_t)image.maxval + 1);
            if (like.has_fov)
                at[planes - 1] =
                    hypot(x - .45 * width, y - .5 * height) < .4 * width ? (uint16_t)image.maxval : 0;
        }
    return image;
}

/* The samples that differ by more than `tolerance`, the field of view left out. */
static int count_differing(const struct rs_image *a, const struct rs_image *b, int tolerance)
{
    int count = 0, planes = rs_image_subject_planes(a->subject) + a->has_vessel;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++)
            for (int p = 0; p < planes; p++)
                count += abs(rs_image_at(a, x, y)[p] - rs_image_at(b, x, y)[p]) > tolerance;
    return count;
}

static void test_pillow(const char *name)
{
    const double angles[] = {10, 45, 90, 123.4, 180, 211.7, 270};
    size_t size;
    bool more;
    char *data = test_data(name, &size);
    FILE *stream = fmemopen(data, size, "rb");
    struct rs_image source = {0}, wanted = {0};
    no_error(rs_image_read(stream, RS_USUAL_PIXELS, &source, &more), "%s: the image", name);
    for (size_t i = 0; i < sizeof angles / sizeof *angles; i++) {
        no_error(rs_image_read(stream, RS_USUAL_PIXELS, &wanted, &more), "%s: Pillow's image", name);
        struct rs_image found = turn(&source, angles[i]);
        int samples = source.width * source.height * 4;
        int off = count_differing(&found, &wanted, 0), far = count_differing(&found, &wanted, 1);
        ok(far == 0 && off <= samples / 500,
           "%s by %g degrees: %d of %d samples differ from Pillow's, %d by more than 1", name, angles[i], off,
           samples, far);
        rs_image_free(&found);
    }
    fclose(stream);
    free(data);
    rs_image_free(&source);
    rs_image_free(&wanted);
}

/* Keys' kernel with a = -1. */
static double kernel(double t)
{
    t = fabs(t);
    return t < 1 ? (t - 2) * t * t + 1 : t < 2 ? ((-t + 5) * t - 8) * t + 4 : 0;
}

static int within(int value, int size)
{
    return value < 0 ? 0 : value < size ? value : size - 1;
}

static int bicubic(const struct rs_image *image, double x, double y, int plane)
{
    double sum = 0;
    for (int j = (int)floor(y - .5) - 1; j <= floor(y - .5) + 2; j++)
        for (int i = (int)floor(x - .5) - 1; i <= floor(x - .5) + 2; i++)
            sum += kernel(x - .5 - i) * kernel(y - .5 - j) *
                   rs_image_at(image, within(i, image->width), within(j, image->height))[plane];
    return (int)fmin(image->maxval, fmax(0, sum));
}

/* Sixteen taps and a kernel for each sample of each plane, where rs_warp_turn works by pixels and tiles.
 * Returns how many samples differ; of the field of view, the tenth of a millionth of a pixel at whole numbers
 * is let pass. */
static int count_unlike_twin(const struct rs_image *image, const struct rs_image *turned,
                             struct rs_warp_move move, int tolerance)
{
    double angle = (move.degrees + 90 * move.quarters) * M_PI / 180;
    double c = cos(angle) / move.zoom, s = sin(angle) / move.zoom;
    int count = 0, planes = rs_image_planes(image) - image->has_fov;
    for (int row = 0; row < image->height; row++)
        for (int column = 0; column < image->width; column++) {
            double u = column + .5 - image->width / 2., v = row + .5 - image->height / 2.;
            double side = c * u - s * v;
            double x = image->width / 2. + (move.mirror ? -side : side),
                   y = image->height / 2. + s * u + c * v;
            bool inside = x >= 0 && x < image->width && y >= 0 && y < image->height;
            bool field = inside && (!image->has_fov || rs_image_at(image, (int)x, (int)y)[planes] > 0);
            const uint16_t *found = rs_image_at(turned, column, row);
            if (fabs(x - rint(x)) < 1e-7 || fabs(y - rint(y)) < 1e-7)
                continue;
            for (int p = 0; p < planes; p++)
                count += abs(found[p] - (inside ? bicubic(image, x, y, p) : 0)) > tolerance;
            count += found[planes] != (field ? image->maxval : 0);
        }
    return count;
}

static void test_move(struct rs_image like, int width, int height, struct rs_warp_move move)
{
    char kind[32];
    struct rs_image image = noise(like, width, height), turned = moved(&image, move);
    rs_image_kind(&image, kind);
    int samples = width * height * rs_image_planes(&image);
    int unlike = count_unlike_twin(&image, &turned, move, 0),
        far = count_unlike_twin(&image, &turned, move, 1);
    ok(far == 0 && unlike <= samples / 50,
       "%s %d x %d, maxval %d, %sby %d quarters and %g, %g times: %d of %d samples unlike the naive twin's",
       kind, width, height, image.maxval, move.mirror ? "mirrored, " : "", move.quarters, move.degrees,
       move.zoom, unlike, samples);
    ok(turned.has_fov && turned.width == width && turned.height == height && turned.maxval == image.maxval,
       "planes, size and maxval stay");
    rs_image_free(&image);
    rs_image_free(&turned);
}

static void test_twin(struct rs_image like, int width, int height, double degrees)
{
    test_move(like, width, height, by(degrees));
}

static void test_moves(void)
{
    const struct rs_image gray = {.subject = RS_GRAYSCALE, .maxval = 255};
    test_move(all_planes, 61, 40, (struct rs_warp_move){true, 1, 0, 33});
    test_move(all_planes, 60, 40, (struct rs_warp_move){true, 1.25, 3, 12.5});
    test_move(all_planes, 259, 261, (struct rs_warp_move){false, .8, 1, 7});
    test_move(gray, 33, 64, (struct rs_warp_move){false, 3.7, 2, 0});
    test_move(gray, 40, 41, (struct rs_warp_move){true, .3, 0, 359});
}

static void test_twins(void)
{
    const struct rs_image gray = {.subject = RS_GRAYSCALE, .maxval = 255},
                          bit = {.subject = RS_PROB, .maxval = 1};
    struct rs_image deep = all_planes, map = {.subject = RS_PROB, .has_vessel = true, .maxval = 65535};
    deep.maxval = 4095;
    test_twin(all_planes, 300, 271, 33.3);
    test_twin(all_planes, 259, 20, 268.1);
    test_twin(deep, 40, 61, 200);
    test_twin(map, 31, 32, 77);
    test_twin(gray, 64, 63, 359);
    test_twin(bit, 9, 10, 20);
    test_twin(gray, 1, 1, 45);
    test_twin(gray, 1, 7, 100);
}

static void test_still(void)
{
    struct rs_image image = noise(all_planes, 35, 22);
    for (int whole = 0; whole < 2; whole++) {
        struct rs_image turned = turn(&image, whole * 360);
        ok(!memcmp(turned.samples, image.samples, 35 * 22 * 5 * sizeof *image.samples),
           "%d degrees: every plane as it was", whole * 360);
        rs_image_free(&turned);
    }
    rs_image_free(&image);
}

/* (column, row) of a copy comes from (*x, *y): turned by quarters of a circle about the centre, in half pixels from
 * there, and mirrored; rounded down where that is between two pixels. */
static void exact_source(const struct rs_image *image, struct rs_warp_move move, int column, int row, int *x,
                         int *y)
{
    int u = 2 * column + 1 - image->width, v = 2 * row + 1 - image->height;
    for (int i = 0; i < move.quarters + (int)move.degrees / 90; i++) {
        int old = u;
        u = -v;
        v = old;
    }
    *x = (int)floor(((move.mirror ? -u : u) + image->width - 1) / 2.);
    *y = (int)floor((v + image->height - 1) / 2.);
}

static void test_exact(int width, int height, struct rs_warp_move move)
{
    static const uint16_t black[5];
    struct rs_image image = noise(all_planes, width, height), turned = moved(&image, move);
    int unlike = 0, x, y;
    for (int row = 0; row < height; row++)
        for (int column = 0; column < width; column++) {
            exact_source(&image, move, column, row, &x, &y);
            bool inside = x >= 0 && x < width && y >= 0 && y < height;
            unlike += memcmp(rs_image_at(&turned, column, row), inside ? rs_image_at(&image, x, y) : black,
                             sizeof black) != 0;
        }
    ok(unlike == 0, "%d x %d: %s%d quarters and %g degrees counter-clockwise are exact in every plane", width,
       height, move.mirror ? "mirrored, " : "", move.quarters, move.degrees);
    rs_image_free(&image);
    rs_image_free(&turned);
}

static void test_quarters(void)
{
    for (int i = 0; i < 8; i++) {
        test_exact(33, 33, (struct rs_warp_move){i / 4, 1, i % 4, 0});
        test_exact(16, 16, (struct rs_warp_move){i / 4, 1, 0, 90 * (i % 4)});
        test_exact(20, 33, (struct rs_warp_move){i / 4, 1, i % 4, 0});
        test_exact(33, 20, (struct rs_warp_move){i / 4, 1, i % 4, 0});
        test_exact(14, 30, (struct rs_warp_move){i / 4, 1, i % 4, 0});
    }
}

static void test_flat(void)
{
    struct rs_image image = {0}, like = all_planes;
    int outside = 0, wrong = 0;
    like.has_fov = false;
    like.maxval = 65535;
    rs_image_shape(&image, &like, 50, 31, false);
    for (int i = 0; i < 50 * 31 * 4; i++)
        image.samples[i] = 65535;
    struct rs_image turned = turn(&image, 27);
    for (int i = 0; i < 50 * 31; i++) {
        const uint16_t *at = turned.samples + i * 5;
        outside += at[4] == 0;
        for (int p = 0; p < 4; p++)
            wrong += at[p] != at[4];
    }
    ok(wrong == 0, "white stays white, and what comes from outside is black in every plane");
    ok(outside > 200 && outside < 400, "and outside the field of view (%d of 1550 pixels)", outside);
    rs_image_free(&image);
    rs_image_free(&turned);
}

static void test_reuse(void)
{
    struct rs_warp warp = {0};
    const struct rs_warp_move move = by(12);
    struct rs_image turned = {0}, big = noise(all_planes, 90, 70), small = noise(all_planes, 20, 30);
    rs_warp_prepare(&warp, &big);
    rs_warp_turn(&turned, &warp, &move);
    rs_warp_prepare(&warp, &small);
    rs_warp_turn(&turned, &warp, &move);
    struct rs_image fresh = turn(&small, 12);
    ok(!memcmp(turned.samples, fresh.samples, 20 * 30 * 5 * sizeof *fresh.samples),
       "nothing is left of the image before");
    rs_warp_free(&warp);
    rs_image_free(&turned);
    rs_image_free(&fresh);
    rs_image_free(&big);
    rs_image_free(&small);
}

static void test_angles(void)
{
    const struct rs_warp_range range = {.angle = 270, .zoom = {1, 1}};
    double sum = 0, least = 1e9, most = -1;
    int others = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        struct rs_warp_move move = rs_warp_draw(&range, 3, i / 100, i % 100);
        sum += move.degrees;
        least = fmin(least, move.degrees);
        most = fmax(most, move.degrees);
        others += move.mirror || move.quarters || move.zoom != 1;
    }
    near(sum / 10000, 135, 3, "the mean angle is in the middle");
    ok(least >= 0 && least < 1 && most < 270 && most > 269, "from 0 to below the greatest");
    ok(rs_warp_draw(&range, 3, 1, 2).degrees != rs_warp_draw(&range, 3, 2, 1).degrees,
       "image and copy count");
    ok(others == 0, "nothing else is done");
}

static void test_draws(void)
{
    const struct rs_warp_range all = {270, true, true, {.5, 2}}, angle = {270, false, false, {1, 1}};
    int mirrored = 0, quarters[4] = {0}, larger = 0, other_angles = 0;
    double least = 9, most = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        struct rs_warp_move move = rs_warp_draw(&all, 3, i / 100, i % 100);
        mirrored += move.mirror;
        quarters[move.quarters]++;
        larger += move.zoom > 1;
        least = fmin(least, move.zoom);
        most = fmax(most, move.zoom);
        other_angles += move.degrees != rs_warp_draw(&angle, 3, i / 100, i % 100).degrees;
    }
    near(mirrored, 5000, 250, "every other copy is mirrored"); /* 5 standard deviations, here and below */
    for (int i = 0; i < 4; i++)
        near(quarters[i], 2500, 217, "every fourth is turned by %d quarters", i);
    near(larger, 5000, 250, "as many become larger as smaller");
    ok(least >= .5 && least < .501 && most <= 2 && most > 1.998, "from %g times to %g", least, most);
    ok(other_angles == 0, "the angles are those without all that");
}

static void test_harden(void)
{
    struct rs_image image = noise(all_planes, 16, 16), before = {0};
    int wrong = 0;
    rs_image_copy(&before, &image, false);
    rs_warp_harden(&image);
    for (int i = 0; i < 16 * 16 * 5; i++) {
        int was = before.samples[i], wanted = i % 5 != 3 ? was : was > 127 ? 255 : 0;
        wrong += image.samples[i] != wanted;
    }
    ok(wrong == 0, "hard: the truth is 0 or maxval, the other planes are as they were");
    rs_image_free(&image);
    rs_image_free(&before);
}

int main(void)
{
    test_pillow("turn_27x20.pam");
    test_pillow("turn_17x30.pam");
    test_pillow("turn_21x21.pam");
    test_twins();
    test_moves();
    test_still();
    test_quarters();
    test_flat();
    test_reuse();
    test_angles();
    test_draws();
    test_harden();
    return done();
}
