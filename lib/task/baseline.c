#include "task/baseline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "filter/clahe.h"
#include "filter/lines.h"
#include "filter/matched.h"
#include "layer/probability.h"
#include "picture/fov.h"
#include "task/prob.h"

/* Sizes are in pixels of photographs whose field of view is so wide: DRIVE's, on whose training photographs all that
 * stands here was chosen. Of larger ones squares of pixels are filtered, as large as leave it no smaller than that. */
static const double DIAMETER = 540, LEAST_SCALE = .25;

enum { RIM = 4, SURROUNDINGS = 22 };

static const struct rs_matched SIZES[] = {{1.5, 5}, {2.2, 6}, {3.2, 8}};
enum { SIZES_COUNT = sizeof SIZES / sizeof *SIZES };

/* Of tophat: shades to a deviation, CLAHE's tiles, lines. */
enum { CONTRAST = 24, TILES = 8, LINE = 13, DIRECTIONS = 12 };
static const double LIMIT = 2;

/* The response where p is 1/2, and what more of it multiplies p / (1 - p) by e. */
static const struct {
    double middle, step;
} PROBABILITY[] = {[RS_BASELINE_MATCHED] = {16, 3.4}, [RS_BASELINE_TOPHAT] = {60.5, 11.2}};

struct job {
    const struct rs_image *photograph; /* with a field of view */
    struct rs_plane plane;
    int block;
    double scale; /* pixels of the plane to one of DRIVE's photographs */
};

/* The diameter of the field of view that the photograph has, or that is found: then `added` becomes the photograph
 * with it. */
static double find_view(struct rs_image *added, const struct rs_image *photograph)
{
    struct rs_fov fov;
    if (photograph->has_fov) {
        rs_fov_measure(&fov, photograph);
    } else {
        rs_fov_find(&fov, photograph);
        rs_fov_apply(added, photograph, &fov);
    }
    return fov.found                                ? fov.diameter
           : photograph->width < photograph->height ? photograph->width
                                                    : photograph->height;
}

static int round_size(double size)
{
    return size < 1 ? 1 : (int)(size + .5);
}

static void match(struct job *job)
{
    struct rs_matched sizes[SIZES_COUNT];
    for (int i = 0; i < SIZES_COUNT; i++)
        sizes[i] = (struct rs_matched){SIZES[i].across * job->scale, SIZES[i].along * job->scale};
    struct rs_plane response = rs_plane_start(job->plane.width, job->plane.height);
    rs_matched_filter(response.at, &job->plane, sizes, SIZES_COUNT);
    rs_plane_free(&job->plane);
    job->plane = response;
}

static void smooth(struct job *job)
{
    struct rs_plane smooth = rs_plane_start(job->plane.width, job->plane.height);
    rs_plane_mean(&job->plane, smooth.at, job->plane.at, round_size(job->scale));
    memcpy(smooth.inside, job->plane.inside, (size_t)smooth.width * (size_t)smooth.height);
    rs_plane_free(&job->plane);
    job->plane = smooth;
}

/* The largest opening by a line less the smallest: of a vessel, itself less what is around it. */
static void top_hat(struct job *job)
{
    int width = job->plane.width, height = job->plane.height;
    size_t pixels = (size_t)width * (size_t)height;
    uint8_t *shades = rs_alloc(3 * pixels, 1), *most = shades + pixels, *least = most + pixels;
    smooth(job);
    for (size_t i = 0; i < pixels; i++)
        shades[i] = (uint8_t)fmin(255, fmax(0, 128.5 + CONTRAST * (double)job->plane.at[i]));
    rs_clahe(shades, width, height, TILES, LIMIT);
    rs_line_openings(most, least, shades, width, height, LINE * job->scale, DIRECTIONS);
    for (size_t i = 0; i < pixels; i++)
        job->plane.at[i] = (float)(most[i] - least[i]);
    smooth(job);
    free(shades);
}

struct writing {
    struct rs_image *map;
    const struct rs_image *photograph;
    const struct job *job;
    enum rs_baseline_method method;
};

static void write_row(void *context, int y, int worker)
{
    const struct writing *w = context;
    const struct job *job = w->job;
    int fov = rs_image_fov_plane(job->photograph);
    double middle = PROBABILITY[w->method].middle, step = PROBABILITY[w->method].step;
    (void)worker;
    for (int x = 0; x < w->map->width; x++) {
        bool inside = rs_image_yes(job->photograph, rs_image_at(job->photograph, x, y)[fov]);
        double response = (double)rs_plane_between(&job->plane, job->block, x, y);
        rs_prob_write(w->map, w->photograph, (size_t)y * (size_t)w->map->width + (size_t)x,
                      inside ? rs_sigmoid((response - middle) / step) : 0);
    }
}

const char *rs_baseline_image(enum rs_baseline_method method, struct rs_image *map,
                              const struct rs_image *photograph)
{
    if (photograph->subject == RS_PROB)
        return rs_error("a map of probabilities, not a photograph");
    if (photograph->is_patch)
        return rs_error("cut from a photograph, whose field of view sets the sizes: cut its map instead");
    struct rs_image added = {0};
    double diameter = find_view(&added, photograph);
    struct job job = {.photograph = photograph->has_fov ? photograph : &added,
                      .block = (int)(diameter / DIAMETER)};
    job.block = job.block < 1 ? 1 : job.block;
    job.scale = fmax(LEAST_SCALE, diameter / job.block / DIAMETER);
    job.plane = rs_plane_of(job.photograph, job.block);
    rs_plane_shrink(&job.plane, round_size(RIM * job.scale));
    rs_plane_flatten(&job.plane, round_size(SURROUNDINGS * job.scale));
    if (method == RS_BASELINE_MATCHED)
        match(&job);
    else
        top_hat(&job);
    rs_prob_shape(map, photograph);
    rs_parallel(write_row, &(struct writing){map, photograph, &job, method}, map->height);
    rs_plane_free(&job.plane);
    rs_image_free(&added);
    return NULL;
}
