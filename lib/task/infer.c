#include "task/infer.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "layer/probability.h"
#include "network/pass.h"
#include "picture/patch.h"

enum { BATCH = 16 };

struct rs_infer {
    const struct rs_model *model;
    int step; /* between windows; 0: whole photographs */
    struct rs_unet_work *work;
    int work_w, work_h; /* that `work` was made for */
    struct rs_image window;
    float *input;     /* [channels][h][w] of one window */
    float *sum;       /* of probabilities, [h][w] of the photograph */
    uint32_t *number; /* of windows that were added there: up to the square of their width, at a step of 1 */
    size_t pixels;    /* that sum and number have room for */
};

struct rs_infer *rs_infer_start(const struct rs_model *model, int step)
{
    struct rs_infer *infer = rs_alloc(1, sizeof *infer);
    infer->model = model;
    if (model->prep.mode == RS_PREP_PATCH) {
        int least = model->prep.width < model->prep.height ? model->prep.width : model->prep.height;
        infer->step = step ? step : (least + 1) / 2;
    }
    return infer;
}

void rs_infer_free(struct rs_infer *infer)
{
    if (!infer)
        return;
    rs_unet_work_free(infer->work);
    rs_image_free(&infer->window);
    free(infer->input);
    free(infer->sum);
    free(infer->number);
    free(infer);
}

static int round_up(int size, int multiple)
{
    return (size + multiple - 1) / multiple * multiple;
}

void rs_infer_size(const struct rs_infer *infer, const struct rs_image *photograph, int *width, int *height)
{
    const struct rs_model *model = infer->model;
    int multiple = rs_unet_multiple(&model->net.shape);
    *width = infer->step ? model->prep.width : round_up(photograph->width, multiple);
    *height = infer->step ? model->prep.height : round_up(photograph->height, multiple);
}

void rs_infer_input(struct rs_infer *infer, const struct rs_image *photograph, int x, int y, float *input)
{
    int width, height;
    rs_infer_size(infer, photograph, &width, &height);
    rs_patch_cut(&infer->window, photograph, x, y, width, height, true);
    rs_prep_apply(&infer->model->prep, &infer->window, input);
}

static void reserve(struct rs_infer *infer, const struct rs_image *photograph)
{
    int w, h;
    size_t pixels = (size_t)photograph->width * (size_t)photograph->height;
    rs_infer_size(infer, photograph, &w, &h);
    if (w != infer->work_w || h != infer->work_h) {
        rs_unet_work_free(infer->work);
        infer->work = rs_unet_work_new(&infer->model->net, infer->step ? BATCH : 1, h, w, false);
        infer->input = rs_realloc(infer->input, (size_t)w * (size_t)h,
                                  sizeof(float) * (size_t)infer->model->net.shape.inputs);
        infer->work_w = w;
        infer->work_h = h;
    }
    if (pixels > infer->pixels) {
        infer->sum = rs_realloc(infer->sum, pixels, sizeof *infer->sum);
        infer->number = rs_realloc(infer->number, pixels, sizeof *infer->number);
        infer->pixels = pixels;
    }
    memset(infer->sum, 0, pixels * sizeof *infer->sum);
    memset(infer->number, 0, pixels * sizeof *infer->number);
}

struct corner {
    int x, y;
};

static void fill_input(struct rs_infer *infer, const struct rs_image *photograph, struct corner at, int n)
{
    struct rs_map x = rs_unet_input(infer->work);
    rs_infer_input(infer, photograph, at.x, at.y, infer->input);
    const float *from = infer->input;
    for (int c = 0; c < x.c; c++)
        for (int i = 0; i < x.h; i++) {
            float *to = rs_map_at(&x, n, i, 0) + c;
            for (int j = 0; j < x.w; j++, to += x.c)
                *to = *from++;
        }
}

static void add_window(struct rs_infer *infer, const struct rs_image *photograph, struct rs_map logits,
                       struct corner at, int n)
{
    int right = photograph->width - at.x, low = photograph->height - at.y;
    int width = logits.w < right ? logits.w : right, height = logits.h < low ? logits.h : low;
    for (int i = 0; i < height; i++) {
        const float *from = rs_map_at(&logits, n, i, 0);
        size_t to = (size_t)(at.y + i) * (size_t)photograph->width + (size_t)at.x;
        for (int j = 0; j < width; j++, to++) {
            infer->sum[to] += (float)rs_sigmoid((double)from[j]);
            infer->number[to]++;
        }
    }
}

static void run(struct rs_infer *infer, const struct rs_image *photograph, const struct corner *corners,
                int n)
{
    rs_unet_work_use(infer->work, n);
    for (int i = 0; i < n; i++)
        fill_input(infer, photograph, corners[i], i);
    struct rs_map logits = rs_unet_infer(&infer->model->net, infer->work);
    for (int i = 0; i < n; i++)
        add_window(infer, photograph, logits, corners[i], i);
}

/* Windows start every `step` pixels, the last of a line so that it ends with the photograph. */
static bool next_start(int *at, int step, int size, int window)
{
    int last = size > window ? size - window : 0;
    if (*at == last)
        return false;
    *at = *at + step < last ? *at + step : last;
    return true;
}

static void run_windows(struct rs_infer *infer, const struct rs_image *photograph)
{
    struct corner batch[BATCH], at = {0, 0};
    int n = 0;
    for (bool more = true; more;) {
        batch[n++] = at;
        if (!next_start(&at.x, infer->step, photograph->width, infer->work_w)) {
            at.x = 0;
            more = next_start(&at.y, infer->step, photograph->height, infer->work_h);
        }
        if (n == BATCH || !more) {
            run(infer, photograph, batch, n);
            n = 0;
        }
    }
}

/* Truth keeps its share of vessel, the field of view its yes or no. */
static void write_pixel(uint16_t *to, const uint16_t *from, const struct rs_image *photograph, double p)
{
    int vessel = rs_image_vessel_plane(photograph), fov = rs_image_fov_plane(photograph);
    bool inside = fov < 0 || rs_image_yes(photograph, from[fov]);
    *to++ = (uint16_t)(inside ? rs_level(p) : 0);
    if (vessel >= 0)
        *to++ = (uint16_t)((from[vessel] * 65535u + (unsigned)photograph->maxval / 2) /
                           (unsigned)photograph->maxval);
    if (fov >= 0)
        *to = inside ? 65535 : 0;
}

static void write_map(const struct rs_infer *infer, struct rs_image *map, const struct rs_image *photograph)
{
    struct rs_image like = {.subject = RS_PROB,
                            .has_vessel = photograph->has_vessel,
                            .has_fov = photograph->has_fov,
                            .maxval = RS_LEVELS - 1};
    rs_image_shape(map, &like, photograph->width, photograph->height, false);
    size_t from = (size_t)rs_image_planes(photograph), to = (size_t)rs_image_planes(map);
    for (size_t i = 0; i < (size_t)map->width * (size_t)map->height; i++)
        write_pixel(map->samples + i * to, photograph->samples + i * from, photograph,
                    (double)infer->sum[i] / infer->number[i]);
}

const char *rs_infer_image(struct rs_infer *infer, struct rs_image *map, const struct rs_image *photograph)
{
    const char *error = rs_prep_fits(&infer->model->prep, photograph);
    if (error)
        return error;
    reserve(infer, photograph);
    if (infer->step)
        run_windows(infer, photograph);
    else
        run(infer, photograph, &(struct corner){0, 0}, 1);
    write_map(infer, map, photograph);
    return NULL;
}
