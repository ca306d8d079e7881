#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "format/pam.h"
#include "picture/resize.h"
#include "tap.h"

static struct rs_image resize(const struct rs_image *image, int width, int height)
{
    struct rs_image resized = {0};
    rs_resize(&resized, image, width, height);
    return resized;
}

/* Samples that differ by more than `tolerance`. */
static int count_differing(const struct rs_image *a, const struct rs_image *b, int tolerance)
{
    int count = 0, samples = a->width * a->height * rs_image_planes(a);
    for (int i = 0; i < samples; i++)
        count += abs(a->samples[i] - b->samples[i]) > tolerance;
    return count;
}

static const int sizes[][2] = {{31, 23}, {62, 46}, {13, 9}, {15, 60}, {70, 7}, {5, 5}, {1, 1}, {32, 22}};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void test_pillow(void)
{
    size_t size;
    bool more;
    char *data = test_data("resize.pam", &size);
    FILE *stream = fmemopen(data, size, "rb");
    struct rs_image source = {0}, wanted = {0};
    no_error(rs_image_read(stream, RS_USUAL_PIXELS, &source, &more), "the image");
    for (int i = 0; i < SIZES; i++) {
        no_error(rs_image_read(stream, RS_USUAL_PIXELS, &wanted, &more), "Pillow's image");
        struct rs_image found = resize(&source, sizes[i][0], sizes[i][1]);
        int off = count_differing(&found, &wanted, 0), far = count_differing(&found, &wanted, 1);
        ok(far == 0 && off <= found.width * found.height / 100,
           "%d x %d: %d samples differ from Pillow's, %d by more than 1", found.width, found.height, off,
           far);
        rs_image_free(&found);
    }
    fclose(stream);
    free(data);
    rs_image_free(&source);
    rs_image_free(&wanted);
}

static double triangle(double t)
{
    return fmax(0, 1 - fabs(t));
}

/* Keys' kernel with a = -1/2. */
static double cubic(double t)
{
    double a = -.5;
    t = fabs(t);
    if (t < 1)
        return (a + 2) * t * t * t - (a + 3) * t * t + 1;
    return t < 2 ? a * (t * t * t - 5 * t * t + 8 * t - 4) : 0;
}

/* One sample by all of the image, the weight of each pixel that of its distance in widened pixels. */
static double sample_twin(const struct rs_image *from, const struct rs_image *to, int x, int y, int plane,
                          double (*kernel)(double))
{
    double wide = (double)from->width / to->width, high = (double)from->height / to->height, sum = 0, all = 0;
    for (int row = 0; row < from->height; row++) {
        double down = kernel((row + .5 - (y + .5) * high) / fmax(1, high));
        for (int column = 0; column < from->width && down != 0; column++) {
            double weight = down * kernel((column + .5 - (x + .5) * wide) / fmax(1, wide));
            all += weight;
            sum += weight * rs_image_at(from, column, row)[plane];
        }
    }
    return fmin(from->maxval, fmax(0, sum / all));
}

static double resize_error(const struct rs_image *from, const struct rs_image *to)
{
    double most = 0;
    for (int i = 0; i < to->width * to->height; i++)
        for (int plane = 0; plane < rs_image_planes(to) - to->has_fov; plane++) {
            bool photograph = to->subject != RS_PROB && plane < rs_image_subject_planes(to->subject);
            double wanted =
                sample_twin(from, to, i % to->width, i / to->width, plane, photograph ? cubic : triangle);
            most = fmax(most, fabs(rs_image_at(to, i % to->width, i / to->width)[plane] - wanted));
        }
    return most;
}

/* The middle of the new pixel lies in it. */
static int fov_errors(const struct rs_image *from, const struct rs_image *to)
{
    int count = 0, plane = rs_image_fov_plane(to);
    for (int i = 0; i < to->width * to->height; i++) {
        int x = i % to->width, y = i / to->width;
        int column = (int)((x + .5) * from->width / to->width),
            row = (int)((y + .5) * from->height / to->height);
        bool yes = rs_image_yes(from, rs_image_at(from, column, row)[plane]);
        count += rs_image_at(to, x, y)[plane] != (yes ? to->maxval : 0);
    }
    return count;
}

