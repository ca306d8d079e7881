#include <string.h>

#include "base/rng.h"
#include "format/image.h"
#include "picture/patch.h"
#include "tap.h"

/* Every sample tells its place and plane; the field of view says yes everywhere. */
static struct rs_image numbered(struct rs_image like, int width, int height)
{
    struct rs_image image = {0};
    rs_image_shape(&image, &like, width, height, false);
    int planes = rs_image_planes(&image);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int p = 0; p < planes; p++)
                rs_image_at(&image, x, y)[p] =
                    (uint16_t)(p == rs_image_fov_plane(&image) ? image.maxval : 1 + (y * width + x) * 8 + p);
    return image;
}

static const struct rs_image all_planes = {
    .subject = RS_RGB, .has_vessel = true, .has_fov = true, .maxval = 65535};

/* How many samples of the patch are not what the window at (left, top) has, or 0 where it hangs over. */
static int count_wrong(const struct rs_image *patch, const struct rs_image *image, int left, int top)
{
    int wrong = 0, planes = rs_image_planes(image);
    for (int y = 0; y < patch->height; y++)
        for (int x = 0; x < patch->width; x++) {
            bool inside = left + x < image->width && top + y < image->height;
            const uint16_t *found = rs_image_at(patch, x, y);
            for (int p = 0; p < planes; p++)
                wrong += found[p] != (inside ? rs_image_at(image, left + x, top + y)[p] : 0);
            if (patch->has_fov)
                wrong += found[rs_image_fov_plane(patch)] != (inside ? image->maxval : 0);
        }
    return wrong;
}

static void test_cut(void)
{
    const struct rs_image gray = {.subject = RS_GRAYSCALE, .maxval = 65535};
    const struct {
        int x, y, width, height;
    } windows[] = {{0, 0, 20, 10}, {3, 2, 5, 4},  {17, 8, 3, 2}, {15, 7, 16, 16},
                   {20, 0, 4, 4},  {0, 30, 4, 4}, {19, 9, 1, 1}};
    struct rs_image patch = {0};
    for (int with_fov = 0; with_fov < 2; with_fov++)
        for (int deep = 0; deep < 2; deep++) {
            struct rs_image image = numbered(deep ? all_planes : gray, 20, 10);
            for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
                int w = windows[i].width, h = windows[i].height;
                rs_patch_cut(&patch, &image, windows[i].x, windows[i].y, w, h, with_fov);
                ok(patch.width == w && patch.height == h && patch.has_fov == (deep || with_fov) &&
                       count_wrong(&patch, &image, windows[i].x, windows[i].y) == 0,
                   "%d x %d at (%d, %d)%s", w, h, windows[i].x, windows[i].y,
                   with_fov ? " with field of view" : "");
            }
            rs_image_free(&image);
        }
    rs_image_free(&patch);
}

/* A random patch of an image, as rs-patch makes it. */
static const char *cut_random(struct rs_image *patch, const struct rs_image *image,
                              const struct rs_patch_want *want, struct rs_rng rng)
{
    struct rs_patch_ground ground;
    int x, y;
    const char *error = rs_patch_ground(&ground, image, want);
    if (!error)
        error = rs_patch_place(&ground, want, rng, &x, &y);
    if (!error)
        rs_patch_cut(patch, image, x, y, want->size, want->size, false);
    return error;
}

