#include "task/windows.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "network/evaluate.h"

struct rs_windows {
    const struct rs_model *model;
    int step;
    size_t memory;
    struct rs_evaluator *evaluator; /* made when it is first needed */
    struct rs_map inputs;
    struct rs_rectangle *places; /* of the windows of a round */
    int filled;                  /* how many it has */
    struct rs_view_scratch *scratch;

    const struct rs_view *view; /* of a run */
    struct rs_flip flip;
};

struct rs_windows *rs_windows_new(const struct rs_model *model, int step, size_t memory)
{
    struct rs_windows *windows = rs_alloc(1, sizeof *windows);
    int least = model->prep.width < model->prep.height ? model->prep.width : model->prep.height;
    windows->model = model;
    windows->step = step ? step : (least + 1) / 2;
    windows->memory = memory;
    windows->scratch = rs_alloc((size_t)rs_threads(), sizeof *windows->scratch);
    return windows;
}

void rs_windows_free(struct rs_windows *windows)
{
    if (!windows)
        return;
    for (int i = 0; i < rs_threads(); i++)
        rs_view_scratch_free(&windows->scratch[i]);
    free(windows->scratch);
    free(windows->places);
    rs_evaluator_free(windows->evaluator);
    free(windows);
}

/* As many windows at once on as many threads as the memory allows; rather fewer windows than fewer threads. */
static const char *start_evaluator(struct rs_windows *windows)
{
    const struct rs_prep *prep = &windows->model->prep;
    struct rs_flow_strip strip = {RS_GROUP, prep->width, prep->height, 0, prep->width, 1};
    struct rs_folded folded = {0};
    size_t threads = (size_t)rs_threads(), each;
    rs_folded_make(&folded, &windows->model->net);
    while ((each = rs_flow_bytes(&folded, &strip)) * threads > windows->memory && strip.n > 1)
        strip.n /= 2;
    rs_folded_free(&folded);
    if (each > windows->memory)
        return rs_error("this model wants at least -memory=%zu", (each >> 20) + 1);
    if (threads > windows->memory / each)
        threads = windows->memory / each;
    int round = (int)threads * strip.n;
    windows->evaluator = rs_evaluator_new(&windows->model->net, round, prep->height, prep->width, strip.n);
    windows->inputs = rs_evaluator_input(windows->evaluator);
    windows->places = rs_alloc((size_t)round, sizeof *windows->places);
    return NULL;
}

/* Of a round: one by one, so that all threads have some, or as many as whitening wants at once. */
static int windows_at_once(const struct rs_windows *windows)
{
    return rs_prep_gathers(&windows->model->prep) ? RS_PREP_TOGETHER : 1;
}

static void fill_windows(void *context, int shard, int worker)
{
    struct rs_windows *windows = context;
    int together = windows_at_once(windows), from = shard * together, left = windows->filled - from;
    struct rs_map x = rs_map_images(windows->inputs, from, left < together ? left : together);
    rs_view_put(windows->view, &windows->scratch[worker], windows->places + from, windows->flip, &x);
}

/* Windows are added up in their order, whoever computed them. */
static void run_round(struct rs_windows *windows, struct rs_canvas *canvas, int count)
{
    int together = windows_at_once(windows);
    windows->filled = count;
    rs_parallel(fill_windows, windows, (count + together - 1) / together);
    struct rs_map logits = rs_evaluator_run(windows->evaluator, count);
    for (int n = 0; n < count; n++)
        rs_canvas_add(canvas, &logits, n, windows->places[n], windows->flip);
}

/* The next window of a line, the last of which ends with the photograph. */
static bool next_start(int *at, int step, int size, int window)
{
    int last = size > window ? size - window : 0;
    if (*at == last)
        return false;
    *at = *at + step < last ? *at + step : last;
    return true;
}

const char *rs_windows_run(struct rs_windows *windows, const struct rs_view *view, struct rs_canvas *canvas,
                           struct rs_flip flip)
{
    const struct rs_prep *prep = &windows->model->prep;
    const char *error = windows->evaluator ? NULL : start_evaluator(windows);
    if (error)
        return error;
    windows->view = view;
    windows->flip = flip;
    struct rs_rectangle at = {0, 0, prep->width, prep->height};
    int n = 0;
    for (bool more = true; more;) {
        windows->places[n++] = at;
        if (!next_start(&at.x, windows->step, canvas->width, at.width)) {
            at.x = 0;
            more = next_start(&at.y, windows->step, canvas->height, at.height);
        }
        if (n == windows->inputs.n || !more) {
            run_round(windows, canvas, n);
            n = 0;
        }
    }
    return NULL;
}

/* How many windows see each place of a line: [size], to be freed. */
static int *count_windows(int step, int size, int window)
{
    int *count = rs_alloc((size_t)size, sizeof *count), at = 0;
    do {
        for (int i = at; i < size && i < at + window; i++)
            count[i]++;
    } while (next_start(&at, step, size, window));
    return count;
}

void rs_windows_average(const struct rs_windows *windows, struct rs_canvas *canvas)
{
    const struct rs_prep *prep = &windows->model->prep;
    int *across = count_windows(windows->step, canvas->width, prep->width),
        *down = count_windows(windows->step, canvas->height, prep->height);
    float *sum = canvas->sum;
    for (int y = 0; y < canvas->height; y++)
        for (int x = 0; x < canvas->width; x++, sum++)
            *sum = (float)((double)*sum / ((double)across[x] * down[y]));
    free(across);
    free(down);
}
