/* What a network is trained on and what it is used on are the same numbers; maps; model files. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/thread.h"
#include "kernel/kernel.h"
#include "layer/probability.h"
#include "picture/crop.h"
#include "picture/prep_meta.h"
#include "picture/statistics.h"
#include "task/fit.h"
#include "task/infer.h"
#include "format/pam.h"
#include "tap.h"

enum { WIDTH = 16, HEIGHT = 12 }; /* of patches */

static const size_t MEMORY = (size_t)RS_INFER_MEMORY << 20;

static char folder[] = "/tmp/rs-test.XXXXXX";

/* The path of a file in the test's folder; one of each name. */
static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static struct rs_rng rng;

/* Noise; a field of view is a third of noise, too. */
static struct rs_image photograph(enum rs_subject subject, bool vessel, bool fov, int maxval, int width,
                                  int height)
{
    const struct rs_image like = {.subject = subject, .has_vessel = vessel, .has_fov = fov, .maxval = maxval};
    struct rs_image image = {0};
    rs_image_shape(&image, &like, width, height, false);
    int planes = rs_image_planes(&image), fov_plane = rs_image_fov_plane(&image);
    for (int i = 0; i < width * height * planes; i++)
        image.samples[i] =
            (uint16_t)(i % planes == fov_plane ? maxval * (rs_rng_below(&rng, 3) > 0)
                                               : (int)rs_rng_below(&rng, (uint64_t)maxval + 1));
    return image;
}

static struct rs_infer_options usual(int step, size_t memory)
{
    return (struct rs_infer_options){.step = step, .memory = memory, .most = RS_USUAL_PIXELS};
}

static struct rs_infer *start(const struct rs_model *model, int step, size_t memory)
{
    struct rs_infer_options options = usual(step, memory);
    return rs_infer_start(model, &options);
}

/* --- The same numbers in training and in use --- */

/* How a photograph is normalised, in rs-norm's words. */
struct setting {
    enum rs_subject source;
    enum rs_prep_mode mode;
    bool has_fov;
    int maxval;
    char options[64]; /* pixels, planes, mean, std */
};

static void save_image(const char *name, const struct rs_image *image)
{
    FILE *file = fopen(path_of(name), "wb");
    if (!file || rs_image_write(file, image) || fclose(file)) {
        printf("Bail out! cannot write %s\n", path_of(name));
        exit(1);
    }
}

/* And another of its kind, in the field of view everywhere, to fit statistics to both. */
static void save_photograph(const struct rs_image *image)
{
    struct rs_image other = photograph(image->subject, image->has_vessel, image->has_fov, image->maxval,
                                       image->width, image->height);
    other.is_patch = image->is_patch;
    for (int i = 0; i < image->width * image->height && image->has_fov; i++)
        rs_image_at(&other, i % image->width, i / image->width)[rs_image_fov_plane(&other)] =
            (uint16_t)image->maxval;
    save_image("photograph", image);
    save_image("other", &other);
    rs_image_free(&other);
}

/* Runs rs-norm on the photograph; what it wrote is to be freed. */
static unsigned char *run_norm(const char *options, size_t *size)
{
    enum { MOST = 1 << 16 };
    char command[512];
    const char *build = getenv("BUILD");
    unsigned char *data = rs_alloc(MOST, 1);
    snprintf(command, sizeof command, "%s/bin/rs-norm -quiet %s %s/photograph", build ? build : "build",
             options, folder);
    FILE *pipe = popen(command, "r");
    *size = pipe ? fread(data, 1, MOST, pipe) : 0;
    if (!pipe || pclose(pipe)) {
        printf("Bail out! failed: %s\n", command);
        exit(1);
    }
    return data;
}

/* The photograph as a tensor, statistics fitted before, to it and another, where the mode has them. */
static unsigned char *norm_of(const struct setting *s, size_t *size)
{
    char options[256];
    struct rs_prep prep = {.mode = s->mode};
    if (rs_prep_learns(&prep)) {
        snprintf(options, sizeof options, "-mode=%s %s -fit=%s", rs_prep_mode(&prep), s->options,
                 path_of("stats"));
        snprintf(options + strlen(options), sizeof options - strlen(options), " %s", path_of("other"));
        free(run_norm(options, size));
        snprintf(options, sizeof options, "-stats=%s", path_of("stats"));
    } else {
        snprintf(options, sizeof options, "-mode=%s %s", rs_prep_mode(&prep), s->options);
    }
    return run_norm(options, size);
}

/* A network of three levels for photographs that are normalised so. */
static void build_model(struct rs_model *model, const struct rs_prep *prep)
{
    struct rs_unet_shape shape = {.inputs = rs_prep_channels(prep), .levels = 3, .channels = {3, 4, 5}};
    *model = (struct rs_model){.prep = *prep, .temperature = 1};
    rs_unet_build(&model->net, &shape);
}

/* The record's image against the network's input for the window at (x, y). */
static bool same_input(const unsigned char *data, size_t size, const struct rs_image *image, int x, int y)
{
    struct rs_record record = {0};
    struct rs_model model;
    struct rs_prep prep;
    size_t header;
    bool same = false;
    if (rs_record_parse(&record, data, size, &header) || rs_prep_from_meta(&prep, &record.meta))
        return false;
    if (rs_prep_whitens(&prep) && rs_statistics_load(&prep, path_of("stats")))
        return false;
    build_model(&model, &prep);
    struct rs_infer *infer = start(&model, 0, MEMORY);
    int width, height;
    rs_infer_size(infer, image, &width, &height);
    const struct rs_array *array = rs_record_find(&record, "image");
    size_t bytes = (size_t)(width * height * model.net.shape.inputs) * sizeof(float);
    float *input = rs_alloc(bytes, 1);
    if (width == array->shape[3] && height == array->shape[2]) {
        rs_infer_input(infer, image, x, y, input);
        same = array->bytes == bytes && !memcmp(data + header + array->offset, input, bytes);
    }
    free(input);
    rs_infer_free(infer);
    rs_model_free(&model);
    rs_record_free(&record);
    return same;
}