static void test_random(void)
{
    enum { DRAWS = 2000 };
    struct rs_image image = numbered(all_planes, 14, 11), patch = {0}, again = {0};
    const struct rs_patch_want want = {.size = 8};
    int places[7][4] = {{0}}, wrong = 0;
    for (uint64_t k = 0; k < DRAWS; k++) {
        const char *error = cut_random(&patch, &image, &want, rs_rng_at(1, "test", 0, k));
        int place = (patch.samples[0] - 1) / 8, x = place % 14, y = place / 14;
        if (error || x > 6 || y > 3 || count_wrong(&patch, &image, x, y))
            wrong++;
        else
            places[x][y]++;
    }
    ok(wrong == 0, "%d random patches lie in the image", DRAWS);
    int least = DRAWS, most = 0;
    for (int i = 0; i < 28; i++) {
        int n = places[i / 4][i % 4];
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    ok(least > 40 && most < 110, "each of 28 places is as likely (%d to %d times)", least, most);
    no_error(cut_random(&again, &image, &want, rs_rng_at(1, "test", 0, DRAWS - 1)), "the last patch again");
    ok(!memcmp(again.samples, patch.samples, 8 * 8 * 5 * sizeof *again.samples), "one key, one patch");
    rs_image_free(&image);
    rs_image_free(&patch);
    rs_image_free(&again);
}

static void test_wholes(void)
{
    struct rs_image image = numbered(all_planes, 9, 9), patch = {0};
    struct rs_patch_want want = {.size = 9};
    no_error(cut_random(&patch, &image, &want, rs_rng_at(1, "test", 0, 0)), "a patch as big as the image");
    ok(count_wrong(&patch, &image, 0, 0) == 0, "is the image");
    want.size = 10;
    error_has(cut_random(&patch, &image, &want, rs_rng_at(1, "test", 0, 0)), "-grid pads",
              "an image that is too small");
    rs_image_free(&image);
    rs_image_free(&patch);
}

/* Black but for a lower right quarter: vessel there, and white in one of three planes. */
static struct rs_image quarter(int size, int maxval)
{
    struct rs_image image = {0}, like = all_planes;
    like.maxval = maxval;
    rs_image_shape(&image, &like, size, size, false);
    for (int y = size / 2; y < size; y++)
        for (int x = size / 2; x < size; x++)
            rs_image_at(&image, x, y)[1] = rs_image_at(&image, x, y)[3] = (uint16_t)maxval;
    return image;
}

static int count_samples(const struct rs_image *image, int plane)
{
    int count = 0;
    for (int i = 0; i < image->width * image->height; i++)
        count += image->samples[i * rs_image_planes(image) + plane] > 0;
    return count;
}

static void test_refusal(struct rs_patch_want want, int maxval)
{
    struct rs_image image = quarter(32, maxval), patch = {0};
    int found = 0, least_vessel = 64, least_bright = 64;
    for (uint64_t k = 0; k < 200; k++) {
        found += !cut_random(&patch, &image, &want, rs_rng_at(1, "test", 0, k));
        int vessel = count_samples(&patch, 3), bright = count_samples(&patch, 1);
        least_vessel = vessel < least_vessel ? vessel : least_vessel;
        least_bright = bright < least_bright ? bright : least_bright;
    }
    ok(found == 200 && least_vessel >= want.min_vessel && least_bright >= want.min_bright &&
           least_vessel < want.min_vessel + want.min_bright + 16,
       "maxval %d, min-vessel %g, min-bright %g: none has less (%d, %d)", maxval, want.min_vessel,
       want.min_bright, least_vessel, least_bright);
    rs_image_free(&image);
    rs_image_free(&patch);
}

static void test_refusals(void)
{
    test_refusal((struct rs_patch_want){8, 20, 0, false}, 255);
    test_refusal((struct rs_patch_want){8, 0, 20, false}, 65535);
    struct rs_image image = quarter(32, 255), patch = {0};
    struct rs_patch_want want = {8, 65, 0, false};
    error_has(cut_random(&patch, &image, &want, rs_rng_at(1, "test", 0, 0)), "min-vessel 65",
              "more vessel than fits");
    want = (struct rs_patch_want){8, 0, 64.5, false};
    error_has(cut_random(&patch, &image, &want, rs_rng_at(1, "test", 0, 0)), "1000 tries",
              "more light than there is");
    image.has_vessel = false;
    want = (struct rs_patch_want){8, 1, 0, false};
    error_has(cut_random(&patch, &image, &want, rs_rng_at(1, "test", 0, 0)), "truth", "vessel without truth");
    rs_image_free(&image);
    rs_image_free(&patch);
}

/* Steps through the grid: the squares, and how often each pixel lies in one. */
static void test_grid(int width, int height, int size, int step, int wanted)
{
    const struct rs_patch_ground ground = {.width = width, .height = height};
    int covered[40][40] = {{0}}, squares = 0, x = 0, y = 0, bare = 0;
    bool in_order = true;
    int last = -1;
    do {
        squares++;
        in_order &= y * 1000 + x > last && x % step == 0 && y % step == 0 && x < width && y < height;
        last = y * 1000 + x;
        for (int v = y; v < y + size && v < height; v++)
            for (int u = x; u < x + size && u < width; u++)
                covered[v][u]++;
    } while (rs_patch_next(&ground, size, step, &x, &y));
    for (int v = 0; v < height; v++)
        for (int u = 0; u < width; u++)
            bare += !covered[v][u];
    ok(squares == wanted && bare == 0 && in_order, "%d x %d by %d, step %d: %d squares cover it, row by row",
       width, height, size, step, squares);
}

int main(void)
{
    test_cut();
    test_random();
    test_wholes();
    test_refusals();
    test_grid(32, 16, 8, 8, 8);
    test_grid(33, 16, 8, 8, 10);
    test_grid(5, 3, 8, 8, 1);
    test_grid(20, 20, 8, 5, 16);
    test_grid(8, 9, 8, 1, 2);
    test_grid(40, 7, 1, 1, 280);
    return done();
}
