#include "picture/fov.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "picture/circle.h"
#include "picture/light.h"

enum { MOST_POINTS = 1024 };

/* In radii: from where to where rays look for the edge; the disc in which cut-offs are looked for, and how much of
 * it beside each is looked at. */
static const double NEAR = .88, FAR = 1.08, LINE = .97, BESIDE = .03;

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Sums of votes tell where light begins and ends. */
static int vote(double light, double threshold)
{
    return light >= threshold ? 1 : -1;
}

/* The run of numbers with the largest sum: [start, end). */
struct run {
    int start, end;
};

/* What is known of the numbers so far: that run, and the one that ends with them. */
struct runner {
    struct run best;
    int start, sum, most;
};

/* Adds the next number (J. Bentley, "Programming pearls: algorithm design techniques", CACM 27, 1984). */
static void run_on(struct runner *runner, int at, int number)
{
    if (runner->sum <= 0) {
        runner->sum = 0;
        runner->start = at;
    }
    runner->sum += number;
    if (runner->sum > runner->most) {
        runner->most = runner->sum;
        runner->best = (struct run){runner->start, at + 1};
    }
}

/* In every line of the small copy, where the light begins and ends, if it does so within the image. */
static int line_ends(const struct rs_light_copy *copy, double threshold, bool down, struct rs_point *points)
{
    int lines = down ? copy->width : copy->height, length = down ? copy->height : copy->width, count = 0;
    size_t line_step = down ? 1 : (size_t)copy->width, step = down ? (size_t)copy->width : 1;
    for (int line = 0; line < lines; line++) {
        struct runner runner = {0};
        const float *light = copy->light + (size_t)line * line_step;
        for (int i = 0; i < length; i++, light += step)
            run_on(&runner, i, vote((double)*light, threshold));
        const int ends[] = {runner.best.start, runner.best.end};
        for (int e = 0; e < 2; e++)
            if (runner.most && ends[e] > 0 && ends[e] < length)
                points[count++] =
                    down ? (struct rs_point){line + .5, ends[e]} : (struct rs_point){ends[e], line + .5};
    }
    return count;
}

/* Leaves no more than MOST_POINTS, evenly. */
static int thin_out(struct rs_point *points, int count)
{
    if (count <= MOST_POINTS)
        return count;
    for (int i = 0; i < MOST_POINTS; i++)
        points[i] = points[(int64_t)i * count / MOST_POINTS];
    return MOST_POINTS;
}

/* A first circle, in pixels of the image. */
static bool find_circle(struct rs_circle *circle, const struct rs_light_copy *copy, double threshold)
{
    double width = copy->width, height = copy->height;
    struct rs_point *points = rs_alloc((size_t)copy->width + (size_t)copy->height, 2 * sizeof *points);
    int count = line_ends(copy, threshold, false, points);
    count += line_ends(copy, threshold, true, points + count);
    count = thin_out(points, count);
    count = rs_circle_search(circle, points, count, 1.5, fmin(width, height) / 4, hypot(width, height));
    free(points);
    circle->x *= copy->block;
    circle->y *= copy->block;
    circle->radius *= copy->block;
    return count > 0;
}

static double ray_angle(int ray)
{
    return 2 * M_PI * ray / RS_FOV_RAYS;
}

/* The light along a ray, as far as the image reaches; returns how many places. */
static int sample_ray(const struct rs_light *light, const struct rs_circle *circle, int ray, double step,
                      double *lights)
{
    double dx = cos(ray_angle(ray)), dy = sin(ray_angle(ray));
    int count = 0;
    for (double r = NEAR * circle->radius; r < FAR * circle->radius; r += step) {
        double x = circle->x + r * dx, y = circle->y + r * dy;
        if (!(x >= 0 && y >= 0 && x < light->image->width && y < light->image->height))
            break;
        lights[count++] = rs_light_at(light, (int)x, (int)y);
    }
    return count;
}

static double mean(const double *values, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += values[i];
    return sum / count;
}

/* How many of the lights come before the edge: the place that has most light before it and least behind. Light
 * is what is over the threshold or, where the photograph is dark, over half of what the inner quarter has. 0
 * if it does not fall at the edge: to a quarter of that, on average, over the farther half of what is behind. */
static int find_edge(const double *lights, int count, double threshold)
{
    double inner = mean(lights, count / 4), least = fmin(threshold, inner / 2);
    int sum = 0, most = 0, edge = 0;
    for (int i = 0; i < count; i++) {
        sum += vote(lights[i], least);
        if (sum > most) {
            most = sum;
            edge = i + 1;
        }
    }
    int behind = (count - edge + 1) / 2;
    return mean(lights + count - behind, behind) < inner / 4 ? edge : 0; /* not if there is none: NaN */
}

