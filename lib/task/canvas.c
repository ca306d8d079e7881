#include "task/canvas.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "layer/probability.h"

void rs_canvas_clear(struct rs_canvas *canvas, int width, int height)
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

void rs_canvas_add(struct rs_canvas *canvas, const struct rs_map *logits, int n, struct rs_rectangle part,
                   struct rs_flip flip)
{
    int columns = smaller(part.width, canvas->width - part.x),
        rows = smaller(part.height, canvas->height - part.y);
    for (int i = 0; i < rows; i++) {
        float *to = canvas->sum + (size_t)(part.y + i) * (size_t)canvas->width + (size_t)part.x;
        int row = flip.down ? part.height - 1 - i : i;
        for (int j = 0; j < columns; j++) {
            float logit = *rs_map_at(logits, n, row, flip.across ? part.width - 1 - j : j);
            to[j] += (float)rs_sigmoid((double)logit);
        }
    }
}