static void test_same_input(const struct setting *s)
{
    size_t size;
    struct rs_image image = photograph(s->source, s->maxval > 255, s->has_fov, s->maxval, WIDTH, HEIGHT);
    image.is_patch = s->mode == RS_PREP_PATCH || s->mode == RS_PREP_ZCA;
    save_photograph(&image);
    unsigned char *data = norm_of(s, &size);
    char kind[32];
    rs_image_kind(&image, kind);
    ok(same_input(data, size, &image, 0, 0),
       "%s of maxval %d, mode %d, %s: the tensor is the network's input", kind, s->maxval, (int)s->mode,
       s->options);
    free(data);
    rs_image_free(&image);
}

static void test_same_inputs(void)
{
    static const char *const planes[] = {"", "-gray", "-green"};
    static const char *const rest[] = {"", " -no-mean", " -no-std"};
    for (int i = 0; i < 72; i++) {
        struct setting s = {.source = i % 2 ? RS_RGB : RS_GRAYSCALE,
                            .mode = (enum rs_prep_mode)(i / 2 % 4),
                            .has_fov = i / 24 > 0,
                            .maxval = i % 4 < 2 ? 255 : 65535};
        snprintf(s.options, sizeof s.options, "-pixels=%s %s%s", i / 24 > 1 ? "fov" : "image",
                 planes[i / 8 % 3], rest[(i / 2 + i / 8) % 3]);
        test_same_input(&s);
    }
    for (int i = 0; i < 12; i++) {
        bool filter = i / 6;
        struct setting s = {.source = i % 2 ? RS_RGB : RS_GRAYSCALE,
                            .mode = filter ? RS_PREP_ZCA_FILTER : RS_PREP_ZCA,
                            .has_fov = i % 3 > 0,
                            .maxval = i % 4 < 2 ? 255 : 65535};
        snprintf(s.options, sizeof s.options, "-pixels=%s %s %s", filter && s.has_fov ? "fov" : "image",
                 planes[i % 3],
                 filter  ? "-kernel=3"
                 : i % 4 ? "-rank=7"
                         : "");
        test_same_input(&s);
    }
}

/* A window in a larger photograph is the patch that rs-patch would have cut there. */
static void test_same_window(enum rs_prep_mode mode, bool has_fov, const char *options)
{
    struct setting s = {.mode = mode};
    struct rs_image image = photograph(RS_RGB, true, has_fov, 255, 40, 31), patch = {0};
    const int corners[][2] = {{0, 0}, {5, 7}, {24, 19}};
    snprintf(s.options, sizeof s.options, "%s", options);
    for (int i = 0; i < 3; i++) {
        size_t size;
        rs_patch_cut(&patch, &image, corners[i][0], corners[i][1], WIDTH, HEIGHT, false);
        save_photograph(&patch);
        unsigned char *data = norm_of(&s, &size);
        ok(same_input(data, size, &image, corners[i][0], corners[i][1]),
           "the window at (%d, %d) is a patch, %s", corners[i][0], corners[i][1], options);
        free(data);
    }
    rs_image_free(&image);
    rs_image_free(&patch);
}

/* A photograph of no multiple of the network's is run on what rs-norm and rs-patch -grid make of it, in the modes
 * whose constants do not come from each patch. */
static void test_same_grid(enum rs_prep_mode mode, bool has_fov, const char *options)
{
    enum { SIZE = 24 };
    struct setting s = {.mode = mode};
    struct rs_image image = photograph(RS_RGB, true, has_fov, 255, SIZE - 3, SIZE - 2);
    struct rs_tensor_record record = {0};
    struct rs_crop crop = {0};
    size_t size, out_size;
    char *out;
    bool more;
    snprintf(s.options, sizeof s.options, "%s%s", options, mode == RS_PREP_ZCA_FILTER ? " -kernel=5" : "");
    save_photograph(&image);
    unsigned char *data = norm_of(&s, &size);
    FILE *in = fmemopen(data, size, "rb"), *file = open_memstream(&out, &out_size);
    no_error(rs_tensor_read(in, RS_USUAL_PIXELS, &record, &more), "a tensor of mode %d, %s", (int)mode,
             options);
    no_error(rs_crop_start(&crop, &record, 0, SIZE), "  is ready to be cut");
    no_error(rs_crop_write(file, &crop, 0, 0, true), "  and cut");
    fclose(in);
    fclose(file);
    ok(same_input((unsigned char *)out, out_size, &image, 0, 0), "  to the network's input");
    free(out);
    free(data);
    rs_crop_free(&crop);
    rs_tensor_free(&record);
    rs_image_free(&image);
}

/* --- Maps --- */

static struct rs_prep prep_of(enum rs_prep_mode mode, bool fov_only)
{
    struct rs_prep prep = {.mode = mode,
                           .fov_only = fov_only,
                           .subtract_mean = true,
                           .divide_std = true,
                           .source = RS_RGB,
                           .width = WIDTH,
                           .height = HEIGHT,
                           .mean = {.5, .4, .3},
                           .std = {.1, .2, .3}};
    if (!rs_prep_whitens(&prep))
        return prep;
    prep.epsilon = .1;
    prep.rank = mode == RS_PREP_ZCA ? 5 : 0;
    prep.window = mode == RS_PREP_ZCA ? 0 : 5;
    rs_prep_reserve(&prep);
    struct rs_whitening_array list[RS_WHITENING_ARRAYS];
    int arrays = rs_whitening_list(prep.whitening, list);
    for (int a = 0; a < arrays; a++)
        for (size_t k = 0; k < list[a].count; k++)
            list[a].values[k] = (float)(.01 + .1 * rs_rng_uniform(&rng));
    no_error(rs_whitening_finish(prep.whitening), "a whitening of mode %d", (int)mode);
    return prep;
}

