#include "task/canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "layer/probability.h"
#include "measure/temperature.h"
#include "task/prob.h"

void rs_canvas_sum(struct rs_canvas *canvas, int width, int height)
{
    size_t pixels = (size_t)width * (size_t)height;
    if (pixels > canvas->room) {
        free(canvas->sum);
        canvas->sum = rs_alloc(pixels, sizeof *canvas->sum);
        canvas->room = pixels;
    }
    memset(canvas->sum, 0, pixels * sizeof *canvas->sum);
    canvas->width = width;
    canvas->height = height;
    canvas->map = NULL;
    canvas->broken = false;
}

void rs_canvas_write(struct rs_canvas *canvas, struct rs_image *map, const struct rs_image *photograph,
                     double temperature)
{
    canvas->width = map->width;
    canvas->height = map->height;
    canvas->map = map;
    canvas->photograph = photograph;
    canvas->temperature = temperature;
    canvas->broken = false;
}

void rs_canvas_free(struct rs_canvas *canvas)
{
    free(canvas->sum);
    *canvas = (struct rs_canvas){0};
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static void add(struct rs_canvas *canvas, size_t number, float logit)
{
    double p = rs_sigmoid((double)logit);
    canvas->broken |= isnan(p);
    if (canvas->map)
        rs_prob_write(canvas->map, canvas->photograph, number, rs_temper(p, canvas->temperature));
    else
        canvas->sum[number] += (float)p;
}

void rs_canvas_add(struct rs_canvas *canvas, const struct rs_map *logits, int n, struct rs_rectangle part,
                   struct rs_flip flip)
{
    int columns = smaller(part.width, canvas->width - part.x),
        rows = smaller(part.height, canvas->height - part.y);
    for (int i = 0; i < rows; i++) {
        size_t first = (size_t)(part.y + i) * (size_t)canvas->width + (size_t)part.x;
        int row = flip.down ? part.height - 1 - i : i;
        for (int j = 0; j < columns; j++)
            add(canvas, first + (size_t)j, *rs_map_at(logits, n, row, flip.across ? part.width - 1 - j : j));
    }
}
