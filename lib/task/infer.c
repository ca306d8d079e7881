#include "task/infer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "layer/probability.h"
#include "measure/temperature.h"
#include "picture/resize.h"
#include "task/prob.h"
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
    if (rs_prep_is_by_patch(&model->prep))
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
    memcpy(input, rs_view_cut(&view, &scratch, &part, 1), floats * sizeof *input);
    rs_view_scratch_free(&scratch);
}

/* Everything that is ready, onto the canvas: sums, then, or the map. */
static const char *compute(struct rs_infer *infer, int flips)
{
    static const struct rs_flip all[] = {{false, false}, {true, false}, {false, true}, {true, true}};
    struct rs_view view;
    const char *error = NULL;
    rs_view_start(&view, &infer->model->prep, infer->ready.image);
    for (int i = 0; i < flips && !error; i++)
        error = infer->windows ? rs_windows_run(infer->windows, &view, &infer->canvas, all[i])
                               : rs_whole_run(infer->whole, &view, &infer->canvas, all[i]);
    if (!error && infer->canvas.broken)
        error = rs_error("what the network says is no number");
    return error;
}

static const char *compute_sums(struct rs_infer *infer)
{
    struct rs_canvas *canvas = &infer->canvas;
    int flips = infer->options.flips ? 4 : 1;
    rs_canvas_sum(canvas, infer->ready.image->width, infer->ready.image->height);
    const char *error = compute(infer, flips);
    if (!error && infer->windows)
        rs_windows_average(infer->windows, canvas);
    for (size_t i = 0; i < (size_t)canvas->width * (size_t)canvas->height; i++)
        canvas->sum[i] /= (float)flips;
    return error;
}

/* What is said of pixels outside the field of view must not count when those at its edge are resized: the map is 0
 * there, in a second plane stands what share of a pixel is inside, and the quotient is the mean over that share (H.
 * Knutsson and C.-F. Westin, "Normalized and differential convolution", CVPR 1993). */
static void draw_small(struct rs_image *small, const struct rs_canvas *canvas, const struct rs_image *image)
{
    const struct rs_image like = {.subject = RS_PROB, .has_vessel = true, .maxval = RS_LEVELS - 1};
    size_t planes = (size_t)rs_image_planes(image);
    int fov = rs_image_fov_plane(image);
    rs_image_shape(small, &like, image->width, image->height, false);
    for (size_t i = 0; i < (size_t)image->width * (size_t)image->height; i++) {
        bool inside = fov < 0 || rs_image_yes(image, image->samples[i * planes + (size_t)fov]);
        small->samples[2 * i] = (uint16_t)(inside ? rs_level((double)canvas->sum[i]) : 0);
        small->samples[2 * i + 1] = (uint16_t)(inside ? RS_LEVELS - 1 : 0);
    }
}

static double quotient(const uint16_t *pixel)
{
    return pixel[1] ? fmin(1, (pixel[0] * (RS_LEVELS - 1.) / pixel[1] + .5) / RS_LEVELS) : 0;
}

/* The temperature is that of the mean: it was chosen on such maps. */
static void write_sums(struct rs_infer *infer, struct rs_image *map, const struct rs_image *photograph)
{
    bool resized = infer->ready.image != photograph;
    if (resized) {
        draw_small(&infer->small, &infer->canvas, infer->ready.image);
        rs_resize(&infer->large, &infer->small, map->width, map->height);
    }
    for (size_t i = 0; i < (size_t)map->width * (size_t)map->height; i++) {
        double p = resized ? quotient(infer->large.samples + 2 * i) : (double)infer->canvas.sum[i];
        rs_prob_write(map, photograph, i, rs_temper(p, infer->model->temperature));
    }
}

const char *rs_infer_image(struct rs_infer *infer, struct rs_image *map, struct rs_image *photograph)
{
    rs_prob_shape(map, photograph); /* before a field of view is added */
    const char *error = rs_ready_make(&infer->ready, infer->model, photograph);
    if (error)
        return error;
    if (infer->whole && !infer->options.flips && infer->ready.image == photograph) {
        rs_canvas_write(&infer->canvas, map, photograph, infer->model->temperature);
        return compute(infer, 1);
    }
    error = compute_sums(infer);
    if (!error)
        write_sums(infer, map, photograph);
    return error;
}