static struct rs_image noise(struct rs_image like, int width, int height)
{
    struct rs_image image = {0};
    struct rs_rng rng = rs_rng_at(1, "test", (uint64_t)width, (uint64_t)height);
    rs_image_shape(&image, &like, width, height, false);
    for (int i = 0; i < width * height * rs_image_planes(&image); i++)
        image.samples[i] = (uint16_t)rs_rng_below(&rng, (uint64_t)image.maxval + 1);
    return image;
}

/* Half a level of rounding, and what sums in single precision lose of 16 bits. */
static void test_twin(struct rs_image like, int width, int height)
{
    struct rs_image image = noise(like, width, height);
    char kind[RS_KIND_SIZE];
    rs_image_kind(&image, kind);
    for (int i = 0; i < SIZES; i++) {
        struct rs_image found = resize(&image, sizes[i][0], sizes[i][1]);
        near(resize_error(&image, &found), 0, like.maxval > 255 ? .53 : .501, "%s %d x %d to %d x %d", kind,
             width, height, found.width, found.height);
        if (like.has_fov)
            ok(fov_errors(&image, &found) == 0, "  the field of view is that of the nearest pixels");
        rs_image_free(&found);
    }
    rs_image_free(&image);
}

static void test_twins(void)
{
    const struct rs_image likes[] = {
        {.subject = RS_RGB, .has_vessel = true, .has_fov = true, .maxval = 255},
        {.subject = RS_GRAYSCALE, .has_fov = true, .maxval = 65535},
        {.subject = RS_PROB, .has_vessel = true, .maxval = 65535},
        {.subject = RS_GRAYSCALE, .maxval = 1},
    };
    for (int i = 0; i < 4; i++)
        test_twin(likes[i], 29, 27);
    test_twin(likes[0], 1, 40);
    test_twin(likes[2], 3, 2);
}

/* More than one tile in either direction, the last ones narrow. */
static void test_tiles(void)
{
    struct rs_image like = {.subject = RS_RGB, .has_vessel = true, .has_fov = true, .maxval = 255};
    struct rs_image image = noise(like, 37, 3), wide = resize(&image, 600, 130), small = {0};
    near(resize_error(&image, &wide), 0, .501, "600 x 130, in tiles");
    small = resize(&wide, 300, 70);
    near(resize_error(&wide, &small), 0, .501, "and shrunk again");
    rs_image_free(&image);
    rs_image_free(&wide);
    rs_image_free(&small);
}

static void test_flat(void)
{
    const int levels[] = {0, 1, 40000, 65534, 65535};
    for (int i = 0; i < 5; i++) {
        struct rs_image like = {.subject = RS_RGB, .has_vessel = true, .maxval = 65535}, image = {0};
        rs_image_shape(&image, &like, 40, 30, false);
        for (int k = 0; k < 40 * 30 * 4; k++)
            image.samples[k] = (uint16_t)levels[i];
        int wrong = 0;
        for (int s = 0; s < SIZES; s++) {
            struct rs_image found = resize(&image, sizes[s][0], sizes[s][1]);
            for (int k = 0; k < found.width * found.height * 4; k++)
                wrong += found.samples[k] != levels[i];
            rs_image_free(&found);
        }
        ok(wrong == 0, "what is %d everywhere stays %d everywhere", levels[i], levels[i]);
        rs_image_free(&image);
    }
}

static double plane_sum(const struct rs_image *image, int plane)
{
    double sum = 0;
    for (int i = 0; i < image->width * image->height; i++)
        sum += rs_image_at(image, i % image->width, i / image->width)[plane];
    return sum / image->maxval;
}

/* A vessel three pixels wide that runs obliquely through the image, away from its edges. */
static struct rs_image vessel(int size)
{
    struct rs_image like = {.subject = RS_GRAYSCALE, .has_vessel = true, .maxval = 255}, image = {0};
    rs_image_shape(&image, &like, size, size, false);
    for (int i = 0; i < size * size; i++) {
        double x = i % size, y = i / (double)size;
        if (x > 20 && x < size - 20 && fabs(y - size / 3. - .4 * x) < 1.5)
            rs_image_at(&image, i % size, i / size)[1] = 255;
    }
    return image;
}

