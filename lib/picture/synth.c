#include "picture/synth.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/rng.h"
#include "picture/vessels.h"

enum { RED, GREEN, BLUE, COLORS };
enum { GRAIN = 4, MOST_SPOTS = 24 };                       /* octaves of texture; spots */
enum { SCENE_KEY, TREE_KEY, TEXTURE_KEY, NOISE_KEY = 16 }; /* random numbers are for; a key a row of noise */

static const char TOOL[] = "rs-synth";

/* One octave: random values on a lattice over the field of view, smoothly interpolated between. */
struct texture {
    int cells;
    double *values; /* [cells + 1][cells + 1], -1..1; owned */
};

struct spot {
    double x, y, radius, strength;
};

/* What is seen, in radii of the field of view about its centre; x to the temple. */
struct scene {
    struct rs_eye eye;
    double left, top, radius; /* centre and radius of the field, in pixels */
    double mirror;            /* -1 for a right eye, whose disc is seen on the right */
    double color[COLORS];     /* of the bare fundus */
    double slope_x, slope_y;  /* uneven lighting */
    double macula, noise;     /* how much darker; deviation of a sample */
    double soft;              /* blur */
    double cup_x, cup_y;
    struct texture grain[GRAIN];
    struct spot spots[MOST_SPOTS];
    int spot_count;
};

/* Where vessels darken the fundus; 0 none, 1 the thickest. */
struct depth {
    float artery, vein;
};

struct canvas {
    const struct scene *scene;
    struct rs_image *image;
    struct depth *depths; /* [height][width]; owned */
};

static double between(struct rs_rng *rng, double low, double high)
{
    return low + (high - low) * rs_rng_uniform(rng);
}

/* 0 below `low`, 1 above `high`, smooth between. */
static double ramp(double low, double high, double x)
{
    double t = fmin(1, fmax(0, (x - low) / (high - low)));
    return t * t * (3 - 2 * t);
}

static double bump(double distance, double width)
{
    return exp(-.5 * distance * distance / (width * width));
}

static void make_texture(struct texture *texture, int cells, struct rs_rng *rng)
{
    size_t count = (size_t)(cells + 1) * (size_t)(cells + 1);
    texture->cells = cells;
    texture->values = rs_alloc(count, sizeof *texture->values);
    for (size_t i = 0; i < count; i++)
        texture->values[i] = between(rng, -1, 1);
}

/* Value noise at x and y in [-1, 1]. */
static double texture_at(const struct texture *texture, double x, double y)
{
    int n = texture->cells;
    double u = fmin(.999999, fmax(0, (x + 1) / 2)) * n, v = fmin(.999999, fmax(0, (y + 1) / 2)) * n;
    int column = (int)u, row = (int)v;
    const double *at = texture->values + (size_t)row * (size_t)(n + 1) + (size_t)column;
    double s = ramp(0, 1, u - column), t = ramp(0, 1, v - row);
    double above = at[0] + s * (at[1] - at[0]), below = at[n + 1] + s * (at[n + 2] - at[n + 1]);
    return above + t * (below - above);
}

static void place_spots(struct scene *scene, struct rs_rng *rng)
{
    scene->spot_count = (int)rs_rng_below(rng, MOST_SPOTS);
    for (int i = 0; i < scene->spot_count; i++) {
        struct spot *spot = &scene->spots[i];
        double angle = between(rng, 0, 2 * M_PI), away = between(rng, .1, .6);
        spot->x = scene->eye.fovea_x + away * cos(angle);
        spot->y = scene->eye.fovea_y + away * sin(angle);
        spot->radius = between(rng, .004, .012);
        spot->strength = between(rng, -.1, .25);
    }
}

