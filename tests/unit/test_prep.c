/* Normalisation against numpy; data/dump_numpy.py made the figures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/rng.h"
#include "picture/prep_meta.h"
#include "picture/statistics.h"
#include "tap.h"

static const char *const modes[] = {"patch", "dataset", "none"}, *const planes[] = {"all", "gray", "green"};
static const char *const pixels[] = {"image", "fov"}, *const kinds[] = {"rgb8", "rgb16", "gray8"};

static struct rs_record record;
static unsigned char *file;
static size_t header;

static const struct rs_array *dumped(const char *name)
{
    const struct rs_array *array = rs_record_find(&record, name);
    if (!array) {
        printf("Bail out! no array %s\n", name);
        exit(1);
    }
    return array;
}

static const char *dumped_text(const char *name)
{
    const char *text = rs_meta_get(&record.meta, name);
    if (!text) {
        printf("Bail out! no metadata %s\n", name);
        exit(1);
    }
    return text;
}

/* numpy's image `index` of a kind, with a truth plane put before the field of view: it must not matter. */
static struct rs_image dumped_image(const char *kind, int index)
{
    const struct rs_array *array = dumped(kind);
    int colors = (int)array->shape[3] - 1, count = (int)(array->shape[1] * array->shape[2]);
    struct rs_image like = {.subject = colors == 3 ? RS_RGB : RS_GRAYSCALE,
                            .has_vessel = true,
                            .has_fov = true,
                            .maxval = atoi(dumped_text(kind))};
    struct rs_image image = {0};
    const unsigned char *from =
        file + header + array->offset + index * count * (colors + 1) * (int)sizeof(int64_t);
    rs_image_shape(&image, &like, (int)array->shape[2], (int)array->shape[1], false);
    uint16_t *to = image.samples;
    for (int i = 0; i < count; i++, to += colors + 2) {
        for (int c = 0; c <= colors; c++, from += sizeof(int64_t)) {
            int64_t sample;
            memcpy(&sample, from, sizeof sample);
            to[c < colors ? c : colors + 1] = (uint16_t)sample;
        }
        to[colors] = (uint16_t)(i % (like.maxval + 1));
    }
    return image;
}

static void check_statistics(const struct rs_prep *prep, const char *name)
{
    const char *at = dumped_text(name);
    int channels = rs_prep_channels(prep);
    double off = 0;
    for (int i = 0; i < 2 * channels; i++) {
        char *end;
        double wanted = strtod(at, &end), found = i < channels ? prep->mean[i] : prep->std[i - channels];
        off = fmax(off, fabs(found - wanted));
        at = end;
    }
    near(off, 0, 1e-14, "%s: means and standard deviations are numpy's", name); /* 40 roundings of double */
}

/* Statistics over both of a kind's images. */
static void fit(struct rs_prep *prep, const char *kind)
{
    struct rs_prep_sums sums = {0};
    for (int i = 0; i < 2; i++) {
        struct rs_image image = dumped_image(kind, i);
        rs_prep_sums_add(&sums, prep, &image);
        rs_image_free(&image);
    }
    no_error(rs_prep_sums_end(&sums, prep), "%s is fitted", kind);
}

/* A float, and numpy's, have seven digits. */
static void check_numbers(const struct rs_prep *prep, const struct rs_image *image,
                          const unsigned char *wanted, const char *name)
{
    size_t count = (size_t)(image->width * image->height * rs_prep_channels(prep));
    float *x = rs_alloc(count, sizeof *x);
    double off = 0;
    struct rs_prep_constants constants = rs_prep_constants(prep, image);
    rs_prep_apply(prep, &constants, image, x);
    for (size_t i = 0; i < count; i++) {
        float numpy;
        memcpy(&numpy, wanted + i * sizeof numpy, sizeof numpy);
        double apart = fabs((double)x[i] - (double)numpy) / fmax(1, fabs((double)numpy));
        off = isnan(apart) ? (double)INFINITY : fmax(off, apart);
    }
    near(off, 0, 1e-6, "%s%s%s", name, prep->subtract_mean ? "" : " without the mean",
         prep->divide_std ? "" : " without the deviation");
    free(x);
}