static void test_area(void)
{
    struct rs_image image = vessel(180);
    double area = plane_sum(&image, 1);
    const int to[] = {45, 60, 77, 130, 400};
    for (int i = 0; i < 5; i++) {
        struct rs_image found = resize(&image, to[i], to[i]);
        double scale = 180. / to[i];
        near(plane_sum(&found, 1) * scale * scale / area, 1, .01, "the truth's area, of 180 made %d", to[i]);
        rs_image_free(&found);
    }
    rs_image_free(&image);
}

/* A map whose waves are 40 pixels long. Halving takes three quarters of the pixels half a pixel away and one of those
 * one and a half, and doubling does so again. Away from the edges, where nothing is missing. */
static void test_back(void)
{
    enum { SIZE = 160 };
    struct rs_image like = {.subject = RS_PROB, .maxval = 65535}, image = {0};
    double most = 0;
    rs_image_shape(&image, &like, SIZE, SIZE, false);
    for (int i = 0; i < SIZE * SIZE; i++)
        image.samples[i] =
            (uint16_t)(32768 + 32000 * sin(i % SIZE * M_PI / 20) * sin(i / (double)SIZE * M_PI / 20));
    struct rs_image small = resize(&image, SIZE / 2, SIZE / 2), back = resize(&small, SIZE, SIZE);
    for (int i = 0; i < SIZE * SIZE; i++)
        if (i % SIZE > 4 && i % SIZE < SIZE - 4 && i / SIZE > 4 && i / SIZE < SIZE - 4)
            most = fmax(most, abs(image.samples[i] - back.samples[i]));
    near(most / 32000, 1 - pow(.75 * cos(M_PI / 40) + .25 * cos(3 * M_PI / 40), 4), .001,
         "a smooth map, halved and doubled");
    rs_image_free(&image);
    rs_image_free(&small);
    rs_image_free(&back);
}

static void test_sizes(void)
{
    struct rs_image like = {.subject = RS_RGB, .maxval = 255}, image = {0};
    int width = 0, height = 0;
    rs_image_shape(&image, &like, 101, 30, false);
    no_error(rs_resize_size(&image, .5, RS_USUAL_PIXELS, &width, &height), "half");
    ok(width == 51 && height == 15, "  101 x 30 is made 51 x 15");
    no_error(rs_resize_size(&image, .001, RS_USUAL_PIXELS, &width, &height), "a thousandth");
    ok(width == 1 && height == 1, "  is one pixel");
    no_error(rs_resize_size(&image, 2, 202 * 60, &width, &height), "just as many pixels as may be");
    ok(width == 202 && height == 60, "  202 x 60");
    error_has(rs_resize_size(&image, 2, 202 * 60 - 1, &width, &height),
              "101 x 30 pixels, resized by 2, are more than -max-pixels=12119", "and one more");
    error_has(rs_resize_size(&image, 1e300, RS_MAX_PIXELS, &width, &height), "more than", "1e300 times");
    rs_image_free(&image);
}

/* A grey disc on black, its diameter 60; in the field of view one of 40. */
static void test_factors(void)
{
    struct rs_image like = {.subject = RS_GRAYSCALE, .maxval = 255}, image = {0}, with = {0};
    double factor = 0;
    rs_image_shape(&image, &like, 100, 80, false);
    error_has(rs_resize_factor(&image, 100, &factor), "no field of view found", "nothing to see");
    for (int i = 0; i < 100 * 80; i++)
        image.samples[i] = hypot(i % 100 + .5 - 50, i / 100 + .5 - 40) < 30 ? 128 : 0;
    no_error(rs_resize_factor(&image, 120, &factor), "a disc");
    near(factor, 2, .03, "  is found");
    rs_image_copy(&with, &image, true);
    error_has(rs_resize_factor(&with, 100, &factor), "no circle in its field of view",
              "a field of view that is everywhere");
    for (int i = 0; i < 100 * 80; i++)
        with.samples[2 * i + 1] = hypot(i % 100 + .5 - 50, i / 100 + .5 - 40) < 20 ? 255 : 0;
    no_error(rs_resize_factor(&with, 120, &factor), "one that is there");
    near(factor, 3, .06, "  is measured");
    image.subject = RS_PROB;
    error_has(rs_resize_factor(&image, 100, &factor), "a map without a field of view", "a map");
    rs_image_free(&image);
    rs_image_free(&with);
}

int main(void)
{
    test_pillow();
    test_twins();
    test_tiles();
    test_flat();
    test_area();
    test_back();
    test_sizes();
    test_factors();
    return done();
}