static void set_scene(struct scene *scene, int width, int height, uint64_t seed, uint64_t index)
{
    struct rs_rng rng = rs_rng_at(seed, TOOL, index, SCENE_KEY);
    struct rs_eye *eye = &scene->eye;
    scene->left = width / 2.;
    scene->top = height / 2.;
    scene->radius = .478 * (width < height ? width : height);
    scene->mirror = rs_rng_uniform(&rng) < .5 ? -1 : 1;
    eye->disc_radius = between(&rng, .125, .155);
    eye->disc_x = between(&rng, -.78, -.55);
    eye->disc_y = between(&rng, -.12, .06);
    eye->fovea_x = eye->disc_x + between(&rng, .68, .78);
    eye->fovea_y = eye->disc_y + between(&rng, .03, .12);
    eye->least_radius = .5 / scene->radius;
    eye->share = between(&rng, .09, .125);
    eye->tortuosity = between(&rng, .6, 1.3);
    double light = between(&rng, .85, 1.08);
    scene->color[RED] = light * between(&rng, 205, 240);
    scene->color[GREEN] = light * between(&rng, 108, 135);
    scene->color[BLUE] = light * between(&rng, 52, 82);
    scene->slope_x = between(&rng, -.12, .12);
    scene->slope_y = between(&rng, -.12, .12);
    scene->macula = between(&rng, .15, .32);
    scene->noise = between(&rng, 2.5, 4.5);
    scene->soft = between(&rng, .003, .0048);
    scene->cup_x = eye->disc_x + between(&rng, .0, .3) * eye->disc_radius;
    scene->cup_y = eye->disc_y + between(&rng, -.15, .15) * eye->disc_radius;
    place_spots(scene, &rng);
    rng = rs_rng_at(seed, TOOL, index, TEXTURE_KEY);
    const int cells[GRAIN] = {5, 14, 40, 110};
    for (int i = 0; i < GRAIN; i++)
        make_texture(&scene->grain[i], cells[i], &rng);
}

/* How far the edge of a vessel is blurred to either side, in pixels. */
static double softness(const struct scene *scene)
{
    return fmax(.8, scene->soft * scene->radius);
}

/* The depth of a vessel of this radius, this far off its middle, both in pixels: a column of blood with soft
 * edges, on whose middle a wider vessel shows the reflex of the light. */
static double depth_at(const struct scene *scene, double distance, double radius)
{
    double soft = softness(scene), size = radius / scene->radius,
           across = fmin(1, distance / (radius + soft));
    double column = .55 + .45 * sqrt(1 - across * across);
    double reflex = size > .006 ? .38 * bump(distance, .3 * radius) : 0;
    double thickness = fmin(1.1, .16 + .84 * size / .013);
    return thickness * column * (1 - reflex) * ramp(radius + soft, radius - soft, distance);
}

/* A piece of vessel in pixels: where it begins and which way it goes. */
struct capsule {
    double x, y, along_x, along_y, radius, growth, length2;
};

static void paint_pixel(struct canvas *canvas, const struct capsule *c, int column, int row, bool is_vein)
{
    struct rs_image *image = canvas->image;
    double x = column + .5 - c->x, y = row + .5 - c->y;
    double t = fmin(1, fmax(0, (x * c->along_x + y * c->along_y) / c->length2));
    double distance = hypot(x - t * c->along_x, y - t * c->along_y), radius = c->radius + t * c->growth;
    struct depth *depth = canvas->depths + (size_t)row * (size_t)image->width + (size_t)column;
    float d = (float)depth_at(canvas->scene, distance, radius);
    float *kind = is_vein ? &depth->vein : &depth->artery;
    if (d > *kind)
        *kind = d;
    if (distance < radius)
        rs_image_at(image, column, row)[rs_image_vessel_plane(image)] = (uint16_t)image->maxval;
}

static void paint_piece(void *context, const struct rs_vessel_piece *piece)
{
    struct canvas *canvas = context;
    const struct scene *scene = canvas->scene;
    double r = scene->radius, x[2], y[2], radius[2];
    for (int i = 0; i < 2; i++) {
        x[i] = scene->left + scene->mirror * r * piece->x[i];
        y[i] = scene->top + r * piece->y[i];
        radius[i] = r * piece->radius[i];
    }
    struct capsule c = {x[0], y[0], x[1] - x[0], y[1] - y[0], radius[0], radius[1] - radius[0], 0};
    c.length2 = c.along_x * c.along_x + c.along_y * c.along_y;
    double margin = fmax(radius[0], radius[1]) + softness(scene);
    int left = (int)fmax(0, fmin(x[0], x[1]) - margin), top = (int)fmax(0, fmin(y[0], y[1]) - margin);
    int right = (int)fmin(canvas->image->width - 1, fmax(x[0], x[1]) + margin);
    int bottom = (int)fmin(canvas->image->height - 1, fmax(y[0], y[1]) + margin);
    for (int row = top; row <= bottom; row++)
        for (int column = left; column <= right; column++)
            paint_pixel(canvas, &c, column, row, piece->is_vein);
}

