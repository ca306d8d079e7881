#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "picture/circle.h"
#include "picture/fov.h"
#include "picture/otsu.h"
#include "picture/patch.h"
#include "picture/synth.h"
#include "tap.h"

enum { WIDTH = 282, HEIGHT = 292, PLANES = 5, FOV = 4 };

/* Intersection over union of the field of view that is found and the one that was drawn. */
static double overlap(const struct rs_image *image, const struct rs_fov *fov)
{
    int both = 0, either = 0, planes = rs_image_planes(image), drawn = rs_image_fov_plane(image);
    const uint16_t *at = image->samples;
    for (int row = 0; row < image->height; row++)
        for (int column = 0; column < image->width; column++, at += planes) {
            bool a = rs_fov_inside(fov, column, row), b = rs_image_yes(image, at[drawn]);
            both += a && b;
            either += a || b;
        }
    return (double)both / either;
}

static void finds(const struct rs_image *image, const char *what)
{
    struct rs_fov fov;
    rs_fov_find(&fov, image);
    double iou = overlap(image, &fov);
    ok(fov.found && iou >= .99, "%s: overlap %.4f", what, iou);
}

static void finds_none(const struct rs_image *image, const char *what)
{
    struct rs_fov fov;
    rs_fov_find(&fov, image);
    int inside = 0;
    for (int row = 0; row < image->height; row++)
        for (int column = 0; column < image->width; column++)
            inside += rs_fov_inside(&fov, column, row);
    ok(!fov.found && inside == image->width * image->height && fov.diameter <= 0 &&
           fov.right == image->width && fov.bottom == image->height,
       "%s: none, all of it is inside", what);
}

static struct rs_image draw(uint64_t index)
{
    struct rs_image image = {0};
    rs_synth_draw(&image, WIDTH, HEIGHT, 1, index);
    return image;
}

static struct rs_image cut(int left, int top, int width, int height)
{
    struct rs_image image = draw(0), part = {0};
    rs_patch_cut(&part, &image, left, top, width, height, true);
    rs_image_free(&image);
    return part;
}

/* Sets the photograph's samples where pixels are outside the field of view, or where they are inside. */
static void paint(struct rs_image *image, bool inside, double scale, double shift, double noise)
{
    struct rs_rng rng = rs_rng_at(1, "test", 0, 0);
    for (int i = 0; i < image->width * image->height; i++) {
        uint16_t *at = image->samples + i * PLANES;
        for (int p = 0; p < FOV - 1 && rs_image_yes(image, at[FOV]) == inside; p++)
            at[p] =
                (uint16_t)fmin(image->maxval, fmax(0, at[p] * scale + shift + noise * rs_rng_normal(&rng)));
    }
}

/* Whatever is there, truth and field of view included. */
static void fill(struct rs_image *image, int left, int top, int width, int height, int sample)
{
    for (int row = top; row < top + height; row++)
        for (int column = left; column < left + width; column++) {
            uint16_t *at = rs_image_at(image, column, row);
            for (int p = 0; p < FOV - 1; p++)
                at[p] = (uint16_t)sample;
            at[FOV - 1] = at[FOV] = 0;
        }
}

static void test_drawn(void)
{
    for (uint64_t index = 0; index < 6; index++) {
        struct rs_image image = {0};
        struct rs_fov fov;
        rs_synth_draw(&image, 565, 584, 3, index);
        rs_fov_find(&fov, &image);
        double iou = overlap(&image, &fov);
        ok(fov.found && iou > .995, "drawing %ju: overlap %.4f", (uintmax_t)index, iou);
        near(fov.x, 282.5, .5, "its centre across");
        near(fov.y, 292, .5, "and down");
        near(fov.diameter, 2 * .478 * 565, 1, "its diameter");
        ok(fov.left == 0 && fov.top == 0 && fov.right == 565 && fov.bottom == 584, "it is not cut off");
        rs_image_free(&image);
    }
}

static void test_small(void)
{
    const int sizes[][2] = {{32, 32}, {48, 100}, {100, 40}, {64, 64}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct rs_image image = {0};
        struct rs_fov fov;
        rs_synth_draw(&image, sizes[i][0], sizes[i][1], 1, 0);
        rs_fov_find(&fov, &image);
        near(overlap(&image, &fov), 1, .03, "%d x %d", sizes[i][0], sizes[i][1]);
        rs_image_free(&image);
    }
}

static void test_light(void)
{
    const struct {
        const char *what;
        bool inside;
        double scale, shift, noise;
    } cases[] = {{"half as bright", true, .5, 0, 0},        {"a tenth as bright", true, .1, 8, 0},
                 {"a noisy surround", false, 1, 0, 15},     {"grey surround", false, 0, 90, 0},
                 {"noisy grey surround", false, 0, 128, 6}, {"white surround", false, 0, 255, 0},
                 {"a noisy photograph", true, 1, 0, 30}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rs_image image = draw(i);
        paint(&image, cases[i].inside, cases[i].scale, cases[i].shift, cases[i].noise);
        finds(&image, cases[i].what);
        rs_image_free(&image);
    }
}

