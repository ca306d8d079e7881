#include "task/infer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "layer/probability.h"
#include "measure/temperature.h"
#include "picture/resize.h"
#include "task/ready.h"
#include "task/whole.h"
#include "task/windows.h"

struct rs_infer {
    const struct rs_model *model;
    struct rs_infer_options options;
    struct rs_ready ready;
    struct rs_windows *windows; /* one of the two */
    struct rs_whole *whole;
    struct rs_canvas canvas;      /* of the size that the network sees */
    struct rs_image small, large; /* a map of that size, and resized to the photograph's */
};

struct rs_infer *rs_infer_start(const struct rs_model *model, const struct rs_infer_options *options)
{
    struct rs_infer *infer = rs_alloc(1, sizeof *infer);
    infer->model = model;
    infer->options = *options;
    infer->ready.scale = options->scale;
    infer->ready.most = options->most;
    if (model->prep.mode == RS_PREP_PATCH)
        infer->windows = rs_windows_new(model, options->step, options->memory);
    else
        infer->whole = rs_whole_new(model, options->memory);
    return infer;
}

void rs_infer_free(struct rs_infer *infer)
{
    if (!infer)
        return;
    rs_ready_free(&infer->ready);
    rs_windows_free(infer->windows);
    rs_whole_free(infer->whole);
    rs_canvas_free(&infer->canvas);
    rs_image_free(&infer->small);
    rs_image_free(&infer->large);
    free(infer);
}

const char *rs_infer_note(const struct rs_infer *infer)
{
    return infer->ready.note;
}

void rs_infer_size(const struct rs_infer *infer, const struct rs_image *photograph, int *width, int *height)
{
    *width = infer->model->prep.width;
    *height = infer->model->prep.height;
    if (infer->whole)
        rs_whole_size(infer->model, photograph, width, height);
}

void rs_infer_input(const struct rs_infer *infer, const struct rs_image *photograph, int x, int y,
                    float *input)
{
    struct rs_view view;
    struct rs_view_scratch scratch = {0};
    struct rs_rectangle part = {.x = x, .y = y};
    rs_infer_size(infer, photograph, &part.width, &part.height);
    rs_view_start(&view, &infer->model->prep, photograph);
    size_t floats = (size_t)rs_prep_channels(view.prep) * (size_t)part.width * (size_t)part.height;
    memcpy(input, rs_view_cut(&view, &scratch, part), floats * sizeof *input);
    rs_view_scratch_free(&scratch);
}

/* The canvas becomes the mean probability of what is ready. */
static const char *compute(struct rs_infer *infer)
{
    static const struct rs_flip flips[] = {{false, false}, {true, false}, {false, true}, {true, true}};
    struct rs_canvas *canvas = &infer->canvas;
    struct rs_view view;
    const char *error = NULL;
    rs_view_start(&view, &infer->model->prep, infer->ready.image);
    rs_canvas_clear(canvas, view.photograph->width, view.photograph->height);
    int count = infer->options.flips ? 4 : 1;
    for (int i = 0; i < count && !error; i++)
        error = infer->windows ? rs_windows_run(infer->windows, &view, canvas, flips[i])
                               : rs_whole_run(infer->whole, &view, canvas, flips[i]);
    if (!error && infer->windows)
        rs_windows_average(infer->windows, canvas);
    for (size_t i = 0; i < (size_t)canvas->width * (size_t)canvas->height; i++)
        canvas->sum[i] /= (float)count;
    return error;
}

static bool is_inside(const struct rs_image *image, const uint16_t *pixel)
{
    return !image->has_fov || rs_image_yes(image, pixel[rs_image_fov_plane(image)]);
}

/* Where a pixel of the photograph goes. Truth keeps its share of vessel, the field of view its yes or no. */
static void write_pixel(struct rs_image *map, const struct rs_image *photograph, size_t number, double p)
{
    const uint16_t *from = photograph->samples + number * (size_t)rs_image_planes(photograph);
    uint16_t *to = map->samples + number * (size_t)rs_image_planes(map);
    int vessel = rs_image_vessel_plane(photograph), maxval = photograph->maxval;
    bool inside = is_inside(photograph, from);
    *to++ = (uint16_t)(inside ? rs_level(p) : 0);
    if (vessel >= 0)
        *to++ = (uint16_t)((from[vessel] * 65535u + (unsigned)maxval / 2) / (unsigned)maxval);
    if (map->has_fov)
        *to = inside ? 65535 : 0;
}

/* What is said of pixels outside the field of view must not count when those at its edge are resized: the map is 0
 * there, in a second plane stands what share of a pixel is inside, and the quotient is the mean over that share (H.
 * Knutsson and C.-F. Westin, "Normalized and differential convolution", CVPR 1993). */
static void draw_small(struct rs_image *small, const struct rs_canvas *canvas, const struct rs_image *image)
{
    const struct rs_image like = {.subject = RS_PROB, .has_vessel = true, .maxval = RS_LEVELS - 1};
    size_t planes = (size_t)rs_image_planes(image);
    rs_image_shape(small, &like, image->width, image->height, false);
    for (size_t i = 0; i < (size_t)image->width * (size_t)image->height; i++) {
        bool inside = is_inside(image, image->samples + i * planes);
        small->samples[2 * i] = (uint16_t)(inside ? rs_level((double)canvas->sum[i]) : 0);
        small->samples[2 * i + 1] = (uint16_t)(inside ? RS_LEVELS - 1 : 0);
    }
}

static double quotient(const uint16_t *pixel)
{
    return pixel[1] ? fmin(1, (pixel[0] * (RS_LEVELS - 1.) / pixel[1] + .5) / RS_LEVELS) : 0;
}

/* The temperature is that of the mean: it was chosen on such maps. */
static void write_map(struct rs_infer *infer, struct rs_image *map, const struct rs_image *photograph)
{
    bool resized = infer->ready.image != photograph;
    if (resized) {
        draw_small(&infer->small, &infer->canvas, infer->ready.image);
        rs_resize(&infer->large, &infer->small, map->width, map->height);
    }
    for (size_t i = 0; i < (size_t)map->width * (size_t)map->height; i++) {
        double p = resized ? quotient(infer->large.samples + 2 * i) : (double)infer->canvas.sum[i];
        write_pixel(map, photograph, i, rs_temper(p, infer->model->temperature));
    }
}

const char *rs_infer_image(struct rs_infer *infer, struct rs_image *map, struct rs_image *photograph)
{
    struct rs_image like = {.subject = RS_PROB,
                            .has_vessel = photograph->has_vessel,
                            .has_fov = photograph->has_fov,
                            .is_patch = photograph->is_patch,
                            .maxval = RS_LEVELS - 1};
    const char *error = rs_ready_make(&infer->ready, infer->model, photograph);
    if (!error)
        error = compute(infer);
    if (error)
        return error;
    rs_image_shape(map, &like, photograph->width, photograph->height, false);
    write_map(infer, map, photograph);
    return NULL;
}