/* A network that says something of its own of every pixel. */
static void draw_model(struct rs_model *model, const struct rs_prep *prep)
{
    build_model(model, prep);
    rs_unet_draw(&model->net, 9);
    for (size_t i = 0; i < model->net.statistic_count; i++)
        model->net.statistics[i] += (float)(.1 * rs_rng_uniform(&rng));
}

static const struct rs_unet_entry *entry_named(const struct rs_unet *net, const char *name)
{
    int i = 0;
    while (strcmp(net->entries[i].name, name))
        i++;
    return &net->entries[i];
}

static float *head_bias(const struct rs_model *model)
{
    return &model->net.parameters[entry_named(&model->net, "head.bias")->offset];
}

/* All weights 0: every pixel that is reached has the head's bias as its logit, and that by the temperature as the
 * logit of p. A level has room for the
 * rounding of a sum of up to 12 windows, since 65536 p is not near a whole number; at a step of 1, 192
 * windows, p is .5 and all is exact. */
static void test_every_pixel(enum rs_prep_mode mode, int step, int width, int height)
{
    struct rs_prep prep = prep_of(mode, false);
    struct rs_model model;
    struct rs_image image = photograph(RS_RGB, false, false, 255, width, height), map = {0};
    build_model(&model, &prep);
    *head_bias(&model) = step == 1 ? 0 : .3f;
    model.temperature = 1.25;
    struct rs_infer *infer = start(&model, step, MEMORY);
    const char *error = rs_infer_image(infer, &map, &image);
    int level = rs_level(rs_sigmoid((double)*head_bias(&model) / 1.25)), wrong = 0;
    for (int i = 0; !error && i < width * height; i++)
        wrong += map.samples[i] != level;
    ok(!error && wrong == 0 && map.width == width && map.height == height && map.subject == RS_PROB &&
           map.maxval == 65535 && rs_image_planes(&map) == 1,
       "mode %d, step %d: %d of %d x %d pixels are not %d", (int)mode, step, wrong, width, height, level);
    rs_infer_free(infer);
    rs_image_free(&image);
    rs_image_free(&map);
    rs_unet_free(&model.net);
}

static void test_all_pixels(void)
{
    const int sizes[][2] = {{1, 1}, {5, 3}, {16, 12}, {17, 12}, {16, 13}, {37, 29}, {3, 50}, {48, 36}};
    const int steps[] = {0, 1, 5, 12};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int k = 0; k < 4; k++)
            test_every_pixel(RS_PREP_PATCH, steps[k], sizes[i][0], sizes[i][1]);
        test_every_pixel(RS_PREP_NONE, 0, sizes[i][0], sizes[i][1]);
        test_every_pixel(RS_PREP_DATASET, 0, sizes[i][0], sizes[i][1]);
        test_every_pixel(RS_PREP_IMAGE, 0, sizes[i][0], sizes[i][1]);
    }
}

static void test_planes(int maxval)
{
    struct rs_prep prep = prep_of(RS_PREP_PATCH, false);
    struct rs_model model;
    struct rs_image image = photograph(RS_RGB, true, true, maxval, 21, 19), map = {0};
    int outside = 0, truth = 0, field = 0, zeros = 0;
    draw_model(&model, &prep);
    *head_bias(&model) = 3;
    struct rs_infer *infer = start(&model, 0, MEMORY);
    no_error(rs_infer_image(infer, &map, &image), "a photograph of maxval %d with truth and field of view",
             maxval);
    for (int i = 0; i < 21 * 19; i++) {
        const uint16_t *from = image.samples + i * 5, *to = map.samples + i * 3;
        bool inside = 2 * from[4] > maxval;
        outside += !inside && to[0] != 0;
        zeros += inside && to[0] == 0;
        truth += to[1] != (int)ceil(from[3] * 65535. / maxval - .5); /* a half is no vessel yet */
        field += to[2] != (inside ? 65535 : 0);
    }
    ok(map.has_vessel && map.has_fov && rs_image_planes(&map) == 3, "  the map has both planes");
    ok(outside == 0 && zeros == 0, "  outside the field of view it is 0, inside it is not");
    ok(truth == 0, "  the truth is scaled to 16 bits");
    ok(field == 0, "  the field of view is 0 or 65535");
    rs_infer_free(infer);
    rs_image_free(&image);
    rs_image_free(&map);
    rs_unet_free(&model.net);
}

/* Where windows start along a line, in the words of the manual. */
static bool starts_at(int at, int size, int window, int step)
{
    return at == size - window || (at < size - window && at % step == 0);
}

/* Each window by itself as a photograph of a patch's size; what it says is added up, in levels. */
static void add_windows(const struct rs_model *model, const struct rs_image *image, int step, double *sum,
                        int *number)
{
    struct rs_infer *infer = start(model, 0, MEMORY);
    struct rs_image patch = {0}, map = {0};
    for (int at = 0; at < image->width * image->height; at++) {
        int x = at % image->width, y = at / image->width;
        if (!starts_at(x, image->width, WIDTH, step) || !starts_at(y, image->height, HEIGHT, step))
            continue;
        rs_patch_cut(&patch, image, x, y, WIDTH, HEIGHT, false);
        rs_infer_image(infer, &map, &patch);
        for (int i = 0; i < WIDTH * HEIGHT; i++) {
            int to = (y + i / WIDTH) * image->width + x + i % WIDTH;
            sum[to] += map.samples[i] + .5;
            number[to]++;
        }
    }
    rs_infer_free(infer);
    rs_image_free(&patch);
    rs_image_free(&map);
}

