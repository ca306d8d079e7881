/* Photographs as they come: without a field of view, at any size, mirrored. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "kernel/kernel.h"
#include "picture/fov.h"
#include "picture/resize.h"
#include "tap.h"
#include "task/infer.h"
#include "task/ready.h"

static const struct rs_infer_options usual = {.memory = (size_t)RS_INFER_MEMORY << 20,
                                              .most = RS_USUAL_PIXELS};

/* A disc on black, its middle that of the image, with blurred noise inside. */
static struct rs_image draw_disc(int width, int height, double diameter)
{
    const struct rs_image like = {.subject = RS_RGB, .maxval = 255};
    struct rs_image noise = {0}, image = {0};
    struct rs_rng rng = rs_rng_at(1, "test", (uint64_t)width, (uint64_t)height);
    rs_image_shape(&noise, &like, width / 8 + 1, height / 8 + 1, false);
    for (int i = 0; i < noise.width * noise.height * 3; i++)
        noise.samples[i] = (uint16_t)(100 + rs_rng_below(&rng, 100));
    rs_resize(&image, &noise, width, height);
    for (int i = 0; i < width * height; i++)
        if (hypot(i % width + .5 - width / 2., i / width + .5 - height / 2.) >= diameter / 2)
            memset(image.samples + 3 * (ptrdiff_t)i, 0, 3 * sizeof *image.samples);
    rs_image_free(&noise);
    return image;
}

/* A network that says something of its own of every pixel. */
static void draw_model(struct rs_model *model, enum rs_prep_mode mode, bool fov_only, double diameter)
{
    struct rs_unet_shape shape = {.inputs = 3, .levels = 3, .channels = {3, 4, 5}};
    *model = (struct rs_model){.temperature = 1, .diameter = diameter};
    model->prep = (struct rs_prep){.mode = mode,
                                   .fov_only = fov_only,
                                   .subtract_mean = true,
                                   .divide_std = true,
                                   .source = RS_RGB,
                                   .width = 16,
                                   .height = 12};
    rs_unet_build(&model->net, &shape);
    rs_unet_draw(&model->net, 9);
}

/* The map of a photograph, which is freed; `note` may be NULL. */
static struct rs_image map_of(const struct rs_model *model, struct rs_infer_options options,
                              struct rs_image image, const char **note)
{
    struct rs_image map = {0};
    struct rs_infer *infer = rs_infer_start(model, &options);
    no_error(rs_infer_image(infer, &map, &image), "%d x %d", image.width, image.height);
    if (note)
        *note = rs_infer_note(infer);
    rs_infer_free(infer);
    rs_image_free(&image);
    return map;
}

static struct rs_image copy_of(const struct rs_image *image)
{
    struct rs_image copy = {0};
    rs_image_copy(&copy, image, false);
    return copy;
}

static bool same_samples(const struct rs_image *a, const struct rs_image *b)
{
    return a->width == b->width && a->height == b->height && rs_image_planes(a) == rs_image_planes(b) &&
           !memcmp(a->samples, b->samples,
                   (size_t)(a->width * a->height * rs_image_planes(a)) * sizeof *a->samples);
}

/* Of the first plane. */
static int largest_difference(const struct rs_image *a, const struct rs_image *b)
{
    int most = 0;
    for (int i = 0; i < a->width * a->height; i++)
        most = (int)fmax(most, abs(a->samples[i * rs_image_planes(a)] - b->samples[i * rs_image_planes(b)]));
    return most;
}

/* --- Field of view --- */

/* How many pixels outside what is found are not 0, and how many inside are. */
static void count_strays(const struct rs_image *map, const struct rs_image *photograph, int *outside,
                         int *inside)
{
    struct rs_fov fov;
    rs_fov_find(&fov, photograph);
    rs_fov_shrink(&fov, RS_READY_RIM);
    *outside = *inside = 0;
    for (int i = 0; i < map->width * map->height; i++) {
        bool in = rs_fov_inside(&fov, i % map->width, i / map->width);
        int level = map->samples[i * rs_image_planes(map)];
        *outside += !in && level;
        *inside += in && !level;
    }
}