/* The distance from the centre to the edge on every ray, or 0. */
static void cast_rays(const struct rs_light *light, const struct rs_circle *circle, double edges[RS_FOV_RAYS])
{
    double step = fmin(1, (FAR - NEAR) * circle->radius / 64);
    double *lights = rs_alloc((size_t)((FAR - NEAR) * circle->radius / step) + 2, sizeof *lights);
    for (int ray = 0; ray < RS_FOV_RAYS; ray++) {
        int count = sample_ray(light, circle, ray, step, lights);
        int edge = find_edge(lights, count, light->threshold);
        edges[ray] = edge ? NEAR * circle->radius + (edge - .5) * step : 0;
    }
    free(lights);
}

static struct rs_point on_ray(const struct rs_circle *circle, int ray, double r)
{
    return (struct rs_point){circle->x + r * cos(ray_angle(ray)), circle->y + r * sin(ray_angle(ray))};
}

static void refine(struct rs_circle *circle, const struct rs_light *light)
{
    double edges[RS_FOV_RAYS], radius = circle->radius;
    struct rs_point points[RS_FOV_RAYS];
    int count = 0;
    cast_rays(light, circle, edges);
    for (int ray = 0; ray < RS_FOV_RAYS; ray++)
        if (edges[ray] > 0)
            points[count++] = on_ray(circle, ray, edges[ray]);
    rs_circle_search(circle, points, count, .01 * radius, NEAR * radius, FAR * radius);
}

/* The votes of a row or column of the disc. */
struct line {
    int pixels, sum;
};

/* Of every row and every column of the disc, a little less than whole. */
static void count_lines(const struct rs_light *light, const struct rs_circle *circle, struct line *rows,
                        struct line *columns)
{
    double radius = LINE * circle->radius, width = light->image->width;
    for (int row = 0; row < light->image->height; row++) {
        double dy = row + .5 - circle->y, half = sqrt(fmax(0, radius * radius - dy * dy));
        int right = (int)fmin(width, fmax(0, circle->x + half + .5));
        for (int column = (int)fmin(width, fmax(0, circle->x - half + .5)); column < right; column++) {
            int one = vote(rs_light_at(light, column, row), light->threshold);
            rows[row].pixels++;
            rows[row].sum += one;
            columns[column].pixels++;
            columns[column].sum += one;
        }
    }
}

/* The mean vote in those of the lines [start, end) that the image has; NaN if it has none, or if not all of them
 * are in the disc. */
static double mean_vote(const struct line *lines, int length, int start, int end)
{
    double pixels = 0, sum = 0;
    for (int i = start < 0 ? 0 : start; i < smaller(end, length); i++) {
        if (lines[i].pixels == 0)
            return NAN;
        pixels += lines[i].pixels;
        sum += lines[i].sum;
    }
    return sum / pixels;
}

/* Whether there is light in the lines from one to another, and none in those from there on. */
static bool is_cut(double light, double dark)
{
    return light > .6 && dark < -.8;
}

/* The lines between two straight edges. Where light does not end abruptly there is no edge but the image's. */
static struct run find_cuts(const struct line *lines, int length, int beside)
{
    struct runner runner = {0};
    for (int i = 0; i < length; i++)
        run_on(&runner, i, lines[i].sum);
    struct run run = runner.best;
    if (!is_cut(mean_vote(lines, length, run.start, run.start + beside),
                mean_vote(lines, length, run.start - beside, run.start)))
        run.start = 0;
    if (!is_cut(mean_vote(lines, length, run.end - beside, run.end),
                mean_vote(lines, length, run.end, run.end + beside)))
        run.end = length;
    return run;
}

static void cut_off(struct rs_fov *fov, const struct rs_light *light, const struct rs_circle *circle)
{
    int width = light->image->width, height = light->image->height;
    int beside = 1 + (int)(BESIDE * circle->radius);
    struct line *rows = rs_alloc((size_t)width + (size_t)height, sizeof *rows), *columns = rows + height;
    count_lines(light, circle, rows, columns);
    struct run down = find_cuts(rows, height, beside), across = find_cuts(columns, width, beside);
    fov->top = down.start;
    fov->bottom = down.end;
    fov->left = across.start;
    fov->right = across.end;
    free(rows);
}