/* The windows' levels and the map's each stand for what is within half a level of them. */
static void test_average(int step)
{
    enum { W = 45, H = 26 };
    struct rs_prep prep = prep_of(RS_PREP_PATCH, false);
    struct rs_model model;
    struct rs_image image = photograph(RS_RGB, false, false, 255, W, H), map = {0};
    double sum[W * H] = {0}, most = 0, least = 65536, largest = 0;
    int number[W * H] = {0};
    draw_model(&model, &prep);
    struct rs_infer *infer = start(&model, step, MEMORY);
    no_error(rs_infer_image(infer, &map, &image), "step %d", step);
    add_windows(&model, &image, step ? step : (HEIGHT + 1) / 2, sum, number);
    for (int i = 0; i < W * H; i++) {
        most = fmax(most, fabs(map.samples[i] + .5 - sum[i] / number[i]));
        least = fmin(least, map.samples[i]);
        largest = fmax(largest, map.samples[i]);
    }
    near(most, 0, 1.01, "  the map is the mean of its windows, %d at most", number[H / 2 * W + W / 2]);
    ok(largest - least > 6553, "  and it is not flat (%g to %g)", least, largest);
    rs_infer_free(infer);
    rs_image_free(&image);
    rs_image_free(&map);
    rs_unet_free(&model.net);
}

/* Sizes that are no multiple of 4 are run as if the photograph went on in black. */
static void test_whole(enum rs_prep_mode mode, bool fov_only)
{
    struct rs_prep prep = prep_of(mode, fov_only);
    struct rs_model model;
    struct rs_image image = photograph(RS_RGB, false, fov_only, 255, 21, 13), wide = {0}, map = {0},
                    wide_map = {0};
    int wrong = 0, width, height;
    draw_model(&model, &prep);
    struct rs_infer *infer = start(&model, 0, MEMORY);
    rs_infer_size(infer, &image, &width, &height);
    ok(width == 24 && height == 16, "21 x 13 is rounded up to a multiple of 4");
    rs_patch_cut(&wide, &image, 0, 0, 24, 16, false);
    wide.is_patch = false;
    no_error(rs_infer_image(infer, &map, &image), "a photograph of 21 x 13");
    no_error(rs_infer_image(infer, &wide_map, &wide), "the same on black, 24 x 16");
    for (int i = 0; i < 21 * 13; i++)
        wrong += *rs_image_at(&map, i % 21, i / 21) != *rs_image_at(&wide_map, i % 21, i / 21);
    ok(wrong == 0 && map.width == 21 && map.height == 13, "mode %d: the same map, cut to size", (int)mode);
    rs_infer_free(infer);
    rs_image_free(&image);
    rs_image_free(&wide);
    rs_image_free(&map);
    rs_image_free(&wide_map);
    rs_unet_free(&model.net);
}

/* One worker for photographs of different sizes: nothing is left of the one before. */
static void test_reuse(enum rs_prep_mode mode)
{
    struct rs_prep prep = prep_of(mode, false);
    struct rs_model model;
    struct rs_image small = photograph(RS_RGB, false, false, 255, 9, 14),
                    large = photograph(RS_RGB, true, true, 255, 50, 30);
    struct rs_image map = {0}, fresh = {0};
    draw_model(&model, &prep);
    struct rs_infer *infer = start(&model, 0, MEMORY), *other = start(&model, 0, MEMORY);
    rs_infer_image(other, &fresh, &small);
    rs_infer_image(infer, &map, &large);
    rs_infer_image(infer, &map, &small);
    ok(map.width == 9 && map.height == 14 && !map.has_fov && !map.has_vessel &&
           !memcmp(map.samples, fresh.samples, 9 * 14 * sizeof *map.samples),
       "mode %d: a small photograph after a large one", (int)mode);
    rs_infer_free(infer);
    rs_infer_free(other);
    rs_image_free(&small);
    rs_image_free(&large);
    rs_image_free(&map);
    rs_image_free(&fresh);
    rs_unet_free(&model.net);
}

static void test_misfits(void)
{
    struct rs_prep prep = prep_of(RS_PREP_NONE, false);
    struct rs_model model;
    struct rs_image gray = photograph(RS_GRAYSCALE, false, true, 255, 16, 12), map = {0};
    struct rs_image bare = photograph(RS_RGB, true, false, 255, 16, 12);
    build_model(&model, &prep);
    struct rs_infer *infer = start(&model, 0, MEMORY);
    error_has(rs_infer_image(infer, &map, &gray), "planes GRAYSCALE_FOV,",
              "planes that are not the model's are named");
    error_has(rs_infer_image(infer, &map, &gray), "planes RGB is wanted", "and those that are");
    no_error(rs_infer_image(infer, &map, &bare), "what fits is run after that");
    rs_infer_free(infer);
    model.prep = prep_of(RS_PREP_IMAGE, false);
    infer = start(&model, 0, MEMORY);
    bare.is_patch = true;
    error_has(rs_infer_image(infer, &map, &bare), "planes RGB_VESSEL_PATCH: a whole photograph is wanted",
              "a patch, where the whole photograph's light counts");
    bare.is_patch = false;
    no_error(rs_infer_image(infer, &map, &bare), "the same, whole");
    rs_infer_free(infer);
    rs_image_free(&gray);
    rs_image_free(&bare);
    rs_image_free(&map);
    rs_unet_free(&model.net);
}

/* --- Memory and threads --- */

/* A photograph with a map by all the memory there is, and a model for it. */
struct memory_case {
    bool flips;
    struct rs_model model;
    struct rs_image image, map;
};