static void test_found(enum rs_prep_mode mode, double diameter)
{
    struct rs_model model;
    struct rs_image image = draw_disc(121, 110, 90), given = {0};
    struct rs_fov fov;
    int outside, inside;
    draw_model(&model, mode, true, diameter);
    rs_fov_find(&fov, &image);
    rs_fov_shrink(&fov, RS_READY_RIM);
    rs_fov_apply(&given, &image, &fov);
    struct rs_infer_options options = usual;
    options.scale = diameter / 90; /* what is found and what is measured in its plane differ a little */
    struct rs_image map = map_of(&model, options, copy_of(&image), NULL),
                    with = map_of(&model, options, given, NULL);
    ok(rs_image_planes(&map) == 1 && rs_image_planes(&with) == 2 && largest_difference(&map, &with) == 0,
       "mode %d, diameter %g: a field of view that is found, less its rim, is as good as one given, and not "
       "written",
       (int)mode, diameter);
    count_strays(&map, &image, &outside, &inside);
    ok(outside == 0 && inside == 0, "  outside it the map is 0 (%d are not), inside it is not (%d are)",
       outside, inside);
    rs_image_free(&image);
    rs_image_free(&map);
    rs_image_free(&with);
    rs_unet_free(&model.net);
}

/* Weights that are finite, but too large: no map of noughts. */
static void test_no_number(void)
{
    struct rs_model model;
    struct rs_image map = {0}, image = draw_disc(40, 40, 30);
    draw_model(&model, RS_PREP_IMAGE, false, 0);
    for (size_t i = 0; i < model.net.parameter_count; i++)
        model.net.parameters[i] *= 1e30f;
    for (int flips = 0; flips < 2; flips++) {
        struct rs_infer_options options = usual;
        options.flips = flips;
        struct rs_infer *infer = rs_infer_start(&model, &options);
        const char *error = rs_infer_image(infer, &map, &image);
        ok(error && !strcmp(error, "what the network says is no number"), "NaN is an error (%s)",
           error ? error : "none");
        rs_infer_free(infer);
    }
    rs_image_free(&map);
    rs_image_free(&image);
    rs_unet_free(&model.net);
}

/* A model that needs none: the map is that of all of the photograph. */
static void test_not_needed(void)
{
    struct rs_model model;
    int zeros = 0;
    draw_model(&model, RS_PREP_IMAGE, false, 0);
    struct rs_image map = map_of(&model, usual, draw_disc(90, 80, 70), NULL);
    for (int i = 0; i < 90 * 80; i++)
        zeros += map.samples[i] == 0;
    ok(zeros == 0, "a model that was normalised over images wants no field of view");
    rs_image_free(&map);
    rs_unet_free(&model.net);
}

static struct rs_image draw_flat(int width, int height, int level)
{
    const struct rs_image like = {.subject = RS_RGB, .maxval = 255};
    struct rs_image image = {0};
    rs_image_shape(&image, &like, width, height, false);
    for (int i = 0; i < width * height * 3; i++)
        image.samples[i] = (uint16_t)level;
    return image;
}

/* What has no field of view, and no deviation to divide by. */
static void test_notes(enum rs_prep_mode mode)
{
    const int levels[] = {0, 77, 255};
    struct rs_model model;
    const char *note;
    for (int i = 0; i < 6; i++) {
        draw_model(&model, mode, true, i % 2 ? 300 : 0);
        struct rs_image map = map_of(&model, usual, draw_flat(40, 30, levels[i / 2]), &note);
        ok(note && !strcmp(note, i % 2 ? "no field of view found; all of it is taken, at its own size"
                                       : "no field of view found; all of it is taken"),
           "all of it %d, mode %d: %s", levels[i / 2], (int)mode, note ? note : "nothing said");
        int zeros = 0;
        for (int k = 0; k < 40 * 30; k++)
            zeros += map.samples[k] == 0 || map.samples[k] == 65535;
        ok(zeros == 0, "  a map");
        rs_image_free(&map);
        rs_unet_free(&model.net);
    }
}

/* A field of view that is there, but no circle. */
static void test_no_circle(void)
{
    struct rs_model model;
    struct rs_image image = draw_disc(90, 80, 70), with = {0};
    const char *note;
    draw_model(&model, RS_PREP_IMAGE, true, 35);
    rs_image_copy(&with, &image, true);
    struct rs_image map = map_of(&model, usual, with, &note);
    ok(note && !strcmp(note, "no circle in its field of view; taken at its own size") && map.has_fov,
       "a field of view that is everywhere");
    rs_image_free(&map);
    map = map_of(&model, usual, image, &note);
    ok(!note && !map.has_fov, "nothing is to be said of a disc");
    rs_image_free(&map);
    rs_unet_free(&model.net);
}

