#include "picture/light.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "picture/otsu.h"

enum {
    COPY = 256, /* width of a small copy, if it is square */
    CORNER = 32 /* a corner's share of the shorter side, one in so many */
};
enum { OCTAVES = 8, SHADES = 32 * OCTAVES + 1 }; /* 32 shades to every doubling of 1 + light */

static const double SHARE = .25; /* the threshold, of the usual light */

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static double distance(const double *colour, const double *surround, int planes)
{
    double most = 0;
    for (int p = 0; p < planes; p++)
        most = fmax(most, fabs(colour[p] - surround[p]));
    return most;
}

double rs_light_at(const struct rs_light *light, int column, int row)
{
    const uint16_t *at = rs_image_at(light->image, column, row) + light->first;
    double colour[3];
    for (int p = 0; p < light->planes; p++)
        colour[p] = at[p];
    return distance(colour, light->surround, light->planes);
}

/* A small copy of one plane. */
static void shrink(const struct rs_light *light, int plane, const struct rs_light_copy *size, float *means)
{
    int width = light->image->width, height = light->image->height, block = size->block;
    size_t step = (size_t)rs_image_planes(light->image);
    for (int row = 0; row < height; row++) {
        const uint16_t *from = rs_image_at(light->image, 0, row) + light->first + plane;
        float *to = means + (size_t)(row / block) * (size_t)size->width;
        for (int left = 0; left < width; left += block, to++)
            for (int column = left; column < smaller(left + block, width); column++, from += step)
                *to += *from;
    }
    for (int y = 0; y < size->height; y++)
        for (int x = 0; x < size->width; x++)
            *means++ /= (float)(smaller(block, width - x * block) * smaller(block, height - y * block));
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The median of a square of a small copy; `scratch` has room for its pixels. */
static double median(const float *means, int width, int left, int top, int side, float *scratch)
{
    for (int y = 0; y < side; y++)
        memcpy(scratch + y * side, means + (size_t)(top + y) * (size_t)width + left,
               (size_t)side * sizeof *means);
    qsort(scratch, (size_t)side * (size_t)side, sizeof *scratch, compare);
    return (double)scratch[side * side / 2];
}

static void find_surround(struct rs_light *light, float *const *means, const struct rs_light_copy *size)
{
    int side = 1 + smaller(size->width, size->height) / CORNER;
    float *scratch = rs_alloc((size_t)side * (size_t)side, sizeof *scratch);
    double least = INFINITY;
    for (int corner = 0; corner < 4; corner++) {
        int left = corner % 2 ? size->width - side : 0, top = corner / 2 ? size->height - side : 0;
        double colour[3] = {0};
        for (int p = 0; p < light->planes; p++)
            colour[p] = median(means[p], size->width, left, top, side, scratch);
        double sum = colour[0] + colour[1] + colour[2];
        if (sum < least) {
            least = sum;
            memcpy(light->surround, colour, sizeof colour);
        }
    }
    free(scratch);
}

/* The light of every pixel of the copy, in the place of the first plane; returns the most. */
static double turn_to_light(const struct rs_light *light, float *const *means, size_t pixels)
{
    double most = 0;
    for (size_t i = 0; i < pixels; i++) {
        double colour[3] = {0};
        for (int p = 0; p < light->planes; p++)
            colour[p] = (double)means[p][i];
        double here = distance(colour, light->surround, light->planes);
        means[0][i] = (float)here;
        most = fmax(most, here);
    }
    return most;
}

/* The median light of the brighter class. Shades are logarithmic: in a dark photograph neither the optic disc nor
 * lettering is a class by itself. */
static double usual_light(const float *light, size_t pixels, double most)
{
    uint64_t histogram[SHADES] = {0}, bright = 0, passed = 0;
    double scale = exp2(OCTAVES) - 1;
    for (size_t i = 0; i < pixels; i++)
        histogram[smaller(SHADES - 1, (int)(32 * log2(1 + scale * (double)light[i] / most)))]++;
    int shade = rs_otsu(histogram, SHADES);
    for (int i = shade; i < SHADES; i++)
        bright += histogram[i];
    while (shade + 1 < SHADES && 2 * (passed + histogram[shade]) < bright)
        passed += histogram[shade++];
    return most * (exp2((shade + .5) / 32) - 1) / scale;
}

bool rs_light_find(struct rs_light *light, struct rs_light_copy *copy)
{
    int width = light->image->width, height = light->image->height;
    int block = 1 + (int)(sqrt((double)width * height) / COPY);
    *copy = (struct rs_light_copy){(width + block - 1) / block, (height + block - 1) / block, block, NULL};
    size_t pixels = (size_t)copy->width * (size_t)copy->height;
    float *means[3] = {0};
    for (int p = 0; p < light->planes; p++)
        shrink(light, p, copy, means[p] = rs_alloc(pixels, sizeof **means));
    find_surround(light, means, copy);
    double most = turn_to_light(light, means, pixels);
    if (most > 0)
        light->threshold = SHARE * usual_light(means[0], pixels, most);
    copy->light = means[0];
    free(means[1]);
    free(means[2]);
    return most > 0;
}