static struct rs_infer *start_case(const struct memory_case *t, size_t memory)
{
    struct rs_infer_options options = usual(0, memory);
    options.flips = t->flips;
    return rs_infer_start(&t->model, &options);
}

static struct memory_case memory_case_new(enum rs_prep_mode mode, int width, int height, bool flips)
{
    struct rs_prep prep = prep_of(mode, false);
    struct memory_case t = {.flips = flips, .image = photograph(RS_RGB, true, true, 255, width, height)};
    draw_model(&t.model, &prep);
    struct rs_infer *infer = start_case(&t, MEMORY);
    no_error(rs_infer_image(infer, &t.map, &t.image), "mode %d, %d x %d in %zu MiB", (int)mode, width, height,
             MEMORY >> 20);
    rs_infer_free(infer);
    return t;
}

static void memory_case_free(struct memory_case *t)
{
    rs_image_free(&t->image);
    rs_image_free(&t->map);
    rs_model_free(&t->model);
}

/* An error, or whether the map is the case's. */
static const char *run_in(struct memory_case *t, size_t memory, bool *same)
{
    struct rs_image map = {0};
    struct rs_infer *infer = start_case(t, memory);
    const char *error = rs_infer_image(infer, &map, &t->image);
    size_t bytes = (size_t)(t->image.width * t->image.height) * 3 * sizeof *map.samples;
    *same = !error && !memcmp(map.samples, t->map.samples, bytes);
    rs_infer_free(infer);
    rs_image_free(&map);
    return error;
}

/* Less by a quarter each time until it no longer suffices; what is then asked for does. */
static void test_memory(struct memory_case *t, const char *name)
{
    const char *error = NULL, *asked;
    int runs = 0, differ = 0;
    bool same;
    for (size_t memory = MEMORY; memory && !(error = run_in(t, memory, &same)); memory -= (memory + 3) / 4) {
        differ += !same;
        runs++;
    }
    ok(differ == 0 && runs > 10, "%s: the same map in each of %d sizes of memory, %d threads", name, runs,
       rs_threads());
    error_has(error, "-memory=", "  and then an error that names the option");
    asked = error ? strstr(error, "-memory=") : NULL;
    size_t mebibytes = asked ? strtoul(asked + strlen("-memory="), NULL, 10) : 0;
    no_error(run_in(t, mebibytes << 20, &same), "  %zu MiB, which it asks for, are enough", mebibytes);
    ok(mebibytes > 0 && same, "  for the same map");
}

static void test_all_memory(void)
{
    struct memory_case whole = memory_case_new(RS_PREP_NONE, 333, 90, false),
                       narrow = memory_case_new(RS_PREP_IMAGE, 70, 201, true),
                       patches = memory_case_new(RS_PREP_PATCH, 61, 47, true),
                       filtered = memory_case_new(RS_PREP_ZCA_FILTER, 333, 30, true),
                       whitened = memory_case_new(RS_PREP_ZCA, 61, 47, false);
    for (int threads = 1; threads <= 4; threads++) {
        no_error(rs_threads_start(threads), "%d threads", threads);
        test_memory(&whole, "whole, wide");
        test_memory(&narrow, "whole, narrow");
        test_memory(&patches, "patches");
        test_memory(&filtered, "whole, filtered");
        test_memory(&whitened, "patches, whitened");
    }
    memory_case_free(&whole);
    memory_case_free(&narrow);
    memory_case_free(&patches);
    memory_case_free(&filtered);
    memory_case_free(&whitened);
}

/* --- Model files --- */

struct bytes {
    unsigned char *data;
    size_t size;
};

static struct bytes read_file(const char *name)
{
    struct bytes b = {rs_alloc(1 << 16, 1), 0};
    FILE *file = fopen(path_of(name), "rb");
    b.size = file ? fread(b.data, 1, 1 << 16, file) : 0;
    if (file)
        fclose(file);
    return b;
}

static const char *load_bytes(struct rs_model *model, const void *data, size_t size)
{
    FILE *file = fopen(path_of("other.model"), "wb");
    fwrite(data, 1, size, file);
    fclose(file);
    return rs_model_load(model, path_of("other.model"));
}

/* Loads what must not load. */
static const char *refusal(const void *data, size_t size)
{
    struct rs_model model;
    const char *error = load_bytes(&model, data, size);
    if (!error)
        rs_model_free(&model);
    return error;
}

/* Saves a model and returns the bytes of its file. */
static struct bytes saved_model(struct rs_model *model)
{
    struct rs_prep prep = prep_of(RS_PREP_DATASET, true);
    draw_model(model, &prep);
    model->dropout = .2;
    model->has_threshold = true;
    model->threshold = 1. / 3;
    strcpy(model->training, "-epochs=1 -seed=7");
    strcpy(model->kernel, "by hand");
    no_error(rs_model_save(model, path_of("first.model")), "a model is saved");
    return read_file("first.model");
}