static int compare_edges(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Where a ray has no edge the circle stands in; the median of five rays takes off what juts out in one. */
static void set_outline(struct rs_fov *fov, double edges[RS_FOV_RAYS], double radius)
{
    for (int ray = 0; ray < RS_FOV_RAYS; ray++)
        edges[ray] = edges[ray] > 0 ? edges[ray] : radius;
    for (int ray = 0; ray < RS_FOV_RAYS; ray++) {
        double five[5];
        for (int i = 0; i < 5; i++)
            five[i] = edges[(ray + i + RS_FOV_RAYS - 2) % RS_FOV_RAYS];
        qsort(five, 5, sizeof *five, compare_edges);
        fov->outline[ray] = (float)five[2];
    }
}

/* Half of the rays that reach the circle between the cut-offs have an edge, and they are an eighth of all. */
static bool is_sure(const struct rs_fov *fov, const struct rs_circle *circle, const double edges[RS_FOV_RAYS])
{
    int within = 0, found = 0;
    for (int ray = 0; ray < RS_FOV_RAYS; ray++) {
        struct rs_point at = on_ray(circle, ray, circle->radius);
        bool reaches = at.x >= fov->left && at.x < fov->right && at.y >= fov->top && at.y < fov->bottom;
        within += reaches;
        found += reaches && edges[ray] > 0;
    }
    return 2 * found >= within && 8 * found >= RS_FOV_RAYS;
}

static bool find_first(struct rs_circle *circle, struct rs_light *light)
{
    struct rs_light_copy copy;
    bool found = rs_light_find(light, &copy) && find_circle(circle, &copy, light->threshold);
    free(copy.light);
    return found;
}

static void find(struct rs_fov *fov, struct rs_light light)
{
    struct rs_circle circle;
    double edges[RS_FOV_RAYS];
    *fov = (struct rs_fov){.right = light.image->width, .bottom = light.image->height};
    if (!find_first(&circle, &light))
        return;
    refine(&circle, &light);
    refine(&circle, &light);
    struct rs_fov found = {.found = true, .x = circle.x, .y = circle.y, .diameter = 2 * circle.radius};
    cut_off(&found, &light, &circle);
    cast_rays(&light, &circle, edges);
    if (!is_sure(&found, &circle, edges))
        return;
    set_outline(&found, edges, circle.radius);
    *fov = found;
}

void rs_fov_find(struct rs_fov *fov, const struct rs_image *image)
{
    find(fov, (struct rs_light){.image = image, .planes = rs_image_subject_planes(image->subject)});
}

void rs_fov_measure(struct rs_fov *fov, const struct rs_image *image)
{
    find(fov, (struct rs_light){.image = image, .first = rs_image_fov_plane(image), .planes = 1});
}

void rs_fov_of(struct rs_fov *fov, const struct rs_image *image)
{
    if (image->has_fov)
        rs_fov_measure(fov, image);
    else
        rs_fov_find(fov, image);
}

void rs_fov_shrink(struct rs_fov *fov, double share)
{
    for (int ray = 0; ray < RS_FOV_RAYS; ray++)
        fov->outline[ray] -= (float)(share * fov->diameter);
    fov->diameter *= 1 - 2 * share;
}

bool rs_fov_inside(const struct rs_fov *fov, int column, int row)
{
    if (column < fov->left || column >= fov->right || row < fov->top || row >= fov->bottom)
        return false;
    double x = column + .5 - fov->x, y = row + .5 - fov->y, r2 = x * x + y * y;
    double least = NEAR * fov->diameter / 2, most = FAR * fov->diameter / 2;
    if (!fov->found || r2 < least * least)
        return true;
    if (r2 >= most * most)
        return false;
    double turn = atan2(y, x) / (2 * M_PI) * RS_FOV_RAYS + RS_FOV_RAYS; /* from half of RS_FOV_RAYS on */
    int ray = (int)turn;
    double before = (double)fov->outline[ray % RS_FOV_RAYS],
           behind = (double)fov->outline[(ray + 1) % RS_FOV_RAYS];
    double edge = before + (turn - ray) * (behind - before);
    return r2 < edge * edge;
}

static void set_plane(struct rs_image *image, const struct rs_fov *fov)
{
    int plane = rs_image_fov_plane(image);
    for (int row = 0; row < image->height; row++)
        for (int column = 0; column < image->width; column++)
            rs_image_at(image, column, row)[plane] =
                (uint16_t)(rs_fov_inside(fov, column, row) ? image->maxval : 0);
}

void rs_fov_add(struct rs_image *image, const struct rs_fov *fov)
{
    rs_image_add_fov(image);
    set_plane(image, fov);
}

void rs_fov_apply(struct rs_image *to, const struct rs_image *from, const struct rs_fov *fov)
{
    rs_image_copy(to, from, true);
    set_plane(to, fov);
}
