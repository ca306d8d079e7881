#include <math.h>
#include <string.h>

#include "format/image.h"
#include "picture/synth.h"
#include "tap.h"

struct figures {
    int field, vessel, stray,
        between;                /* pixels; vessel outside the field; truth or field neither 0 nor 255 */
    double mean[2][3], outside; /* of background and vessel; of what lies outside the field */
};

static struct figures measure(const struct rs_image *image)
{
    struct figures f = {0};
    int pixels = image->width * image->height;
    for (int i = 0; i < pixels; i++) {
        const uint16_t *at = image->samples + i * 5;
        bool vessel = at[3] == 255, field = at[4] == 255;
        f.field += field;
        f.vessel += vessel;
        f.stray += vessel && !field;
        f.between += (at[3] != 0 && !vessel) || (at[4] != 0 && !field);
        for (int c = 0; c < 3; c++)
            *(field ? &f.mean[vessel][c] : &f.outside) += at[c];
    }
    for (int c = 0; c < 3; c++) {
        f.mean[0][c] /= f.field - f.vessel;
        f.mean[1][c] /= f.vessel;
    }
    f.outside /= 3. * (pixels - f.field);
    return f;
}

static void test_eye(uint64_t seed, uint64_t index)
{
    struct rs_image image = {0};
    rs_synth_draw(&image, 565, 584, seed, index);
    struct figures f = measure(&image);
    double share = (double)f.vessel / f.field, radius = .478 * 565;
    const double *bare = f.mean[0], *vessel = f.mean[1];
    near(f.field, M_PI * radius * radius, 1000, "eye %ju of seed %ju: the field is a disc", (uintmax_t)index,
         (uintmax_t)seed);
    ok(f.stray == 0 && f.between == 0, "truth and field are 0 or 255, and no vessel is outside");
    ok(share > .06 && share < .12, "%.1f %% of the field is vessel", 100 * share);
    ok(bare[0] > 1.3 * bare[1] && bare[1] > 1.2 * bare[2], "orange: %.0f %.0f %.0f", bare[0], bare[1],
       bare[2]);
    ok(vessel[1] < bare[1] - 5 && vessel[1] > bare[1] - 50, "vessels are darker in green, by %.0f",
       bare[1] - vessel[1]);
    ok(f.outside < 15, "outside is black, %.1f", f.outside);
    rs_image_free(&image);
}

static void test_keys(void)
{
    struct rs_image images[4] = {{0}};
    const uint64_t keys[4][2] = {{1, 0}, {1, 0}, {1, 1}, {2, 0}};
    rs_synth_draw(&images[0], 200, 300, 9, 9);
    for (int i = 0; i < 4; i++)
        rs_synth_draw(&images[i], 96, 80, keys[i][0], keys[i][1]);
    size_t bytes = 96 * 80 * 5 * sizeof(uint16_t);
    ok(!memcmp(images[0].samples, images[1].samples, bytes),
       "one seed, one drawing, whatever was drawn before");
    ok(memcmp(images[0].samples, images[2].samples, bytes) != 0, "the next drawing is another");
    ok(memcmp(images[0].samples, images[3].samples, bytes) != 0, "another seed, another drawing");
    for (int i = 0; i < 4; i++)
        rs_image_free(&images[i]);
}

static void test_sizes(void)
{
    const int sizes[][2] = {{16, 16}, {16, 100}, {100, 17}, {64, 64}, {256, 192}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct rs_image image = {0};
        rs_synth_draw(&image, sizes[i][0], sizes[i][1], 1, 0);
        struct figures f = measure(&image);
        double share = (double)f.vessel / f.field;
        ok(image.width == sizes[i][0] && image.height == sizes[i][1] && f.stray == 0 && share > .04 &&
               share < .16,
           "%d x %d: %.1f %% vessel", sizes[i][0], sizes[i][1], 100 * share);
        rs_image_free(&image);
    }
}

int main(void)
{
    for (uint64_t index = 0; index < 4; index++)
        test_eye(1, index);
    test_eye(2, 0);
    test_keys();
    test_sizes();
    return done();
}