static void test_model_round_trip(bool threshold)
{
    struct rs_model model, back;
    free(saved_model(&model).data);
    model.has_threshold = threshold;
    model.threshold = threshold ? 1. / 3 : 0;
    model.temperature = threshold ? 4. / 3 : 1;
    model.diameter = threshold ? 540.3 : 0;
    rs_model_save(&model, path_of("first.model"));
    no_error(rs_model_load(&back, path_of("first.model")), "and loaded, %s threshold",
             threshold ? "with" : "without");
    ok(!memcmp(back.net.parameters, model.net.parameters, model.net.parameter_count * sizeof(float)) &&
           !memcmp(back.net.statistics, model.net.statistics, model.net.statistic_count * sizeof(float)),
       "  with the same weights");
    ok(!memcmp(&back.net.shape, &model.net.shape, sizeof back.net.shape) && back.dropout == .2 &&
           back.has_threshold == threshold && back.threshold == model.threshold &&
           back.temperature == model.temperature && back.diameter == model.diameter &&
           !strcmp(back.training, model.training) && !strcmp(back.kernel, model.kernel),
       "  and all that is said of them");
    ok(back.prep.mode == RS_PREP_DATASET && back.prep.fov_only && back.prep.width == WIDTH &&
           !memcmp(back.prep.mean, model.prep.mean, sizeof back.prep.mean),
       "  normalisation, too");
    no_error(rs_model_save(&back, path_of("second.model")), "  saved again");
    struct bytes a = read_file("first.model"), b = read_file("second.model");
    ok(a.size == b.size && a.size > 0 && !memcmp(a.data, b.data, a.size), "  the same %zu bytes", a.size);
    double value = -1;
    const char *error = rs_model_read_threshold(path_of("first.model"), &value);
    if (threshold)
        ok(!error && value == 1. / 3, "  its threshold alone is the same");
    else
        error_has(error, "no threshold in this model", "  it has no threshold");
    free(a.data);
    free(b.data);
    rs_model_free(&model);
    rs_model_free(&back);
}

static void test_cut_model(const struct bytes *file)
{
    unsigned char *longer = rs_alloc(file->size + 1, 1);
    size_t bad = 0, cuts = 0;
    for (size_t size = 0; size < file->size;
         size += size + 100 < file->size || size + 1 == file->size ? 100 : file->size - 1 - size) {
        bad += !refusal(file->data, size);
        cuts++;
    }
    ok(bad == 0 && cuts > 100, "cut at each of %zu places, a model is refused", cuts);
    memcpy(longer, file->data, file->size);
    error_has(refusal(longer, file->size + 1), "junk after the last array", "a model with junk behind it");
    error_has(refusal("", 0), "empty", "an empty file");
    error_has(refusal("hello, world", 12), "not a safetensors record", "a text");
    struct rs_model model;
    error_has(rs_model_load(&model, path_of("no such file")), "No such file", "no file");
    error_has(rs_model_load(&model, "tests/unit/data/torch_unet.safetensors"), "not a model made by rs-train",
              "another safetensors file");
    free(longer);
}

/* Puts a value into an array of the file. */
static void test_bad_value(const struct bytes *file, const char *array, float value, const char *part)
{
    struct rs_record record = {0};
    size_t header;
    unsigned char *copy = rs_alloc(file->size, 1);
    memcpy(copy, file->data, file->size);
    rs_record_parse(&record, file->data, file->size, &header);
    const struct rs_array *found = rs_record_find(&record, array);
    memcpy(copy + header + found->offset + found->bytes - sizeof value, &value, sizeof value);
    error_has(refusal(copy, file->size), part, "%g in %s", (double)value, array);
    free(copy);
    rs_record_free(&record);
}

static void test_bad_values(const struct bytes *file)
{
    test_bad_value(file, "enc1.conv1.weight", (float)NAN,
                   "'enc1.conv1.weight' has a value that is not finite");
    test_bad_value(file, "head.bias", INFINITY, "'head.bias' has a value that is not finite");
    test_bad_value(file, "dec1.norm2.running_mean", -INFINITY,
                   "'dec1.norm2.running_mean' has a value that is not finite");
    test_bad_value(file, "enc3.norm1.running_var", (float)NAN, "not finite");
    test_bad_value(file, "enc3.norm1.running_var", -1e-9f,
                   "'enc3.norm1.running_var' has a value that is a negative variance");
}

/* Writes a header, and as many zeros as it says; loads it. */
static const char *load_record(const struct rs_record *record)
{
    char *data = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&data, &size);
    rs_record_write(stream, record);
    for (size_t i = 0; i < record->bytes; i++)
        putc(0, stream);
    fclose(stream);
    const char *error = refusal(data, size);
    free(data);
    return error;
}

/* A model with a whitening: the arrays are there, and are missed. */
static void test_whitened_model(enum rs_prep_mode mode)
{
    struct rs_prep prep = prep_of(mode, false);
    struct rs_model model, back;
    size_t bytes = (size_t)(mode == RS_PREP_ZCA ? 5 * WIDTH * HEIGHT : 3 * 5 * 5) * 3 * sizeof(float);
    draw_model(&model, &prep);
    memset(model.prep.statistics, 'a', RS_SHA256_TEXT - 1);
    no_error(rs_model_save(&model, path_of("first.model")), "a model of mode %d is saved", (int)mode);
    no_error(rs_model_load(&back, path_of("first.model")), "  and loaded");
    const struct rs_whitening *a = model.prep.whitening, *b = back.prep.whitening;
    ok(mode == RS_PREP_ZCA ? !memcmp(a->vectors, b->vectors, bytes) && !memcmp(a->across, b->across, bytes)
                           : !memcmp(a->matrix, b->matrix, bytes),
       "  with the same whitening");
    ok(!strcmp(back.prep.statistics, model.prep.statistics), "  whose name it knows");
    struct bytes file = read_file("first.model");
    struct rs_record record = {0};
    size_t header;
    no_error(rs_record_parse(&record, file.data, file.size, &header), "  in a safetensors file");
    ok(!strncmp(record.arrays[record.count - 1].name, "whitening.", 10), "  of which it is the end");
    free(record.arrays[record.count - 1].name);
    record.bytes -= record.arrays[--record.count].bytes;
    error_has(load_record(&record), "no array 'whitening.", "  without which it is refused");
    free(file.data);
    rs_record_free(&record);
    rs_model_free(&model);
    rs_model_free(&back);
}

enum change { NOTHING, DROP, RENAME, RESHAPE, RANK, DTYPE, ADD, REVERSE };