static void test_numpy(const char *kind, struct rs_prep prep)
{
    char name[64], statistics[64];
    struct rs_image image = dumped_image(kind, 0);
    size_t bytes = (size_t)(image.width * image.height * rs_prep_channels(&prep)) * sizeof(float);
    snprintf(name, sizeof name, "%s/%s/%s/%s", kind, modes[prep.mode], planes[prep.planes],
             pixels[prep.fov_only]);
    snprintf(statistics, sizeof statistics, "%s/%s/%s", kind, planes[prep.planes], pixels[prep.fov_only]);
    if (prep.mode == RS_PREP_DATASET) {
        fit(&prep, kind);
        check_statistics(&prep, statistics);
    }
    for (size_t i = 0; i < 4; i++) {
        prep.subtract_mean = i % 2 == 0;
        prep.divide_std = i < 2;
        check_numbers(&prep, &image, file + header + dumped(name)->offset + i * bytes, name);
    }
    rs_image_free(&image);
}

static void test_all_of_numpy(void)
{
    for (int kind = 0; kind < 3; kind++)
        for (int i = 0; i < 18; i++)
            test_numpy(kinds[kind], (struct rs_prep){.mode = (enum rs_prep_mode)(i / 6),
                                                     .planes = (enum rs_prep_planes)(i / 2 % 3),
                                                     .fov_only = i % 2,
                                                     .subtract_mean = true,
                                                     .divide_std = true,
                                                     .source = kind == 2 ? RS_GRAYSCALE : RS_RGB});
}

