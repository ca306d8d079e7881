#include "picture/prep_meta.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"

static const char *const mode_names[] = {"patch", "dataset", "none", "image", "zca", "zca-filter", NULL};
static const char *const plane_names[] = {"all", "gray", "green", NULL};
static const char *const pixel_names[] = {"image", "fov", NULL};
static const char *const yes_names[] = {"no", "yes", NULL};
static const char *const source_names[] = {[RS_GRAYSCALE] = "GRAYSCALE", [RS_RGB] = "RGB", NULL};

const char *rs_prep_mode(const struct rs_prep *prep)
{
    return mode_names[prep->mode];
}

static void meta_reals(struct rs_meta *meta, const char *key, const double *values, int count)
{
    char text[128] = "";
    for (int i = 0; i < count; i++) {
        char number[32];
        size_t used = strlen(text);
        rs_print_real(values[i], number);
        snprintf(text + used, sizeof text - used, "%s%s", i ? "," : "", number);
    }
    rs_meta_set(meta, key, "%s", text);
}

void rs_prep_to_meta(const struct rs_prep *prep, struct rs_meta *meta)
{
    rs_meta_set(meta, "normalisation", "%s", mode_names[prep->mode]);
    rs_meta_set(meta, "source", "%s", source_names[prep->source]);
    rs_meta_set(meta, "planes", "%s", plane_names[prep->planes]);
    rs_meta_set(meta, "pixels", "%s", pixel_names[prep->fov_only]);
    rs_meta_set(meta, "subtract_mean", "%s", yes_names[prep->subtract_mean]);
    rs_meta_set(meta, "divide_std", "%s", yes_names[prep->divide_std]);
    if (prep->width)
        rs_meta_set(meta, "patch", "%dx%d", prep->width, prep->height);
    if (prep->mode == RS_PREP_DATASET) {
        meta_reals(meta, "mean", prep->mean, rs_prep_channels(prep));
        meta_reals(meta, "std", prep->std, rs_prep_channels(prep));
    }
    if (!rs_prep_whitens(prep))
        return;
    meta_reals(meta, "epsilon", &prep->epsilon, 1);
    if (prep->rank)
        rs_meta_set(meta, "rank", "%d", prep->rank);
    if (prep->window)
        rs_meta_set(meta, "window", "%d", prep->window);
    if (*prep->statistics)
        rs_meta_set(meta, "statistics", "%s", prep->statistics);
}

static const char *read_choice(const struct rs_meta *meta, const char *key, const char *const *names,
                               int *index)
{
    const char *value = rs_meta_get(meta, key);
    for (*index = 0; value && names[*index]; ++*index)
        if (!strcmp(names[*index], value))
            return NULL;
    return value ? rs_error("metadata '%s' is '%s'", key, value) : rs_error("no metadata '%s'", key);
}

/* What was made of whole photographs has none; windows of a size that is not told could not be cut. */
static const char *read_size(const struct rs_meta *meta, struct rs_prep *prep)
{
    const char *value = rs_meta_get(meta, "patch");
    char text[32];
    if (!value && !rs_prep_is_by_patch(prep))
        return NULL;
    int64_t width, height;
    char *by = value && strlen(value) < sizeof text ? strchr(strcpy(text, value), 'x') : NULL;
    if (by)
        *by++ = 0;
    if (!by || rs_parse_int(text, 1, RS_MAX_PIXELS, &width) || rs_parse_int(by, 1, RS_MAX_PIXELS, &height) ||
        width * height > RS_MAX_PIXELS)
        return rs_error("metadata 'patch' is not WIDTHxHEIGHT");
    prep->width = (int)width;
    prep->height = (int)height;
    return NULL;
}

static const char *read_reals(const struct rs_meta *meta, const char *key, double low, double *values,
                              int count)
{
    char text[128];
    const char *value = rs_meta_get(meta, key);
    if (!value || strlen(value) >= sizeof text)
        return rs_error("no metadata '%s'", key);
    char *at = strcpy(text, value);
    for (int i = 0; i < count; i++) {
        char *part = strsep(&at, ",");
        const char *error = part ? rs_parse_real(part, low, 1, &values[i]) : rs_error("too few numbers");
        if (error)
            return rs_error_at(key, error);
    }
    return at ? rs_error("%s: too many numbers", key) : NULL;
}

/* A whole number that is 0 where it is not told. */
static const char *read_count(const struct rs_meta *meta, const char *key, int *count)
{
    const char *value = rs_meta_get(meta, key);
    int64_t number = 0;
    const char *error = value ? rs_parse_int(value, 1, RS_WHITENING_MOST, &number) : NULL;
    *count = (int)number;
    return error ? rs_error_at(key, error) : NULL;
}

static const char *read_whitening(const struct rs_meta *meta, struct rs_prep *prep)
{
    const char *name = rs_meta_get(meta, "statistics");
    const char *error = read_reals(meta, "epsilon", RS_PREP_LEAST_EPSILON, &prep->epsilon, 1);
    if (!error)
        error = read_count(meta, "rank", &prep->rank);
    if (!error)
        error = read_count(meta, "window", &prep->window);
    if (!error && name && (strlen(name) != 64 || strspn(name, "0123456789abcdef") != 64))
        error = rs_error("metadata 'statistics' is no SHA-256");
    struct rs_whitening form = rs_prep_form(prep);
    if (!error)
        error = rs_whitening_check(&form);
    if (!error && prep->mode == RS_PREP_ZCA && prep->fov_only)
        error = rs_error("metadata 'pixels' is 'fov', where patches are whitened whole");
    if (!error && name)
        memcpy(prep->statistics, name, 65);
    return error;
}

const char *rs_prep_from_meta(struct rs_prep *prep, const struct rs_meta *meta)
{
    int mode, source, planes, pixels, mean, std;
    struct {
        const char *key;
        const char *const *names;
        int *index;
    } choices[] = {{"normalisation", mode_names, &mode}, {"source", source_names, &source},
                   {"planes", plane_names, &planes},     {"pixels", pixel_names, &pixels},
                   {"subtract_mean", yes_names, &mean},  {"divide_std", yes_names, &std}};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        const char *error = read_choice(meta, choices[i].key, choices[i].names, choices[i].index);
        if (error)
            return error;
    }
    *prep = (struct rs_prep){.mode = (enum rs_prep_mode)mode,
                             .planes = (enum rs_prep_planes)planes,
                             .fov_only = pixels,
                             .subtract_mean = mean,
                             .divide_std = std,
                             .source = (enum rs_subject)source};
    const char *error = read_size(meta, prep);
    if (!error && prep->mode == RS_PREP_DATASET)
        error = read_reals(meta, "mean", 0, prep->mean, rs_prep_channels(prep));
    if (!error && prep->mode == RS_PREP_DATASET)
        error = read_reals(meta, "std", 0, prep->std, rs_prep_channels(prep));
    if (!error && rs_prep_whitens(prep))
        error = read_whitening(meta, prep);
    return error;
}