/* The model's record with its `index`-th array changed. */
static struct rs_record changed(const struct rs_record *from, int index, enum change change)
{
    struct rs_record to = {0};
    rs_meta_copy(&to.meta, &from->meta);
    for (int i = 0; i < from->count; i++) {
        struct rs_array a = from->arrays[change == REVERSE ? from->count - 1 - i : i];
        if (i == index && change == DROP)
            continue;
        if (i == index && change == RESHAPE) {
            int64_t first = a.shape[0];
            a.shape[0] = a.shape[1];
            a.shape[1] = first;
        }
        if (i == index && change == RANK) {
            a.shape[0] *= a.shape[1];
            a.shape[1] = a.shape[2];
            a.shape[2] = a.shape[3];
            a.rank--;
        }
        rs_record_add(&to, i == index && change == RENAME ? "other" : a.name,
                      i == index && change == DTYPE ? RS_U8 : a.dtype, a.rank, a.shape);
    }
    if (change == ADD)
        rs_record_add(&to, "other", RS_F32, 1, (int64_t[]){1});
    return to;
}

static void test_arrays(const struct rs_record *record)
{
    const struct {
        const char *name;
        int index;
        enum change change;
        const char *part; /* NULL: it loads */
    } cases[] = {
        {"all arrays, of zeros", 0, NOTHING, NULL},
        {"the arrays in another order", 0, REVERSE, NULL},
        {"its first array missing", 0, DROP, "no array 'enc1.conv1.weight'"},
        {"its last array missing", record->count - 1, DROP, "no array 'head.bias'"},
        {"an array of another name", 5, RENAME, "no array 'enc1.conv2.weight'"},
        {"channels in and out swapped", 5 + 5, RESHAPE, "'enc2.conv1.weight' has not the type and shape"},
        {"an array of rank 3", 0, RANK, "'enc1.conv1.weight' has not the type and shape"},
        {"an array of bytes", 1, DTYPE, "'enc1.norm1.weight' has not the type and shape"},
        {"an array too many", 0, ADD, "arrays, where this network has"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rs_record other = changed(record, cases[i].index, cases[i].change);
        const char *error = load_record(&other);
        if (cases[i].part)
            error_has(error, cases[i].part, "a model with %s", cases[i].name);
        else
            no_error(error, "a model with %s", cases[i].name);
        rs_record_free(&other);
    }
}

/* Arrays in another order than ours: the same network. */
static void test_other_order(const struct bytes *file, const struct rs_record *record, size_t header)
{
    struct rs_record other = changed(record, 0, REVERSE);
    struct rs_model a, b;
    char *data = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&data, &size);
    rs_record_write(stream, &other);
    for (int i = 0; i < other.count; i++) {
        const struct rs_array *from = rs_record_find(record, other.arrays[i].name);
        fwrite(file->data + header + from->offset, 1, from->bytes, stream);
    }
    fclose(stream);
    no_error(load_bytes(&a, file->data, file->size), "the model");
    no_error(load_bytes(&b, data, size), "and its arrays in reverse order");
    ok(!memcmp(a.net.parameters, b.net.parameters, a.net.parameter_count * sizeof(float)) &&
           !memcmp(a.net.statistics, b.net.statistics, a.net.statistic_count * sizeof(float)),
       "are the same network");
    rs_model_free(&a);
    rs_model_free(&b);
    rs_record_free(&other);
    free(data);
}