static void test_channels(void)
{
    const struct {
        enum rs_subject source;
        enum rs_prep_planes planes;
        int channels;
    } cases[] = {{RS_RGB, RS_PLANES_ALL, 3},        {RS_RGB, RS_PLANES_GRAY, 1},
                 {RS_RGB, RS_PLANES_GREEN, 1},      {RS_GRAYSCALE, RS_PLANES_ALL, 1},
                 {RS_GRAYSCALE, RS_PLANES_GRAY, 1}, {RS_GRAYSCALE, RS_PLANES_GREEN, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rs_prep prep = {.source = cases[i].source, .planes = cases[i].planes};
        ok(rs_prep_channels(&prep) == cases[i].channels, "%s planes of %s", planes[prep.planes],
           prep.source == RS_RGB ? "RGB" : "GRAYSCALE");
    }
}

/* Grayscale of one value in a field of view that covers `inside` of its 20 pixels. */
static struct rs_image flat(uint16_t value, int inside)
{
    const struct rs_image like = {.subject = RS_GRAYSCALE, .has_fov = true, .maxval = 255};
    struct rs_image image = {0};
    rs_image_shape(&image, &like, 5, 4, false);
    for (int i = 0; i < 20; i++) {
        image.samples[2 * i] = value;
        image.samples[2 * i + 1] = i < inside ? 255 : 0;
    }
    return image;
}

static struct rs_prep gray_prep(enum rs_prep_mode mode, bool fov_only)
{
    return (struct rs_prep){.mode = mode,
                            .fov_only = fov_only,
                            .subtract_mean = true,
                            .divide_std = true,
                            .source = RS_GRAYSCALE};
}

static double largest(const struct rs_prep *prep, const struct rs_image *image)
{
    float x[20];
    double most = 0;
    struct rs_prep_constants constants = rs_prep_constants(prep, image);
    rs_prep_apply(prep, &constants, image, x);
    for (int i = 0; i < 20; i++)
        most = isnan(x[i]) ? (double)INFINITY : fmax(most, fabs((double)x[i]));
    return most;
}

/* The mean of 20 equal doubles is off by 20 roundings at most, and is divided by 2e-6. */
static void test_flat(void)
{
    struct rs_prep prep = gray_prep(RS_PREP_PATCH, false);
    struct rs_image image = flat(77, 20);
    near(largest(&prep, &image), 0, 20 * 0x1p-53 / 2e-6, "a patch of one value becomes 0");
    prep.subtract_mean = false;
    near(largest(&prep, &image), 77 / 255. / 2e-6, .1,
         "or, its mean not subtracted, is divided by epsilon alone");
    rs_image_free(&image);
}

static void test_empty_field(void)
{
    struct rs_image none = flat(77, 0), some = flat(10, 7);
    struct rs_prep prep = gray_prep(RS_PREP_PATCH, true);
    struct rs_prep_sums sums = {0};
    near(largest(&prep, &none), 0, 0, "an empty field of view makes a patch 0");
    prep.subtract_mean = prep.divide_std = false;
    near(largest(&prep, &none), 0, 0, "whatever is subtracted");
    prep = gray_prep(RS_PREP_DATASET, true);
    rs_prep_sums_add(&sums, &prep, &none);
    error_has(rs_prep_sums_end(&sums, &prep), "no pixel", "statistics of no pixel");
    some.samples[0] = 30;
    rs_prep_sums_add(&sums, &prep, &some);
    rs_prep_sums_add(&sums, &prep, &none);
    no_error(rs_prep_sums_end(&sums, &prep), "an empty field among others");
    near(prep.mean[0], (30 + 6 * 10) / 7. / 255, 1e-15, "does not count: the mean");
    near(prep.std[0], 20 * sqrt(6.) / 7 / 255, 1e-15, "and the deviation");
    near(sums.count, 7, 0, "and the number of pixels");
    rs_image_free(&none);
    rs_image_free(&some);
}

static void test_no_deviation(void)
{
    struct rs_image image = flat(77, 20);
    struct rs_prep prep = gray_prep(RS_PREP_DATASET, false);
    struct rs_prep_sums sums = {0};
    rs_prep_sums_add(&sums, &prep, &image);
    rs_prep_sums_add(&sums, &prep, &image);
    error_has(rs_prep_sums_end(&sums, &prep), "standard deviation of 0",
              "there is no dividing by a deviation of 0");
    prep.divide_std = false;
    no_error(rs_prep_sums_end(&sums, &prep), "unless it is not asked for");
    near(prep.mean[0], 77 / 255., 1e-15, "the mean of one value");
    rs_image_free(&image);
}

static void test_fits(void)
{
    const struct {
        enum rs_subject source;
        bool fov_only;
        struct rs_image image;
        const char *parts[2];
    } cases[] = {
        {RS_RGB, false, {.subject = RS_RGB}, {NULL}},
        {RS_RGB, true, {.subject = RS_RGB, .has_vessel = true, .has_fov = true}, {NULL}},
        {RS_GRAYSCALE, false, {.subject = RS_GRAYSCALE, .has_fov = true}, {NULL}},
        {RS_RGB,
         false,
         {.subject = RS_GRAYSCALE, .has_fov = true},
         {"planes GRAYSCALE_FOV,", "planes RGB is wanted"}},
        {RS_GRAYSCALE,
         false,
         {.subject = RS_RGB, .has_vessel = true},
         {"planes RGB_VESSEL,", "planes GRAYSCALE is wanted"}},
        {RS_GRAYSCALE, false, {.subject = RS_PROB}, {"planes PROB,", "planes GRAYSCALE is wanted"}},
        {RS_RGB,
         true,
         {.subject = RS_RGB, .has_vessel = true},
         {"planes RGB_VESSEL have none", "field of view"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char kind[32];
        struct rs_prep prep = {.source = cases[i].source, .fov_only = cases[i].fov_only};
        const char *error = rs_prep_fits(&prep, &cases[i].image);
        rs_image_kind(&cases[i].image, kind);
        if (!cases[i].parts[0])
            no_error(error, "%s fits", kind);
        for (int k = 0; k < 2 && cases[i].parts[k]; k++)
            error_has(error, cases[i].parts[k], "%s does not fit", kind);
    }
}

static bool same_prep(const struct rs_prep *a, const struct rs_prep *b)
{
    return a->mode == b->mode && a->planes == b->planes && a->fov_only == b->fov_only &&
           a->subtract_mean == b->subtract_mean && a->divide_std == b->divide_std && a->source == b->source &&
           a->width == b->width && a->height == b->height && !memcmp(a->mean, b->mean, sizeof a->mean) &&
           !memcmp(a->std, b->std, sizeof a->std);
}

/* The i-th of all, with numbers that have no short decimal. */
static struct rs_prep prep_at(int i)
{
    struct rs_prep prep = {.mode = (enum rs_prep_mode)(i % 4),
                           .planes = (enum rs_prep_planes)(i / 4 % 3),
                           .source = i / 12 % 2 ? RS_RGB : RS_GRAYSCALE,
                           .fov_only = i / 24 % 2,
                           .subtract_mean = i / 48 % 2,
                           .divide_std = i / 96,
                           .width = 1 + i * 123456,
                           .height = 1 + i % 5};
    struct rs_rng rng = rs_rng_at(1, "test", 0, (uint64_t)i);
    for (int c = 0; prep.mode == RS_PREP_DATASET && c < rs_prep_channels(&prep); c++) {
        prep.mean[c] = c ? rs_rng_uniform(&rng) : 1. / 3;
        prep.std[c] = c ? rs_rng_uniform(&rng) : 0x1p-52;
    }
    return prep;
}

static void test_meta(void)
{
    int wrong = 0, order = 0;
    for (int i = 0; i < 192; i++) {
        struct rs_prep prep = prep_at(i), back;
        struct rs_meta meta = {0}, again = {0};
        rs_prep_to_meta(&prep, &meta);
        wrong += rs_prep_from_meta(&back, &meta) || !same_prep(&prep, &back);
        rs_prep_to_meta(&back, &again);
        order += rs_meta_differ(&meta, &again) != NULL;
        rs_meta_free(&meta);
        rs_meta_free(&again);
    }
    ok(wrong == 0, "metadata keep each of 192 normalisations to the last bit");
    ok(order == 0, "and are the same when made again");
}

static void test_meta_errors(void)
{
    static const struct {
        const char *key, *value, *part; /* value NULL: without this key */
    } cases[] = {{"normalisation", "batch", "'normalisation' is 'batch'"},
                 {"normalisation", "", "'normalisation' is ''"},
                 {"normalisation", NULL, "no metadata 'normalisation'"},
                 {"source", "PROB", "'source' is 'PROB'"},
                 {"source", "rgb", "'source' is 'rgb'"},
                 {"source", NULL, "no metadata 'source'"},
                 {"planes", "red", "'planes' is 'red'"},
                 {"planes", NULL, "no metadata 'planes'"},
                 {"pixels", "all", "'pixels' is 'all'"},
                 {"pixels", NULL, "no metadata 'pixels'"},
                 {"subtract_mean", "true", "'subtract_mean' is 'true'"},
                 {"subtract_mean", NULL, "no metadata 'subtract_mean'"},
                 {"divide_std", "1", "'divide_std' is '1'"},
                 {"divide_std", NULL, "no metadata 'divide_std'"},
                 {"patch", "", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", "8", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", "8x", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", "x8", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", "8x8x", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", "8x8 ", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", " 8x8", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", "8x 8", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", "+8x8", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", "8X8", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", "0x8", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", "8x-8", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", "4294967297x1", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", "429496730x1", "'patch' is not WIDTHxHEIGHT"},
                 {"patch", "65536x65536", "'patch' is not WIDTHxHEIGHT"},
                 {"mean", NULL, "no metadata 'mean'"},
                 {"mean", "", "mean: '' is not a number"},
                 {"mean", ".1,.2", "mean: too few numbers"},
                 {"mean", ".1,.2,.3,.4", "mean: too many numbers"},
                 {"mean", ".1,.2,", "mean: '' is not a number"},
                 {"mean", ".1,.2,nan", "mean: 'nan' is not a number"},
                 {"mean", ".1,-.2,.3", "mean: '-.2' is not a number from 0 to 1"},
                 {"mean", ".1,1.01,.3", "mean: '1.01' is not a number from 0 to 1"},
                 {"mean", ".1, .2,.3", "mean: ' .2' is not a number"},
                 {"std", NULL, "no metadata 'std'"},
                 {"std", ".1,.2,inf", "std: 'inf' is not a number"},
                 {"std", ".1,.2,-1e-9", "std: '-1e-9' is not a number from 0"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rs_prep prep = prep_at(13), found; /* RGB, all planes, dataset */
        struct rs_meta meta = {0}, made = {0};
        rs_prep_to_meta(&prep, &made);
        for (int k = 0; k < made.count; k++)
            if (strcmp(made.pairs[k].key, cases[i].key))
                rs_meta_set(&meta, made.pairs[k].key, "%s", made.pairs[k].value);
        if (cases[i].value)
            rs_meta_set(&meta, cases[i].key, "%s", cases[i].value);
        error_has(rs_prep_from_meta(&found, &meta), cases[i].part, "metadata %s: '%s'", cases[i].key,
                  cases[i].value ? cases[i].value : "(none)");
        rs_meta_free(&meta);
        rs_meta_free(&made);
    }
}

static char folder[] = "/tmp/rs-test.XXXXXX", path[64];

static void write_file(const void *data, size_t size)
{
    FILE *out = fopen(path, "wb");
    fwrite(data, 1, size, out);
    fclose(out);
}

static size_t read_file(char *data, size_t size)
{
    FILE *in = fopen(path, "rb");
    size = fread(data, 1, size, in);
    fclose(in);
    return size;
}

static void test_save(void)
{
    struct rs_prep prep = prep_at(13), back;
    char data[4096];
    no_error(rs_statistics_save(&prep, 0, path), "statistics are saved");
    no_error(rs_statistics_load(&back, path), "and loaded");
    ok(same_prep(&prep, &back), "to the last bit");
    size_t size = read_file(data, sizeof data - 1), bad = 0;
    for (size_t cut = 0; cut < size; cut++) {
        write_file(data, cut);
        bad += !rs_statistics_load(&back, path);
    }
    ok(bad == 0, "cut at each of its %zu bytes, a file of statistics is refused", size);
    data[size] = 'x';
    write_file(data, size + 1);
    error_has(rs_statistics_load(&back, path), "not a file of statistics", "junk behind it");
    prep.mean[1] = .25;
    no_error(rs_statistics_save(&prep, 0, path), "a file is replaced");
    no_error(rs_statistics_load(&back, path), "and loaded");
    ok(same_prep(&prep, &back), "as it is now");
}

static void test_load_errors(void)
{
    struct rs_prep prep = prep_at(13);
    struct rs_record made = {0};
    error_has(rs_statistics_load(&prep, "tests/unit/data/torch_unet.safetensors"), "not a file of statistics",
              "another safetensors file");
    error_has(rs_statistics_load(&prep, "tests/unit/data/no such file"), "No such file",
              "a file that is not there");
    error_has(rs_statistics_save(&prep, 0, "tests/unit/no such folder/stats"), "No such file",
              "a folder that is not there");
    rs_meta_set(&made.meta, "kind", "rs-statistics");
    rs_prep_to_meta(&prep, &made.meta);
    rs_record_add(&made, "more", RS_U8, 1, (int64_t[]){0});
    FILE *out = fopen(path, "wb");
    rs_record_write(out, &made);
    fclose(out);
    error_has(rs_statistics_load(&prep, path), "not a file of statistics", "statistics with an array");
    rs_record_free(&made);
}

int main(void)
{
    size_t bytes;
    file = test_data("numpy_prep.safetensors", &bytes);
    no_error(rs_record_parse(&record, file, bytes, &header), "numpy's file is read");
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/stats", folder);
    test_all_of_numpy();
    test_channels();
    test_flat();
    test_empty_field();
    test_no_deviation();
    test_fits();
    test_meta();
    test_meta_errors();
    test_save();
    test_load_errors();
    unlink(path);
    ok(!rmdir(folder), "no temporary file is left");
    rs_record_free(&record);
    free(file);
    return done();
}