static void test_depth(void)
{
    struct rs_image image = draw(0), grey = {.subject = RS_GRAYSCALE, .has_fov = true, .maxval = 255},
                    like = grey;
    struct rs_fov fov, deep;
    rs_fov_find(&fov, &image);
    rs_image_shape(&grey, &like, WIDTH, HEIGHT, false);
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        grey.samples[2 * i] = image.samples[PLANES * i + 1];
        grey.samples[2 * i + 1] = image.samples[PLANES * i + FOV];
    }
    finds(&grey, "the green plane alone");
    for (int i = 0; i < WIDTH * HEIGHT * PLANES; i++)
        image.samples[i] *= 257;
    image.maxval = 65535;
    rs_fov_find(&deep, &image);
    ok(deep.found && !memcmp(deep.outline, fov.outline, sizeof fov.outline), "16 bit: the same");
    rs_image_free(&image);
    rs_image_free(&grey);
}

static void test_cut_by_image(void)
{
    const struct {
        const char *what;
        int left, top, width, height;
    } cases[] = {{"cut off at top and bottom by the image", 0, 46, WIDTH, 200},
                 {"the right half", 141, 0, 141, HEIGHT},
                 {"a quarter", 0, 0, 141, 146},
                 {"a square whose corners are just outside", 30, 35, 222, 222}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rs_image image = cut(cases[i].left, cases[i].top, cases[i].width, cases[i].height);
        finds(&image, cases[i].what);
        rs_image_free(&image);
    }
}

static void test_cut_within(void)
{
    for (int bar = 20; bar < 100; bar += 26) {
        struct rs_image image = draw(1);
        struct rs_fov fov;
        fill(&image, 0, 0, WIDTH, bar, 5);
        fill(&image, 0, HEIGHT - bar, WIDTH, bar, 5);
        rs_fov_find(&fov, &image);
        double iou = overlap(&image, &fov);
        ok(iou >= .99, "cut off by bars of %d rows: %d to %d, overlap %.4f", bar, fov.top, fov.bottom, iou);
        near(fov.diameter, 2 * .478 * WIDTH, 1, "the circle is whole");
        rs_image_free(&image);
    }
    struct rs_image image = draw(2);
    fill(&image, 0, 0, 60, HEIGHT, 0);
    finds(&image, "cut off on the left");
    rs_image_free(&image);
}

static void test_label(void)
{
    struct rs_image image = draw(3);
    fill(&image, 0, 0, 60, 30, 255);
    finds(&image, "a label in a corner");
    fill(&image, 0, 280, WIDTH, 12, 255);
    finds(&image, "a caption, too, that touches the disc");
    fill(&image, 270, 140, 12, 30, 5);
    for (int k = 0; k < 12; k++)
        fill(&image, 260 + k, 150 - k / 2, 1, 1 + k, 5); /* on the disc's edge, which is at 276 */
    finds(&image, "and a notch");
    rs_image_free(&image);
}

static void test_none(void)
{
    struct rs_image image = cut(50, 55, 182, 182);
    finds_none(&image, "a square without surround");
    memset(image.samples, 0, sizeof *image.samples * 182 * 182 * PLANES);
    finds_none(&image, "all black");
    for (int i = 0; i < 182 * 182 * PLANES; i++)
        image.samples[i] = 200;
    finds_none(&image, "all of one grey");
    struct rs_rng rng = rs_rng_at(1, "test", 0, 0);
    for (int i = 0; i < 182 * 182 * PLANES; i++)
        image.samples[i] = (uint16_t)rs_rng_below(&rng, 256);
    finds_none(&image, "noise");
    rs_image_free(&image);
    const int sizes[][2] = {{1, 1}, {1, 2}, {2, 1}, {3, 3}, {1, 5000}, {5000, 2}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        image = cut(0, 0, sizes[i][0], sizes[i][1]);
        finds_none(&image, "a few pixels");
        rs_image_free(&image);
    }
}

static void test_gradient(void)
{
    struct rs_image image = draw(0);
    for (int row = 0; row < HEIGHT; row++)
        for (int column = 0; column < WIDTH; column++) {
            double x = column - WIDTH / 2., y = row - HEIGHT / 2.;
            for (int p = 0; p < FOV - 1; p++)
                rs_image_at(&image, column, row)[p] = (uint16_t)(220 - sqrt(x * x + y * y));
        }
    finds_none(&image, "light that falls off towards the corners");
    rs_image_free(&image);
}

static void test_plane(void)
{
    struct rs_image image = draw(0), added = {0};
    struct rs_fov fov, measured;
    fill(&image, 0, 0, WIDTH, HEIGHT / 3, 0);
    rs_fov_find(&fov, &image);
    rs_fov_apply(&added, &image, &fov);
    rs_fov_measure(&measured, &added);
    int wrong = 0, other = 0;
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        const uint16_t *to = added.samples + i * PLANES;
        wrong += to[FOV] != (rs_fov_inside(&fov, i % WIDTH, i / WIDTH) ? 255 : 0);
        other += memcmp(to, image.samples + i * PLANES, (PLANES - 1) * sizeof *to) != 0;
    }
    ok(wrong == 0 && other == 0, "the plane is what is inside, the others are as they were");
    ok(measured.found && measured.top == fov.top, "a plane can be measured");
    near(measured.x, fov.x, .5, "its centre across");
    near(measured.y, fov.y, .5, "and down");
    near(measured.diameter, fov.diameter, 1, "its diameter");
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        added.samples[i * PLANES + FOV] = 255;
    rs_fov_measure(&measured, &added);
    ok(!measured.found, "a plane that says yes everywhere has no circle");
    rs_image_free(&image);
    rs_image_free(&added);
}