/* Enlarged three times, and more. */
static void test_coarse(void)
{
    struct rs_model model;
    struct rs_infer_options as_it_is = usual;
    const char *note;
    as_it_is.scale = 4;
    draw_model(&model, RS_PREP_IMAGE, true, 205);
    struct rs_image map = map_of(&model, usual, draw_disc(90, 80, 70), &note);
    ok(!note, "enlarged 2.9 times: %s", note ? note : "nothing is said");
    rs_image_free(&map);
    model.diameter = 280;
    map = map_of(&model, usual, draw_disc(90, 80, 70), &note);
    ok(note &&
           !strcmp(note, "its field of view, 70 pixels across, is enlarged 4.0 times: too coarse for thin "
                         "vessels"),
       "enlarged 4 times: %s", note ? note : "nothing is said");
    rs_image_free(&map);
    map = map_of(&model, as_it_is, draw_disc(90, 80, 70), &note);
    ok(!note, "as the user wants it: %s", note ? note : "nothing is said");
    rs_image_free(&map);
    rs_unet_free(&model.net);
}

/* --- Scale --- */

/* The map of the photograph resized by hand, whose edges take no part, resized back. */
static void test_scale(enum rs_prep_mode mode, double diameter)
{
    enum { SIZE = 200, DISC = 160 };
    struct rs_model model, bare;
    struct rs_infer_options by_hand = usual;
    struct rs_image image = draw_disc(SIZE, SIZE, DISC), small = {0}, back = {0};
    draw_model(&model, mode, false, diameter);
    bare = model;
    bare.diameter = 0;
    by_hand.scale = diameter / DISC;
    struct rs_image map = map_of(&model, usual, copy_of(&image), NULL),
                    factor = map_of(&model, by_hand, copy_of(&image), NULL);
    ok(largest_difference(&map, &factor) < 1000, "diameter %g of %d: -scale=auto is about -scale=%g",
       diameter, DISC, diameter / DISC);
    rs_resize(&small, &image, (int)(SIZE * by_hand.scale + .5), (int)(SIZE * by_hand.scale + .5));
    struct rs_image small_map = map_of(&bare, usual, small, NULL);
    rs_resize(&back, &small_map, SIZE, SIZE);
    int most = 0, count = 0;
    for (int i = 0; i < SIZE * SIZE; i++)
        if (hypot(i % SIZE - SIZE / 2., i / (double)SIZE - SIZE / 2.) < DISC / 2. - 2 - 3 / by_hand.scale) {
            most = (int)fmax(most, abs(factor.samples[i] - back.samples[i]));
            count++;
        }
    ok(most <= 1 && count > 10000, "  the network runs at that size, and its map is resized (%d levels)",
       most);
    ok(map.width == SIZE && map.height == SIZE && map.samples[0] == 0, "  the map has the photograph's size");
    rs_image_free(&image);
    rs_image_free(&map);
    rs_image_free(&factor);
    rs_image_free(&small_map);
    rs_image_free(&back);
    rs_unet_free(&model.net);
}

static void test_alike(void)
{
    struct rs_model model;
    struct rs_infer_options none = usual;
    struct rs_image image = draw_disc(100, 100, 80);
    none.scale = 1;
    for (int i = 0; i < 3; i++) {
        const double diameters[] = {79, 81, 86};
        draw_model(&model, RS_PREP_IMAGE, true, diameters[i]);
        struct rs_image automatic = map_of(&model, usual, copy_of(&image), NULL),
                        never = map_of(&model, none, copy_of(&image), NULL);
        ok(same_samples(&automatic, &never) == (i < 2), "80 pixels for %g: %s", diameters[i],
           i < 2 ? "left as they are" : "resized");
        rs_image_free(&automatic);
        rs_image_free(&never);
        rs_unet_free(&model.net);
    }
    rs_image_free(&image);
}

static void test_refusals(void)
{
    struct rs_model model;
    struct rs_image image = draw_disc(100, 100, 80), map = {0};
    struct rs_infer_options options = usual;
    draw_model(&model, RS_PREP_PATCH, true, 160);
    options.most = 39999;
    struct rs_infer *infer = rs_infer_start(&model, &options);
    error_has(rs_infer_image(infer, &map, &image), "more than -max-pixels=39999", "too large when resized");
    image.is_patch = true;
    error_has(rs_infer_image(infer, &map, &image), "a patch, whose scale nothing tells", "a patch");
    rs_infer_free(infer);
    rs_image_free(&image);
    rs_image_free(&map);
    rs_unet_free(&model.net);
}

/* At the edge of the field of view, where what is outside must not count: a network that says the same everywhere. Half
 * a level of p and of the share count more where the share is small. */