/* The fundus without its vessels at (x, y). */
static void bare_fundus(const struct scene *scene, double x, double y, double color[COLORS])
{
    const struct rs_eye *eye = &scene->eye;
    static const struct {
        double weight, cosine, sine; /* turned against each other, so that no lattice shows */
    } octaves[GRAIN] = {{.08, 1, 0}, {.05, .6, .8}, {.045, .28, -.96}, {.05, .96, .28}};
    double grain = 0;
    for (int i = 0; i < GRAIN; i++) {
        double u = octaves[i].cosine * x - octaves[i].sine * y;
        double v = octaves[i].sine * x + octaves[i].cosine * y;
        grain += octaves[i].weight * texture_at(&scene->grain[i], u, v);
    }
    double light = 1.05 - .22 * (x * x + y * y) + scene->slope_x * x + scene->slope_y * y + grain;
    double away = hypot(x - eye->fovea_x, y - eye->fovea_y);
    double macula = scene->macula * bump(away, .2) + .35 * scene->macula * bump(away, .05);
    for (int i = 0; i < scene->spot_count; i++) {
        const struct spot *spot = &scene->spots[i];
        double far = hypot(x - spot->x, y - spot->y);
        if (far < 4 * spot->radius)
            light *= 1 + spot->strength * bump(far, spot->radius);
    }
    color[RED] = scene->color[RED] * light * (1 - .6 * macula);
    color[GREEN] = scene->color[GREEN] * light * (1 - macula);
    color[BLUE] = scene->color[BLUE] * light * (1 - .8 * macula);
}

static void add_disc(const struct scene *scene, double x, double y, double color[COLORS])
{
    static const double rim[COLORS] = {250, 190, 110}, cup[COLORS] = {255, 236, 170};
    const struct rs_eye *eye = &scene->eye;
    double r = eye->disc_radius, away = hypot(x - eye->disc_x, (y - eye->disc_y) * .93);
    double inside = ramp(1.08 * r, .92 * r, away), glow = .12 * bump(away, 1.7 * r);
    double in_cup = ramp(.75 * r, .25 * r, hypot(x - scene->cup_x, y - scene->cup_y));
    for (int i = 0; i < COLORS; i++) {
        double disc = rim[i] + in_cup * (cup[i] - rim[i]);
        color[i] *= 1 + glow;
        color[i] += .85 * inside * (disc - color[i]);
    }
}

/* Vessels take a share of the light at each color; the camera softens the edge of the field and adds noise.
 */
static void paint_photograph(uint16_t *to, const struct scene *scene, double x, double y,
                             const struct depth *depth, struct rs_rng *rng)
{
    static const double artery[COLORS] = {.11, .4, .33}, vein[COLORS] = {.24, .58, .46};
    static const double dark[COLORS] = {7, 6, 6};
    double color[COLORS], lit = ramp(1.006, .99, hypot(x, y));
    bare_fundus(scene, x, y, color);
    add_disc(scene, x, y, color);
    for (int i = 0; i < COLORS; i++) {
        double seen = color[i] * exp(-artery[i] * (double)depth->artery - vein[i] * (double)depth->vein);
        double noise = scene->noise * (.4 + .6 * lit) * rs_rng_normal(rng);
        to[i] = (uint16_t)fmin(255, fmax(0, dark[i] + lit * (seen - dark[i]) + noise + .5));
    }
}

static void paint_row(struct canvas *canvas, int row, struct rs_rng rng)
{
    const struct scene *scene = canvas->scene;
    struct rs_image *image = canvas->image;
    const struct depth *depth = canvas->depths + (size_t)row * (size_t)image->width;
    uint16_t *to = rs_image_at(image, 0, row);
    for (int column = 0; column < image->width; column++, depth++, to += COLORS + 2) {
        double x = scene->mirror * (column + .5 - scene->left) / scene->radius;
        double y = (row + .5 - scene->top) / scene->radius;
        bool inside = hypot(x, y) < 1;
        paint_photograph(to, scene, x, y, depth, &rng);
        to[COLORS] = inside ? to[COLORS] : 0;
        to[COLORS + 1] = inside ? 255 : 0;
    }
}

void rs_synth_draw(struct rs_image *image, int width, int height, uint64_t seed, uint64_t index)
{
    static const struct rs_image like = {.subject = RS_RGB, .has_vessel = true, .maxval = 255};
    struct scene scene = {0};
    struct canvas canvas = {.scene = &scene, .image = image};
    rs_image_shape(image, &like, width, height, true);
    set_scene(&scene, width, height, seed, index);
    canvas.depths = rs_alloc((size_t)width * (size_t)height, sizeof *canvas.depths);
    rs_vessels_grow(&scene.eye, rs_rng_at(seed, TOOL, index, TREE_KEY), paint_piece, &canvas);
    for (int row = 0; row < height; row++)
        paint_row(&canvas, row, rs_rng_at(seed, TOOL, index, NOISE_KEY + (uint64_t)row));
    free(canvas.depths);
    for (int i = 0; i < GRAIN; i++)
        free(scene.grain[i].values);
}