static int count_inside(const struct rs_fov *fov)
{
    int inside = 0;
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        inside += rs_fov_inside(fov, i % WIDTH, i / WIDTH);
    return inside;
}

static void test_shrink(void)
{
    struct rs_image image = draw(0);
    struct rs_fov fov, none = {.right = WIDTH, .bottom = HEIGHT};
    rs_fov_find(&fov, &image);
    double before = fov.diameter, all = count_inside(&fov);
    rs_fov_shrink(&fov, .01);
    near(fov.diameter, .98 * before, 1e-9 * before, "a field of view shrinks: its diameter");
    near(count_inside(&fov) / all, .98 * .98, .003, "and what is inside");
    rs_fov_shrink(&none, .01);
    ok(count_inside(&none) == WIDTH * HEIGHT, "none does not");
    rs_image_free(&image);
}

static void test_circle(void)
{
    enum { COUNT = 400 };
    struct rs_point points[COUNT];
    struct rs_circle circle = {0};
    struct rs_rng rng = rs_rng_at(1, "test", 1, 0);
    for (int i = 0; i < COUNT; i++)
        points[i] = (struct rs_point){70 + 50 * cos(i * .004), -30 + 50 * sin(i * .004)};
    ok(rs_circle_fit(&circle, points, COUNT), "an arc of 92 degrees makes a circle");
    near(hypot(circle.x - 70, circle.y + 30), 0, 1e-6, "its centre");
    near(circle.radius, 50, 1e-6, "its radius");
    for (int i = 0; i < COUNT; i += 2)
        points[i] = (struct rs_point){200 * rs_rng_uniform(&rng), 200 * rs_rng_uniform(&rng) - 100};
    int found = rs_circle_search(&circle, points, COUNT, .5, 10, 100);
    ok(found >= COUNT / 2 && found < COUNT / 2 + 20, "half of the points astray: %d are near", found);
    near(hypot(circle.x - 70, circle.y + 30), 0, .5, "its centre");
    found = rs_circle_search(&circle, points, COUNT, .5, 90, 100);
    ok(found < COUNT / 4 && circle.radius >= 90 && circle.radius <= 100,
       "another radius is wanted: %d are near", found);
    struct rs_circle before = circle;
    for (int i = 0; i < COUNT; i++)
        points[i] = (struct rs_point){i, 3 * i - 7};
    ok(!rs_circle_fit(&circle, points, COUNT) && !rs_circle_fit(&circle, points, 2) &&
           !rs_circle_search(&circle, points, COUNT, .5, 10, 100) &&
           !rs_circle_search(&circle, points, 0, 1, 0, 1) && !memcmp(&circle, &before, sizeof circle),
       "points on a line, two, none: no circle");
}

/* The variance between the classes, by definition. */
static double between_classes(const uint64_t *histogram, int levels, int split)
{
    double count[2] = {0}, sum[2] = {0};
    for (int i = 0; i < levels; i++) {
        count[i >= split] += (double)histogram[i];
        sum[i >= split] += (double)i * (double)histogram[i];
    }
    if (count[0] <= 0 || count[1] <= 0)
        return 0;
    double apart = sum[0] / count[0] - sum[1] / count[1];
    return count[0] * count[1] * apart * apart;
}

static void test_otsu(void)
{
    enum { LEVELS = 40 };
    struct rs_rng rng = rs_rng_at(1, "test", 2, 0);
    uint64_t histogram[LEVELS];
    int wrong = 0;
    for (int trial = 0; trial < 200; trial++) {
        for (int i = 0; i < LEVELS; i++)
            histogram[i] = rs_rng_below(&rng, 3) ? 0 : rs_rng_below(&rng, 100);
        double found = between_classes(histogram, LEVELS, rs_otsu(histogram, LEVELS));
        for (int split = 1; split < LEVELS; split++)
            wrong += between_classes(histogram, LEVELS, split) > found * (1 + 1e-12);
    }
    ok(wrong == 0, "Otsu: no other split is better, 200 histograms");
    const uint64_t two[] = {0, 7, 0, 0, 5, 0}, one[] = {0, 7, 0};
    ok(rs_otsu(two, 6) == 2 && rs_otsu(one, 3) == 3, "the lowest of equal ones; none for one level");
}

int main(void)
{
    test_drawn();
    test_small();
    test_light();
    test_depth();
    test_cut_by_image();
    test_cut_within();
    test_label();
    test_none();
    test_gradient();
    test_plane();
    test_shrink();
    test_circle();
    test_otsu();
    return done();
}