static void test_edge(void)
{
    struct rs_model model;
    draw_model(&model, RS_PREP_IMAGE, true, 50);
    memset(model.net.parameters, 0, model.net.parameter_count * sizeof(float));
    model.net.parameters[model.net.parameter_count - 1] = 1.5f; /* the head's bias */
    struct rs_image map = map_of(&model, usual, draw_disc(150, 150, 130), NULL);
    int level = (int)(65536 / (1 + exp(-1.5))), wrong = 0, inside = 0;
    for (int i = 0; i < 150 * 150; i++) {
        inside += map.samples[i] > 0;
        wrong += map.samples[i] && abs(map.samples[i] - level) > 4;
    }
    ok(wrong == 0 && inside > 13000, "up to its edge %d of %d pixels differ from what the network says",
       wrong, inside);
    rs_image_free(&map);
    rs_unet_free(&model.net);
}

static void test_temperature(void)
{
    struct rs_model model;
    struct rs_image image = draw_disc(150, 150, 130);
    double most = 0;
    draw_model(&model, RS_PREP_IMAGE, true, 60);
    struct rs_image map = map_of(&model, usual, copy_of(&image), NULL);
    model.temperature = 2;
    struct rs_image mild = map_of(&model, usual, image, NULL);
    for (int i = 0; i < 150 * 150; i++)
        if (map.samples[i]) {
            double p = (map.samples[i] + .5) / 65536, q = (mild.samples[i] + .5) / 65536;
            most = fmax(most, fabs(log(p / (1 - p)) - 2 * log(q / (1 - q))));
        }
    near(most, 0, .002, "a temperature of 2 halves the logits of the map");
    rs_image_free(&map);
    rs_image_free(&mild);
    rs_unet_free(&model.net);
}

/* --- Mirror images --- */

static void mirror(struct rs_image *to, const struct rs_image *from, bool across, bool down)
{
    rs_image_shape(to, from, from->width, from->height, false);
    size_t bytes = (size_t)rs_image_planes(from) * sizeof *from->samples;
    for (int y = 0; y < from->height; y++)
        for (int x = 0; x < from->width; x++)
            memcpy(rs_image_at(to, x, y),
                   rs_image_at(from, across ? from->width - 1 - x : x, down ? from->height - 1 - y : y),
                   bytes);
}

/* Of a size that windows and the network's halvings divide evenly, so that mirroring moves neither. */
static void test_flips(enum rs_prep_mode mode)
{
    enum { W = 48, H = 36 };
    struct rs_model model;
    struct rs_infer_options plain = usual, flips = usual;
    struct rs_image image = draw_disc(W, H, 30), mirrored = {0}, turned = {0};
    double sum[W * H] = {0}, most = 0, moved = 0;
    plain.step = flips.step = 4;
    flips.flips = true;
    draw_model(&model, mode, false, 0);
    for (int i = 0; i < 4; i++) {
        mirror(&mirrored, &image, i & 1, i & 2);
        struct rs_image map = map_of(&model, plain, copy_of(&mirrored), NULL);
        mirror(&turned, &map, i & 1, i & 2);
        for (int k = 0; k < W * H; k++) {
            sum[k] += turned.samples[k] + .5;
            moved = fmax(moved, fabs(4 * sum[k] / (i + 1) - 4 * (turned.samples[k] + .5)));
        }
        rs_image_free(&map);
    }
    struct rs_image mean = map_of(&model, flips, image, NULL);
    for (int k = 0; k < W * H; k++)
        most = fmax(most, fabs(mean.samples[k] + .5 - sum[k] / 4));
    near(most, 0, 1.01, "mode %d: the mean of the maps of four mirror images", (int)mode);
    ok(moved > 1000, "  which are not the same");
    rs_image_free(&mirrored);
    rs_image_free(&turned);
    rs_image_free(&mean);
    rs_unet_free(&model.net);
}

int main(void)
{
    rs_kernel_start();
    test_found(RS_PREP_IMAGE, 0);
    test_found(RS_PREP_PATCH, 0);
    test_found(RS_PREP_NONE, 60);
    test_found(RS_PREP_IMAGE, 135);
    test_not_needed();
    test_no_number();
    test_notes(RS_PREP_IMAGE);
    test_notes(RS_PREP_PATCH);
    test_no_circle();
    test_coarse();
    test_scale(RS_PREP_NONE, 60);
    test_scale(RS_PREP_PATCH, 75);
    test_scale(RS_PREP_NONE, 330);
    test_alike();
    test_refusals();
    test_edge();
    test_temperature();
    test_flips(RS_PREP_NONE);
    test_flips(RS_PREP_IMAGE);
    test_flips(RS_PREP_PATCH);
    return done();
}