static void test_metadata(const struct rs_record *record)
{
    static const struct {
        const char *key, *value, *part; /* value NULL: without this key; part NULL: it loads */
    } cases[] = {
        {"kind", "rs-tensor", "not a model made by rs-train"},
        {"kind", NULL, "not a model made by rs-train"},
        {"network", "resnet", "network 'resnet' is not one that this version knows"},
        {"network", NULL, "network '' is not"},
        {"inputs", "2", "2 inputs, but a normalisation to 3 planes"},
        {"inputs", "1", "1 inputs, but a normalisation to 3 planes"},
        {"inputs", "4", "metadata 'inputs': '4' is not a whole number from 1 to 3"},
        {"inputs", "3 ", "metadata 'inputs'"},
        {"inputs", NULL, "metadata 'inputs': missing"},
        {"channels", "3", "a network of one level"},
        {"channels", "", "not a whole number"},
        {"channels", NULL, "not a whole number"},
        {"channels", "3,4,5,6,7,8", "a list of 1 to 5"},
        {"channels", "3,4,0", "'0' is not a whole number from 1 to 1024"},
        {"channels", "3,4,1025", "'1025' is not a whole number"},
        {"channels", "3,4", "array"},
        {"channels", "3,4,6", "has not the type and shape"},
        {"channels", "3,4,5,6", "no array"},
        {"dropout", "1.5", "metadata 'dropout': '1.5' is not a number from 0 to 1"},
        {"dropout", "-.1", "metadata 'dropout'"},
        {"dropout", NULL, "metadata 'dropout': missing"},
        {"threshold", "nan", "metadata 'threshold': 'nan'"},
        {"threshold", "2", "metadata 'threshold': '2'"},
        {"threshold", NULL, NULL},
        {"temperature", "1.5", NULL},
        {"temperature", "0", "metadata 'temperature': '0' is not a number from 0.01 to 100"},
        {"temperature", "-1", "metadata 'temperature'"},
        {"diameter", "565", NULL},
        {"diameter", "0", "metadata 'diameter': '0' is not a number from 1 to 100000"},
        {"diameter", "inf", "metadata 'diameter'"},
        {"source", "GRAYSCALE", "mean: too many numbers"},
        {"source", "PROB", "metadata 'source' is 'PROB'"},
        {"planes", "green", "mean: too many numbers"},
        {"normalisation", "batch", "metadata 'normalisation' is 'batch'"},
        {"patch", "16", "metadata 'patch' is not WIDTHxHEIGHT"},
        {"mean", "1,2,3", "not a number from 0 to 1"},
        {"std", NULL, "no metadata 'std'"},
        {"training", NULL, NULL},
        {"kernel", NULL, NULL},
        {"note", "something else", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rs_record other = changed(record, 0, NOTHING);
        rs_meta_free(&other.meta);
        for (int k = 0; k < record->meta.count; k++)
            if (strcmp(record->meta.pairs[k].key, cases[i].key))
                rs_meta_set(&other.meta, record->meta.pairs[k].key, "%s", record->meta.pairs[k].value);
        if (cases[i].value)
            rs_meta_set(&other.meta, cases[i].key, "%s", cases[i].value);
        const char *error = load_record(&other), *value = cases[i].value ? cases[i].value : "(none)";
        if (cases[i].part)
            error_has(error, cases[i].part, "a model whose %s is '%s'", cases[i].key, value);
        else
            no_error(error, "a model whose %s is '%s'", cases[i].key, value);
        rs_record_free(&other);
    }
}

/* A model that is run in windows of its patches' size needs a size that its levels can halve. */
static void test_odd_patch(const struct rs_record *record)
{
    const struct {
        const char *mode, *patch, *part;
    } cases[] = {{"patch", "16x12", NULL},
                 {"none", "17x13", NULL},
                 {"patch", "18x12", "no multiple of 4"},
                 {"patch", "16x13", "no multiple of 4"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rs_record other = changed(record, 0, NOTHING);
        rs_meta_set(&other.meta, "normalisation", "%s", cases[i].mode);
        rs_meta_set(&other.meta, "patch", "%s", cases[i].patch);
        const char *error = load_record(&other);
        if (cases[i].part)
            error_has(error, cases[i].part, "mode %s on patches of %s", cases[i].mode, cases[i].patch);
        else
            no_error(error, "mode %s on patches of %s", cases[i].mode, cases[i].patch);
        rs_record_free(&other);
    }
}

/* In memory [k][k][ci][co], in the file [co][ci][k][k]. */
static void test_layout(const struct rs_model *model, const struct bytes *file,
                        const struct rs_record *record, size_t header)
{
    const struct rs_unet_entry *entry = entry_named(&model->net, "enc2.conv1.weight");
    const struct rs_array *array = rs_record_find(record, entry->name);
    int wrong = 0, i = 0, ci = model->net.shape.channels[0], co = model->net.shape.channels[1];
    for (int o = 0; o < co; o++)
        for (int c = 0; c < ci; c++)
            for (int tap = 0; tap < 9; tap++, i++) {
                float value,
                    wanted = model->net.parameters[entry->offset + (size_t)((tap * ci + c) * co + o)];
                memcpy(&value, file->data + header + array->offset + (size_t)i * sizeof value, sizeof value);
                wrong += value != wanted;
            }
    ok(wrong == 0 && ci != co && array->shape[0] == co && array->shape[1] == ci,
       "weights stand in the file as PyTorch has them");
}

static void test_model_file(void)
{
    struct rs_model model;
    struct bytes file = saved_model(&model);
    struct rs_record record = {0};
    size_t header;
    no_error(rs_record_parse(&record, file.data, file.size, &header), "a model file is a safetensors file");
    test_layout(&model, &file, &record, header);
    test_cut_model(&file);
    test_bad_values(&file);
    test_arrays(&record);
    test_other_order(&file, &record, header);
    test_metadata(&record);
    test_odd_patch(&record);
    error_has(rs_model_save(&model, path_of("no such folder/model")), "No such file",
              "a folder that is not there");
    rs_record_free(&record);
    rs_model_free(&model);
    free(file.data);
}

static void clean_up(void)
{
    static const char *const names[] = {"photograph",  "other",        "stats",
                                        "first.model", "second.model", "other.model"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i]));
    ok(!rmdir(folder), "no temporary file is left");
}

int main(void)
{
    rng = rs_rng_at(1, "test", 0, 0);
    if (!mkdtemp(folder))
        return 1;
    no_error(rs_kernel_start(), "a kernel");
    test_all_memory();
    test_same_inputs();
    test_same_window(RS_PREP_PATCH, false, "-pixels=image");
    test_same_window(RS_PREP_PATCH, true, "-pixels=image -gray");
    test_same_window(RS_PREP_PATCH, true, "-pixels=fov");
    test_same_window(RS_PREP_ZCA, true, "-green");
    for (int i = 0; i < 4; i++) {
        const enum rs_prep_mode modes[] = {RS_PREP_IMAGE, RS_PREP_DATASET, RS_PREP_NONE, RS_PREP_ZCA_FILTER};
        test_same_grid(modes[i], false, "-pixels=image");
        test_same_grid(modes[i], true, "-pixels=image -green");
        test_same_grid(modes[i], true, "-pixels=fov");
    }
    test_all_pixels();
    test_planes(255);
    test_planes(100);
    test_planes(65535);
    test_average(0);
    test_average(5);
    test_average(12);
    test_whole(RS_PREP_NONE, false);
    test_whole(RS_PREP_NONE, true);
    test_whole(RS_PREP_DATASET, false);
    test_whole(RS_PREP_DATASET, true);
    test_whole(RS_PREP_IMAGE, true);
    test_reuse(RS_PREP_PATCH);
    test_reuse(RS_PREP_NONE);
    test_reuse(RS_PREP_IMAGE);
    test_misfits();
    test_model_round_trip(true);
    test_model_round_trip(false);
    test_whitened_model(RS_PREP_ZCA);
    test_whitened_model(RS_PREP_ZCA_FILTER);
    test_model_file();
    clean_up();
    return done();
}
